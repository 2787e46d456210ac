"""Activations: what a unit gives out for what came in, element by element."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
from torch import Tensor

from companion import _check


def relu(inputs: Tensor) -> Tensor:
    """Pass what is positive, stop the rest.

        output = max(inputs, 0)

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Vaswani et al. 2017, eq. 2.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    return F.relu(inputs)


def gelu(inputs: Tensor) -> Tensor:
    """Weigh each input by the share of a standard normal that lies below it.

        output = x Φ(x),   Φ(x) = (1 + erf(x / √2)) / 2                          x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    return F.gelu(inputs)


def gelu_tanh(inputs: Tensor) -> Tensor:
    """GELU with Φ drawn by a tanh, as GPT-2 has it; within 5e-4 of `gelu`.

        output = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2                      x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    return F.gelu(inputs, approximate="tanh")


def silu(inputs: Tensor) -> Tensor:
    """Weigh each input by its own sigmoid; also called swish.

        output = x σ(x),   σ(x) = 1 / (1 + exp(-x))                              x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    return F.silu(inputs)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": relu,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
}
