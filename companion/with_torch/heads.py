"""Heads: cut the width into slices, attend in each, lay them side by side again."""

from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
from torch import Tensor

from companion import _check, _check_layers
from companion.with_torch.attention import attention
from companion.with_torch.scores import scaled_dot_score

__all__ = ["grouped_attention", "merge_heads", "split_heads"]


def split_heads(inputs: Tensor, heads: int) -> Tensor:
    """Cut the width into heads; `merge_heads` undoes it.

    inputs (B, T, C), floating   heads H, a divisor of C
    Returns output (B, H, T, D), D = C / H: head h holds units h D to h D + D - 1.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "T", "H·D")
    B, T, C = inputs.shape
    _check_layers.divides(heads, C)
    return inputs.reshape(B, T, heads, C // heads).swapaxes(1, 2)


def merge_heads(inputs: Tensor) -> Tensor:
    """Lay the heads side by side again, as before `split_heads`.

    inputs (B, H, T, D), floating   Returns output (B, T, H·D).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "H", "T", "D")
    B, H, T, D = inputs.shape
    return inputs.swapaxes(1, 2).reshape(B, T, H * D)


def grouped_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`attention` where each key head serves a group of neighbouring query heads.

        output_h = attention(query_h, key_g, value_g),   g = ⌊h G / H⌋

    query (B, H, T, D)   key, value (B, G, S, D), G divides H
    mask stretching to (B, H, T, S), True = may look   bias likewise, floating, added to the scores
    Returns output (B, H, T, D) and weights (B, H, T, S); a query that sees no key gets zeros.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Ainslie et al. 2023, section 2.2; G = 1: Shazeer 2019, section 3.
    """
    _check_layers.groups(torch.Tensor, query, key, value)
    key, value = _repeat(key, query.shape[1]), _repeat(value, query.shape[1])
    return attention(query, key, value, mask, score=partial(_biased_score, bias=bias))


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """The output of `grouped_attention` without its weights, from torch's fused kernel: faster.

    Arguments, errors and output as there, but NaN and +inf are not looked for, so that a GPU need
    not wait: the kernel may turn them to zeros. scaled_dot_product_attention leaves open what a
    query gets that sees no key; here it is zeros, with zero gradient.
    """
    _check_layers.groups(torch.Tensor, query, key, value)
    key, value = _repeat(key, query.shape[1]), _repeat(value, query.shape[1])
    if mask is None and bias is None:
        return F.scaled_dot_product_attention(query, key, value)
    full = (*query.shape[:-1], key.shape[-2])
    if bias is not None:
        _check.floats(torch.Tensor, query=query, bias=bias)
        _check_layers.stretches("bias", bias, full, "(B, H, T, S)")
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, bias)
    _check.attention_mask(torch.Tensor, mask, full)
    blind = ~mask.any(dim=-1, keepdim=True)
    seen = mask | blind
    allowed = seen if bias is None else bias.masked_fill(~seen, -torch.inf)
    return F.scaled_dot_product_attention(query, key, value, allowed).masked_fill(blind, 0)


def _biased_score(query: Tensor, key: Tensor, bias: Tensor | None) -> Tensor:
    scores = scaled_dot_score(query, key)
    if bias is None:
        return scores
    _check.floats(torch.Tensor, query=query, bias=bias)
    _check_layers.stretches("bias", bias, scores.shape, "(B, H, T, S)")
    return scores + bias


def _repeat(heads: Tensor, H: int) -> Tensor:
    return heads if heads.shape[1] == H else heads.repeat_interleave(H // heads.shape[1], 1)
