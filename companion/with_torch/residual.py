"""Residual connections: a sub-layer adds to what comes in; a norm stands before or after it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from companion import _check_layers
from companion.config import TransformerConfig
from companion.with_torch.dropout import dropout
from companion.with_torch.norms import (
    layer_norm,
    rms_norm,
)

__all__: list[str] = []  # for the files of this wing; see `transformer_block`

Params = Mapping[str, Tensor]


class SubLayer(NamedTuple):
    """One sub-layer, ready to be called with what it reads."""

    name: str
    forward: Callable[[Tensor], Tensor]
    weights: Callable[[Tensor], Tensor] | None = None


def normalise(inputs: Tensor, params: Params, config: TransformerConfig) -> Tensor:
    """The norm that the config names: inputs (..., C), params weight (C,) and bias (C,) if any."""
    _check_layers.names(params, *(("weight", "bias") if config.norm == "layer" else ("weight",)))
    if config.norm == "layer":
        return layer_norm(inputs, params["weight"], params["bias"], config.norm_eps)
    return rms_norm(inputs, params["weight"], config.norm_eps)


def residual(
    inputs: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    norm: Params,
    config: TransformerConfig,
    seed: int | None = None,
) -> Tensor:
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
