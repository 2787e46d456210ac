"""Hebbian learning: each synapse looks only at its own two cells. Activities without unit."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def hebb_step(weight: Array, pre: Array, post: Array, learning_rate: float) -> Array:
    """Strengthen the synapses between cells that are active together.

        weight_oi ← weight_oi + η mean_b post_bo pre_bi                       η = learning_rate

    weight (O, I), O postsynaptic, I presynaptic cells   pre (B, I)   post (B, O), B moments
    learning_rate above 0; all without unit
    Returns the new weight (O, I), no unit.

    Raises TypeError or ValueError naming the argument whose dtype, shape or values do not fit.
    Source: Hebb 1949, chapter 4, a postulate in words; the product of activities is its simplest
    formula. Nothing stops the growth: repeat the step and the weights leave every bound.
    """
    _brain.finite(weight=weight, pre=pre, post=post)
    _brain.axes(2, "(O, I)", weight=weight)
    B = _batch(pre, weight.shape[1:])
    _check.shape("post", post, (B, weight.shape[0]), "(B, O)")
    _brain.positive(learning_rate=learning_rate)
    with np.errstate(over="ignore", invalid="ignore"):  # _stays_finite reports it
        growth = post.T @ pre * (float(learning_rate) / B)
    return _stays_finite(weight, growth)


def oja_step(weight: Array, pre: Array, learning_rate: float) -> Array:
    """Hebb's rule with a decay that holds the weights at length 1: finds the principal component.

        weight ← weight + η mean_b (y_b pre_b - y_b² weight),   y_b = weight · pre_b

    weight (I,)   pre (B, I), B moments, mean 0 in each column, no unit   learning_rate η above 0,
    no unit, small against 1 / (largest variance)
    Returns the new weight (I,), no unit.

    Raises TypeError or ValueError naming the argument whose dtype, shape or values do not fit, and
    ValueError if the step is so large that the weights overflow.
    Source: Oja 1982. The stable fixed points are ± the eigenvector of length 1 that belongs to the
    largest eigenvalue of mean_b pre_b pre_bᵀ. Local, as Hebb's rule is: the decay needs the cell's
    own output and the synapse's own weight, nothing else.
    """
    _brain.finite(weight=weight, pre=pre)
    _brain.axes(1, "(I,)", weight=weight)
    B = _batch(pre, weight.shape)
    _brain.positive(learning_rate=learning_rate)
    with np.errstate(over="ignore", invalid="ignore"):  # _stays_finite reports it
        y = pre @ weight
        growth = (y @ pre - (y @ y) * weight) * (float(learning_rate) / B)
    return _stays_finite(weight, growth)


def _batch(pre: Array, width: tuple[int, ...]) -> int:
    _brain.axes(2, "(B, I)", pre=pre)
    B = pre.shape[0]
    _check.shape("pre", pre, (B, *width), "(B, I)")
    _check.length(1, **{"B, the rows of pre": B})
    return B


def _stays_finite(weight: Array, growth: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        grown = weight + growth
    if not np.isfinite(grown).all():
        raise ValueError("learning_rate: expected a step that keeps the weights finite")
    return grown
