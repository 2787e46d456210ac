"""Softmax: scores in, weights that sum to 1 out. Forward, backward, and by blocks."""

from typing import Any

import numpy as np

from companion import _check
from companion.with_numpy._types import Array


def softmax(
    scores: Array, mask: Array | None = None, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """Turn scores into non-negative weights that sum to 1 along `axis`.

        weights_j = exp(scores_j / τ) / Σ_k exp(scores_k / τ)                 τ = temperature

    scores any shape, floating, no unit; -inf means "never"
    mask stretches to scores, boolean, True = may look
    Returns weights of the same shape and dtype. Where nothing may be looked at, the weights are 0.

    Raises TypeError if scores are not floating or the mask is not boolean, and ValueError if the
    mask does not fit, the temperature is not positive, or a visible score is NaN or +inf.
    Source: Goodfellow et al. 2016, eq. 4.1; the largest score is subtracted first, so that neither
    exp nor a small temperature overflows (their section 4.1). The textbook formula gives NaN for
    a row that sees nothing.
    """
    exponential = np.exp(_gaps(scores, mask, axis, temperature))
    total = exponential.sum(axis=axis, keepdims=True, dtype=_wide(scores))
    total[total == 0] = 1
    return (exponential / total).astype(scores.dtype, copy=False)


def softmax_backward(
    grad_weights: Array, weights: Array, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """Gradient of a loss with respect to the scores, from that with respect to the weights.

        ∂L/∂scores_j = weights_j (g_j - Σ_k g_k weights_k) / τ                 g = ∂L/∂weights

    grad_weights, weights any shape, both the same, floating; weights as `softmax` returned them
    Returns grad_scores of the same shape; 0 wherever the weight is 0, so the mask is not needed.

    Raises TypeError or ValueError if dtypes or shapes differ or the temperature is not positive.
    Source: the chain rule with the Jacobian (diag(w) - w wᵀ) / τ of softmax.
    """
    _check.floats(np.ndarray, weights=weights, grad_weights=grad_weights)
    _check.shape("grad_weights", grad_weights, weights.shape, "the shape of weights")
    _check.axis(axis, weights)
    _check.temperature(temperature, np.finfo(weights.dtype).tiny)
    mean = (grad_weights * weights).sum(axis=axis, keepdims=True)
    return weights * (grad_weights - mean) / float(temperature)


def log_softmax(
    scores: Array, mask: Array | None = None, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """The logarithm of `softmax`, found without rounding small weights to 0 first.

        output_j = scores_j / τ - log Σ_k exp(scores_k / τ)                   τ = temperature

    scores any shape, floating; mask, axis, temperature as in `softmax`
    Returns log_weights of the same shape and dtype, in nats, ≤ 0; -inf where nothing may be looked
    at.

    Raises TypeError or ValueError as `softmax` does.
    Source: Goodfellow et al. 2016, section 6.2.2.3.
    """
    lowered = _gaps(scores, mask, axis, temperature)
    total = np.exp(lowered).sum(axis=axis, keepdims=True, dtype=_wide(scores))
    total[total == 0] = 1
    return (lowered - np.log(total)).astype(scores.dtype, copy=False)


def log_softmax_backward(
    grad_log_weights: Array, log_weights: Array, *, axis: int = -1, temperature: float = 1.0
) -> Array:
    """Gradient of a loss with respect to the scores, from that with respect to the log-weights.

        ∂L/∂scores_j = (g_j - exp(log_weights_j) Σ_k g_k) / τ              g = ∂L/∂log_weights

    grad_log_weights, log_weights any shape, both the same, floating; log_weights as returned
    Returns grad_scores of the same shape; 0 wherever the weight is 0, so the mask is not needed.

    Raises TypeError or ValueError if dtypes or shapes differ or the temperature is not positive.
    """
    _check.floats(np.ndarray, log_weights=log_weights, grad_log_weights=grad_log_weights)
    _check.shape("grad_log_weights", grad_log_weights, log_weights.shape, "that of log_weights")
    _check.axis(axis, log_weights)
    _check.temperature(temperature, np.finfo(log_weights.dtype).tiny)
    grad = np.where(np.isneginf(log_weights), 0, grad_log_weights).astype(log_weights.dtype)
    return (grad - np.exp(log_weights) * grad.sum(axis=axis, keepdims=True)) / float(temperature)


def online_softmax(scores: Array, *, block: int = 128) -> Array:
    """Softmax over the last axis whose normaliser is found in one pass over blocks of scores.

        m' = max(m, max(block)),   Z' = Z exp(m - m') + Σ exp(block - m')

    scores (..., S), floating   block the number of scores looked at together
    Returns weights (..., S), equal to `softmax(scores)`: a row of -inf alone gives zeros.

    Raises TypeError if scores are not floating, ValueError if block < 1 or a score is NaN or +inf.
    Source: Milakov & Gimelshein 2018, algorithm 3; the base of FlashAttention (Dao et al. 2022).
    """
    _check.floats(np.ndarray, scores=scores)
    _check.rank(1, scores=scores)
    _check.length(1, block=block)
    peak = np.full((*scores.shape[:-1], 1), -np.inf, dtype=scores.dtype)
    total = np.zeros_like(peak, dtype=_wide(scores))
    for start in range(0, scores.shape[-1], block):
        seen = scores[..., start : start + block]
        higher = np.maximum(peak, seen.max(axis=-1, keepdims=True))
        if np.isnan(higher).any() or np.isposinf(higher).any():
            raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
        shift = np.where(np.isneginf(higher), 0, higher).astype(scores.dtype, copy=False)
        with np.errstate(over="ignore"):  # a gap too wide for the dtype is -inf, as in `softmax`
            total = total * np.exp(peak - shift)
            total = total + np.exp(seen - shift).sum(axis=-1, keepdims=True, dtype=total.dtype)
        peak = higher
    total[total == 0] = 1
    peak[np.isneginf(peak)] = 0
    with np.errstate(over="ignore"):
        return (np.exp(scores - peak) / total).astype(scores.dtype, copy=False)


def _wide(scores: Array) -> np.dtype[Any]:
    """The dtype to sum in: at least float32, for the sums of float16 end at 65504."""
    return np.result_type(scores.dtype, np.float32)


def _gaps(scores: Array, mask: Array | None, axis: int, temperature: float) -> Array:
    """How far each score lies below the largest that is seen, over the temperature; -inf masked."""
    _check.floats(np.ndarray, scores=scores)
    _check.axis(axis, scores)
    _check.temperature(temperature, np.finfo(scores.dtype).tiny)
    if mask is not None:
        _check.mask(np.ndarray, mask, scores.shape)
        scores = np.where(mask, scores, -np.inf).astype(scores.dtype, copy=False)
    peak = scores.max(axis=axis, keepdims=True, initial=-np.inf)
    if np.isnan(peak).any() or np.isposinf(peak).any():
        raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
    peak[np.isneginf(peak)] = 0  # nothing visible: exp(-inf - 0) = 0 rather than exp(-inf + inf)
    with np.errstate(over="ignore"):  # a gap too wide for the dtype is -inf: weight 0 is right
        return (scores - peak) / float(temperature)
