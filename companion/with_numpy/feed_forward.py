"""Feed-forward: at each position, on its own, widen, bend, narrow."""

from collections.abc import Mapping

from companion import _check_layers
from companion.params import summed
from companion.with_numpy._types import Array
from companion.with_numpy.activations import ACTIVATIONS, silu, silu_backward
from companion.with_numpy.layers import project, project_backward


def feed_forward(inputs: Array, params: Mapping[str, Array], activation: str = "relu") -> Array:
    """Two linear layers with a bend between, the same at each position.

        output = down_proj(activation(up_proj(inputs)))

    inputs (..., C)   params up_proj.weight (F, C), down_proj.weight (C, F), a .bias to each or none
    activation relu, gelu, gelu_tanh or silu
    Returns output (..., C).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, eq. 2, there with relu and biases.
    """
    _check_layers.one_of("activation", activation, tuple(ACTIVATIONS))
    bend, _ = ACTIVATIONS[activation]
    return project(bend(project(inputs, params, "up_proj")), params, "down_proj")


def feed_forward_backward(
    grad_output: Array, inputs: Array, params: Mapping[str, Array], activation: str = "relu"
) -> tuple[Array, dict[str, Array]]:
    """Gradients of `feed_forward`, which it computes again to have what lies between.

    grad_output (..., C), the others as in `feed_forward`
    Returns grad_inputs (..., C) and the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check_layers.one_of("activation", activation, tuple(ACTIVATIONS))
    bend, bend_backward = ACTIVATIONS[activation]
    wide = project(inputs, params, "up_proj")
    grad_bent, down_grads = project_backward(grad_output, bend(wide), params, "down_proj")
    grad_inputs, up_grads = project_backward(
        bend_backward(grad_bent, wide), inputs, params, "up_proj"
    )
    return grad_inputs, up_grads | down_grads


def swiglu(inputs: Array, params: Mapping[str, Array]) -> Array:
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


def swiglu_backward(
    grad_output: Array, inputs: Array, params: Mapping[str, Array]
) -> tuple[Array, dict[str, Array]]:
    """Gradients of `swiglu`, which it computes again; each factor's gradient carries the other.

    grad_output (..., C), the others as in `swiglu`
    Returns grad_inputs (..., C) and the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    gate, wide = project(inputs, params, "gate_proj"), project(inputs, params, "up_proj")
    grad_product, down = project_backward(grad_output, silu(gate) * wide, params, "down_proj")
    grad_gate = silu_backward(grad_product * wide, gate)
    from_gate, gate_grads = project_backward(grad_gate, inputs, params, "gate_proj")
    from_up, up_grads = project_backward(grad_product * silu(gate), inputs, params, "up_proj")
    return from_gate + from_up, summed(gate_grads, up_grads, down)
