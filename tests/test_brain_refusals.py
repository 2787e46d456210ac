"""Every public function of companion.brain: a call that works, and calls that must be refused."""

import inspect

import numpy as np
import pytest

from companion import brain
from companion.brain import LeakyNeuron

RNG, VALUE, TYPE = np.random.default_rng, ValueError, TypeError


def array(*shape, dtype=np.float64, fill=0.5):
    return np.full(shape, fill, dtype=dtype)


def flags(*shape):
    return np.zeros(shape, dtype=bool)


PARAMS = brain.mlp_params(3, 7, 2, RNG(0))
LABEL = np.array([1.0, -1.0])
PAIR = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
WEIGHT = brain.hopfield_weights(np.array([[1.0, -1.0, 1.0]]))
STATE = np.array([1.0, -1.0, -1.0])

# one call that works for each public function; the refusals below change single arguments of it
CALLS = {
    "biased_competition": {"alone_hz": array(2, 3), "drive": array(2, 3), "bias": array(2, 3)},
    "conduction_delay_ms": {"length_m": 1.0, "velocity_m_per_s": 2.0},
    "dale": {"weight": array(2, 3), "sign": array(3, fill=1.0)},
    "divisive_normalisation": {"drive": array(2, 3)},
    "estimate_rate_hz": {"counts": flags(2, 3), "dt_ms": 1.0},
    "feedback_alignment_backward": {
        "grad_output": array(5, 2),
        "x": array(5, 3),
        "params": PARAMS,
        "hidden": array(5, 7),
        "feedback": array(7, 2),
    },
    "feedback_angle_degrees": {
        "grad_output": array(5, 2),
        "output_weight": array(2, 7),
        "feedback": array(7, 2),
    },
    "gate_rates": {"voltage_mv": array(2, 3)},
    "gate_steady_state": {"voltage_mv": array(2, 3)},
    "half_squared_error": {"output": array(5, 2), "target": array(5, 2)},
    "half_squared_error_backward": {"output": array(5, 2), "target": array(5, 2)},
    "hebb_step": {
        "weight": array(2, 3),
        "pre": array(5, 3),
        "post": array(5, 2),
        "learning_rate": 0.1,
    },
    "hodgkin_huxley": {"current_ua_per_cm2": array(2, 5), "dt_ms": 0.01},
    "hopfield_energy": {"state": STATE, "weight": WEIGHT},
    "hopfield_recall": {"state": STATE, "weight": WEIGHT, "rng": RNG(0)},
    "hopfield_weights": {"patterns": STATE[None]},
    "leaky_integrate_and_fire": {"current_na": array(2, 5), "dt_ms": 0.5},
    "lif_rate_hz": {"current_na": array(2, 5)},
    "mcculloch_pitts": {"excitatory": flags(2, 3), "inhibitory": flags(2, 1), "threshold": 1},
    "mistake_bound": {"x": PAIR, "label": LABEL, "weight": -np.eye(3)[2], "bias": 1.0},
    "mlp": {"x": array(5, 3), "params": PARAMS},
    "mlp_backward": {
        "grad_output": array(5, 2),
        "x": array(5, 3),
        "params": PARAMS,
        "hidden": array(5, 7),
    },
    "mlp_params": {"inputs": 3, "units": 7, "outputs": 2, "rng": RNG(0)},
    "modern_hopfield_energy": {"state": array(2, 3), "patterns": array(5, 3), "beta": 1.0},
    "modern_hopfield_update": {"state": array(2, 3), "patterns": array(5, 3), "beta": 1.0},
    "oja_step": {"weight": array(3), "pre": array(5, 3), "learning_rate": 0.1},
    "perceptron_fit": {"x": PAIR, "label": LABEL, "max_epochs": 9},
    "perceptron_predict": {"x": array(5, 3), "weight": array(3), "bias": 0.0},
    "poisson_spikes": {"rate_hz": array(2), "duration_ms": 10.0, "dt_ms": 1.0, "rng": RNG(0)},
    "rate_coded_relu": {
        "drive": array(2),
        "hz_per_unit": 10.0,
        "duration_ms": 100.0,
        "rng": RNG(0),
    },
    "signal_delay_ms": {"length_m": 1.0, "velocity_m_per_s": 2.0},
    "stdp": {"pre_ms": array(2), "post_ms": array(3)},
    "stdp_window": {"lag_ms": array(2)},
    "synaptic_current": {
        "spikes": flags(2, 3, 5),
        "weight_na": array(3),
        "tau_ms": 5.0,
        "dt_ms": 1.0,
    },
    "threshold_step": {"threshold_mv": -50.0, "rate_hz": 5.0, "target_hz": 4.0, "mv_per_hz": 0.1},
    "upward_crossings": {"voltage_mv": array(2, 5)},
}

# changed arguments, exception, the message
REFUSED = {
    "biased_competition": [
        ({"bias": array(2, 4)}, VALUE, r"bias: expected shape \(2, 3\)"),
        ({"alone_hz": array(3)}, VALUE, r"alone_hz: expected shape \(2, 3\)"),
        ({"bias": array(2, 3, fill=-1.0)}, VALUE, "bias: expected no number below 0, got -1"),
        (
            {"bias": array(2, 3, fill=1e200), "drive": array(2, 3, fill=1e200)},
            VALUE,
            r"bias \* drive: expected finite numbers",
        ),
        ({"exponent": 0.0}, VALUE, "exponent: expected a finite number > 0"),
        ({"semi_saturation": -1.0}, VALUE, "semi_saturation: expected a number >= 0, got -1.0"),
    ],
    "conduction_delay_ms": [
        ({"length_m": -1.0}, VALUE, "length_m: expected a number >= 0, got -1.0"),
        (
            {"velocity_m_per_s": 0.0},
            VALUE,
            "velocity_m_per_s: expected a finite number > 0, got 0.0",
        ),
        ({"velocity_m_per_s": "fast"}, TYPE, "velocity_m_per_s: expected a number, got str"),
        ({"length_m": float("nan")}, VALUE, "length_m: expected a finite number, got nan"),
    ],
    "dale": [
        ({"sign": array(3)}, VALUE, r"sign: expected every entry -1 or \+1"),
        ({"sign": array(2, fill=1.0)}, VALUE, r"sign: expected shape \(3,\) = \(I,\), got \(2,\)"),
        ({"weight": array(3)}, VALUE, r"weight: expected axes \(O, I\), got shape \(3,\)"),
    ],
    "divisive_normalisation": [
        ({"drive": array(2, 3, fill=-2.0)}, VALUE, "drive: expected no number below 0, got -2"),
        ({"drive": array()}, VALUE, "drive: expected at least 1 axes"),
        ({"max_rate_hz": -1.0}, VALUE, "max_rate_hz: expected a finite number > 0"),
    ],
    "estimate_rate_hz": [
        ({"counts": array(3)}, TYPE, "counts: expected booleans or integers, got float64"),
        ({"counts": flags(2, 0)}, VALUE, "N, the steps of counts: expected at least 1, got 0"),
        ({"counts": np.array([1, -1])}, VALUE, "counts: expected no number below 0, got -1"),
        ({"counts": [1, 0]}, TYPE, "counts: expected numpy.ndarray, got builtins.list"),
        ({"dt_ms": 0.0}, VALUE, "dt_ms: expected a finite number > 0"),
    ],
    "feedback_alignment_backward": [
        ({"feedback": array(2, 7)}, VALUE, r"feedback: expected shape \(7, 2\) = \(J, O\)"),
        ({"hidden": array(5, 6)}, VALUE, r"hidden: expected shape \(5, 7\)"),
    ],
    "feedback_angle_degrees": [
        (
            {"grad_output": array(5, 2, fill=0.0)},
            VALUE,
            "grad_output: expected a signal in every row",
        ),
        ({"grad_output": array(5, 3)}, VALUE, r"grad_output: expected shape \(5, 2\)"),
        ({"grad_output": array(0, 2)}, VALUE, "B, the rows of grad_output: expected at least 1"),
    ],
    "gate_rates": [
        (
            {"voltage_mv": array(2, fill=2000.0)},
            VALUE,
            "voltage_mv: expected -1000 to 1000 mV, got 2000 to 2000",
        ),
        ({"voltage_mv": np.array([1])}, TYPE, "voltage_mv: expected a floating dtype, got int64"),
    ],
    "gate_steady_state": [
        (
            {"voltage_mv": array(2, fill=np.nan)},
            VALUE,
            "voltage_mv: expected finite numbers, got NaN",
        ),
    ],
    "half_squared_error": [
        ({"target": array(5)}, VALUE, r"target: expected shape \(5, 2\) = the shape of output"),
        ({"output": array(0, 2)}, VALUE, "B, the rows of output: expected at least 1, got 0"),
    ],
    "half_squared_error_backward": [
        ({"output": array(5)}, VALUE, r"output: expected axes \(B, O\), got shape \(5,\)"),
    ],
    "hebb_step": [
        ({"post": array(4, 2)}, VALUE, r"post: expected shape \(5, 2\) = \(B, O\), got \(4, 2\)"),
        ({"pre": array(5, 2)}, VALUE, r"pre: expected shape \(5, 3\) = \(B, I\)"),
        ({"weight": array(3)}, VALUE, r"weight: expected axes \(O, I\)"),
        (
            {"pre": array(5, 3, dtype=np.float32)},
            TYPE,
            "pre: expected dtype float64 like weight, got float32",
        ),
        (
            {"pre": array(5, 3, fill=1e200), "post": array(5, 2, fill=1e200)},
            VALUE,
            "learning_rate: expected a step that keeps the weights finite",
        ),
    ],
    "hodgkin_huxley": [
        ({"dt_ms": 0.1}, VALUE, r"dt_ms: expected at most 0.05, got 0.1: the sodium gate"),
        ({"dt_ms": 0.0}, VALUE, "dt_ms: expected a finite number > 0, got 0.0"),
        ({"current_ua_per_cm2": array()}, VALUE, "current_ua_per_cm2: expected at least 1 axes"),
        ({"start_mv": 5000.0}, VALUE, "start_mv: expected -200 to 200 mV, got 5000"),
        ({"start_mv": None}, TYPE, "start_mv: expected a number, got NoneType"),
    ],
    "hopfield_energy": [
        ({"state": array(3)}, VALUE, r"state: expected every entry -1 or \+1"),
        (
            {"weight": np.triu(array(3, 3), 1)},
            VALUE,
            "weight: expected a symmetric matrix with a zero diagonal",
        ),
        ({"weight": np.eye(3)}, VALUE, "weight: expected a symmetric matrix with a zero diagonal"),
        ({"weight": array(2, 2)}, VALUE, r"weight: expected shape \(3, 3\) = \(N, N\)"),
    ],
    "hopfield_recall": [
        ({"state": STATE[None]}, VALUE, r"state: expected axes \(N,\), got shape \(1, 3\)"),
        ({"rng": 0}, TYPE, "rng: expected numpy.random.Generator, got int"),
        ({"max_sweeps": 0}, VALUE, "max_sweeps: expected at least 1, got 0"),
        ({"max_sweeps": 1}, VALUE, "max_sweeps: expected enough sweeps to come to rest, got 1"),
    ],
    "hopfield_weights": [
        ({"patterns": STATE}, VALUE, r"patterns: expected axes \(P, N\), got shape \(3,\)"),
        ({"patterns": array(2, 0)}, VALUE, "N, the columns of patterns: expected at least 1"),
        ({"patterns": array(2, 3)}, VALUE, r"patterns: expected every entry -1 or \+1"),
    ],
    "leaky_integrate_and_fire": [
        ({"dt_ms": 2.0}, VALUE, "dt_ms: expected at most 1, got 2: spikes are seen only"),
        (
            {"dt_ms": 0.3},
            VALUE,
            "refractory_ms: expected a whole number of steps of 0.3 ms, got 2 ms",
        ),
        (
            {"current_na": array(2, fill=np.inf)},
            VALUE,
            "current_na: expected finite numbers, got NaN or infinity",
        ),
        ({"current_na": [1.0]}, TYPE, "current_na: expected numpy.ndarray"),
        ({"dt_ms": True}, TYPE, "dt_ms: expected a number, got bool"),
    ],
    "lif_rate_hz": [
        ({"current_na": np.array([1])}, TYPE, "current_na: expected a floating dtype"),
    ],
    "mcculloch_pitts": [
        ({"excitatory": array(2, 3)}, TYPE, "excitatory: expected dtype bool, got float64"),
        (
            {"inhibitory": flags(4, 1)},
            VALUE,
            r"inhibitory: expected shape \(2, 1\) = \(\.\.\., J\)",
        ),
        ({"threshold": 1.5}, TYPE, "threshold: expected an integer, got float"),
        ({"threshold": -1}, VALUE, "threshold: expected at least 0, got -1"),
    ],
    "mistake_bound": [
        ({"bias": -5.0}, VALUE, "weight: expected a plane that separates the points"),
        ({"weight": array(2)}, VALUE, r"weight: expected shape \(3,\) = \(I,\)"),
    ],
    "mlp": [
        (
            {"x": array(5, 4)},
            VALUE,
            r"hidden.weight: expected shape \(7, 4\) = \(J, I\), got \(7, 3\)",
        ),
        ({"x": array(3)}, VALUE, r"x: expected axes \(B, I\), got shape \(3,\)"),
        (
            {"params": {"weight": array(2)}},
            VALUE,
            r"params: expected keys \['hidden.bias', .*, got \['weight'\]",
        ),
        (
            {"params": PARAMS | {"output.bias": array(3)}},
            VALUE,
            r"output.weight: expected shape \(3, 7\) = \(O, J\)",
        ),
        (
            {"params": PARAMS | {"output.bias": array()}},
            VALUE,
            r"output.bias: expected axes \(O,\)",
        ),
        (
            {"params": PARAMS | {"hidden.bias": array(7, fill=np.nan)}},
            VALUE,
            "hidden.bias: expected finite",
        ),
        (
            {"x": array(5, 3, dtype=np.float32)},
            TYPE,
            "hidden.weight: expected dtype float32 like x, got float64",
        ),
    ],
    "mlp_backward": [
        ({"grad_output": array(5, 3)}, VALUE, r"grad_output: expected shape \(5, 2\) = \(B, O\)"),
        ({"hidden": array(4, 7)}, VALUE, r"hidden: expected shape \(5, 7\) = \(B, J\)"),
    ],
    "mlp_params": [
        ({"dtype": np.int64}, TYPE, "dtype: expected a floating dtype, got int64"),
        ({"units": 0}, VALUE, "units: expected at least 1, got 0"),
        ({"rng": None}, TYPE, "rng: expected numpy.random.Generator, got NoneType"),
    ],
    "modern_hopfield_energy": [
        ({"beta": 0.0}, VALUE, "beta: expected a finite number > 0"),
    ],
    "modern_hopfield_update": [
        ({"patterns": array(5, 4)}, VALUE, r"patterns: expected shape \(5, 3\) = \(\.\.\., S, D\)"),
        ({"patterns": array(0, 3)}, VALUE, "S, the rows of patterns: expected at least 1"),
        ({"state": array(3)}, VALUE, "state: expected at least 2 axes"),
    ],
    "oja_step": [
        ({"weight": array(1, 3)}, VALUE, r"weight: expected axes \(I,\), got shape \(1, 3\)"),
        ({"pre": array(3)}, VALUE, r"pre: expected axes \(B, I\)"),
        ({"pre": array(0, 3)}, VALUE, "B, the rows of pre: expected at least 1, got 0"),
        (
            {"pre": array(5, 3, fill=1e200)},
            VALUE,
            "learning_rate: expected a step that keeps the weights finite",
        ),
        ({"learning_rate": -0.1}, VALUE, "learning_rate: expected a finite number > 0"),
    ],
    "perceptron_fit": [
        ({"label": np.array([1.0, 0.0])}, VALUE, r"label: expected every entry -1 or \+1"),
        ({"label": np.array([1.0])}, VALUE, r"label: expected shape \(2,\) = \(B,\)"),
        ({"x": array(3)}, VALUE, r"x: expected axes \(B, I\)"),
        ({"x": array(0, 3)}, VALUE, "B, the rows of x: expected at least 1"),
        ({"max_epochs": 0}, VALUE, "max_epochs: expected at least 1"),
    ],
    "perceptron_predict": [
        ({"weight": array(4)}, VALUE, r"weight: expected shape \(3,\) = \(I,\)"),
        ({"bias": array(1)}, TYPE, "bias: expected a number, got ndarray"),
    ],
    "poisson_spikes": [
        ({"rate_hz": array(2, fill=-1.0)}, VALUE, "rate_hz: expected no number below 0, got -1.0"),
        ({"dt_ms": 3.0}, VALUE, "duration_ms: expected a whole number of steps of 3 ms, got 10 ms"),
        ({"rng": np.random}, TYPE, "rng: expected numpy.random.Generator, got module"),
    ],
    "rate_coded_relu": [
        ({"hz_per_unit": 0.0}, VALUE, "hz_per_unit: expected a finite number > 0"),
        ({"drive": array(2, fill=np.nan)}, VALUE, "drive: expected finite numbers"),
    ],
    "signal_delay_ms": [
        ({"synaptic_delay_ms": -1.0}, VALUE, "synaptic_delay_ms: expected a number >= 0"),
    ],
    "stdp": [
        ({"pre_ms": array(2, 2)}, VALUE, r"pre_ms: expected axes \(P,\), got shape \(2, 2\)"),
        ({"post_ms": array()}, VALUE, r"post_ms: expected axes \(Q,\), got shape \(\)"),
    ],
    "stdp_window": [
        ({"potentiation": -0.1}, VALUE, "potentiation: expected a number >= 0, got -0.1"),
        ({"depression_ms": 0.0}, VALUE, "depression_ms: expected a finite number > 0"),
    ],
    "synaptic_current": [
        ({"spikes": array(2, 3, 5)}, TYPE, "spikes: expected dtype bool, got float64"),
        ({"spikes": flags(3)}, VALUE, "spikes: expected at least 2 axes"),
        ({"weight_na": array(2)}, VALUE, r"weight_na: expected shape \(3,\) = \(I,\)"),
        ({"dt_ms": 6.0}, VALUE, "dt_ms: expected at most 5, got 6: the current would be gone"),
    ],
    "threshold_step": [
        ({"rate_hz": -1.0}, VALUE, "rate_hz: expected a number >= 0"),
        ({"mv_per_hz": 0.0}, VALUE, "mv_per_hz: expected a finite number > 0"),
    ],
    "upward_crossings": [
        ({"voltage_mv": array()}, VALUE, "voltage_mv: expected at least 1 axes"),
        ({"level_mv": np.inf}, VALUE, "level_mv: expected a finite number, got inf"),
    ],
}
REFUSALS = [(name, *row) for name, rows in REFUSED.items() for row in rows]


@pytest.mark.parametrize(("name", "changes", "error", "message"), REFUSALS)
def test_bad_input_is_refused_with_a_message_that_names_it(name, changes, error, message):
    with pytest.raises(error, match=message):
        getattr(brain, name)(**(CALLS[name] | changes))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"rest_mv": -50.0},
            ValueError,
            "rest_mv: expected less than threshold_mv = -50.0, got -50",
        ),
        ({"reset_mv": -40.0}, ValueError, "reset_mv: expected less than threshold_mv"),
        ({"threshold_mv": np.nan}, ValueError, "threshold_mv: expected a finite number, got nan"),
        ({"resistance_mohm": 0.0}, ValueError, "resistance_mohm: expected a finite number > 0"),
        ({"tau_ms": "10"}, TypeError, "tau_ms: expected a number, got str"),
        ({"refractory_ms": -1.0}, ValueError, "refractory_ms: expected a number >= 0, got -1.0"),
    ],
)
def test_an_impossible_neuron_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        LeakyNeuron(**changes)


def test_every_public_function_has_a_call_and_a_refusal():
    functions = {name for name in brain.__all__ if inspect.isfunction(getattr(brain, name))}
    assert set(CALLS) == functions
    assert set(REFUSED) == functions
    assert set(brain.__all__) - functions == {"LeakyNeuron", "TYPICAL_NEURON"}


def leaves(value):
    return list(value.values()) if isinstance(value, dict) else [value]


@pytest.mark.parametrize("name", CALLS)
def test_valid_calls_change_no_argument_and_give_finite_numbers(name):
    arguments = [v for value in CALLS[name].values() for v in leaves(value)]
    arrays = [v for v in arguments if isinstance(v, np.ndarray)]
    before = [a.copy() for a in arrays]
    result = getattr(brain, name)(**CALLS[name])
    for now, then in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(now, then)
    for part in result if isinstance(result, tuple) else (result,):
        for leaf in leaves(part):
            assert np.isfinite(leaf).all()
            assert not any(np.shares_memory(leaf, a) for a in arrays)
