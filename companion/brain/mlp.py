"""A network with one hidden layer, and backpropagation written out. Numbers without unit."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from companion import _check
from companion.brain import _check as _brain
from companion.with_numpy._types import Array

PARAMS = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")


def mlp_params(
    inputs: int, units: int, outputs: int, rng: np.random.Generator, dtype: Any = np.float64
) -> dict[str, Array]:
    """Random weights and zero biases for `mlp`.

        weight ~ Normal(0, 1 / fan-in),   bias = 0

    inputs I, units J of the hidden layer, outputs O   rng the source of chance   dtype floating
    Returns hidden.weight (J, I), hidden.bias (J,), output.weight (O, J), output.bias (O,), no unit.

    Raises TypeError or ValueError unless the widths are integers of at least 1, the dtype floating.
    The spread 1 / √fan-in keeps the sums about as large as the inputs.
    """
    _check.length(1, inputs=inputs, units=units, outputs=outputs)
    _brain.generator(rng)
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype: expected a floating dtype, got {np.dtype(dtype)}")
    hidden = (rng.standard_normal((units, inputs)) / float(inputs) ** 0.5).astype(dtype)
    output = (rng.standard_normal((outputs, units)) / float(units) ** 0.5).astype(dtype)
    biases = np.zeros(units, dtype), np.zeros(outputs, dtype)
    return dict(zip(PARAMS, (hidden, biases[0], output, biases[1]), strict=True))


def mlp(x: Array, params: Mapping[str, Array]) -> tuple[Array, Array]:
    """Two affine maps with a ReLU between them; without the ReLU they would collapse to one.

        hidden = max(x W_hiddenᵀ + b_hidden, 0),   output = hidden W_outputᵀ + b_output

    x (B, I), no unit   params as `mlp_params` makes them
    Returns output (B, O) and hidden (B, J), no unit; no parameter changes.

    Raises TypeError or ValueError naming the argument or parameter that does not fit.
    Source: Rumelhart et al. 1986, with a ReLU in place of their logistic function.
    """
    check_params(x, params)
    hidden = np.maximum(x @ params["hidden.weight"].T + params["hidden.bias"], 0.0)
    return hidden @ params["output.weight"].T + params["output.bias"], hidden


def mlp_backward(
    grad_output: Array, x: Array, params: Mapping[str, Array], hidden: Array
) -> tuple[Array, dict[str, Array]]:
    """Gradients of `mlp`: the error goes back through the transposed output weights.

        ∂L/∂W_output = Gᵀ hidden,   ∂L/∂b_output = Σ_b G_b                    G = ∂L/∂output
        G_hidden = (G W_output) ⊙ [hidden > 0]
        ∂L/∂W_hidden = G_hiddenᵀ x,   ∂L/∂b_hidden = Σ_b G_hidden_b,   ∂L/∂x = G_hidden W_hidden

    grad_output (B, O)   x (B, I)   hidden (B, J), as `mlp` returned it, no unit
    Returns grad_x (B, I) and grad_params, keyed like params, no unit.

    Raises TypeError or ValueError naming the argument or parameter that does not fit.
    Source: Rumelhart et al. 1986. At the kink of the ReLU the slope is taken as 0.
    """
    check_params(x, params)
    grad_hidden, grad_params = backward_through(
        grad_output, x, params, hidden, params["output.weight"]
    )
    return grad_hidden @ params["hidden.weight"], grad_params


def half_squared_error(output: Array, target: Array) -> float:
    """Half the squared distance to the target, averaged over the batch.

        L = Σ_b ‖output_b - target_b‖² / (2 B)

    output, target (B, O), no unit   Returns L, a float without unit.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Rumelhart et al. 1986, there summed over the cases instead of averaged.
    """
    _same_batch(output, target)
    return float(((output - target) ** 2).sum()) / (2.0 * output.shape[0])


def half_squared_error_backward(output: Array, target: Array) -> Array:
    """Gradient of `half_squared_error` with respect to the output.

        ∂L/∂output = (output - target) / B

    output, target (B, O), no unit   Returns grad_output (B, O), no unit.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _same_batch(output, target)
    return (output - target) / float(output.shape[0])


def backward_through(
    grad_output: Array, x: Array, params: Mapping[str, Array], hidden: Array, way_back: Array
) -> tuple[Array, dict[str, Array]]:
    """Backward pass whose error returns to the hidden layer through `way_back` (O, J); no unit."""
    _brain.finite(x=x, hidden=hidden, grad_output=grad_output, way_back=way_back)
    outputs, units = params["output.weight"].shape
    _check.shape("hidden", hidden, (x.shape[0], units), "(B, J)")
    _check.shape("grad_output", grad_output, (x.shape[0], outputs), "(B, O)")
    grad_hidden = (grad_output @ way_back) * (hidden > 0)
    grads = (grad_hidden.T @ x, grad_hidden.sum(0), grad_output.T @ hidden, grad_output.sum(0))
    return grad_hidden, dict(zip(PARAMS, grads, strict=True))


def check_params(x: Array, params: Mapping[str, Array]) -> None:
    """TypeError/ValueError unless x (B, I) and the parameters of `mlp` fit together; no unit."""
    _brain.keys("params", params, PARAMS)
    _brain.finite(x=x, **params)
    _brain.axes(2, "(B, I)", x=x)
    _brain.axes(1, "(J,)", **{"hidden.bias": params["hidden.bias"]})
    _brain.axes(1, "(O,)", **{"output.bias": params["output.bias"]})
    units, outputs = params["hidden.bias"].size, params["output.bias"].size
    _check.shape("hidden.weight", params["hidden.weight"], (units, x.shape[1]), "(J, I)")
    _check.shape("output.weight", params["output.weight"], (outputs, units), "(O, J)")


def _same_batch(output: Array, target: Array) -> None:
    _brain.finite(output=output, target=target)
    _brain.axes(2, "(B, O)", output=output)
    _check.length(1, **{"B, the rows of output": output.shape[0]})
    _check.shape("target", target, output.shape, "the shape of output")
