"""Rate coding: a number carried by the rate of random spikes; longer listening, smaller error."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.brain.delay import MS_PER_S
from companion.with_numpy._types import Array


def poisson_spikes(
    rate_hz: Array, duration_ms: float, dt_ms: float, rng: np.random.Generator
) -> Array:
    """Spike counts of a Poisson process with a constant rate: no spike knows of any other.

        counts_k ~ Poisson(rate · dt)

    rate_hz any shape (...), in Hz, not negative   duration_ms, dt_ms in ms, N = duration / dt steps
    rng the source of chance
    Returns counts (..., N), integer, no unit: spikes in each step; at rate · dt ≪ 1 almost all
    are 0 or 1, and at any dt the counts are exact, where a coin per step would lose double spikes.

    Raises TypeError or ValueError naming the argument that does not fit, and ValueError if the
    duration is no whole number of steps.
    Differs from a neuron, which cannot fire again during its refractory period of about 1 ms.
    """
    _brain.non_negative_array(rate_hz=rate_hz)
    _brain.positive(duration_ms=duration_ms, dt_ms=dt_ms)
    _brain.generator(rng)
    N = _brain.steps("duration_ms", duration_ms, dt_ms)
    expected = rate_hz[..., None] * (dt_ms / MS_PER_S)
    return rng.poisson(expected, size=(*rate_hz.shape, N))


def estimate_rate_hz(counts: Array, dt_ms: float) -> Array:
    """The rate in Hz that a listener infers: spikes divided by time.

        rate = Σ_k counts_k / (N dt)          standard error √(rate / (N dt)): it falls as 1/√T

    counts (..., N), boolean or integer: spikes in each step, N ≥ 1   dt_ms in ms
    Returns rate_hz (...,), float64, in Hz.

    Raises TypeError unless the counts are whole numbers, ValueError if one is negative, N is 0 or
    dt_ms is not positive.
    The standard error is that of a Poisson process, whose variance equals its mean.
    """
    _check.is_array(np.ndarray, counts=counts)
    if counts.dtype.kind not in "bui":
        raise TypeError(f"counts: expected booleans or integers, got {counts.dtype}")
    _check.rank(1, counts=counts)
    _check.length(1, **{"N, the steps of counts": counts.shape[-1]})
    if counts.size and int(counts.min()) < 0:
        raise ValueError(f"counts: expected no number below 0, got {int(counts.min())}")
    _brain.positive(dt_ms=dt_ms)
    return np.asarray(counts.sum(axis=-1) * (MS_PER_S / (counts.shape[-1] * dt_ms)))


def rate_coded_relu(
    drive: Array, hz_per_unit: float, duration_ms: float, rng: np.random.Generator
) -> Array:
    """A ReLU whose value is sent as Poisson spikes and read back by counting them.

        output = count / (hz_per_unit · T),   count ~ Poisson(hz_per_unit · max(drive, 0) · T)

    drive any shape, floating, no unit   hz_per_unit in Hz: the rate that stands for the value 1
    duration_ms the time T of listening, in ms   rng the source of chance
    Returns output of the same shape and dtype, no unit: max(drive, 0) on average, with the standard
    error √(max(drive, 0) / (hz_per_unit · T)); four times the time halves the error.

    Raises TypeError or ValueError naming the argument that does not fit.
    Negative values are lost, as in a ReLU: a rate cannot be negative.
    """
    _brain.finite(drive=drive)
    _brain.positive(hz_per_unit=hz_per_unit, duration_ms=duration_ms)
    rate_hz = float(hz_per_unit) * np.maximum(drive, 0.0)
    counts = poisson_spikes(rate_hz, duration_ms, duration_ms, rng)  # one long step is enough
    rate_hz = estimate_rate_hz(counts, duration_ms)
    return (rate_hz / float(hz_per_unit)).astype(drive.dtype, copy=False)
