"""Blocks: sub-layers one after the other, each in its residual connection.

An encoder's block looks at itself and feeds forward; with a causal mask it is the block of a
decoder-only model; with a memory it looks at that too, and is the decoder's block of 2017.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, named, part
from companion.with_numpy._types import Array
from companion.with_numpy.feed_forward import (
    feed_forward,
    feed_forward_backward,
    swiglu,
    swiglu_backward,
)
from companion.with_numpy.multi_head import (
    multi_head_attention,
    multi_head_attention_backward,
    multi_head_weights,
)
from companion.with_numpy.positions import alibi_bias
from companion.with_numpy.residual import Grads, Params, SubLayer, residual, residual_backward

__all__ = ["transformer_block", "transformer_block_backward"]


def transformer_block(
    inputs: Array,
    params: Params,
    config: TransformerConfig,
    mask: Array | None = None,
    *,
    memory: Array | None = None,
    memory_mask: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Look at one another, look at the memory if there is one, then think alone.

    inputs (B, T, C)   params as `block_shapes(config, cross=memory is not None)` names them
    mask (T, T) or (B, T or 1, T), True = may look   memory (B, S, C)   memory_mask (B, T or 1, S)
    seed None for no dropout
    Returns output (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, figure 1.
    """
    _check.floats(np.ndarray, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "T", "C")
    for sublayer in sublayers(params, config, mask, memory, memory_mask, inputs.shape[1]):
        norm, place = part(params, f"{sublayer.name}_norm"), derive(seed, sublayer.name)
        inputs = residual(inputs, sublayer.forward, norm, config, place)
    return inputs


def transformer_block_backward(
    grad_output: Array,
    inputs: Array,
    params: Params,
    config: TransformerConfig,
    mask: Array | None = None,
    *,
    memory: Array | None = None,
    memory_mask: Array | None = None,
    seed: int | None = None,
) -> tuple[Array, Array | None, Grads]:
    """Gradients of `transformer_block`; what the sub-layers read is computed again.

    grad_output (B, T, C), the others as there, the same seed
    Returns grad_inputs (B, T, C), grad_memory (B, S, C) or None, and the gradients under the
    names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    steps = sublayers(params, config, mask, memory, memory_mask, inputs.shape[1])
    grads: Grads = {}
    read, grad, grad_memory = [inputs], grad_output, None
    for name, forward, *_ in steps[:-1]:
        norm = part(params, f"{name}_norm")
        read.append(residual(read[-1], forward, norm, config, derive(seed, name)))
    for step, inputs in zip(reversed(steps), reversed(read), strict=True):
        norm, place = part(params, f"{step.name}_norm"), derive(seed, step.name)
        grad, into_memory, own, of_norm = residual_backward(grad, inputs, step, norm, config, place)
        grads |= named(step.name, own) | named(f"{step.name}_norm", of_norm)
        grad_memory = grad_memory if into_memory is None else into_memory
    return grad, grad_memory, {name: grads[name] for name in params}


def sublayers(
    params: Params,
    config: TransformerConfig,
    mask: Array | None,
    memory: Array | None,
    memory_mask: Array | None,
    T: int,
) -> list[SubLayer]:
    """The sub-layers of a block in their order, each bound to its parameters and masks."""
    if memory is None:
        _check_layers.no_memory(params)
    steps = [_attention_sublayer("self_attention", params, config, None, mask, T)]
    if memory is not None:
        steps += [_attention_sublayer("cross_attention", params, config, memory, memory_mask, T)]
    return [*steps, feed_forward_sublayer(params, config)]


def placed(
    config: TransformerConfig, query_positions: Array, key_positions: Array, dtype: Any
) -> dict[str, Any]:
    """What self-attention needs to know of positions: to turn by them, a bias, or nothing."""
    if config.positions == "rotary":
        return {"positions": (query_positions, key_positions)}
    if config.positions == "alibi":
        return {"bias": alibi_bias(query_positions, key_positions, config.heads, dtype)}
    return {}


def _attention_sublayer(
    name: str,
    params: Params,
    config: TransformerConfig,
    memory: Array | None,
    mask: Array | None,
    T: int,
) -> SubLayer:
    weights, options = part(params, name), dict[str, Any](heads=config.heads)
    if memory is None:
        _check_layers.names(weights, "query_proj.weight")
        dtype = weights["query_proj.weight"].dtype
        options |= placed(config, np.arange(T), np.arange(T), dtype)

    def forward(inputs: Array, attend: Callable[..., Array] = multi_head_attention) -> Array:
        looked_at = inputs if memory is None else memory
        return attend(inputs, looked_at, weights, mask, **options)

    def backward(grad_output: Array, inputs: Array) -> tuple[Array, Array | None, Grads]:
        looked_at = inputs if memory is None else memory
        into_query, into_key, grads = multi_head_attention_backward(
            grad_output, inputs, looked_at, weights, mask, **options
        )
        if memory is None:
            return into_query + into_key, None, grads
        return into_query, into_key, grads

    return SubLayer(name, forward, backward, partial(forward, attend=multi_head_weights))


def feed_forward_sublayer(params: Params, config: TransformerConfig) -> SubLayer:
    """The feed-forward sub-layer of a block, bound to its parameters."""
    params = part(params, "feed_forward")

    def backward(grad_output: Array, inputs: Array) -> tuple[Array, Array | None, Grads]:
        if config.feed_forward == "swiglu":
            grad_inputs, grads = swiglu_backward(grad_output, inputs, params)
        else:
            grad_inputs, grads = feed_forward_backward(
                grad_output, inputs, params, config.feed_forward
            )
        return grad_inputs, None, grads

    if config.feed_forward == "swiglu":
        return SubLayer("feed_forward", partial(swiglu, params=params), backward)
    forward = partial(feed_forward, params=params, activation=config.feed_forward)
    return SubLayer("feed_forward", forward, backward)
