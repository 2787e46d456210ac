"""Layers with one weight: linear and embedding, and how a composite finds the weight by name."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
from torch import Tensor

from companion import _check_layers

__all__ = ["embedding", "linear"]


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply each vector by one matrix and add one vector.

        output = inputs weightᵀ + bias

    inputs (..., In)   weight (Out, In)   bias (Out,) or None, floating, one dtype
    Returns output (..., Out).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Goodfellow et al. 2016, section 6.1; layout (Out, In) as in torch.
    """
    _check_layers.linear(torch.Tensor, inputs, weight, bias)
    return F.linear(inputs, weight, bias)


def embedding(ids: Tensor, weight: Tensor) -> Tensor:
    """Look up one row of a table for each id.

        output_n = weight[ids_n]

    ids any shape, integer, 0 to V-1   weight (V, C), floating   Returns output (*ids.shape, C).

    Raises TypeError or ValueError naming the argument that does not fit; an id outside the table
    is refused, where indexing would read -1 as the last row.
    Source: Vaswani et al. 2017, section 3.4; tied weights: `linear(states, weight)` turns states
    back into one score per word (Press & Wolf 2017).
    """
    _check_layers.embedding(torch.Tensor, ids, weight)
    return F.embedding(ids.long(), weight)  # its kernel knows two integer dtypes only


def project(inputs: Tensor, params: Mapping[str, Tensor], name: str) -> Tensor:
    """`linear` with the parameters `name.weight` and, where there is one, `name.bias`."""
    _check_layers.project(torch.Tensor, inputs, params, name)
    return linear(inputs, params[f"{name}.weight"], params.get(f"{name}.bias"))
