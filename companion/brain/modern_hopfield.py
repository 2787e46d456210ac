"""The modern Hopfield network: one step of recall is one step of attention. Numbers, no unit."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array
from companion.with_numpy.softmax import softmax


def modern_hopfield_update(state: Array, patterns: Array, beta: float) -> Array:
    """Replace each state by an average of the stored patterns, weighed by how well each matches.

        state ← softmax(β state patternsᵀ) patterns

    state (..., T, D)   patterns (..., S, D), T states, S stored patterns   beta β above 0: 1/√D is
    attention, larger is more decided; all without unit
    Returns the new states (..., T, D), no unit.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Ramsauer et al. 2021, eq. 3. It equals `attention(state, patterns, patterns)` at
    β = 1/√D; a Transformer projects first, so that query, key and value differ.
    """
    return softmax(_overlap(state, patterns, beta)) @ patterns


def modern_hopfield_energy(state: Array, patterns: Array, beta: float) -> Array:
    """The energy that `modern_hopfield_update` never raises.

        E = -lse(β state patternsᵀ)/β + ½ ‖state‖² + log(S)/β + ½ max_s ‖pattern_s‖²
        lse(z) = log Σ_s exp(z_s)

    state (..., T, D)   patterns (..., S, D)   beta β above 0; all without unit
    Returns energy (..., T), not negative, no unit (not joules).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Ramsauer et al. 2021, eq. 2; the last two terms are constants that keep it ≥ 0.
    """
    scores = _overlap(state, patterns, beta)
    peak = scores.max(axis=-1, keepdims=True)
    lse = np.log(np.exp(scores - peak).sum(axis=-1)) + peak[..., 0]
    largest = (patterns * patterns).sum(axis=-1).max(axis=-1)[..., None]
    constant = float(np.log(patterns.shape[-2])) / float(beta) + 0.5 * largest
    return 0.5 * (state * state).sum(axis=-1) - lse / float(beta) + constant


def _overlap(state: Array, patterns: Array, beta: float) -> Array:
    _brain.finite(state=state, patterns=patterns)
    _check.rank(2, state=state, patterns=patterns)
    S = patterns.shape[-2]
    expected = (*state.shape[:-2], S, state.shape[-1])
    _check.shape("patterns", patterns, expected, "(..., S, D)")
    _check.length(1, **{"S, the rows of patterns": S})
    _brain.positive(beta=beta)
    return float(beta) * (state @ patterns.swapaxes(-1, -2))
