"""Residual connections: a sub-layer adds to what comes in; a norm stands before or after it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from companion import _check_layers
from companion.config import TransformerConfig
from companion.with_numpy._types import Array
from companion.with_numpy.dropout import dropout, dropout_backward
from companion.with_numpy.norms import (
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)

__all__: list[str] = []  # for the files of this wing; see `transformer_block`

Params = Mapping[str, Array]
Grads = dict[str, Array]


class SubLayer(NamedTuple):
    """One sub-layer, ready to be called with what it reads, and its way back."""

    name: str
    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array], tuple[Array, Array | None, Grads]]  # inputs, memory, params
    weights: Callable[[Array], Array] | None = None


def normalise(inputs: Array, params: Params, config: TransformerConfig) -> Array:
    """The norm that the config names: inputs (..., C), params weight (C,) and bias (C,) if any."""
    _check_layers.names(params, *(("weight", "bias") if config.norm == "layer" else ("weight",)))
    if config.norm == "layer":
        return layer_norm(inputs, params["weight"], params["bias"], config.norm_eps)
    return rms_norm(inputs, params["weight"], config.norm_eps)


def normalise_backward(
    grad_output: Array, inputs: Array, params: Params, config: TransformerConfig
) -> tuple[Array, Grads]:
    """Gradients of `normalise`: grad_inputs (..., C), and those under the names of params."""
    if config.norm == "layer":
        grad_inputs, grad_weight, grad_bias = layer_norm_backward(
            grad_output, inputs, params["weight"], params["bias"], config.norm_eps
        )
        return grad_inputs, {"weight": grad_weight, "bias": grad_bias}
    grad_inputs, grad_weight = rms_norm_backward(
        grad_output, inputs, params["weight"], config.norm_eps
    )
    return grad_inputs, {"weight": grad_weight}


def residual(
    inputs: Array,
    sublayer: Callable[[Array], Array],
    norm: Params,
    config: TransformerConfig,
    seed: int | None = None,
) -> Array:
    """Add to the inputs what a sub-layer makes of them; the norm stands before or after.

        pre-norm:   output = inputs + dropout(sublayer(norm(inputs)))
        post-norm:  output = norm(inputs + dropout(sublayer(inputs)))

    inputs (..., C)   sublayer a function (..., C) → (..., C)   norm its parameters
    config.norm_first chooses   seed None for no dropout
    Returns output (..., C).

    Source: post-norm Vaswani et al. 2017, section 5.4 with 3.1; pre-norm Xiong et al. 2020,
    table 1.
    """
    if config.norm_first:
        return inputs + dropout(sublayer(normalise(inputs, norm, config)), config.dropout, seed)
    return normalise(inputs + dropout(sublayer(inputs), config.dropout, seed), norm, config)


def residual_backward(
    grad_output: Array,
    inputs: Array,
    sublayer: SubLayer,
    norm: Params,
    config: TransformerConfig,
    seed: int | None = None,
) -> tuple[Array, Array | None, Grads, Grads]:
    """Gradients of `residual`, around a sub-layer that knows its own way back.

    Returns grad_inputs (..., C), the gradient of the sub-layer's memory if it has one, and the
    gradients of the sub-layer's and of the norm's parameters.
    """
    if config.norm_first:
        read = normalise(inputs, norm, config)
        grad_made = dropout_backward(grad_output, config.dropout, seed)
        grad_read, grad_memory, grads = sublayer.backward(grad_made, read)
        grad_inputs, norm_grads = normalise_backward(grad_read, inputs, norm, config)
        return grad_output + grad_inputs, grad_memory, grads, norm_grads
    total = inputs + dropout(sublayer.forward(inputs), config.dropout, seed)
    grad_total, norm_grads = normalise_backward(grad_output, total, norm, config)
    grad_made = dropout_backward(grad_total, config.dropout, seed)
    grad_inputs, grad_memory, grads = sublayer.backward(grad_made, inputs)
    return grad_total + grad_inputs, grad_memory, grads, norm_grads
