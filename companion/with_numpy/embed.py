"""The two ends of a model: ids to vectors, and states back to one score per word."""

import numpy as np

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, named, part
from companion.with_numpy._types import Array
from companion.with_numpy.dropout import dropout, dropout_backward
from companion.with_numpy.layers import embedding, embedding_backward, linear, linear_backward
from companion.with_numpy.positions import (
    learned_positions,
    learned_positions_backward,
    sinusoidal_positions,
)
from companion.with_numpy.residual import Grads, Params, normalise, normalise_backward


def embed_tokens(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    *,
    positions: Array | None = None,
    segments: Array | None = None,
    seed: int | None = None,
) -> Array:
    """Turn ids into vectors that carry word and, if the config adds them, position and segment.

        output = dropout(norm(√C token_embedding[ids] + position + segment_embedding[segments]))

    √C only with scaled_embedding, norm only with embedding_norm
    ids (B, T), integer, 0 to V-1   positions (T,) or (B, T), 0 to T-1 if not given
    segments (B, T), integer, 0 to config.segments-1, all 0 if not given   seed None for no dropout
    Returns output (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit; with learned positions
    also if the sequence is longer than max_length.
    Source: Vaswani et al. 2017, sections 3.4, 3.5 and 5.4; segments: Devlin et al. 2019, figure 2.
    """
    _check_ids(ids)
    vectors = _add_up(ids, params, config, positions, segments)
    if config.embedding_norm:
        vectors = normalise(vectors, part(params, "embedding_norm"), config)
    return dropout(vectors, config.dropout, derive(seed, "embedding"))


def embed_tokens_backward(
    grad_output: Array,
    ids: Array,
    params: Params,
    config: TransformerConfig,
    *,
    segments: Array | None = None,
    seed: int | None = None,
) -> Grads:
    """Gradients of `embed_tokens` at positions 0 to T-1: those of the tables, none of the ids.

    grad_output (B, T, C), the others as there, the same seed
    Returns the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check_ids(ids)
    grad = dropout_backward(grad_output, config.dropout, derive(seed, "embedding"))
    of_norm: Grads = {}
    if config.embedding_norm:
        vectors = _add_up(ids, params, config, None, segments)
        grad, of_norm = normalise_backward(grad, vectors, part(params, "embedding_norm"), config)
    table = params["token_embedding.weight"]
    grads = {"token_embedding.weight": embedding_backward(grad * _scale(config), ids, table)}
    if config.positions == "learned":
        places = params["position_embedding.weight"]
        grads["position_embedding.weight"] = learned_positions_backward(
            grad.sum(axis=0), np.arange(ids.shape[1]), places
        )
    if (segments := _segments(ids, config, segments)) is not None:
        kinds = params["segment_embedding.weight"]
        grads["segment_embedding.weight"] = embedding_backward(grad, segments, kinds)
    return grads | named("embedding_norm", of_norm)


def output_logits(states: Array, params: Params, config: TransformerConfig) -> Array:
    """One score per word for each state.

        logits = states weightᵀ,   weight = token_embedding if tied, else output_proj

    states (..., C)   Returns logits (..., V): softmax of them is the model's next-word
    distribution.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.4; Press & Wolf 2017.
    """
    _check_layers.names(params, _output_name(config))
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


def _add_up(
    ids: Array,
    params: Params,
    config: TransformerConfig,
    positions: Array | None,
    segments: Array | None,
) -> Array:
    """What each token is made of, before the norm."""
    _check_layers.names(params, *_tables(config))
    positions = np.arange(ids.shape[1]) if positions is None else positions
    _check_layers.positions(np.ndarray, positions, *ids.shape)
    vectors = embedding(ids, params["token_embedding.weight"]) * _scale(config)
    if config.positions == "sinusoidal":
        dtype = vectors.dtype.type
        vectors = vectors + sinusoidal_positions(positions, config.width, dtype=dtype)
    elif config.positions == "learned":
        vectors = vectors + learned_positions(positions, params["position_embedding.weight"])
    if (segments := _segments(ids, config, segments)) is not None:
        vectors = vectors + embedding(segments, params["segment_embedding.weight"])
    return vectors


def _segments(ids: Array, config: TransformerConfig, segments: Array | None) -> Array | None:
    """The segment of each token, 0 where the call names none; None if the config has none."""
    if segments is None:
        return np.zeros_like(ids) if config.segments else None
    if not config.segments:
        raise ValueError("segments: expected None, for config.segments is 0")
    _check_layers.within(np.ndarray, "segments", segments, config.segments, "config.segments-1")
    _check.shape("segments", segments, ids.shape, "(B, T) like ids")
    return segments


def _tables(config: TransformerConfig) -> list[str]:
    used = {"token": True, "position": config.positions == "learned", "segment": config.segments}
    return [f"{kind}_embedding.weight" for kind, has in used.items() if has]


def _scale(config: TransformerConfig) -> float:
    return float(config.width) ** 0.5 if config.scaled_embedding else 1.0


def _output_name(config: TransformerConfig) -> str:
    return "token_embedding.weight" if config.tied else "output_proj.weight"


def _check_ids(ids: Array) -> None:
    _check.is_array(np.ndarray, ids=ids)
    if ids.ndim != 2:
        raise ValueError(f"ids: expected shape (B, T), got {ids.shape}")
