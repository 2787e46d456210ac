"""A stack: blocks one on the other, and with pre-norm one last norm on top."""

import numpy as np

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, named, part, summed
from companion.with_numpy._types import Array
from companion.with_numpy.blocks import sublayers, transformer_block, transformer_block_backward
from companion.with_numpy.residual import (
    Grads,
    Params,
    normalise,
    normalise_backward,
    residual,
)


def run_stack(
    inputs: Array,
    params: Params,
    config: TransformerConfig,
    name: str,
    mask: Array | None = None,
    *,
    memory: Array | None = None,
    memory_mask: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Send vectors through all blocks `name.0`, `name.1`, …; then `name_norm` if norm_first.

    inputs (B, T, C)   params of the whole model   the others as in `transformer_block`
    Returns states (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    look = {"memory": memory, "memory_mask": memory_mask}
    for layer in (f"{name}.{i}" for i in range(config.layers)):
        own, place = part(params, layer), derive(seed, layer)
        inputs = transformer_block(inputs, own, config, mask, seed=place, **look)
    return normalise(inputs, part(params, f"{name}_norm"), config) if config.norm_first else inputs


def run_stack_backward(
    grad_output: Array,
    inputs: Array,
    params: Params,
    config: TransformerConfig,
    name: str,
    mask: Array | None = None,
    *,
    memory: Array | None = None,
    memory_mask: Array | None = None,
    seed: int | None = None,
) -> tuple[Array, Array | None, Grads]:
    """Gradients of `run_stack`; only each block's input is computed again and kept.

    Keeping a block's input and no more is gradient checkpointing (Chen et al. 2016). Each level
    does so, model, stack, block and sub-layer: memory for one sub-layer's inside at
    a time, for about three forward passes of work done again.

    Returns grad_inputs (B, T, C), grad_memory (B, S, C) or None, and the gradients under the
    names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    look = {"memory": memory, "memory_mask": memory_mask}
    layers = [f"{name}.{i}" for i in range(config.layers)]
    read = [inputs]
    for layer in layers if config.norm_first else layers[:-1]:
        own, place = part(params, layer), derive(seed, layer)
        read.append(transformer_block(read[-1], own, config, mask, seed=place, **look))
    grad, grads, into_memory = grad_output, {}, []
    if config.norm_first:
        last_norm = part(params, f"{name}_norm")
        grad, of_norm = normalise_backward(grad, read.pop(), last_norm, config)
        grads = named(f"{name}_norm", of_norm)
    for layer in reversed(layers):
        own, place = part(params, layer), derive(seed, layer)
        grad, to_memory, of_block = transformer_block_backward(
            grad, read.pop(), own, config, mask, seed=place, **look
        )
        grads |= named(layer, of_block)
        into_memory += [] if to_memory is None else [{"memory": to_memory}]
    in_order = {key: grads[key] for key in params if key in grads}
    return grad, summed(*into_memory).get("memory"), in_order


def stack_weights(
    inputs: Array,
    params: Params,
    config: TransformerConfig,
    name: str,
    mask: Array | None = None,
    *,
    memory: Array | None = None,
    memory_mask: Array | None = None,
) -> dict[str, Array]:
    """The attention weights of each head in each block, by the name of the sub-layer.

    Arguments as in `run_stack`
    Returns for instance {"decoder.0.self_attention": (B, H, T, T), …}.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(np.ndarray, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "T", "C")
    found = {}
    for layer in (f"{name}.{i}" for i in range(config.layers)):
        own = part(params, layer)
        for step in sublayers(own, config, mask, memory, memory_mask, inputs.shape[1]):
            norm = part(own, f"{step.name}_norm")
            if step.weights is not None:
                read = normalise(inputs, norm, config) if config.norm_first else inputs
                found[f"{layer}.{step.name}"] = step.weights(read)
            inputs = residual(inputs, step.forward, norm, config)
    return found
