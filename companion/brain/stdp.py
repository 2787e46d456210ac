"""Spike-timing-dependent plasticity: before or after decides between growth and decline. ms."""

import numpy as np

from companion.brain import _check as _brain
from companion.with_numpy._types import Array

WINDOW_MS = 20.0  # Bi & Poo 1998: spikes more than about 20 ms apart had little effect


def stdp_window(
    lag_ms: Array,
    *,
    potentiation: float = 0.01,
    depression: float = 0.01,
    potentiation_ms: float = WINDOW_MS,
    depression_ms: float = WINDOW_MS,
) -> Array:
    """Weight change of one pair of spikes, from the lag t_post - t_pre.

        Δw = +potentiation exp(-lag / τ₊)   lag > 0: pre before post, it may have helped to fire it
        Δw = -depression  exp(+lag / τ₋)    lag < 0: post before pre, it came too late

    lag_ms any shape, in ms   potentiation, depression not negative, in the unit of the weight or
    none   potentiation_ms τ₊, depression_ms τ₋ in ms
    Returns the change of weight, same shape and dtype; 0 at lag 0, by convention.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Bi & Poo 1998, cultured hippocampal cells: signs, and a window of about 20 ms on either
    side. The exponentials are the usual simplification of their scattered points; the amplitudes
    are free, and other cell types have other windows.
    """
    _brain.finite(lag_ms=lag_ms)
    _brain.non_negative(potentiation=potentiation, depression=depression)
    _brain.positive(potentiation_ms=potentiation_ms, depression_ms=depression_ms)
    distance = np.abs(lag_ms)
    growth = float(potentiation) * np.exp(-distance / float(potentiation_ms))
    decline = -float(depression) * np.exp(-distance / float(depression_ms))
    change = np.where(lag_ms > 0, growth, np.where(lag_ms < 0, decline, np.zeros_like(lag_ms)))
    return change.astype(lag_ms.dtype, copy=False)


def stdp(
    pre_ms: Array,
    post_ms: Array,
    *,
    potentiation: float = 0.01,
    depression: float = 0.01,
    potentiation_ms: float = WINDOW_MS,
    depression_ms: float = WINDOW_MS,
) -> float:
    """Weight change of one synapse: every presynaptic spike paired with every postsynaptic one.

        Δw = Σ_p Σ_q window(post_q - pre_p)

    pre_ms (P,), post_ms (Q,) spike times in ms, in any order; P or Q may be 0
    potentiation, depression, potentiation_ms, depression_ms as in `stdp_window`
    Returns the change of weight, a float in the unit of the amplitudes.

    Raises TypeError or ValueError naming the argument that does not fit.
    All-to-all pairing is one convention; nearest-neighbour pairing gives other sums. Left out: the
    gating by neuromodulators such as dopamine (Schultz et al. 1997).
    """
    _brain.finite(pre_ms=pre_ms, post_ms=post_ms)
    _brain.axes(1, "(P,)", pre_ms=pre_ms)
    _brain.axes(1, "(Q,)", post_ms=post_ms)
    changes = stdp_window(
        post_ms[None, :] - pre_ms[:, None],
        potentiation=potentiation,
        depression=depression,
        potentiation_ms=potentiation_ms,
        depression_ms=depression_ms,
    )
    return float(changes.sum())
