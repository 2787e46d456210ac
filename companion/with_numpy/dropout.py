"""Dropout: while training, silence units at random; which ones, a seed decides."""

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array


def keep_mask(shape: tuple[int, ...], rate: float, seed: int) -> Array:
    """Draw which units stay: each with probability 1 - rate, on its own.

    shape any shape   rate 0 ≤ rate < 1, without unit   seed the one source of the draw
    Returns keep, boolean, of that shape: the same seed gives the same mask, in this wing.

    Raises TypeError if the seed is not an integer, ValueError if it is negative or the rate is off.
    """
    _check_layers.rate(rate)
    _check.length(seed=seed)
    return np.random.default_rng(seed).random(shape, dtype=np.float32) >= rate


def dropout(inputs: Array, rate: float, seed: int | None) -> Array:
    """Silence units at random and raise the others, so that the expected value stays.

        output = inputs keep / (1 - rate),   keep = keep_mask(inputs.shape, rate, seed)

    inputs any shape, floating   seed None: no dropout, the inputs come back as they are
    Returns output of the same shape and dtype.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Srivastava et al. 2014; they scale at test time, here the scale is in training.
    """
    _check.floats(np.ndarray, inputs=inputs)
    _check_layers.rate(rate)
    if seed is None or rate == 0:
        return inputs
    return inputs * keep_mask(inputs.shape, rate, seed) / (1 - float(rate))


def dropout_backward(grad_output: Array, rate: float, seed: int | None) -> Array:
    """Gradient of `dropout`, which is linear: the same seed, the same mask, the same scale.

    grad_output any shape, floating   Returns grad_inputs of the same shape and dtype.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    return dropout(grad_output, rate, seed)
