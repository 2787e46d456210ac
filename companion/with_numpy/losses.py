"""Losses: one number that says how wrong the predictions are. Forward and backward."""

import numpy as np

from companion import _check
from companion._check_params import number
from companion.with_numpy._types import Array
from companion.with_numpy.softmax import log_softmax, softmax


def cross_entropy(
    logits: Array, targets: Array, *, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Array:
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
    rows, chosen, _ = _real(logits, targets, ignore_index)
    smoothing = number("label_smoothing", label_smoothing, below=1)
    log_weights = log_softmax(rows)  # (N, V)
    loss = -(1 - smoothing) * log_weights[np.arange(len(chosen)), chosen].mean()
    if smoothing:
        loss = loss - smoothing * log_weights.mean()
    return _finite_loss(loss, logits)


def cross_entropy_backward(
    grad_loss: Array | float,
    logits: Array,
    targets: Array,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """Gradient of `cross_entropy`: what was predicted less what was wanted.

        ∂L/∂logits_n = g (p_n - q_n) / N                                          g = ∂L/∂loss

    grad_loss () or a number, 1 where the loss is the end; the others as in `cross_entropy`
    Returns grad_logits (..., V): 0 wherever the target is ignore_index.

    Raises TypeError or ValueError naming the argument that does not fit; see `cross_entropy`.
    """
    rows, chosen, real = _real(logits, targets, ignore_index)
    smoothing = number("label_smoothing", label_smoothing, below=1)
    grad_rows = softmax(rows)
    grad_rows[np.arange(len(chosen)), chosen] -= 1 - smoothing
    grad_rows -= smoothing / logits.shape[-1]
    grad_logits = np.zeros_like(logits)
    grad_logits[real] = grad_rows * (_scalar(grad_loss) / len(chosen))
    return grad_logits


def binary_cross_entropy(logits: Array, targets: Array) -> Array:
    """Surprise at yes-or-no answers, as a mean over all of them.

        loss = -1/n Σ (y ln σ(z) + (1 - y) ln(1 - σ(z)))           z = logits,  y = targets

    logits any shape, floating, no unit   targets same shape and dtype, 0 (no) to 1 (yes)
    Returns loss (), in nats per answer.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no answer.
    Source: Goodfellow et al. 2016, section 6.2.2.2, as max(z, 0) - y z + ln(1 + e^-|z|), in which
    no exponential overflows.
    """
    _check_pair("targets", targets, "logits", logits)
    _check_answers(targets)
    with np.errstate(over="ignore", invalid="ignore"):  # the check of the loss speaks
        loss = np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))
        return _finite_loss(loss.mean(), logits)


def binary_cross_entropy_backward(
    grad_loss: Array | float, logits: Array, targets: Array
) -> tuple[Array, Array]:
    """Gradients of `binary_cross_entropy`.

        ∂L/∂logits = g (σ(z) - y) / n,   ∂L/∂targets = -g z / n                   g = ∂L/∂loss

    grad_loss () or a number; the others as in `binary_cross_entropy`
    Returns grad_logits (...) and grad_targets (...), shaped like their own.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no answer.
    """
    _check_pair("targets", targets, "logits", logits)
    _check_answers(targets)
    scale = _scalar(grad_loss) / logits.size
    decay = np.exp(-np.abs(logits))  # in (0, 1]
    sigmoid = np.where(logits >= 0, 1, decay) / (1 + decay)
    return (sigmoid - targets) * scale, -logits * scale


def mean_squared_error(prediction: Array, target: Array) -> Array:
    """Squared distance, as a mean over all numbers.

        loss = 1/n Σ (prediction - target)²

    prediction, target (...), one shape and floating dtype   Returns loss (), in the unit squared.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no number.
    Source: Goodfellow et al. 2016, section 5.1.4.
    """
    _check_pair("target", target, "prediction", prediction)
    with np.errstate(over="ignore", invalid="ignore"):  # the check of the loss speaks
        return _finite_loss(((prediction - target) ** 2).mean(), prediction)


def mean_squared_error_backward(
    grad_loss: Array | float, prediction: Array, target: Array
) -> tuple[Array, Array]:
    """Gradients of `mean_squared_error`.

        ∂L/∂prediction = 2 g (prediction - target) / n = -∂L/∂target              g = ∂L/∂loss

    grad_loss () or a number   prediction, target (...), one shape
    Returns grad_prediction and grad_target of that shape.

    Raises TypeError or ValueError naming the argument that does not fit, or if there is no number.
    """
    _check_pair("target", target, "prediction", prediction)
    grad_prediction = (prediction - target) * (2 * _scalar(grad_loss) / prediction.size)
    return grad_prediction, -grad_prediction


def _real(logits: Array, targets: Array, ignore_index: int) -> tuple[Array, Array, Array]:
    """Rows (N, V) and targets (N,) of the real tokens, and where they are (...)."""
    _check.floats(np.ndarray, logits=logits)
    _check.rank(1, logits=logits)
    _check.is_array(np.ndarray, targets=targets)
    _check.length(-(2**63), ignore_index=ignore_index)
    if "int" not in _check.dtype_name(targets):
        raise TypeError(f"targets: expected integers, got {_check.dtype_name(targets)}")
    _check.shape("targets", targets, logits.shape[:-1], "(...) of logits (..., V)")
    real = targets != ignore_index
    rows, chosen, V = logits[real], targets[real], logits.shape[-1]
    if not chosen.size:
        raise ValueError(
            f"targets: expected at least one real token, got {targets.size} of which all are "
            f"ignore_index = {ignore_index}"
        )
    if int(chosen.min()) < 0 or int(chosen.max()) >= V:
        raise ValueError(
            f"targets: expected 0 to V - 1 = {V - 1} or ignore_index = {ignore_index}, "
            f"got {int(chosen.min())} to {int(chosen.max())}"
        )
    if np.isnan(rows).any() or np.isposinf(rows).any():
        raise ValueError("logits: expected finite numbers or -inf, got NaN or +inf")
    return rows, chosen, real


def _finite_loss(loss: Array, inputs: Array) -> Array:
    if not np.isfinite(loss):
        raise ValueError(f"loss: expected a finite number, got {float(loss)}")
    return np.asarray(loss, dtype=inputs.dtype)


def _scalar(grad_loss: Array | float) -> float:
    if np.shape(grad_loss) != ():
        raise ValueError(f"grad_loss: expected shape (), got {np.shape(grad_loss)}")
    return float(grad_loss)  # a Python float leaves float32 as it is


def _check_pair(name: str, array: Array, like: str, other: Array) -> None:
    _check.floats(np.ndarray, **{like: other, name: array})
    _check.shape(name, array, other.shape, f"the shape of {like}")
    for key, numbers in ((like, other), (name, array)):
        if not np.isfinite(numbers).all():
            raise ValueError(f"{key}: expected finite numbers, got NaN or inf")
    if not array.size:
        raise ValueError(f"{name}: expected at least one number, got shape {array.shape}")


def _check_answers(targets: Array) -> None:
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ValueError("targets: expected numbers from 0 to 1, got one outside or NaN")
