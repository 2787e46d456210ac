"""Hebb, Oja, STDP, intrinsic plasticity: by hand, against eigh, and closed through a neuron."""

from dataclasses import replace

import numpy as np
import pytest

from companion.brain import (
    TYPICAL_NEURON,
    estimate_rate_hz,
    hebb_step,
    leaky_integrate_and_fire,
    lif_rate_hz,
    oja_step,
    stdp,
    stdp_window,
    threshold_step,
)


def test_hebb_by_hand():
    weight = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    pre, post = np.array([[1.0, 2.0, 3.0], [1.0, 0.0, -1.0]]), np.array([[1.0, 0.0], [3.0, 2.0]])
    # mean over the two moments of post pre: [[4, 2, 0], [2, 0, -2]] / 2, times 0.1
    expected = [[0.2, 1.1, 0.0], [0.1, 0.0, 1.9]]
    np.testing.assert_allclose(hebb_step(weight, pre, post, 0.1), expected, rtol=1e-15)


def test_hebb_is_local():
    rng = np.random.default_rng(0)
    weight, pre, post = rng.normal(size=(2, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    before = hebb_step(weight, pre, post, 0.1)
    pre[:, 2] += 1.0
    after = hebb_step(weight, pre, post, 0.1)
    np.testing.assert_array_equal(after[:, :2], before[:, :2])  # other synapses notice nothing
    assert (after[:, 2] != before[:, 2]).all()


def test_hebb_grows_without_bound_where_oja_settles():
    pre = np.random.default_rng(1).normal(size=(40, 3))
    hebb = oja = np.array([0.1, 0.2, -0.1])
    for _ in range(300):
        hebb = hebb_step(hebb[None], pre, pre @ hebb[:, None], 0.1)[0]
        oja = oja_step(oja, pre, 0.1)
    assert np.linalg.norm(hebb) > 1e6
    assert np.linalg.norm(oja) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_oja_converges_to_the_first_principal_component(seed):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(7, 7)) * np.array([2.0, 1, 1, 1, 1, 1, 1])[:, None]
    pre = rng.normal(size=(200, 7)) @ mixing.T
    pre -= pre.mean(axis=0)
    variances, directions = np.linalg.eigh(pre.T @ pre / len(pre))
    weight = rng.normal(size=7)
    weight /= np.linalg.norm(weight)
    for _ in range(2000):
        weight = oja_step(weight, pre, 0.2 / variances[-1])
    assert abs(weight @ directions[:, -1]) > 0.99
    assert np.linalg.norm(weight) == pytest.approx(1.0, abs=1e-6)


def test_oja_one_sample_at_a_time_finds_it_too():
    rng = np.random.default_rng(0)
    pre = rng.normal(size=(4000, 2)) @ np.array([[3.0, 1.0], [1.0, 1.0]])
    first = np.linalg.eigh(pre.T @ pre)[1][:, -1]
    weight = np.array([0.0, 1.0])
    for moment in pre:
        weight = oja_step(weight, moment[None], 0.002)
    assert abs(weight @ first) / np.linalg.norm(weight) > 0.99


def test_oja_by_hand():
    # y = 2·1 + 1·2 = 4; growth 4 (1, 2) - 16 (2, 1) = (-28, -8)
    after = oja_step(np.array([2.0, 1.0]), np.array([[1.0, 2.0]]), 0.01)
    np.testing.assert_allclose(after, [1.72, 0.92], rtol=1e-15)


def test_stdp_signs_and_time_constant():
    change = stdp_window(np.array([10.0, -10.0, 0.0]))
    assert change[0] > 0 > change[1]
    assert change[2] == 0.0
    both = stdp_window(np.array([5.0, 25.0, -5.0, -25.0]))
    # 20 ms further apart: smaller by a factor e
    np.testing.assert_allclose([both[0] / both[1], both[2] / both[3]], np.e, rtol=1e-14)


def test_stdp_sides_have_their_own_amplitude_and_time_constant():
    lag_ms = np.array([[7.0, -7.0]])
    change = stdp_window(
        lag_ms, potentiation=2.0, depression=3.0, potentiation_ms=14.0, depression_ms=7.0
    )
    np.testing.assert_allclose(change, [[2.0 * np.exp(-0.5), -3.0 * np.exp(-1.0)]], rtol=1e-15)


def test_stdp_all_to_all_pairing_by_hand():
    # pre 0 and 30 ms, post 10 and 20 ms: lags +10, +20, -20, -10
    pre_ms, post_ms = np.array([0.0, 30.0]), np.array([10.0, 20.0])
    change = stdp(pre_ms, post_ms, potentiation=1.0, depression=0.5)
    assert change == pytest.approx(0.5 * (np.exp(-0.5) + np.exp(-1.0)), rel=1e-15)
    assert stdp(post_ms, pre_ms, potentiation=1.0, depression=0.5) == pytest.approx(
        0.5 * (np.exp(-0.5) + np.exp(-1.0)), rel=1e-15
    )
    three = stdp(np.array([0.0, 30.0, 100.0]), post_ms, potentiation=1.0, depression=0.5)
    late = 0.5 * (np.exp(-4.5) + np.exp(-4.0))  # lags -90 and -80
    assert three == pytest.approx(change - late, rel=1e-14)
    assert stdp(np.array([]), post_ms) == 0.0


@pytest.mark.slow
def test_threshold_adapts_until_the_rate_is_the_target_and_behaviour_changes_without_a_weight():
    current_na, target_hz = np.full(5_000, 2.5), 40.0  # 500 ms in steps of 0.1 ms
    neuron, rates = TYPICAL_NEURON, []
    for _ in range(25):
        _, spikes = leaky_integrate_and_fire(current_na, 0.1, neuron)
        rates.append(float(estimate_rate_hz(spikes, 0.1)))
        higher = threshold_step(neuron.threshold_mv, rates[-1], target_hz, 0.08)
        neuron = replace(neuron, threshold_mv=higher)
    assert rates[0] > 1.8 * target_hz
    assert rates[-1] == pytest.approx(target_hz, abs=2.0)  # one spike in 500 ms is 2 Hz
    assert neuron.threshold_mv > TYPICAL_NEURON.threshold_mv
    assert lif_rate_hz(np.array([2.5]), neuron)[0] == pytest.approx(target_hz, abs=2.0)


def test_threshold_by_hand():
    assert threshold_step(-50.0, 12.0, 10.0, 0.5) == -49.0
    assert threshold_step(-50.0, 8.0, 10.0, 0.5) == -51.0


def test_float32_stays_float32():
    pre, weight = np.ones((4, 3), np.float32), np.full(3, 0.1, np.float32)
    assert oja_step(weight, pre, 0.1).dtype == np.float32
    assert hebb_step(weight[None], pre, pre[:, :1], 0.1).dtype == np.float32
    assert stdp_window(np.array([1.0, -1.0], np.float32)).dtype == np.float32
