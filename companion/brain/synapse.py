"""Chemical synapses: spikes in, current out; a cell excites or it inhibits. nA, ms."""

import math

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def synaptic_current(spikes: Array, weight_na: Array, tau_ms: float, dt_ms: float) -> Array:
    """Each presynaptic spike adds its weight to a current that then decays.

        I_k = I_{k-1} exp(-dt/τ) + Σ_i weight_i spikes_ik

    spikes (..., I, N), boolean: I presynaptic cells, N steps of dt_ms in ms
    weight_na (I,) in nA, above 0 excites, below 0 inhibits   tau_ms the decay time in ms
    Returns current_na (..., N) in nA, of the weights' dtype; feed it to `leaky_integrate_and_fire`.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if dt_ms is
    above tau_ms: the current would be gone within the step.
    Differs from a real synapse: the current does not depend on the voltage of the cell it enters
    (no reversal potential), and every spike has the same effect.
    """
    _brain.boolean(spikes=spikes)
    _check.rank(2, spikes=spikes)
    _brain.finite(weight_na=weight_na)
    _check.shape("weight_na", weight_na, (spikes.shape[-2],), "(I,)")
    _brain.positive(tau_ms=tau_ms, dt_ms=dt_ms)
    _brain.below("dt_ms", dt_ms, tau_ms, "the current would be gone within one step of tau_ms")
    arriving = (spikes * weight_na[:, None]).sum(axis=-2)
    decay = math.exp(-dt_ms / tau_ms)
    current_na = np.empty_like(arriving)
    now = np.zeros(arriving.shape[:-1], dtype=arriving.dtype)
    for step in range(arriving.shape[-1]):
        now = now * decay + arriving[..., step]
        current_na[..., step] = now
    return current_na


def dale(weight: Array, sign: Array) -> Array:
    """Enforce Dale's law: all synapses that one cell makes have the sign of that cell.

        weight_oi → weight_oi where weight_oi sign_i ≥ 0, else 0

    weight (O, I), O postsynaptic, I presynaptic cells, any unit (nA or none)
    sign (I,), +1 excitatory cell, -1 inhibitory cell, no unit
    Returns weight (O, I) in the unit it came in; apply it after each learning step.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Differs from biology, where a few cells release more than one transmitter, and from an
    artificial network, where one unit may have weights of both signs.
    """
    _brain.finite(weight=weight, sign=sign)
    _brain.signs(sign=sign)
    _brain.axes(2, "(O, I)", weight=weight)
    _check.shape("sign", sign, weight.shape[1:], "(I,)")
    return np.where(weight * sign >= 0, weight, np.zeros_like(weight))
