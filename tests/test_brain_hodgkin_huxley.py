"""Hodgkin-Huxley: against scipy on the equations as printed in 1952, and by behaviour."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from companion.brain import gate_rates, gate_steady_state, hodgkin_huxley, upward_crossings

DT_MS = 0.025


def pulse(amplitude, start_ms=1.0, width_ms=1.0, total_ms=30.0, dt_ms=DT_MS):
    """A current pulse in µA/cm² on a grid of dt_ms."""
    time_ms = dt_ms * np.arange(round(total_ms / dt_ms))
    on = (time_ms > start_ms - dt_ms / 2) & (time_ms < start_ms + width_ms - dt_ms / 2)
    return np.where(on, amplitude, 0.0)


def equations_of_1952(time_ms, state, current):
    """As printed: voltage from rest, depolarisation negative, rates in that convention."""
    v, m, h, n = state
    a_m = 0.1 * (v + 25) / (np.exp((v + 25) / 10) - 1)
    a_n = 0.01 * (v + 10) / (np.exp((v + 10) / 10) - 1)
    a_h = 0.07 * np.exp(v / 20)
    b_m, b_n, b_h = 4 * np.exp(v / 18), 0.125 * np.exp(v / 80), 1 / (np.exp((v + 30) / 10) + 1)
    ionic = 120 * m**3 * h * (v + 115) + 36 * n**4 * (v - 12) + 0.3 * (v + 10.613)
    slopes = [a * (1 - x) - b * x for a, b, x in ((a_m, b_m, m), (a_h, b_h, h), (a_n, b_n, n))]
    return [-current - ionic, *slopes]


def test_voltage_and_gates_agree_with_scipy_on_the_equations_of_1952():
    current, N = 10.0, 1200
    voltage_mv, gates = hodgkin_huxley(np.full(N, current), DT_MS)
    start = [0.0, *gate_steady_state(np.array(-65.0))]
    time_ms = DT_MS * np.arange(1, N + 1)
    oracle = solve_ivp(
        equations_of_1952,
        (0.0, time_ms[-1]),
        start,
        method="LSODA",
        t_eval=time_ms,
        args=(current,),
        rtol=1e-10,
        atol=1e-12,
    )
    assert oracle.success
    assert upward_crossings(voltage_mv).sum() == 2  # the comparison spans two spikes
    # RK4 at 0.025 ms: measured 6e-3 mV, on the flank of a spike, and 4e-6 for the gates
    np.testing.assert_allclose(voltage_mv, -65.0 - oracle.y[0], atol=2e-2)
    np.testing.assert_allclose(gates, oracle.y[1:], atol=2e-5)


@pytest.mark.slow
def test_error_falls_with_the_fourth_power_of_the_step():
    ends = []
    for dt_ms in (0.04, 0.02, 0.01, 0.0025):
        voltage_mv, _ = hodgkin_huxley(np.full(round(4.0 / dt_ms), 10.0), dt_ms)
        ends.append(voltage_mv[-1])
    coarse, middle, fine = (abs(end - ends[3]) for end in ends[:3])
    # 2⁴ = 16 in the limit of short steps; order 3 would give 8, order 2 would give 4
    assert 12 < coarse / middle < 22
    assert 12 < middle / fine < 22


def test_rates_at_the_removable_singularities_are_the_limits():
    opening, closing = gate_rates(np.array([-40.0, -55.0]))
    assert opening[0, 0] == 1.0
    assert opening[2, 1] == 0.1
    assert np.isfinite(opening).all()
    assert np.isfinite(closing).all()


def test_rates_close_to_the_singularities_follow_the_series():
    # x/(1 - exp(-x)) = 1 + x/2 + x²/12 + O(x⁴); with exp instead of expm1 the error would be 1e-4
    x = np.array([-1e-6, -1e-12, 1e-12, 1e-6])
    opening, _ = gate_rates(-40.0 + 10.0 * x)
    x = ((-40.0 + 10.0 * x) + 40.0) / 10.0  # as rounded
    np.testing.assert_allclose(opening[0], 1.0 + x / 2.0 + x**2 / 12.0, rtol=1e-15)


def test_rates_at_rest_by_hand():
    opening, closing = gate_rates(np.array([-65.0]))
    # in 1952's convention v = 0: α_m = 2.5/(e^2.5 - 1), α_n = 0.1/(e - 1)
    expected = [2.5 / (np.e**2.5 - 1), 0.07, 0.1 / (np.e - 1)]
    np.testing.assert_allclose(opening[:, 0], expected, rtol=1e-14)
    np.testing.assert_allclose(closing[:, 0], [4.0, 1 / (1 + np.e**3), 0.125], rtol=1e-14)


@pytest.mark.slow
def test_the_resting_potential_is_stable():
    still, _ = hodgkin_huxley(np.zeros(2400), DT_MS)
    assert np.abs(still + 65.0).max() < 0.02  # rest is where the three currents cancel: -64.996 mV
    pushed, _ = hodgkin_huxley(np.zeros(4000), DT_MS, start_mv=-70.0)
    assert abs(pushed[0] + 70.0) < 1.0
    assert abs(pushed[-1] + 65.0) < 0.02  # it comes back


def test_a_spike_is_all_or_none():
    amplitudes = np.arange(1.0, 31.0)  # µA/cm² for 1 ms
    voltage_mv, _ = hodgkin_huxley(np.stack([pulse(a) for a in amplitudes]), DT_MS)
    peak_mv = voltage_mv.max(axis=1)
    spikes = upward_crossings(voltage_mv).sum(axis=1)
    fails, fires = peak_mv[spikes == 0], peak_mv[spikes == 1]
    assert len(fails) + len(fires) == 30
    assert fails.size
    assert fails.max() < -50.0  # no half spikes between -50 and +30 mV
    assert fires.min() > 30.0
    assert fires[-1] - fires[1] < 5.0  # a current five times as strong changes the peak by little


def test_a_spike_is_about_100_mv_high_and_lasts_about_one_ms():
    voltage_mv, _ = hodgkin_huxley(pulse(20.0), DT_MS)
    assert 95.0 < voltage_mv.max() + 65.0 < 115.0  # with an overshoot above 0 mV
    assert 0.5 < DT_MS * (voltage_mv > -20.0).sum() < 2.0
    assert -78.0 < voltage_mv.min() < -70.0  # undershoot towards E_K = -77 mV


def test_a_second_pulse_soon_after_a_spike_fires_nothing():
    gaps_ms = [4.0, 25.0]
    current = np.stack(
        [pulse(20.0, total_ms=50.0) + pulse(20.0, 1.0 + gap, 1.0, 50.0) for gap in gaps_ms]
    )
    voltage_mv, _ = hodgkin_huxley(current, DT_MS)
    np.testing.assert_array_equal(upward_crossings(voltage_mv).sum(axis=1), [1, 2])


def test_gates_settle_where_their_slope_is_zero():
    voltage_mv = np.linspace(-90.0, 40.0, 14).reshape(2, 7)
    opening, closing = gate_rates(voltage_mv)
    gates = gate_steady_state(voltage_mv)
    assert gates.shape == (3, 2, 7)
    np.testing.assert_allclose(opening * (1 - gates) - closing * gates, 0.0, atol=1e-14)


def test_too_long_a_step_is_refused_before_and_during_the_run():
    with pytest.raises(ValueError, match=r"dt_ms: expected at most 0\.05, got 0\.06: the sodium"):
        hodgkin_huxley(np.zeros(5), 0.06)
    with pytest.raises(ValueError, match=r"dt_ms: expected a step short enough .* at step \d+"):
        hodgkin_huxley(np.full(50, -1e5), 0.05)
    with pytest.raises(ValueError, match=r"dt_ms: expected a step short enough"):
        hodgkin_huxley(np.full(50, 1e300), 0.05)  # overflows within the step


def test_batch_rows_equal_single_runs_and_float32_stays():
    current = np.stack([pulse(a, total_ms=8.0) for a in (0.0, 5.0, 20.0)])
    voltage_mv, gates = hodgkin_huxley(current, DT_MS)
    assert gates.shape == (3, 3, current.shape[1])
    for row in range(3):
        alone_mv, alone = hodgkin_huxley(current[row], DT_MS)
        # vectorised and scalar exp may differ in the last digit; a spike amplifies it
        np.testing.assert_allclose(alone_mv, voltage_mv[row], atol=1e-9)
        np.testing.assert_allclose(alone, gates[:, row], atol=1e-11)
    for shape in ((3, 20), (20,)):
        short_mv, short = hodgkin_huxley(np.zeros(shape, dtype=np.float32), DT_MS)
        assert short_mv.dtype == short.dtype == np.float32
    assert upward_crossings(voltage_mv[2])[:1].sum() == 0
    np.testing.assert_array_equal(
        upward_crossings(np.array([1.0, -1.0, 0.0, 2.0, -3.0, 4.0])),
        [False, False, True, False, False, True],
    )
