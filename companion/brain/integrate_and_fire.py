"""The leaky integrate-and-fire neuron: a leaky capacitor with a threshold. mV, ms, nA, MΩ, Hz."""

import math
from dataclasses import dataclass

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.brain.delay import MS_PER_S
from companion.with_numpy._types import Array

LARGEST_STEP = 0.1  # of tau_ms; a spike is seen up to one step late, so steps must stay short


@dataclass(frozen=True)
class LeakyNeuron:
    """The constants of a leaky integrate-and-fire neuron.

    rest_mv, threshold_mv, reset_mv in mV   resistance_mohm in MΩ (MΩ · nA = mV)
    tau_ms, the membrane time constant, and refractory_ms in ms

    Raises TypeError or ValueError unless rest and reset lie below the threshold, the resistance and
    the time constant are positive and the refractory period is not negative.
    The defaults are round numbers for a cortical cell (rest between -70 and -65 mV), chosen for
    teaching; they are no measurement.
    """

    rest_mv: float = -65.0
    threshold_mv: float = -50.0
    reset_mv: float = -65.0
    resistance_mohm: float = 10.0
    tau_ms: float = 10.0
    refractory_ms: float = 2.0

    def __post_init__(self) -> None:
        _brain.number(rest_mv=self.rest_mv, threshold_mv=self.threshold_mv, reset_mv=self.reset_mv)
        _brain.positive(resistance_mohm=self.resistance_mohm, tau_ms=self.tau_ms)
        _brain.non_negative(refractory_ms=self.refractory_ms)
        for name in ("rest_mv", "reset_mv"):
            value = getattr(self, name)
            if value >= self.threshold_mv:
                raise ValueError(
                    f"{name}: expected less than threshold_mv = {self.threshold_mv}, got {value}"
                )


TYPICAL_NEURON = LeakyNeuron()


def leaky_integrate_and_fire(
    current_na: Array, dt_ms: float, neuron: LeakyNeuron = TYPICAL_NEURON
) -> tuple[Array, Array]:
    """Let the membrane drift towards its driven voltage; at the threshold spike, reset, rest.

        τ dV/dt = V_rest - V + R I      V ← V_reset at V ≥ V_threshold, held for the refractory time

    current_na (..., N) in nA, constant during each of the N steps   dt_ms the step in ms
    neuron its constants, see `LeakyNeuron`; every neuron starts at rest
    Returns voltage_mv (..., N) in mV at the end of each step and spikes (..., N), boolean.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if dt_ms is
    above a tenth of tau_ms or the refractory period is no whole number of steps.
    Each step is the exact solution V∞ + (V - V∞) exp(-dt/τ), so no step can blow up; the threshold
    is looked at only where a step ends, so that every spike comes late by less than dt_ms.
    Differs from a real cell: the spike has no shape, only a time (compare `hodgkin_huxley`).
    """
    _brain.finite(current_na=current_na)
    _check.rank(1, current_na=current_na)
    pause = _steps_of_pause(dt_ms, neuron)
    decay = math.exp(-dt_ms / neuron.tau_ms)  # a Python float leaves float32 as it is
    driven = neuron.rest_mv + neuron.resistance_mohm * current_na
    now = np.full(current_na.shape[:-1], neuron.rest_mv, dtype=current_na.dtype)
    wait = np.zeros(current_na.shape[:-1], dtype=np.int64)
    voltage_mv, spikes = np.empty_like(current_na), np.zeros(current_na.shape, dtype=np.bool_)
    for step in range(current_na.shape[-1]):
        free = wait == 0
        towards = driven[..., step]
        now = np.where(free, towards + (now - towards) * decay, now)
        fires = free & (now >= neuron.threshold_mv)
        now = np.where(fires, neuron.reset_mv, now).astype(current_na.dtype, copy=False)
        wait = np.where(fires, pause, np.maximum(wait - 1, 0))
        voltage_mv[..., step], spikes[..., step] = now, fires
    return voltage_mv, spikes


def lif_rate_hz(current_na: Array, neuron: LeakyNeuron = TYPICAL_NEURON) -> Array:
    """The f-I curve in closed form: the firing rate in Hz for a constant current.

        f = 1 / (t_ref + τ ln((V∞ - V_reset) / (V∞ - V_threshold))),   V∞ = V_rest + R I

    current_na any shape, in nA   neuron its constants, see `LeakyNeuron`
    Returns rate_hz of the same shape, in Hz (spikes per 1000 ms). Where V∞ does not exceed the
    threshold the neuron never fires: 0 Hz.

    Raises TypeError or ValueError if the currents are not floating or not finite.
    Source: the solution of the equation of `leaky_integrate_and_fire` from reset to threshold.
    """
    _brain.finite(current_na=current_na)
    driven = neuron.rest_mv + neuron.resistance_mohm * current_na
    fires = driven > neuron.threshold_mv
    driven = np.where(fires, driven, neuron.threshold_mv + 1.0)  # any value that has a logarithm
    # ln(1 + x): for a strong current the ratio is so near 1 that ln loses its last digits
    climb = np.log1p((neuron.threshold_mv - neuron.reset_mv) / (driven - neuron.threshold_mv))
    rate = MS_PER_S / (neuron.refractory_ms + neuron.tau_ms * climb)
    return np.where(fires, rate, 0.0).astype(current_na.dtype, copy=False)


def _steps_of_pause(dt_ms: float, neuron: LeakyNeuron) -> int:
    _brain.positive(dt_ms=dt_ms)
    reason = "spikes are seen only where a step ends, so dt_ms must stay below tau_ms / 10"
    _brain.below("dt_ms", dt_ms, LARGEST_STEP * neuron.tau_ms, reason)
    return _brain.steps("refractory_ms", neuron.refractory_ms, dt_ms)
