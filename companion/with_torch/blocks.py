"""Blocks: sub-layers one after the other, each in its residual connection.

An encoder's block looks at itself and feeds forward; with a causal mask it is the block of a
decoder-only model; with a memory it looks at that too, and is the decoder's block of 2017.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, part
from companion.with_torch.feed_forward import (
    feed_forward,
    swiglu,
)
from companion.with_torch.multi_head import (
    multi_head_attention,
    multi_head_weights,
)
from companion.with_torch.positions import alibi_bias
from companion.with_torch.residual import Params, SubLayer, residual

__all__ = ["transformer_block"]


def transformer_block(
    inputs: Tensor,
    params: Params,
    config: TransformerConfig,
    mask: Tensor | None = None,
    *,
    memory: Tensor | None = None,
    memory_mask: Tensor | None = None,
    seed: int | None = None,
) -> Tensor:
    """Look at one another, look at the memory if there is one, then think alone.

    inputs (B, T, C)   params as `block_shapes(config, cross=memory is not None)` names them
    mask (T, T) or (B, T or 1, T), True = may look   memory (B, S, C)   memory_mask (B, T or 1, S)
    seed None for no dropout
    Returns output (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, figure 1.
    """
    _check.floats(torch.Tensor, inputs=inputs)
    _check_layers.axes("inputs", inputs, "B", "T", "C")
    for sublayer in sublayers(params, config, mask, memory, memory_mask, inputs.shape[1]):
        norm, place = part(params, f"{sublayer.name}_norm"), derive(seed, sublayer.name)
        inputs = residual(inputs, sublayer.forward, norm, config, place)
    return inputs


def sublayers(
    params: Params,
    config: TransformerConfig,
    mask: Tensor | None,
    memory: Tensor | None,
    memory_mask: Tensor | None,
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
    config: TransformerConfig, query_positions: Tensor, key_positions: Tensor, dtype: Any
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
    memory: Tensor | None,
    mask: Tensor | None,
    T: int,
) -> SubLayer:
    weights, options = part(params, name), dict[str, Any](heads=config.heads)
    if memory is None:
        _check_layers.names(weights, "query_proj.weight")
        like = weights["query_proj.weight"]
        _check.is_array(torch.Tensor, **{f"params['{name}.query_proj.weight']": like})
        at = torch.arange(T, device=like.device)
        options |= placed(config, at, at, like.dtype)

    def forward(inputs: Tensor, attend: Callable[..., Tensor] = multi_head_attention) -> Tensor:
        looked_at = inputs if memory is None else memory
        return attend(inputs, looked_at, weights, mask, **options)

    return SubLayer(name, forward, partial(forward, attend=multi_head_weights))


def feed_forward_sublayer(params: Params, config: TransformerConfig) -> SubLayer:
    """The feed-forward sub-layer of a block, bound to its parameters."""
    params = part(params, "feed_forward")
    if config.feed_forward == "swiglu":
        return SubLayer("feed_forward", partial(swiglu, params=params))
    forward = partial(feed_forward, params=params, activation=config.feed_forward)
    return SubLayer("feed_forward", forward)
