"""Intrinsic plasticity: the cell changes its threshold, in mV, while every synapse stays."""

from companion.brain import _check as _brain


def threshold_step(
    threshold_mv: float, rate_hz: float, target_hz: float, mv_per_hz: float
) -> float:
    """A cell that fires too often raises its threshold; one that fires too little lowers it.

        threshold ← threshold + η (rate - target)                             η = mv_per_hz

    threshold_mv in mV   rate_hz measured, target_hz wanted, both in Hz   mv_per_hz η in mV per Hz
    Returns the new threshold in mV.

    Raises TypeError unless all are finite numbers, ValueError if a rate is negative or η is not
    positive.
    Source: that excitability, not synapses alone, changes with learning: Titley et al. 2017. The
    linear rule is the simplest with a stable target, no fit to data.
    """
    _brain.number(threshold_mv=threshold_mv)
    _brain.non_negative(rate_hz=rate_hz, target_hz=target_hz)
    _brain.positive(mv_per_hz=mv_per_hz)
    return threshold_mv + mv_per_hz * (rate_hz - target_hz)
