"""The perceptron: one threshold unit that learns from its mistakes alone. Numbers without unit."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def perceptron_predict(x: Array, weight: Array, bias: float) -> Array:
    """On which side of the plane does each point lie?

        prediction_b = +1 if weight · x_b + bias > 0, else -1

    x (..., I)   weight (I,)   bias a number, all without unit
    Returns predictions (...,), +1 or -1, of the dtype of x, no unit.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Rosenblatt 1958, reduced to its one layer that learns.
    """
    _brain.finite(x=x, weight=weight)
    _check.rank(1, x=x)
    _check.shape("weight", weight, x.shape[-1:], "(I,)")
    _brain.number(bias=bias)
    return np.where(x @ weight + float(bias) > 0, 1.0, -1.0).astype(x.dtype, copy=False)


def perceptron_fit(x: Array, label: Array, max_epochs: int) -> tuple[Array, float, Array]:
    """Go through the points in their order; after each mistake turn the plane towards the point.

        at a mistake: weight ← weight + label_b x_b,   bias ← bias + label_b

    x (B, I)   label (B,), +1 or -1   max_epochs how often to go through all, at most; no unit
    Returns weight (I,), bias and mistakes (epochs,), integer, no unit. Training starts from zeros
    and ends after the first epoch without a mistake: it succeeded if and only if the last is 0.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Rosenblatt 1958; no learning rate, since from zeros it would scale the weights only.
    For separable points the mistakes are at most `mistake_bound`; for others, such as XOR, no
    number of epochs is enough.
    """
    _points(x, label)
    _check.length(1, max_epochs=max_epochs)
    weight, bias = np.zeros_like(x[0]), 0.0
    mistakes = []
    for _ in range(max_epochs):
        wrong = 0
        for point, wanted in zip(x, label, strict=True):
            if (float(point @ weight) + bias > 0) != (wanted > 0):
                weight, bias = weight + wanted * point, bias + float(wanted)
                wrong += 1
        mistakes.append(wrong)
        if wrong == 0:
            break
    return weight, bias, np.array(mistakes)


def mistake_bound(x: Array, label: Array, weight: Array, bias: float) -> float:
    """The perceptron convergence theorem: a bound on the mistakes, from any separating plane.

        mistakes ≤ (R / γ)²,   R² = max_b (‖x_b‖² + 1)
        γ = min_b label_b (weight · x_b + bias) / √(‖weight‖² + bias²)

    x (B, I)   label (B,), +1 or -1   weight (I,) and bias of a plane that separates the points
    Returns the bound, a float without unit; the plane with the widest margin γ gives the lowest.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if the
    plane does not separate the points.
    Source: Novikoff 1962. The bias is counted as the weight of an input that is always 1, hence
    the + 1 and the bias².
    """
    _points(x, label)
    _brain.finite(x=x, weight=weight)
    _check.shape("weight", weight, x.shape[-1:], "(I,)")
    _brain.number(bias=bias)
    radius_squared = float((x * x).sum(axis=-1).max()) + 1.0
    smallest = float((label * (x @ weight + float(bias))).min())
    if smallest <= 0:
        raise ValueError(
            "weight: expected a plane that separates the points, got one that does not"
        )
    return radius_squared * (float(weight @ weight) + float(bias) ** 2) / smallest**2


def _points(x: Array, label: Array) -> None:
    _brain.finite(x=x, label=label)
    _brain.axes(2, "(B, I)", x=x)
    _check.length(1, **{"B, the rows of x": x.shape[0]})
    _check.shape("label", label, x.shape[:1], "(B,)")
    _brain.signs(label=label)
