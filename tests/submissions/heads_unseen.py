"""Answers to assignment "heads" that were written without a look at the catalogue."""

import numpy as np
import torch


def _powers(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _layer_by_heads(x, memory, params, heads, mask, hide, work=np.float64):
    x, memory = x.astype(work), memory.astype(work)
    params = {name: weight.astype(work) for name, weight in params.items()}
    width = x.shape[-1] // heads
    found = []
    for b in range(len(x)):
        parts = []
        for h in range(heads):
            rows = slice(h * width, (h + 1) * width)
            q = x[b] @ params["query_proj"][rows].T
            k = memory[b] @ params["key_proj"][rows].T
            v = memory[b] @ params["value_proj"][rows].T
            scores = q @ k.T / work(width**0.5)
            if mask is not None:
                scores = hide(scores, mask[b] if mask.ndim == 3 else mask)
            parts.append(_powers(scores) @ v)
        found.append(np.hstack(parts) @ params["output_proj"].T)
    return np.stack(found)


def _minus_infinity(scores, mask):
    return np.where(mask, scores, -np.inf)


def right_multi_head_by_heads(x, params, heads, mask=None):
    return _layer_by_heads(x, x, params, heads, mask, _minus_infinity)


def right_multi_head_single(x, params, heads, mask=None):
    found = _layer_by_heads(x, x, params, heads, mask, _minus_infinity, np.float32)
    return found.astype(np.float64)


def right_cross_naive_exponential(x, memory, params, heads, mask=None):
    def hide(scores, mask):
        return scores + np.where(mask, 0.0, -1e9)

    return _layer_by_heads(x, memory, params, heads, mask, hide)


def right_cross_einsum(x, memory, params, heads, mask=None):
    C = x.shape[-1]
    cut = {
        name: params[f"{name}_proj"].reshape(heads, C // heads, C)
        for name in ("query", "key", "value")
    }
    q = np.einsum("btc,hdc->bhtd", x, cut["query"])
    k = np.einsum("bsc,hdc->bhsd", memory, cut["key"])
    v = np.einsum("bsc,hdc->bhsd", memory, cut["value"])
    powers = np.exp(np.einsum("bhtd,bhsd->bhts", q, k) / (C // heads) ** 0.5)
    if mask is not None:
        powers = powers * (mask[:, None] if mask.ndim == 3 else mask)
    weights = powers / powers.sum(-1, keepdims=True)
    return np.einsum("bhts,bhsd,chd->btc", weights, v, params["output_proj"].reshape(C, heads, -1))


def right_causal_list(T, S):
    return [[s - (S - T) <= t for s in range(S)] for t in range(T)]


def right_padding_torch(lengths, S):
    return (torch.arange(S)[None, None] < lengths.reshape(-1, 1, 1)).bool()


def right_split_stack(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=-3)


def right_merge_concatenate(x):
    return np.concatenate([x[..., h, :, :] for h in range(x.shape[-3])], axis=-1)


def wrong_multi_head_minus_twenty(x, params, heads, mask=None):
    return _layer_by_heads(
        x, x, params, heads, mask, lambda scores, mask: np.where(mask, scores, -20.0)
    )


def wrong_cross_minus_twenty(x, memory, params, heads, mask=None):
    return _layer_by_heads(
        x, memory, params, heads, mask, lambda scores, mask: np.where(mask, scores, -20.0)
    )


def wrong_multi_head_half(x, params, heads, mask=None):
    return _layer_by_heads(x, x, params, heads, mask, _minus_infinity, np.float16)


def wrong_multi_head_twice_projected(x, params, heads, mask=None):
    found = _layer_by_heads(x, x, params, heads, mask, _minus_infinity)
    return found @ params["output_proj"].T


def wrong_multi_head_summed(x, params, heads, mask=None):
    C, width = x.shape[-1], x.shape[-1] // heads
    total = 0
    for h in range(heads):
        rows = slice(h * width, (h + 1) * width)
        q, k, v = (x @ params[f"{name}_proj"][rows].T for name in ("query", "key", "value"))
        scores = q @ k.swapaxes(-1, -2) / width**0.5
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        total = total + np.pad(_powers(scores) @ v, ((0, 0), (0, 0), (0, C - width)))
    return total @ params["output_proj"].T


def wrong_causal_square(T, S):
    return np.tri(T, S, dtype=bool)


def wrong_padding_flat(lengths, S):
    return np.arange(S)[None] < lengths[:, None]


def wrong_split_last(x, heads):
    return np.moveaxis(np.stack(np.split(x, heads, axis=-1), axis=-1), -1, -1)


def wrong_merge_dealt(x):
    return np.concatenate([x[..., d] for d in range(x.shape[-1])], axis=-2).swapaxes(-1, -2)


M, X = "heads.multi-head", "heads.cross-attention"
RIGHT = [
    (M, right_multi_head_by_heads), (M, right_multi_head_single),
    (X, right_cross_naive_exponential), (X, right_cross_einsum),
    ("heads.causal-mask", right_causal_list), ("heads.padding-mask", right_padding_torch),
    ("heads.split-heads", right_split_stack), ("heads.merge-heads", right_merge_concatenate),
]  # fmt: skip
WRONG = [
    (M, f"{M}.mask-too-weak", wrong_multi_head_minus_twenty),
    (X, f"{X}.mask-too-weak", wrong_cross_minus_twenty),
    (M, "general.unknown", wrong_multi_head_half),
    (M, "general.unknown", wrong_multi_head_twice_projected),
    (M, "general.unknown", wrong_multi_head_summed),
    ("heads.causal-mask", "heads.causal-mask.from-the-start", wrong_causal_square),
    ("heads.padding-mask", "heads.padding-mask.shape", wrong_padding_flat),
    ("heads.split-heads", "heads.split-heads.strided", wrong_split_last),
    ("heads.merge-heads", "heads.merge-heads.dealt", wrong_merge_dealt),
]
