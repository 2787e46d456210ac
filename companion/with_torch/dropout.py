"""Dropout: while training, silence units at random; which ones, a seed decides."""

import torch
from torch import Tensor

from companion import _check, _check_layers


def keep_mask(
    shape: tuple[int, ...], rate: float, seed: int, *, device: torch.device | None = None
) -> Tensor:
    """Draw which units stay: each with probability 1 - rate, on its own.

    shape any shape   rate 0 ≤ rate < 1, without unit   seed the one source of the draw
    device where the mask is drawn and made, the CPU if not given
    Returns keep, boolean, of that shape: the same seed gives the same mask, in this wing.

    Raises TypeError if the seed is not an integer, ValueError if it is negative or the rate is off.
    """
    _check_layers.rate(rate)
    _check.length(seed=seed)
    device = torch.device("cpu") if device is None else device
    generator = torch.Generator(device).manual_seed(seed)
    return torch.rand(shape, generator=generator, device=device) >= rate


def dropout(inputs: Tensor, rate: float, seed: int | None) -> Tensor:
    """Silence units at random and raise the others, so that the expected value stays.

        output = inputs keep / (1 - rate),   keep = keep_mask(inputs.shape, rate, seed)

    inputs any shape, floating   seed None: no dropout, the inputs come back as they are
    Returns output of the same shape and dtype.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Srivastava et al. 2014; they scale at test time, here the scale is in training.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    _check_layers.rate(rate)
    if seed is None or rate == 0:
        return inputs
    keep = keep_mask(tuple(inputs.shape), rate, seed, device=inputs.device)
    return inputs * keep / (1 - float(rate))
