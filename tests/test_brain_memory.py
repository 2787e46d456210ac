"""Competition and Hopfield networks: against softmax, attention and the theory of their energy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.brain import (
    biased_competition,
    divisive_normalisation,
    hopfield_energy,
    hopfield_recall,
    hopfield_weights,
    modern_hopfield_energy,
    modern_hopfield_update,
)
from companion.with_numpy import attention, softmax

B, T, S, D = 2, 3, 5, 7


def test_normalisation_by_hand():
    rate_hz = divisive_normalisation(
        np.array([3.0, 1.0]), max_rate_hz=60.0, semi_saturation=2.0**0.5
    )
    np.testing.assert_allclose(rate_hz, [45.0, 5.0], rtol=1e-15)  # 60 · 9/12, 60 · 1/12
    one = divisive_normalisation(np.array([2.0]), max_rate_hz=90.0, exponent=1.0)
    assert one[0] == pytest.approx(60.0)  # half of the maximum would be at drive = σ = 1


def test_a_lone_cell_saturates_and_a_neighbour_suppresses_it():
    lone = divisive_normalisation(np.array([[0.5], [1.0], [1000.0]]))
    assert lone[0, 0] < lone[1, 0] < lone[2, 0] < 100.0
    assert lone[1, 0] == 50.0  # at drive = σ half of the maximum
    together = divisive_normalisation(np.array([1.0, 1.0]))
    assert together[0] == pytest.approx(100.0 / 3.0)


def test_without_drive_nothing_fires_even_at_sigma_zero():
    np.testing.assert_array_equal(
        divisive_normalisation(np.zeros((2, 3)), semi_saturation=0.0), 0.0
    )
    assert divisive_normalisation(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 300.0])
def test_normalisation_at_sigma_zero_is_a_softmax_of_log_drive(exponent):
    drive = np.exp(np.random.default_rng(0).normal(size=(B, S)))
    rate_hz = divisive_normalisation(drive, exponent=exponent, semi_saturation=0.0, max_rate_hz=1.0)
    weights = softmax(np.log(drive), temperature=1.0 / exponent)
    # log and exp lose up to n |log drive| units of rounding
    np.testing.assert_allclose(rate_hz, weights, rtol=1e-12, atol=1e-15)


def test_biased_competition_by_hand():
    rate_hz, shares = biased_competition(
        np.array([80.0, 20.0]), np.array([1.0, 1.0]), np.array([1.0, 2.0]), exponent=1.0
    )
    np.testing.assert_allclose(shares, [1 / 3, 2 / 3], rtol=1e-15)
    assert rate_hz == pytest.approx(40.0)


def test_attention_pulls_the_response_towards_the_attended_stimulus():
    alone_hz, drive = np.array([[80.0, 20.0]] * 3), np.ones((3, 2))
    rate_hz, shares = biased_competition(
        alone_hz, drive, np.array([[1.0, 1.0], [5.0, 1.0], [1.0, 5.0]])
    )
    assert rate_hz.shape == (3,)
    assert 20.0 < rate_hz[2] < 25.0 < rate_hz[0] == 50.0 < 75.0 < rate_hz[1] < 80.0
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-15)
    assert (shares > 0).all()  # competition turns down, it does not switch off


def test_bias_enters_the_softmax_as_an_added_logarithm():
    rng = np.random.default_rng(1)
    drive, bias = np.exp(rng.normal(size=(2, B, S)))
    alone_hz = rng.uniform(0.0, 90.0, size=(B, S))
    rate_hz, shares = biased_competition(alone_hz, drive, bias, exponent=3.0)
    weights = softmax(3.0 * np.log(drive) + 3.0 * np.log(bias))
    np.testing.assert_allclose(shares, weights, rtol=1e-12)
    np.testing.assert_allclose(rate_hz, (weights * alone_hz).sum(axis=1), rtol=1e-12)


def patterns_of(seed, count, units):
    return np.where(np.random.default_rng(seed).random((count, units)) < 0.5, -1.0, 1.0)


def test_hopfield_weights_and_energy_by_hand():
    weight = hopfield_weights(np.array([[1.0, 1.0, -1.0], [1.0, -1.0, -1.0]]))
    np.testing.assert_allclose(weight, np.array([[0, 0, -2], [0, 0, 0], [-2, 0, 0]]) / 3.0)
    energy = hopfield_energy(np.array([[1.0, 1.0, -1.0], [1.0, 1.0, 1.0]]), weight)
    np.testing.assert_allclose(energy, [-2 / 3, 2 / 3], rtol=1e-15)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(2, 40))
@settings(max_examples=60, deadline=None)
def test_energy_never_rises_and_recall_ends_in_a_fixed_point(seed, count, units):
    rng = np.random.default_rng(seed)
    weight = hopfield_weights(patterns_of(seed, count, units))
    start = np.where(rng.random(units) < 0.5, -1.0, 1.0)
    state, energies = hopfield_recall(start, weight, rng)
    rounding = 1e-13 * units * count
    assert (np.diff(energies) <= rounding).all()
    assert energies[0] == pytest.approx(float(hopfield_energy(start, weight)), abs=rounding)
    assert energies[-1] == pytest.approx(float(hopfield_energy(state, weight)), abs=rounding)
    assert ((weight @ state) * state >= -rounding).all()  # no unit wants to change


def test_hopfield_recalls_a_damaged_pattern_below_capacity_and_not_above():
    units, overlaps = 100, {}
    for count in (5, 60):
        patterns = patterns_of(2, count, units)
        weight, rng = hopfield_weights(patterns), np.random.default_rng(3)
        found = []
        for pattern in patterns[:5]:
            damaged = pattern.copy()
            damaged[:10] *= -1.0
            state, _ = hopfield_recall(damaged, weight, rng)
            found.append(state @ pattern / units)
        overlaps[count] = np.array(found)
    np.testing.assert_array_equal(overlaps[5], 1.0)  # 0.05 N patterns: perfect
    assert overlaps[60].mean() < 0.8  # 0.6 N patterns: far above 0.14 N, lost


def test_recall_does_not_depend_on_the_input_array_afterwards():
    pattern = patterns_of(4, 1, 20)[0]
    damaged = pattern.copy()
    damaged[:3] *= -1.0
    before = damaged.copy()
    state, _ = hopfield_recall(damaged, hopfield_weights(pattern[None]), np.random.default_rng(0))
    np.testing.assert_array_equal(damaged, before)
    np.testing.assert_array_equal(state, pattern)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_modern_hopfield_update_is_attention(dtype):
    rng = np.random.default_rng(5)
    state, patterns = (
        rng.normal(size=(B, T, D)).astype(dtype),
        rng.normal(size=(B, S, D)).astype(dtype),
    )
    new = modern_hopfield_update(state, patterns, 1.0 / D**0.5)
    output, _ = attention(state, patterns, patterns)
    assert new.dtype == dtype
    tolerance = 1e-14 if dtype == np.float64 else 1e-6  # the factor 1/√D is applied elsewhere
    np.testing.assert_allclose(new, output, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_modern_energy_never_rises_and_is_never_negative(beta):
    rng = np.random.default_rng(6)
    state, patterns = 2.0 * rng.normal(size=(B, T, D)), rng.normal(size=(B, S, D))
    energies = [modern_hopfield_energy(state, patterns, beta)]
    for _ in range(30):
        state = modern_hopfield_update(state, patterns, beta)
        energies.append(modern_hopfield_energy(state, patterns, beta))
    assert energies[0].shape == (B, T)
    assert (np.diff(energies, axis=0) <= 1e-12).all()
    assert (energies[1] < energies[0]).all()
    assert (np.array(energies) >= 0.0).all()


def test_modern_energy_by_hand_and_at_large_beta():
    # one stored pattern p: E = ½ ‖x‖² - x·p + ½ ‖p‖² = ½ ‖x - p‖²
    state, pattern = np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 2.0, 5.0]])
    assert modern_hopfield_energy(state, pattern, 0.7)[0] == pytest.approx(2.5, rel=1e-14)
    huge = modern_hopfield_energy(state, np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), 1e4)
    assert huge[0] == pytest.approx(
        np.log(2.0) / 1e4, rel=1e-6
    )  # at a pattern, exp not overflowing


def test_energy_gradient_explains_the_update():
    # the update is x - ∂E/∂x: a gradient step of length 1, here with central differences
    rng = np.random.default_rng(7)
    state, patterns, beta, eps = rng.normal(size=(1, D)), rng.normal(size=(S, D)), 1.3, 1e-6
    grad = np.empty_like(state)
    for d in range(D):
        step = np.zeros_like(state)
        step[0, d] = eps
        high, low = (modern_hopfield_energy(state + s * step, patterns, beta) for s in (1, -1))
        grad[0, d] = (high - low)[0] / (2 * eps)
    np.testing.assert_allclose(
        state - grad, modern_hopfield_update(state, patterns, beta), atol=1e-8
    )


def test_modern_network_recalls_the_stored_pattern_in_one_step():
    rng = np.random.default_rng(8)
    patterns = rng.normal(size=(50, 64))
    noisy = patterns + 0.3 * rng.normal(size=(50, 64))
    np.testing.assert_allclose(modern_hopfield_update(noisy, patterns, 4.0), patterns, atol=1e-6)
