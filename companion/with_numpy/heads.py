"""Heads: cut the width into slices, attend in each, lay them side by side again."""

from functools import partial

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array
from companion.with_numpy.attention import attention, attention_backward
from companion.with_numpy.scores import scaled_dot_score


def split_heads(inputs: Array, heads: int) -> Array:
    """Cut the width into heads; `merge_heads` undoes it.

    inputs (B, T, C), floating   heads H, a divisor of C
    Returns output (B, H, T, D), D = C / H: head h holds units h D to h D + D - 1.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(np.ndarray, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "T", "H·D")
    B, T, C = inputs.shape
    _check_layers.divides(heads, C)
    return inputs.reshape(B, T, heads, C // heads).swapaxes(1, 2)


def merge_heads(inputs: Array) -> Array:
    """Lay the heads side by side again, as before `split_heads`.

    inputs (B, H, T, D), floating   Returns output (B, T, H·D).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(np.ndarray, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "H", "T", "D")
    B, H, T, D = inputs.shape
    return inputs.swapaxes(1, 2).reshape(B, T, H * D)


def grouped_attention(
    query: Array, key: Array, value: Array, mask: Array | None = None, bias: Array | None = None
) -> tuple[Array, Array]:
    """`attention` where each key head serves a group of neighbouring query heads.

        output_h = attention(query_h, key_g, value_g),   g = ⌊h G / H⌋

    query (B, H, T, D)   key, value (B, G, S, D), G divides H
    mask stretching to (B, H, T, S), True = may look   bias likewise, floating, added to the scores
    Returns output (B, H, T, D) and weights (B, H, T, S); a query that sees no key gets zeros.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Ainslie et al. 2023, section 2.2; G = 1: Shazeer 2019, section 3.
    """
    _check_layers.groups(np.ndarray, query, key, value)
    key, value = _repeat(key, query.shape[1]), _repeat(value, query.shape[1])
    return attention(query, key, value, mask, score=partial(_biased_score, bias=bias))


def grouped_attention_backward(
    grad_output: Array, query: Array, key: Array, value: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `grouped_attention`: a key head sums what its group of query heads asks of it.

    grad_output (B, H, T, D)   weights (B, H, T, S) as returned   the others as there
    Returns grad_query (B, H, T, D), grad_key and grad_value (B, G, S, D).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check_layers.groups(np.ndarray, query, key, value)
    G, H = key.shape[1], query.shape[1]
    grad_query, grad_key, grad_value = attention_backward(
        grad_output, query, _repeat(key, H), _repeat(value, H), weights
    )
    return grad_query, _sum_groups(grad_key, G), _sum_groups(grad_value, G)


def _biased_score(query: Array, key: Array, bias: Array | None) -> Array:
    scores = scaled_dot_score(query, key)
    if bias is None:
        return scores
    _check.floats(np.ndarray, query=query, bias=bias)
    _check_layers.stretches("bias", bias, scores.shape, "(B, H, T, S)")
    return scores + bias


def _repeat(heads: Array, H: int) -> Array:
    return heads if heads.shape[1] == H else np.repeat(heads, H // heads.shape[1], axis=1)


def _sum_groups(grad_heads: Array, G: int) -> Array:
    B, H, S, D = grad_heads.shape
    return grad_heads.reshape(B, G, H // G, S, D).sum(axis=2)
