"""A stack: blocks one on the other, and with pre-norm one last norm on top."""

from torch import Tensor

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, part
from companion.with_torch.blocks import sublayers, transformer_block
from companion.with_torch.residual import (
    Params,
    normalise,
    residual,
)


def run_stack(
    inputs: Tensor,
    params: Params,
    config: TransformerConfig,
    name: str,
    mask: Tensor | None = None,
    *,
    memory: Tensor | None = None,
    memory_mask: Tensor | None = None,
    seed: int | None = None,
) -> Tensor:
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


def stack_weights(
    inputs: Tensor,
    params: Params,
    config: TransformerConfig,
    name: str,
    mask: Tensor | None = None,
    *,
    memory: Tensor | None = None,
    memory_mask: Tensor | None = None,
) -> dict[str, Tensor]:
    """The attention weights of each head in each block, by the name of the sub-layer.

    Arguments as in `run_stack`
    Returns for instance {"decoder.0.self_attention": (B, H, T, T), …}.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.floats(Tensor, inputs=inputs)
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
