"""Layers with one weight: linear and embedding, and how a composite finds the weight by name."""

from collections.abc import Mapping

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array

__all__ = ["embedding", "embedding_backward", "linear", "linear_backward"]


def linear(inputs: Array, weight: Array, bias: Array | None = None) -> Array:
    """Multiply each vector by one matrix and add one vector.

        output = inputs weightᵀ + bias

    inputs (..., In)   weight (Out, In)   bias (Out,) or None, floating, one dtype
    Returns output (..., Out).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Goodfellow et al. 2016, section 6.1; layout (Out, In) as in torch.
    """
    _check_layers.linear(np.ndarray, inputs, weight, bias)
    output = inputs @ weight.T
    return output if bias is None else output + bias


def linear_backward(
    grad_output: Array, inputs: Array, weight: Array, bias: Array | None = None
) -> tuple[Array, Array, Array | None]:
    """Gradients of `linear`.

        ∂L/∂inputs = G weight,   ∂L/∂weight = Σ_n g_n inputs_nᵀ,   ∂L/∂bias = Σ_n g_n

    grad_output G (..., Out), the others as in `linear`; n runs over all leading axes
    Returns grad_inputs (..., In), grad_weight (Out, In) and grad_bias (Out,), None without bias.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_layers.linear(np.ndarray, inputs, weight, bias)
    _check.floats(np.ndarray, weight=weight, grad_output=grad_output)
    _check.shape("grad_output", grad_output, (*inputs.shape[:-1], weight.shape[0]), "(..., Out)")
    rows = grad_output.reshape(-1, weight.shape[0])
    grad_weight = rows.T @ inputs.reshape(-1, weight.shape[1])
    return grad_output @ weight, grad_weight, None if bias is None else rows.sum(axis=0)


def embedding(ids: Array, weight: Array) -> Array:
    """Look up one row of a table for each id.

        output_n = weight[ids_n]

    ids any shape, integer, 0 to V-1   weight (V, C), floating   Returns output (*ids.shape, C).

    Raises TypeError or ValueError naming the argument that does not fit; an id outside the table
    is refused, where indexing would read -1 as the last row.
    Source: Vaswani et al. 2017, section 3.4; tied weights: `linear(states, weight)` turns states
    back into one score per word (Press & Wolf 2017).
    """
    _check_layers.embedding(np.ndarray, ids, weight)
    return weight[ids]


def embedding_backward(grad_output: Array, ids: Array, weight: Array) -> Array:
    """Gradient of `embedding`: each row collects what its ids received.

        ∂L/∂weight_v = Σ_{n: ids_n = v} g_n

    grad_output (*ids.shape, C), the others as in `embedding`   Returns grad_weight (V, C).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_layers.embedding(np.ndarray, ids, weight)
    _check.floats(np.ndarray, weight=weight, grad_output=grad_output)
    _check.shape("grad_output", grad_output, (*ids.shape, weight.shape[1]), "(*ids.shape, C)")
    grad_weight = np.zeros_like(weight)
    np.add.at(grad_weight, ids.reshape(-1), grad_output.reshape(-1, weight.shape[1]))
    return grad_weight


def project(inputs: Array, params: Mapping[str, Array], name: str) -> Array:
    """`linear` with the parameters `name.weight` and, where there is one, `name.bias`."""
    _check_layers.project(np.ndarray, inputs, params, name)
    return linear(inputs, params[f"{name}.weight"], params.get(f"{name}.bias"))


def project_backward(
    grad_output: Array, inputs: Array, params: Mapping[str, Array], name: str
) -> tuple[Array, dict[str, Array]]:
    """Gradients of `project`: grad_inputs, and one gradient under the name of each parameter."""
    grad_inputs, grad_weight, grad_bias = linear_backward(
        grad_output, inputs, params[f"{name}.weight"], params.get(f"{name}.bias")
    )
    grads = {f"{name}.weight": grad_weight}
    return grad_inputs, grads if grad_bias is None else grads | {f"{name}.bias": grad_bias}
