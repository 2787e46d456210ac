"""Neurons: the models of the brain chapter. Units in every docstring; needs NumPy only.

Quantities carry their unit in the name: `_mv` mV, `_ms` ms, `_na` nA, `_mohm` MΩ, `_hz` Hz, `_m` m,
`_m_per_s` m/s, `_ua_per_cm2` µA/cm². Beside the letters of the notation, N counts time steps (or
units of a Hopfield network), I inputs (presynaptic cells), J hidden units, O outputs, P patterns.
"""

from companion.brain.competition import biased_competition, divisive_normalisation
from companion.brain.delay import conduction_delay_ms, signal_delay_ms
from companion.brain.feedback_alignment import feedback_alignment_backward, feedback_angle_degrees
from companion.brain.hebb import hebb_step, oja_step
from companion.brain.hodgkin_huxley import (
    gate_rates,
    gate_steady_state,
    hodgkin_huxley,
    upward_crossings,
)
from companion.brain.hopfield import hopfield_energy, hopfield_recall, hopfield_weights
from companion.brain.integrate_and_fire import (
    TYPICAL_NEURON,
    LeakyNeuron,
    leaky_integrate_and_fire,
    lif_rate_hz,
)
from companion.brain.intrinsic_plasticity import threshold_step
from companion.brain.mcculloch_pitts import mcculloch_pitts
from companion.brain.mlp import (
    half_squared_error,
    half_squared_error_backward,
    mlp,
    mlp_backward,
    mlp_params,
)
from companion.brain.modern_hopfield import modern_hopfield_energy, modern_hopfield_update
from companion.brain.perceptron import mistake_bound, perceptron_fit, perceptron_predict
from companion.brain.rate_coding import estimate_rate_hz, poisson_spikes, rate_coded_relu
from companion.brain.stdp import stdp, stdp_window
from companion.brain.synapse import dale, synaptic_current

__all__ = [
    "TYPICAL_NEURON",
    "LeakyNeuron",
    "biased_competition",
    "conduction_delay_ms",
    "dale",
    "divisive_normalisation",
    "estimate_rate_hz",
    "feedback_alignment_backward",
    "feedback_angle_degrees",
    "gate_rates",
    "gate_steady_state",
    "half_squared_error",
    "half_squared_error_backward",
    "hebb_step",
    "hodgkin_huxley",
    "hopfield_energy",
    "hopfield_recall",
    "hopfield_weights",
    "leaky_integrate_and_fire",
    "lif_rate_hz",
    "mcculloch_pitts",
    "mistake_bound",
    "mlp",
    "mlp_backward",
    "mlp_params",
    "modern_hopfield_energy",
    "modern_hopfield_update",
    "oja_step",
    "perceptron_fit",
    "perceptron_predict",
    "poisson_spikes",
    "rate_coded_relu",
    "signal_delay_ms",
    "stdp",
    "stdp_window",
    "synaptic_current",
    "threshold_step",
    "upward_crossings",
]
