"""Delay and rate coding: by hand, and with statistical bounds derived from the Poisson process."""

import numpy as np
import pytest

from companion.brain import (
    conduction_delay_ms,
    estimate_rate_hz,
    poisson_spikes,
    rate_coded_relu,
    signal_delay_ms,
)

SIGMAS = 5.0  # a correct program fails such a test about once in a million seeds; the seed is fixed


def test_one_metre_takes_1000_ms_at_1_m_per_s_and_10_ms_at_100():
    assert conduction_delay_ms(1.0, 1.0) == 1000.0
    assert conduction_delay_ms(1.0, 100.0) == 10.0
    assert conduction_delay_ms(0.0, 100.0) == 0.0


def test_the_signal_takes_conduction_plus_transmission():
    assert signal_delay_ms(1.0, 100.0, 0.5) == 10.5
    assert signal_delay_ms(1.0, 100.0) == 11.0
    assert signal_delay_ms(0.001, 1.0, 0.0) == 1.0  # electrical synapse: conduction only


def test_counts_have_the_mean_and_the_variance_of_a_poisson_process():
    rate_hz, duration_ms, trials = 40.0, 250.0, 4000
    counts = poisson_spikes(np.full(trials, rate_hz), duration_ms, 1.0, np.random.default_rng(0))
    assert counts.shape == (trials, 250)
    assert counts.dtype.kind == "i"
    total, mean = counts.sum(axis=1), 10.0  # 40 Hz for 0.25 s
    assert abs(total.mean() - mean) < SIGMAS * (mean / trials) ** 0.5
    # variance of a sample variance: (fourth central moment - variance²)/M = (2 λ² + λ)/M
    spread = ((2 * mean**2 + mean) / trials) ** 0.5
    assert abs(total.var(ddof=1) - mean) < SIGMAS * spread


def test_steps_are_independent_of_each_other():
    counts = poisson_spikes(np.array([100.0]), 20_000.0, 1.0, np.random.default_rng(1))[0]
    centred = counts - counts.mean()
    correlation = (centred[1:] * centred[:-1]).mean() / counts.var()
    assert abs(correlation) < SIGMAS / len(counts) ** 0.5


def test_the_error_of_the_rate_falls_as_one_over_root_time():
    rate_hz, trials = 20.0, 4000
    errors = []
    for seed, duration_ms in enumerate((500.0, 2000.0, 8000.0)):
        counts = poisson_spikes(
            np.full(trials, rate_hz), duration_ms, 10.0, np.random.default_rng(seed)
        )
        squared = (estimate_rate_hz(counts, 10.0) - rate_hz) ** 2
        expected = rate_hz / (duration_ms / 1000.0)  # rate / T in Hz²
        # Var of the mean of M squares of a centred Poisson number: (2 + 1/λ) expected² / M
        spike_mean = rate_hz * duration_ms / 1000.0
        spread = expected * ((2.0 + 1.0 / spike_mean) / trials) ** 0.5
        assert abs(squared.mean() - expected) < SIGMAS * spread
        errors.append(squared.mean() ** 0.5)
    # four times the time, half the error; spread of each ratio: about √(2 · 2/(4 M)) · 0.5 = 0.8 %
    np.testing.assert_allclose(np.divide(errors[1:], errors[:-1]), 0.5, rtol=SIGMAS * 0.016)


def test_rate_estimate_by_hand_for_counts_and_for_boolean_spikes():
    spikes = np.array([[True, False, False, True], [False] * 4])
    np.testing.assert_array_equal(estimate_rate_hz(spikes, 5.0), [100.0, 0.0])  # 2 in 20 ms
    np.testing.assert_array_equal(estimate_rate_hz(spikes.astype(int) * 2, 5.0), [200.0, 0.0])


def test_rate_coded_relu_is_a_relu_with_an_error_that_falls_as_one_over_root_time():
    drive = np.array([-2.0, 0.0, 0.5, 1.0, 3.0])
    relu, trials, hz_per_unit = np.maximum(drive, 0.0), 4000, 50.0
    for seed, duration_ms in enumerate((200.0, 3200.0)):
        many = np.repeat(drive[None], trials, axis=0)
        output = rate_coded_relu(many, hz_per_unit, duration_ms, np.random.default_rng(seed))
        variance = relu / (hz_per_unit * duration_ms / 1000.0)
        bias = np.abs(output.mean(axis=0) - relu)
        assert (bias <= SIGMAS * (variance / trials) ** 0.5).all()
        spikes = np.maximum(hz_per_unit * relu * duration_ms / 1000.0, 1e-300)
        spread = variance * ((2.0 + np.where(relu > 0, 1.0 / spikes, 0.0)) / trials) ** 0.5
        assert (np.abs(((output - relu) ** 2).mean(axis=0) - variance) <= SIGMAS * spread).all()
    assert rate_coded_relu(
        drive.astype(np.float32), 50.0, 100.0, np.random.default_rng(0)
    ).dtype == (np.float32)


def test_the_same_generator_state_gives_the_same_spikes():
    def draw(seed):
        return poisson_spikes(np.array([50.0]), 100.0, 1.0, np.random.default_rng(seed))

    np.testing.assert_array_equal(draw(3), draw(3))
    assert (draw(3) != draw(4)).any()


def test_a_rate_of_zero_is_silent():
    assert not poisson_spikes(np.zeros((2, 3)), 100.0, 1.0, np.random.default_rng(0)).any()


def test_duration_must_be_a_whole_number_of_steps():
    with pytest.raises(ValueError, match=r"duration_ms: expected a whole number of steps of 3 ms"):
        poisson_spikes(np.array([1.0]), 10.0, 3.0, np.random.default_rng(0))
    # 0.3 / 0.1 is 2.9999999999999996 in floating point, and still three steps
    assert poisson_spikes(np.array([1.0]), 0.3, 0.1, np.random.default_rng(0)).shape == (1, 3)
