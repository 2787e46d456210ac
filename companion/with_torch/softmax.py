"""Softmax: scores in, weights that sum to 1 out. Forward, and by blocks; autograd goes back."""

import torch
from torch import Tensor

from companion import _check


def softmax(
    scores: Tensor, mask: Tensor | None = None, *, axis: int = -1, temperature: float = 1.0
) -> Tensor:
    """Turn scores into non-negative weights that sum to 1 along `axis`.

        weights_j = exp(scores_j / τ) / Σ_k exp(scores_k / τ)                 τ = temperature

    scores any shape, floating, no unit; -inf means "never"
    mask stretches to scores, boolean, True = may look
    Returns weights of the same shape and dtype. Where nothing may be looked at, the weights are 0.

    Raises TypeError if scores are not floating or the mask is not boolean, and ValueError if the
    mask does not fit, the temperature is not positive, or a visible score is NaN or +inf.
    Source: Goodfellow et al. 2016, eq. 4.1; the largest score is subtracted first, so that neither
    exp nor a small temperature overflows (their section 4.1). torch.softmax alone gives NaN for
    a row without any visible score.
    """
    gaps, blind = _gaps(scores, mask, axis, temperature)
    return torch.softmax(gaps, dim=axis).masked_fill(blind, 0)


def log_softmax(
    scores: Tensor, mask: Tensor | None = None, *, axis: int = -1, temperature: float = 1.0
) -> Tensor:
    """The logarithm of `softmax`, found without rounding small weights to 0 first.

        output_j = scores_j / τ - log Σ_k exp(scores_k / τ)                   τ = temperature

    scores any shape, floating; mask, axis, temperature as in `softmax`
    Returns log_weights of the same shape and dtype, in nats, ≤ 0; -inf where nothing may be looked
    at.

    Raises TypeError or ValueError as `softmax` does.
    Source: Goodfellow et al. 2016, section 6.2.2.3.
    """
    gaps, blind = _gaps(scores, mask, axis, temperature)
    return torch.log_softmax(gaps, dim=axis).masked_fill(blind, -torch.inf)


def online_softmax(scores: Tensor, *, block: int = 128) -> Tensor:
    """Softmax over the last axis whose normaliser is found in one pass over blocks of scores.

        m' = max(m, max(block)),   Z' = Z exp(m - m') + Σ exp(block - m')

    scores (..., S), floating   block the number of scores looked at together
    Returns weights (..., S), equal to `softmax(scores)`: a row of -inf alone gives zeros.

    Raises TypeError if scores are not floating, ValueError if block < 1 or a score is NaN or +inf.
    Source: Milakov & Gimelshein 2018, algorithm 3; the base of FlashAttention (Dao et al. 2022).
    """
    _check.floats(torch.Tensor, scores=scores)
    _check.rank(1, scores=scores)
    _check.length(1, block=block)
    peak = scores.new_full((*scores.shape[:-1], 1), -torch.inf)
    total = torch.zeros_like(peak)
    for start in range(0, scores.shape[-1], block):
        seen = scores[..., start : start + block]
        higher = torch.maximum(peak, seen.amax(dim=-1, keepdim=True))
        if (higher.isnan() | higher.isposinf()).any():
            raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
        shift = higher.masked_fill(higher.isneginf(), 0)
        total = total * torch.exp(peak - shift) + torch.exp(seen - shift).sum(dim=-1, keepdim=True)
        peak = higher
    total = total.masked_fill(total == 0, 1)
    peak = peak.masked_fill(peak.isneginf(), 0)
    return torch.exp(scores - peak) / total


def _gaps(
    scores: Tensor, mask: Tensor | None, axis: int, temperature: float
) -> tuple[Tensor, Tensor]:
    """How far each score lies below the largest that is seen, over the temperature; what is blind.

    What sees nothing is given gaps 0 and filled in by the caller: masked later, its gradient would
    be NaN.
    """
    _check.floats(torch.Tensor, scores=scores)
    _check.axis(axis, scores)
    _check.temperature(temperature, torch.finfo(scores.dtype).tiny)
    if mask is not None:
        _check.mask(torch.Tensor, mask, scores.shape)
        scores = scores.masked_fill(~mask, -torch.inf)
    if (scores.isnan() | scores.isposinf()).any():
        raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
    blind = scores.isneginf().all(dim=axis, keepdim=True)
    if scores.numel() == 0:
        return scores.clone(), blind  # amax has no answer for an axis of length 0
    scores = scores.masked_fill(blind, 0)
    return (scores - scores.detach().amax(dim=axis, keepdim=True)) / float(temperature), blind
