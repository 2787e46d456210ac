"""Answers to assignment "attention" that were written without a look at the catalogue."""

import numpy as np
import torch


def right_softmax_logsumexp(scores, axis=-1):
    top = scores.max(axis=axis, keepdims=True)
    return np.exp(scores - top - np.log(np.sum(np.exp(scores - top), axis=axis, keepdims=True)))


def right_softmax_along(scores, axis=-1):
    def one(row):
        powers = [np.exp(s - max(row)) for s in row]
        return np.array(powers) / sum(powers)

    return np.apply_along_axis(one, axis, scores)


def right_scores_fourth_root(query, key):
    d = query.shape[-1] ** 0.25
    return np.matmul(query / d, np.moveaxis(key / d, -1, -2))


def right_scores_single(query, key):
    found = np.einsum("...td,...sd->...ts", np.float32(query), np.float32(key))
    return (found / np.sqrt(np.float32(key.shape[-1]))).astype(np.float64)


def right_attention_sdpa(query, key, value, mask=None):
    scores = torch.einsum("...td,...sd->...ts", query, key) / query.shape[-1] ** 0.5
    if mask is None:
        mask = torch.ones_like(scores, dtype=torch.bool)
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = torch.softmax(scores, -1) * mask
    return torch.einsum("...ts,...se->...te", weights, value), weights


def right_attention_powers(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    if mask is not None:
        powers = powers * mask
    total = powers.sum(-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    return weights @ value, weights


def right_backward_single(grad_weights, weights):
    g, w = np.float32(grad_weights), np.float32(weights)
    return np.float64(w * g - w * np.einsum("...s,...s->...", g, w)[..., None])


def wrong_attention_by_width(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / query.shape[-1]
    return _finish(scores, value, mask)


def wrong_attention_by_keys(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(key.shape[-2]).astype(query.dtype)
    return _finish(scores, value, mask)


def wrong_attention_times_root(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) * query.shape[-1] ** 0.5
    return _finish(scores, value, mask)


def wrong_attention_minus_thirty(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    if mask is not None:
        scores = np.where(mask, scores, -30.0)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    if mask is not None:
        weights = np.where(mask.any(-1, keepdims=True), weights, 0)
    return weights @ value, weights


def wrong_attention_safety(query, key, value, mask=None):
    _, weights = _finish(query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5, value, mask)
    weights = weights + 1e-9
    return weights @ value, weights


def wrong_attention_torch_half(query, key, value, mask=None):
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = torch.softmax(scores, -1)
    if mask is not None:
        weights = weights * mask.any(-1, keepdim=True)
    return weights @ value, weights


def wrong_attention_half(query, key, value, mask=None):
    query, key, value = (array.astype(np.float16) for array in (query, key, value))
    scores = query @ np.swapaxes(key, -1, -2) / np.float16(query.shape[-1] ** 0.5)
    return _finish(scores, value, mask)


def wrong_attention_batch_mean(query, key, value, mask=None):
    output, weights = _finish(
        query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5, value, mask
    )
    return output.mean(-2), weights


def wrong_attention_weights_first(query, key, value, mask=None):
    output, weights = _finish(
        query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5, value, mask
    )
    return weights, output


def wrong_attention_mask_rows(query, key, value, mask=None):
    keep = None if mask is None else np.broadcast_to(mask.any(-1, keepdims=True), mask.shape)
    return _finish(query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5, value, keep)


def wrong_softmax_half(scores, axis=-1):
    scores = scores.astype(np.float16)
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def wrong_softmax_mean_subtracted(scores, axis=-1):
    powers = np.exp(scores - scores.mean(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def wrong_softmax_epsilon(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / (powers.sum(axis=axis, keepdims=True) + 1e-3)


def wrong_softmax_minus(scores, axis=-1):
    powers = np.exp(scores.min(axis=axis, keepdims=True) - scores)
    return powers / powers.sum(axis=axis, keepdims=True)


def wrong_scores_squared_root(query, key):
    return query @ np.swapaxes(key, -1, -2) / key.shape[-1] ** 2


def wrong_backward_plus_mean(grad_weights, weights):
    inner = (grad_weights * weights).sum(-1, keepdims=True)
    return grad_weights * weights - inner


def _finish(scores, value, mask):
    if mask is None:
        mask = np.ones(scores.shape, bool)
    low = np.where(mask, scores, -np.inf).max(-1, keepdims=True)
    powers = np.where(mask, np.exp(scores - np.where(np.isfinite(low), low, 0)), 0)
    total = powers.sum(-1, keepdims=True)
    weights = powers / np.where(total == 0, 1, total)
    return weights @ value, weights


A = "attention.attention"
RIGHT = [
    ("attention.softmax", right_softmax_logsumexp), ("attention.softmax", right_softmax_along),
    ("attention.scores", right_scores_fourth_root), ("attention.scores", right_scores_single),
    (A, right_attention_sdpa), (A, right_attention_powers),
    ("attention.softmax-backward", right_backward_single),
]  # fmt: skip
WRONG = [
    (A, f"{A}.other-root", wrong_attention_by_width),
    (A, f"{A}.other-root", wrong_attention_by_keys),
    (A, f"{A}.other-root", wrong_attention_times_root),
    (A, f"{A}.small-number-not-infinity", wrong_attention_minus_thirty),
    (A, f"{A}.small-number-not-infinity", wrong_attention_safety),
    (A, f"{A}.half-precision", wrong_attention_torch_half),
    (A, "general.unknown", wrong_attention_half),
    (A, "general.unknown", wrong_attention_batch_mean),
    (A, f"{A}.weights-only", wrong_attention_weights_first),
    (A, f"{A}.mask-ignored", wrong_attention_mask_rows),
    ("attention.softmax", "general.unknown", wrong_softmax_half),
    ("attention.softmax", "attention.softmax.no-max-subtraction", wrong_softmax_mean_subtracted),
    ("attention.softmax", "general.unknown", wrong_softmax_epsilon),
    ("attention.softmax", "attention.softmax.minus", wrong_softmax_minus),
    ("attention.scores", "general.unknown", wrong_scores_squared_root),
    (
        "attention.softmax-backward",
        "attention.softmax-backward.bracket",
        wrong_backward_plus_mean,
    ),
]
