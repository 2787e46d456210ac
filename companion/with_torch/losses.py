"""Losses: one number that says how wrong the predictions are. Autograd goes back."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit
from torch import Tensor

from companion import _check
from companion._check_params import number


def cross_entropy(
    logits: Tensor, targets: Tensor, *, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    """Surprise at the true token, as a mean over the real tokens.

        loss = -1/N Σ_n Σ_v q_nv ln p_nv,   p_n = softmax(logits_n),   q_nv = (1-ε) [v = y_n] + ε/V

    logits (..., V), floating, no unit   targets (...), integer, y in 0 to V - 1, or ignore_index
    ignore_index the target of what is no token: padding counts neither in the sum nor in N
    label_smoothing ε, 0 ≤ ε < 1, without unit
    Returns loss (), in nats per real token, of the dtype of logits.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit; ValueError
    if a target is no token of the vocabulary, if a real token's logits are NaN or +inf or leave the
    loss infinite, or if no token is real: a mean of nothing is no number. torch gives NaN there.
    Source: Goodfellow et al. 2016, section 6.2.1.1; smoothing Szegedy et al. 2016, section 7.
    """
    rows, chosen = _real(logits, targets, ignore_index)
    smoothing = number("label_smoothing", label_smoothing, below=1)
    wide = rows.to(torch.promote_types(rows.dtype, torch.float32))  # float16 sums end at 65504
    loss = F.cross_entropy(wide, chosen, label_smoothing=smoothing)
    return _finite_loss(loss.to(rows.dtype))


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Surprise at yes-or-no answers, as a mean over all of them.

        loss = -1/n Σ (y ln σ(z) + (1 - y) ln(1 - σ(z)))           z = logits,  y = targets

    logits any shape, floating, no unit   targets same shape and dtype, 0 (no) to 1 (yes)
    Returns loss (), in nats per answer.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no answer.
    Source: Goodfellow et al. 2016, section 6.2.2.2, as max(z, 0) - y z + ln(1 + e^-|z|), in which
    no exponential overflows.
    """
    _check_pair("targets", targets, "logits", logits)
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("targets: expected numbers from 0 to 1, got one outside or NaN")
    return _finite_loss(F.binary_cross_entropy_with_logits(logits, targets))


def mean_squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared distance, as a mean over all numbers.

        loss = 1/n Σ (prediction - target)²

    prediction, target (...), one shape and floating dtype   Returns loss (), in the unit squared.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no number.
    Source: Goodfellow et al. 2016, section 5.1.4.
    """
    _check_pair("target", target, "prediction", prediction)
    return _finite_loss(F.mse_loss(prediction, target))


def _real(logits: Tensor, targets: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Rows (N, V) and targets (N,) of the real tokens: padding costs nothing."""
    _check.floats(torch.Tensor, logits=logits)
    _check.rank(1, logits=logits)
    _check.is_array(torch.Tensor, targets=targets)
    _check.length(-(2**63), ignore_index=ignore_index)
    if "int" not in _check.dtype_name(targets):
        raise TypeError(f"targets: expected integers, got {_check.dtype_name(targets)}")
    _check.shape("targets", targets, logits.shape[:-1], "(...) of logits (..., V)")
    targets = targets.long()  # before the comparison: as uint8, -100 would be token 156
    real = targets != ignore_index
    rows, chosen, V = logits[real], targets[real], logits.shape[-1]
    if not chosen.numel():
        raise ValueError(
            f"targets: expected at least one real token, got {targets.numel()} of which all are "
            f"ignore_index = {ignore_index}"
        )
    if int(chosen.min()) < 0 or int(chosen.max()) >= V:
        raise ValueError(
            f"targets: expected 0 to V - 1 = {V - 1} or ignore_index = {ignore_index}, "
            f"got {int(chosen.min())} to {int(chosen.max())}"
        )
    if (rows.isnan() | rows.isposinf()).any():
        raise ValueError("logits: expected finite numbers or -inf, got NaN or +inf")
    return rows, chosen


def _finite_loss(loss: Tensor) -> Tensor:
    if not loss.isfinite():
        raise ValueError(f"loss: expected a finite number, got {float(loss)}")
    return loss


def _check_pair(name: str, array: Tensor, like: str, other: Tensor) -> None:
    _check.floats(torch.Tensor, **{like: other, name: array})
    _check.shape(name, array, other.shape, f"the shape of {like}")
    for key, numbers in ((like, other), (name, array)):
        if not numbers.isfinite().all():
            raise ValueError(f"{key}: expected finite numbers, got NaN or inf")
    if not array.numel():
        raise ValueError(f"{name}: expected at least one number, got shape {tuple(array.shape)}")
