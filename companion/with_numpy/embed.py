"""The two ends of a model: ids to vectors, and states back to one score per word."""

import numpy as np

from companion import _check
from companion.config import TransformerConfig
from companion.params import derive
from companion.with_numpy._types import Array
from companion.with_numpy.dropout import dropout, dropout_backward
from companion.with_numpy.layers import embedding, embedding_backward, linear, linear_backward
from companion.with_numpy.positions import (
    learned_positions,
    learned_positions_backward,
    sinusoidal_positions,
)
from companion.with_numpy.residual import Grads, Params


def embed_tokens(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    *,
    positions: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Turn ids into vectors that carry word and, if the config adds it, position.

        output = dropout(√C token_embedding[ids] + position)        √C only with scaled_embedding

    ids (B, T), integer, 0 to V-1   positions (T,) or (B, T), 0 to T-1 if not given
    seed None for no dropout
    Returns output (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit; with learned positions
    also if the sequence is longer than max_length.
    Source: Vaswani et al. 2017, sections 3.4, 3.5 and 5.4.
    """
    _check_ids(ids)
    positions = np.arange(ids.shape[1]) if positions is None else positions
    vectors = embedding(ids, params["token_embedding.weight"]) * _scale(config)
    if config.positions == "sinusoidal":
        dtype = vectors.dtype.type
        vectors = vectors + sinusoidal_positions(positions, config.width, dtype=dtype)
    elif config.positions == "learned":
        vectors = vectors + learned_positions(positions, params["position_embedding.weight"])
    return dropout(vectors, config.dropout, derive(seed, "embedding"))


def embed_tokens_backward(
    grad_output: Array,
    ids: Array,
    params: Params,
    config: TransformerConfig,
    *,
    seed: int | None = None,
) -> Grads:
    """Gradients of `embed_tokens` at positions 0 to T-1: those of the tables, none of the ids.

    grad_output (B, T, C), the others as there, the same seed
    Returns the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check_ids(ids)
    grad = dropout_backward(grad_output, config.dropout, derive(seed, "embedding"))
    table = params["token_embedding.weight"]
    grads = {"token_embedding.weight": embedding_backward(grad * _scale(config), ids, table)}
    if config.positions == "learned":
        places = params["position_embedding.weight"]
        grads["position_embedding.weight"] = learned_positions_backward(
            grad.sum(axis=0), np.arange(ids.shape[1]), places
        )
    return grads


def output_logits(states: Array, params: Params, config: TransformerConfig) -> Array:
    """One score per word for each state.

        logits = states weightᵀ,   weight = token_embedding if tied, else output_proj

    states (..., C)   Returns logits (..., V): softmax of them is the model's next-word
    distribution.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.4; Press & Wolf 2017.
    """
    return linear(states, params[_output_name(config)])


def output_logits_backward(
    grad_logits: Array, states: Array, params: Params, config: TransformerConfig
) -> tuple[Array, Grads]:
    """Gradients of `output_logits`.

    grad_logits (..., V), the others as there
    Returns grad_states (..., C), and the gradient of the one weight under its name; with tied
    weights it adds to what `embed_tokens_backward` gives (`companion.params.summed`).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    name = _output_name(config)
    grad_states, grad_weight, _ = linear_backward(grad_logits, states, params[name])
    return grad_states, {name: grad_weight}


def _scale(config: TransformerConfig) -> float:
    return float(config.width) ** 0.5 if config.scaled_embedding else 1.0


def _output_name(config: TransformerConfig) -> str:
    return "token_embedding.weight" if config.tied else "output_proj.weight"


def _check_ids(ids: Array) -> None:
    _check.is_array(np.ndarray, ids=ids)
    if ids.ndim != 2:
        raise ValueError(f"ids: expected shape (B, T), got {ids.shape}")
