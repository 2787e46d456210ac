"""Feed-forward: at each position, on its own, widen, bend, narrow."""

from collections.abc import Mapping

from torch import Tensor

from companion import _check_layers
from companion.with_torch.activations import ACTIVATIONS, silu
from companion.with_torch.layers import project


def feed_forward(inputs: Tensor, params: Mapping[str, Tensor], activation: str = "relu") -> Tensor:
    """Two linear layers with a bend between, the same at each position.

        output = down_proj(activation(up_proj(inputs)))

    inputs (..., C)   params up_proj.weight (F, C), down_proj.weight (C, F), a .bias to each or none
    activation relu, gelu, gelu_tanh or silu
    Returns output (..., C).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, eq. 2, there with relu and biases.
    """
    _check_layers.one_of("activation", activation, tuple(ACTIVATIONS))
    bend = ACTIVATIONS[activation]
    return project(bend(project(inputs, params, "up_proj")), params, "down_proj")


def swiglu(inputs: Tensor, params: Mapping[str, Tensor]) -> Tensor:
    """A feed-forward layer where one half gates the other.

        output = down_proj(silu(gate_proj(inputs)) ⊙ up_proj(inputs))

    inputs (..., C)   params gate_proj.weight and up_proj.weight (F, C), down_proj.weight (C, F),
    a .bias to each or none
    Returns output (..., C).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Shazeer 2020, eq. 6, there without biases. With F = 8 C / 3 it has as many weights as
    `feed_forward` with F = 4 C.
    """
    gate = silu(project(inputs, params, "gate_proj"))
    return project(gate * project(inputs, params, "up_proj"), params, "down_proj")
