"""Divisive normalisation and biased competition: stimuli share a limited response. Hz."""

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array


def divisive_normalisation(
    drive: Array,
    *,
    max_rate_hz: float = 100.0,
    exponent: float = 2.0,
    semi_saturation: float = 1.0,
) -> Array:
    """Every cell's drive is divided by what all cells of the pool receive together.

        rate_j = max_rate drive_jⁿ / (σⁿ + Σ_k drive_kⁿ)      n = exponent, σ = semi_saturation

    drive (..., S), not negative, S cells of one pool; drive and σ in one common unit, any
    max_rate_hz in Hz   exponent above 0, no unit   semi_saturation not negative
    Returns rate_hz (..., S) in Hz, summing to less than max_rate_hz if σ > 0, and to exactly
    max_rate_hz if σ = 0. Without any drive all rates are 0 Hz.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: the normalisation model of visual cortex, Heeger 1992. With σ = 0 it is
    softmax(n log drive): dividing by the pool is what the two have in common; max_rate, σ and time
    are what softmax lacks.
    """
    _pool(drive)
    _brain.positive(max_rate_hz=max_rate_hz, exponent=exponent)
    _brain.non_negative(semi_saturation=semi_saturation)
    return float(max_rate_hz) * _shares(drive, float(exponent), float(semi_saturation))


def biased_competition(
    alone_hz: Array,
    drive: Array,
    bias: Array,
    *,
    exponent: float = 2.0,
    semi_saturation: float = 0.0,
) -> tuple[Array, Array]:
    """A cell that sees several stimuli answers as if it saw the attended one more than the others.

        share_j = (bias_j drive_j)ⁿ / (σⁿ + Σ_k (bias_k drive_k)ⁿ),   rate = Σ_j share_j alone_j

    alone_hz (..., S) the cell's rate for each of the S stimuli alone, in Hz
    drive (..., S) their strength, not negative, in any one unit   bias (..., S) the gain that
    attention gives each, not negative, no unit: all 1 without attention
    exponent n above 0, no unit   semi_saturation σ not negative, in the unit of drive
    Returns rate_hz (...,) in Hz and shares (..., S), no unit, which sum to 1 if σ = 0.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Desimone & Duncan 1995 state the competition and its bias in words; the formula is the
    normalisation model, one way to compute it (Reynolds & Heeger 2009). Like attention it is a
    weighted average, with softmax(n log drive + n log bias) as weights at σ = 0; unlike attention
    nothing here computes the bias from a query and keys. Same word, different mechanism
    (Lindsay 2020).
    """
    _brain.non_negative_array(drive=drive, bias=bias, alone_hz=alone_hz)
    _pool(drive)
    _check.shape("bias", bias, drive.shape, "the shape of drive")
    _check.shape("alone_hz", alone_hz, drive.shape, "the shape of drive")
    _brain.positive(exponent=exponent)
    _brain.non_negative(semi_saturation=semi_saturation)
    with np.errstate(over="ignore"):  # the check below reports it
        biased = bias * drive
    _brain.finite(**{"bias * drive": biased})
    shares = _shares(biased, float(exponent), float(semi_saturation))
    return np.asarray((shares * alone_hz).sum(axis=-1)), shares


def _pool(drive: Array) -> None:
    _brain.non_negative_array(drive=drive)
    _check.rank(1, drive=drive)


def _shares(drive: Array, exponent: float, semi_saturation: float) -> Array:
    peak = drive.max(axis=-1, keepdims=True, initial=semi_saturation)
    peak[peak == 0] = 1  # no drive at all: 0 / 1 below, rather than 0 / 0
    powers = (drive / peak) ** exponent  # at most 1, so no power can overflow
    total = (semi_saturation / peak) ** exponent + powers.sum(axis=-1, keepdims=True)
    total[total == 0] = 1
    return powers / total
