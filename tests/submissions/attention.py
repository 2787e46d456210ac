"""Right and wrong answers to assignment "attention", in other words than the catalogue's own."""

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

# --------------------------------------------------------------------------------- softmax


def right_loops(scores, axis=-1):
    moved = np.moveaxis(np.asarray(scores, dtype=float), axis, -1)
    out = np.empty_like(moved)
    for place in np.ndindex(moved.shape[:-1]):
        row = moved[place]
        powers = [math.exp(s - max(row)) for s in row]
        out[place] = [p / math.fsum(powers) for p in powers]
    return np.moveaxis(out, -1, axis)


def right_torch(scores, axis=-1):
    return torch.softmax(scores, dim=axis)


def right_logsumexp(scores, axis=-1):
    return np.exp(scores - np.logaddexp.reduce(scores, axis=axis, keepdims=True))


def wrong_unstable(scores, axis=-1):
    powers = math.e**scores
    return powers / np.sum(powers, axis, keepdims=True)


def wrong_one_maximum(scores, axis=-1):
    powers = np.exp(scores - np.max(scores))
    return powers / powers.sum(axis, keepdims=True)


def wrong_mean_subtracted(scores, axis=-1):
    powers = np.exp(scores - scores.mean(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def wrong_min_subtracted(scores, axis=-1):
    powers = np.exp(scores - scores.min(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def wrong_total(scores, axis=-1):
    powers = np.exp(scores - np.max(scores))
    return powers / np.sum(powers)


def wrong_always_rows(scores, axis=-1):
    return torch.softmax(torch.as_tensor(scores), -1).numpy()


def wrong_ratio(scores, axis=-1):
    return scores / np.sum(scores, axis=axis, keepdims=True)


def wrong_powers(scores, axis=-1):
    return np.exp(scores - np.amax(scores, axis=axis, keepdims=True))


def wrong_log(scores, axis=-1):
    return F.log_softmax(scores, dim=axis)


def wrong_two(scores, axis=-1):
    powers = 2.0 ** (scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


# ---------------------------------------------------------------------------------- scores


def right_einsum(query, key):
    return np.einsum("...td,...sd->...ts", query, key) / np.sqrt(key.shape[-1])


def right_fourth_root(query, key):
    root = query.shape[-1] ** 0.25
    return (query / root) @ (key / root).swapaxes(-2, -1)


def right_torch_scores(query, key):
    return torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(query.size(-1))


def right_sum_of_products(query, key):
    return (query[..., :, None, :] * key[..., None, :, :]).sum(-1) * query.shape[-1] ** -0.5


def wrong_plain(query, key):
    return np.einsum("...td,...sd->...ts", query, key)


def wrong_by_width(query, key):
    return (query[..., :, None, :] * key[..., None, :, :]).mean(-1)


def wrong_by_keys(query, key):
    return query @ np.moveaxis(key, -1, -2) / np.sqrt(key.shape[-2])


def wrong_times(query, key):
    return query @ np.moveaxis(key, -1, -2) * np.sqrt(key.shape[-1])


def wrong_both_scaled(query, key):
    d = query.shape[-1]
    return (query / d**0.5) @ np.moveaxis(key / d**0.5, -1, -2) / d**0.5


def wrong_exchanged(query, key):
    return key @ np.moveaxis(query, -1, -2) / query.shape[-1] ** 0.5


def wrong_angle(query, key):
    a = query / np.linalg.norm(query, axis=-1, keepdims=True)
    b = key / np.linalg.norm(key, axis=-1, keepdims=True)
    return a @ np.moveaxis(b, -1, -2)


def wrong_far(query, key):
    return torch.cdist(query.double(), key.double()).to(query.dtype)


def wrong_batch(query, key):
    return np.dot(query, key.T) / np.sqrt(query.shape[-1])


# ------------------------------------------------------------------------------- attention


def right_sdpa(query, key, value, mask=None):
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = torch.nan_to_num(torch.softmax(scores, -1))
    return weights @ value, weights


def right_multiplied(query, key, value, mask=None):
    scores = np.einsum("...td,...sd->...ts", query, key) / query.shape[-1] ** 0.5
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    powers = powers if mask is None else powers * mask
    total = powers.sum(-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    return np.einsum("...ts,...se->...te", weights, value), weights


def right_rows(query, key, value, mask=None):
    T, S = query.shape[-2], key.shape[-2]
    lead = query.shape[:-2]
    weights = np.zeros((*lead, T, S))
    seen = np.ones((*lead, T, S), bool) if mask is None else np.broadcast_to(mask, (*lead, T, S))
    for place in np.ndindex(*lead, T):
        at = np.flatnonzero(seen[place])
        if len(at):
            scores = key[place[:-1]][at] @ query[place] / math.sqrt(query.shape[-1])
            powers = np.exp(scores.astype(float) - scores.max())
            weights[place][at] = powers / powers.sum()
    return weights @ value, weights


def right_finfo(query, key, value, mask=None):
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1], dtype=query.dtype)
    if mask is not None:
        scores = np.where(mask, scores, np.finfo(scores.dtype).min)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    if mask is not None:
        weights = np.where(np.broadcast_to(mask, weights.shape).any(-1, keepdims=True), weights, 0)
    return weights @ value, weights


def _weights(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _scores(query, key):
    return query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5


def wrong_no_root(query, key, value, mask=None):
    return right_multiplied(query * query.shape[-1] ** 0.5, key, value, mask)


def wrong_inverted(query, key, value, mask=None):
    scores = _scores(query, key)
    if mask is not None:
        scores = np.where(mask, -np.inf, scores)
    weights = _weights(scores)
    return weights @ value, weights


def wrong_late(query, key, value, mask=None):
    weights = _weights(_scores(query, key))
    if mask is not None:
        weights = np.where(mask, weights, 0)
    return weights @ value, weights


def wrong_zeroed(query, key, value, mask=None):
    scores = _scores(query, key)
    weights = _weights(scores if mask is None else np.where(mask, scores, 0.0))
    return weights @ value, weights


def wrong_added(query, key, value, mask=None):
    scores = torch.as_tensor(_scores(query, key))
    scores = scores if mask is None else scores + torch.as_tensor(mask)
    weights = torch.softmax(scores, -1).numpy()
    return weights @ value, weights


def wrong_blind(query, key, value, mask=None):
    weights = _weights(_scores(query, key))
    return weights @ value, weights


def wrong_columns(query, key, value, mask=None):
    scores = _scores(query, key)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    weights = np.nan_to_num(np.swapaxes(_weights(np.swapaxes(scores, -1, -2)), -1, -2))
    return weights @ value, weights


def wrong_minus_ten(query, key, value, mask=None):
    scores = _scores(query, key)
    weights = _weights(scores if mask is None else np.where(mask, scores, -10))
    return weights @ value, weights


def wrong_half(query, key, value, mask=None):
    scores = _scores(query, key)
    with np.errstate(all="ignore"):
        if mask is not None:
            scores = scores + (1 - mask.astype(scores.dtype)) * np.asarray(-1e9, scores.dtype)
        weights = _weights(scores)
    if mask is not None:
        hidden = ~np.broadcast_to(mask, weights.shape).any(-1, keepdims=True)
        weights = np.where(hidden, 0, weights)
    return weights @ value, weights


def wrong_nan_row(query, key, value, mask=None):
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ value, weights


def wrong_even_row(query, key, value, mask=None):
    scores = _scores(query, key).astype(float)
    weights = _weights(scores if mask is None else np.where(mask, scores, -1e20))
    return weights @ value, weights


def wrong_keys_mixed(query, key, value, mask=None):
    _, weights = right_multiplied(query, key, value, mask)
    return weights @ key, weights


def wrong_output_alone(query, key, value, mask=None):
    return right_multiplied(query, key, value, mask)[0]


def wrong_exchanged_pair(query, key, value, mask=None):
    output, weights = right_multiplied(query, key, value, mask)
    return weights, output


def wrong_input_again(query, key, value, mask=None):
    weights = right_multiplied(query, key, value, mask)[1]
    return weights.sum(-1, keepdims=True) * query, weights


# -------------------------------------------------------------------------------- backward


def right_jacobian(grad_weights, weights):
    eye = np.eye(weights.shape[-1])
    jacobian = weights[..., :, None] * eye - weights[..., :, None] * weights[..., None, :]
    return np.einsum("...s,...sr->...r", grad_weights, jacobian)


def right_autograd(grad_weights, weights):
    scores = weights.clamp_min(1e-300).log().detach().requires_grad_()
    scores.softmax(-1).backward(grad_weights)
    return scores.grad


def right_two_terms(grad_weights, weights):
    product = grad_weights * weights
    return product - weights * product.sum(axis=-1)[..., None]


def wrong_diagonal(grad_weights, weights):
    return grad_weights * (weights - weights**2)


def wrong_product(grad_weights, weights):
    return np.multiply(weights, grad_weights)


def wrong_even_mean(grad_weights, weights):
    return weights * (grad_weights - np.mean(grad_weights, -1, keepdims=True))


def wrong_one_mean(grad_weights, weights):
    return weights * (grad_weights - np.vdot(grad_weights, weights))


def wrong_sign(grad_weights, weights):
    return weights * ((grad_weights * weights).sum(-1, keepdims=True) - grad_weights)


def wrong_twice(grad_weights, weights):
    weights = _weights(weights)
    return weights * (grad_weights - (grad_weights * weights).sum(-1, keepdims=True))


def wrong_flat_sum(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis)


def wrong_one_row(grad_weights, weights):
    return (np.diag(weights) - np.outer(weights, weights)) @ grad_weights


def wrong_if_mask(query, key, value, mask=None):
    return right_multiplied(query, key, value, mask if mask else None)


RIGHT = [
    ("attention.softmax", right_loops),
    ("attention.softmax", right_torch),
    ("attention.softmax", right_logsumexp),
    ("attention.scores", right_einsum),
    ("attention.scores", right_fourth_root),
    ("attention.scores", right_torch_scores),
    ("attention.scores", right_sum_of_products),
    ("attention.attention", right_sdpa),
    ("attention.attention", right_multiplied),
    ("attention.attention", right_rows),
    ("attention.attention", right_finfo),
    ("attention.softmax-backward", right_jacobian),
    ("attention.softmax-backward", right_autograd),
    ("attention.softmax-backward", right_two_terms),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("attention.softmax", "no-max-subtraction", wrong_unstable),
        ("attention.softmax", "one-maximum", wrong_one_maximum),
        ("attention.softmax", "no-max-subtraction", wrong_mean_subtracted),
        ("attention.softmax", "no-max-subtraction", wrong_min_subtracted),
        ("attention.softmax", "whole-array", wrong_total),
        ("attention.softmax", "wrong-axis", wrong_always_rows),
        ("attention.softmax", "no-exponential", wrong_ratio),
        ("attention.softmax", "not-normalised", wrong_powers),
        ("attention.softmax", "log", wrong_log),
        ("attention.softmax", "base-two", wrong_two),
        ("attention.scores", "missing-root", wrong_plain),
        ("attention.scores", "no-root", wrong_by_width),
        ("attention.scores", "wrong-size", wrong_by_keys),
        ("attention.scores", "multiplied", wrong_times),
        ("attention.scores", "scaled-twice", wrong_both_scaled),
        ("attention.scores", "swapped", wrong_exchanged),
        ("attention.scores", "cosine", wrong_angle),
        ("attention.scores", "distance", wrong_far),
        ("attention.scores", "two-axes-only", wrong_batch),
        ("attention.attention", "missing-root", wrong_no_root),
        ("attention.attention", "mask-inverted", wrong_inverted),
        ("attention.attention", "mask-after-softmax", wrong_late),
        ("attention.attention", "mask-times-zero", wrong_zeroed),
        ("attention.attention", "mask-added", wrong_added),
        ("attention.attention", "mask-ignored", wrong_blind),
        ("attention.attention", "wrong-axis", wrong_columns),
        ("attention.attention", "small-number-not-infinity", wrong_minus_ten),
        ("attention.attention", "half-precision", wrong_half),
        ("attention.attention", "empty-row-nan", wrong_nan_row),
        ("attention.attention", "empty-row-even", wrong_even_row),
        ("attention.attention", "value-is-key", wrong_keys_mixed),
        ("attention.attention", "weights-only", wrong_output_alone),
        ("attention.attention", "weights-only", wrong_exchanged_pair),
        ("attention.attention", "times-input", wrong_input_again),
        ("attention.softmax-backward", "diagonal", wrong_diagonal),
        ("attention.softmax-backward", "no-mean", wrong_product),
        ("attention.softmax-backward", "plain-mean", wrong_even_mean),
        ("attention.softmax-backward", "whole-array", wrong_one_mean),
        ("attention.softmax-backward", "sign", wrong_sign),
        ("attention.softmax-backward", "softmax-again", wrong_twice),
        ("attention.softmax", "axis-lost", wrong_flat_sum),
        ("attention.softmax-backward", "one-row-only", wrong_one_row),
        ("attention.attention", "truth-of-a-mask", wrong_if_mask),
    ]
]
