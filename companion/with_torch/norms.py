"""Norms: bring each vector to a common size, then give each unit its own scale."""

import torch
import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
from torch import Tensor

from companion import _check_layers


def layer_norm(inputs: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Give each vector mean 0 and variance 1 over its units, then scale and shift each unit.

        output = weight (inputs - mean) / √(variance + eps) + bias

    inputs (..., C)   weight (C,)   bias (C,), floating, one dtype; mean, variance over C (not C-1)
    Returns output (..., C).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Ba et al. 2016, section 3; eps inside the root keeps a constant vector from 0/0.
    """
    _check_layers.norm(torch.Tensor, inputs, eps, weight=weight, bias=bias)
    return F.layer_norm(inputs, weight.shape, weight, bias, eps)


def rms_norm(inputs: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """Divide each vector by its root mean square, then scale each unit.

        output = weight inputs / √(mean(inputs²) + eps)

    inputs (..., C)   weight (C,), floating, one dtype; mean over C   Returns output (..., C).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Zhang & Sennrich 2019, eq. 4; there without eps, which keeps a zero vector from 0/0.
    """
    _check_layers.norm(torch.Tensor, inputs, eps, weight=weight)
    return F.rms_norm(inputs, list(weight.shape), weight, eps)
