"""Schedules: the learning rate as a function of the step. One home for both wings; no arrays.

Steps count updates from 1. Bind all but the step: `partial(cosine_schedule, peak=1e-3, total=500)`.
"""

from math import cos, pi

from companion import _check

__all__ = ["cosine_schedule", "inverse_sqrt_warmup"]


def inverse_sqrt_warmup(step: int, *, width: int, warmup: int) -> float:
    """Rise in a straight line for `warmup` steps, then fall as one over the root of the step.

        rate = C^-0.5 min(step^-0.5, step warmup^-1.5)

    step from 1   width C of the model   warmup number of rising steps, from 1
    Returns the learning rate, without unit; the peak (C warmup)^-0.5 is at step = warmup.

    Raises TypeError if an argument is not an integer, ValueError if it is below 1.
    Source: Vaswani et al. 2017, section 5.3, eq. 3; there C = 512 and warmup = 4000.
    """
    _check.length(1, step=step, width=width, warmup=warmup)
    return float(width) ** -0.5 * min(float(step) ** -0.5, step * float(warmup) ** -1.5)


def cosine_schedule(
    step: int, *, peak: float, total: int, warmup: int = 0, floor: float = 0.0
) -> float:
    """Rise in a straight line to the peak, then fall along half a cosine to the floor; stay there.

        rate = peak (step / warmup)                                            step ≤ warmup
        rate = floor + (peak - floor) ½ (1 + cos(π (step - warmup) / (total - warmup)))    after it

    step from 1   peak, floor learning rates, 0 ≤ floor ≤ peak   total, warmup in steps
    Returns the learning rate: peak at step = warmup, floor from step = total on.

    Raises TypeError if a count is not an integer, ValueError if an argument is out of its range.
    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5, one period; the warm-up is not theirs.
    """
    _check.length(1, step=step, total=total)
    _check.length(warmup=warmup)
    _check.positive(peak=peak)
    if not 0 <= floor <= peak:
        raise ValueError(f"floor: expected 0 ≤ floor ≤ peak = {peak}, got {floor}")
    if warmup >= total:
        raise ValueError(f"warmup: expected fewer steps than total = {total}, got {warmup}")
    if step <= warmup:
        return peak * (step / warmup)
    done = min(1.0, (step - warmup) / (total - warmup))
    return floor + (peak - floor) * 0.5 * (1 + cos(pi * done))
