"""The McCulloch-Pitts neuron: all or none, and one silent veto. Logic, without learning."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def mcculloch_pitts(excitatory: Array, inhibitory: Array, threshold: int) -> Array:
    """Fire when enough excitatory inputs are active and no inhibitory input is.

        fires = (Σ_i excitatory_i ≥ threshold) and not any(inhibitory_j)

    excitatory (..., E)   inhibitory (..., J), boolean, same leading axes; E or J may be 0
    threshold an integer: the number of active inputs that is needed; no unit
    Returns fires (...,), boolean: the output one synaptic delay later; a tick without unit, not ms.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: McCulloch & Pitts 1943, the physical assumptions of section 2. An input that is to
    count twice is given twice: the neuron has no weights, and nothing in it is learned.
    """
    _brain.boolean(excitatory=excitatory, inhibitory=inhibitory)
    _check.rank(1, excitatory=excitatory, inhibitory=inhibitory)
    _check.length(threshold=threshold)
    expected = (*excitatory.shape[:-1], inhibitory.shape[-1])
    _check.shape("inhibitory", inhibitory, expected, "(..., J)")
    enough = np.asarray(excitatory.sum(axis=-1) >= threshold)
    return enough & ~inhibitory.any(axis=-1)
