"""The Hodgkin-Huxley axon: where the action potential comes from. mV, ms, µA/cm², mS/cm², 1/ms.

The constants are those of Hodgkin & Huxley 1952, table 3, at 6.3 °C. They measured the voltage from
rest and with the opposite sign; here V = -65 mV - V_1952, so that rest is -65 mV and a spike goes
up (E_leak, for example: -65 + 10.613 mV).
"""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array

CAPACITANCE_UF_PER_CM2 = 1.0
SODIUM_MS_PER_CM2, SODIUM_MV = 120.0, 50.0
POTASSIUM_MS_PER_CM2, POTASSIUM_MV = 36.0, -77.0
LEAK_MS_PER_CM2, LEAK_MV = 0.3, -54.387
REST_MV = -65.0
LARGEST_STEP_MS = 0.05  # the fastest rate is near 40 per ms; RK4 is stable up to 2.78 / rate
RANGE_MV = 200.0  # beyond it the membrane would be torn: the solution has failed
RATE_RANGE_MV = 1000.0  # keeps every exponential of the rates far from overflow


def gate_rates(voltage_mv: Array) -> tuple[Array, Array]:
    """How fast the three gates m, h, n open (α) and close (β), in 1/ms, at a voltage in mV.

        α_m = f((V + 40)/10)           β_m = 4 exp(-(V + 65)/18)          f(x) = x / (1 - exp(-x))
        α_h = 0.07 exp(-(V + 65)/20)   β_h = 1 / (1 + exp(-(V + 35)/10))
        α_n = 0.1 f((V + 55)/10)       β_n = 0.125 exp(-(V + 65)/80)

    voltage_mv any shape (...), in mV, within ±1000 mV
    Returns opening (3, ...) and closing (3, ...) in 1/ms, rows m, h, n.

    Raises TypeError unless floating, ValueError if a voltage is not finite or out of range.
    Source: Hodgkin & Huxley 1952, eqs. 12, 13, 20, 21, 23, 24. f(0) is 0/0 there; here it is its
    limit 1, so that α_m(-40 mV) = 1 and α_n(-55 mV) = 0.1, and expm1 keeps its neighbours exact.
    """
    _brain.finite(voltage_mv=voltage_mv)
    if voltage_mv.size and np.abs(voltage_mv).max() > RATE_RANGE_MV:
        raise ValueError(
            f"voltage_mv: expected -{RATE_RANGE_MV:g} to {RATE_RANGE_MV:g} mV, "
            f"got {float(voltage_mv.min()):g} to {float(voltage_mv.max()):g}"
        )
    return _rates(voltage_mv)


def gate_steady_state(voltage_mv: Array) -> Array:
    """Where the gates settle if the voltage, in mV, is held: α / (α + β), a share without unit.

    voltage_mv any shape (...), in mV   Returns gates (3, ...), rows m, h, n, each between 0 and 1.

    Raises as `gate_rates` does.   Source: Hodgkin & Huxley 1952.
    """
    opening, closing = gate_rates(voltage_mv)
    return opening / (opening + closing)


def hodgkin_huxley(
    current_ua_per_cm2: Array, dt_ms: float, *, start_mv: float = REST_MV
) -> tuple[Array, Array]:
    """The membrane voltage under an injected current, from sodium, potassium and leak currents.

        C dV/dt = I - g_Na m³h (V - E_Na) - g_K n⁴ (V - E_K) - g_leak (V - E_leak)
        dx/dt = α_x (1 - x) - β_x x        for each gate x = m, h, n

    current_ua_per_cm2 (..., N) in µA/cm², constant during each of the N steps   dt_ms in ms
    start_mv the voltage before the first step, in mV, with the gates settled there
    Returns voltage_mv (..., N) in mV and gates (3, ..., N) without unit (rows m, h, n), at the end
    of each step.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if dt_ms is
    above 0.05 ms or, under a violent current, too long for the solution to stay in bounds.
    Integrator: classical Runge-Kutta of order 4, error ∝ dt⁴.
    Source: Hodgkin & Huxley 1952, eqs. 26, 7, 15, 16, for a patch without spatial spread.
    """
    _brain.finite(current_ua_per_cm2=current_ua_per_cm2)
    _check.rank(1, current_ua_per_cm2=current_ua_per_cm2)
    _brain.number(start_mv=start_mv)
    if abs(start_mv) > RANGE_MV:
        raise ValueError(f"start_mv: expected -{RANGE_MV:g} to {RANGE_MV:g} mV, got {start_mv:g}")
    _brain.positive(dt_ms=dt_ms)
    _brain.below(
        "dt_ms", dt_ms, LARGEST_STEP_MS, "the sodium gate would make longer steps unstable"
    )
    current = current_ua_per_cm2
    voltage = np.full(current.shape[:-1], start_mv, dtype=current.dtype)
    state = np.concatenate([voltage[None], gate_steady_state(voltage)])
    trace = np.empty((4, *current.shape), dtype=current.dtype)
    for step in range(current.shape[-1]):
        with np.errstate(over="ignore", invalid="ignore"):  # _in_bounds reports what went wrong
            state = _runge_kutta(state, current[..., step], dt_ms)
        _in_bounds(state, step, dt_ms)
        trace[..., step] = state
    return trace[0], trace[1:]


def upward_crossings(voltage_mv: Array, level_mv: float = 0.0) -> Array:
    """Mark a spike wherever the voltage, in mV, rises through a level.

        spikes_k = (V_{k-1} < level ≤ V_k)

    voltage_mv (..., N) in mV   level_mv in mV
    Returns spikes (..., N), boolean; the first step has no predecessor and is never a spike.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _brain.finite(voltage_mv=voltage_mv)
    _check.rank(1, voltage_mv=voltage_mv)
    _brain.number(level_mv=level_mv)
    spikes = np.zeros(voltage_mv.shape, dtype=np.bool_)
    above = voltage_mv >= level_mv
    spikes[..., 1:] = above[..., 1:] & ~above[..., :-1]
    return spikes


def _rates(V: Array) -> tuple[Array, Array]:
    from_rest = V - REST_MV
    opening = [_f((V + 40.0) / 10.0), 0.07 * np.exp(-from_rest / 20.0), 0.1 * _f((V + 55.0) / 10.0)]
    closing = [
        4.0 * np.exp(-from_rest / 18.0),
        1.0 / (1.0 + np.exp(-(V + 35.0) / 10.0)),
        0.125 * np.exp(-from_rest / 80.0),
    ]
    return np.stack(opening), np.stack(closing)


def _f(x: Array) -> Array:
    at_zero = x == 0
    safe = np.where(at_zero, np.ones_like(x), x)
    return np.where(at_zero, np.ones_like(x), safe / -np.expm1(-safe))


def _derivative(state: Array, current: Array) -> Array:
    V, gates = state[0], state[1:]
    m, h, n = gates
    sodium = SODIUM_MS_PER_CM2 * m**3 * h * (V - SODIUM_MV)
    potassium = POTASSIUM_MS_PER_CM2 * n**4 * (V - POTASSIUM_MV)
    leak = LEAK_MS_PER_CM2 * (V - LEAK_MV)
    dV = (current - sodium - potassium - leak) / CAPACITANCE_UF_PER_CM2
    opening, closing = _rates(V)
    return np.concatenate([dV[None], opening * (1.0 - gates) - closing * gates])


def _runge_kutta(state: Array, current: Array, dt_ms: float) -> Array:
    k1 = _derivative(state, current)
    k2 = _derivative(state + (dt_ms / 2.0) * k1, current)
    k3 = _derivative(state + (dt_ms / 2.0) * k2, current)
    k4 = _derivative(state + dt_ms * k3, current)
    return state + (dt_ms / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def _in_bounds(state: Array, step: int, dt_ms: float) -> None:
    slack = 1e-3  # a gate may overshoot 0 or 1 by the error of one step
    good_voltage = (np.abs(state[0]) <= RANGE_MV).all()  # False for NaN as well
    good_gates = ((state[1:] >= -slack) & (state[1:] <= 1.0 + slack)).all()
    if not (good_voltage and good_gates):
        raise ValueError(
            f"dt_ms: expected a step short enough for this current, got {dt_ms:g} ms: "
            f"at step {step} the voltage left ±{RANGE_MV:g} mV or a gate left 0 to 1"
        )
