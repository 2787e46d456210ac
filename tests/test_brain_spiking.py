"""McCulloch-Pitts, leaky integrate-and-fire, synapses: against truth tables and closed forms."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from companion.brain import (
    TYPICAL_NEURON,
    LeakyNeuron,
    dale,
    leaky_integrate_and_fire,
    lif_rate_hz,
    mcculloch_pitts,
    poisson_spikes,
    synaptic_current,
)

NONE = np.zeros((4, 0), dtype=bool)
PAIRS = np.array(list(itertools.product([False, True], repeat=2)))


def test_mcculloch_pitts_computes_and_or_not():
    np.testing.assert_array_equal(mcculloch_pitts(PAIRS, NONE, 2), PAIRS.all(axis=1))
    np.testing.assert_array_equal(mcculloch_pitts(PAIRS, NONE, 1), PAIRS.any(axis=1))
    nothing = np.zeros((2, 0), dtype=bool)
    x = np.array([[False], [True]])
    np.testing.assert_array_equal(mcculloch_pitts(nothing, x, 0), [True, False])


def test_one_inhibitory_input_vetoes_any_excitation():
    many = np.ones((1, 50), dtype=bool)
    assert mcculloch_pitts(many, np.array([[False]]), 1).all()
    assert not mcculloch_pitts(many, np.array([[True]]), 1).any()


def test_two_layers_of_mcculloch_pitts_compute_xor():
    a, b = PAIRS[:, :1], PAIRS[:, 1:]
    only_a, only_b = mcculloch_pitts(a, b, 1), mcculloch_pitts(b, a, 1)
    xor = mcculloch_pitts(np.stack([only_a, only_b], axis=1), NONE, 1)
    np.testing.assert_array_equal(xor, PAIRS[:, 0] ^ PAIRS[:, 1])


def test_subthreshold_voltage_follows_the_exact_charging_curve():
    dt_ms, N, current_na = 0.5, 60, 1.2  # drives to -53 mV, below the threshold of -50 mV
    voltage_mv, spikes = leaky_integrate_and_fire(np.full((2, N), current_na), dt_ms)
    time_ms = dt_ms * np.arange(1, N + 1)
    expected = -65.0 + 12.0 * (1.0 - np.exp(-time_ms / 10.0))
    # the step is the exact solution: only rounding of values near 65 accumulates
    np.testing.assert_allclose(voltage_mv, np.stack([expected] * 2), rtol=1e-13)
    assert not spikes.any()
    assert spikes.dtype == np.bool_


def test_first_spike_reset_and_refractory_period_by_hand():
    neuron = LeakyNeuron(refractory_ms=1.0)
    voltage_mv, spikes = leaky_integrate_and_fire(np.full(40, 3.0), 0.5, neuron)
    # V = -35 - 30 exp(-t/10) reaches -50 mV at 10 ln 2 = 6.93 ms: seen at 7.0 ms, step 13;
    # then 2 steps of pause and 14 steps of climb
    np.testing.assert_array_equal(np.flatnonzero(spikes), [13, 29])
    np.testing.assert_array_equal(voltage_mv[13:16], [-65.0] * 3)
    assert voltage_mv[16] == pytest.approx(-35.0 - 30.0 * np.exp(-0.05), rel=1e-14)


@pytest.mark.parametrize(
    "neuron",
    [
        TYPICAL_NEURON,
        replace(TYPICAL_NEURON, refractory_ms=0.0),
        # every constant different, the reset below rest; rheobase 1.5 nA as well: 12 mV / 8 MΩ
        LeakyNeuron(-70.0, -58.0, -75.0, 8.0, 15.0, 3.0),
    ],
)
def test_rate_agrees_with_the_closed_form_to_the_resolution_of_the_grid(neuron):
    dt_ms, current_na = 0.02, np.array([1.0, 1.5, 1.51, 1.7, 2.0, 3.0, 6.0])
    N = 30_000
    _, spikes = leaky_integrate_and_fire(np.repeat(current_na[:, None], N, axis=1), dt_ms, neuron)
    rate_hz = lif_rate_hz(current_na, neuron)
    np.testing.assert_array_equal(spikes[:2].sum(axis=1), 0)  # rheobase: 15 mV / 10 MΩ
    np.testing.assert_array_equal(rate_hz[:2], 0.0)
    assert (spikes[2:].sum(axis=1) >= 3).all()
    for row, rate in zip(spikes[2:], rate_hz[2:], strict=True):
        interval_ms = np.diff(np.flatnonzero(row)) * dt_ms
        late_ms = interval_ms - 1000.0 / rate
        # each spike is seen at the end of its step: late by 0 to dt, never early
        assert (late_ms > -1e-9).all()
        assert (late_ms < dt_ms + 1e-9).all()


def test_rate_in_closed_form_by_hand():
    # V∞ = -35 mV: the climb takes 10 ln(30/15) = 6.931 ms, with 2 ms of pause 8.931 ms
    assert lif_rate_hz(np.array([3.0]))[0] == pytest.approx(1000.0 / (2.0 + 10.0 * np.log(2.0)))


def test_refractory_period_caps_the_rate():
    assert lif_rate_hz(np.array([1e9]))[0] == pytest.approx(500.0, rel=1e-6)  # 1 / 2 ms


def test_inhibition_lowers_the_rate():
    rng = np.random.default_rng(0)
    duration_ms, dt_ms = 2000.0, 0.1
    rate_hz = np.array([[400.0, 0.0], [400.0, 400.0]])  # excitatory, inhibitory
    arrivals = poisson_spikes(rate_hz, duration_ms, dt_ms, rng) > 0
    current_na = synaptic_current(arrivals, np.array([2.0, -1.0]), 5.0, dt_ms)
    _, spikes = leaky_integrate_and_fire(current_na, dt_ms)
    without, with_inhibition = spikes.sum(axis=1)
    assert without > 50
    assert with_inhibition < 0.7 * without


def test_synaptic_current_by_hand_and_against_a_sum_of_kernels():
    rng = np.random.default_rng(1)
    spikes = rng.random((2, 3, 50)) < 0.1
    weight_na = np.array([0.5, 0.2, -0.3])
    current_na = synaptic_current(spikes, weight_na, 5.0, 0.5)
    lag = np.arange(50)[:, None] - np.arange(50)
    kernel = np.where(lag >= 0, np.exp(-np.maximum(lag, 0) * 0.5 / 5.0), 0.0)
    expected = np.einsum("j,bjn,kn->bk", weight_na, spikes, kernel)
    np.testing.assert_allclose(current_na, expected, atol=1e-14)
    one = synaptic_current(np.array([[True, False, True]]), np.array([-1.0]), 1.0, 1.0)
    np.testing.assert_allclose(one, [-1.0, -np.exp(-1), -1.0 - np.exp(-2)], rtol=1e-15)


def test_dale_silences_only_the_weights_of_the_wrong_sign():
    weight = np.array([[1.0, 2.0, -3.0], [-4.0, -5.0, 0.0]])
    expected = [[1.0, 0.0, -3.0], [0.0, -5.0, 0.0]]
    np.testing.assert_array_equal(dale(weight, np.array([1.0, -1.0, -1.0])), expected)


def test_float32_stays_float32():
    current_na = np.full((2, 30), 3.0, dtype=np.float32)
    assert leaky_integrate_and_fire(current_na, 0.5)[0].dtype == np.float32
    assert leaky_integrate_and_fire(current_na[0], 0.5)[0].dtype == np.float32
    assert lif_rate_hz(current_na).dtype == np.float32
    one = np.ones((3, 5), dtype=bool)
    assert synaptic_current(one, np.ones(3, np.float32), 2.0, 1.0).dtype == np.float32
    assert dale(np.ones((2, 3), np.float32), np.ones(3, np.float32)).dtype == np.float32
