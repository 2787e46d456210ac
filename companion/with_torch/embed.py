"""The two ends of a model: ids to vectors, and states back to one score per word."""

import torch
from torch import Tensor

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, part
from companion.with_torch.dropout import dropout
from companion.with_torch.layers import embedding, linear
from companion.with_torch.positions import (
    learned_positions,
    sinusoidal_positions,
)
from companion.with_torch.residual import Params, normalise


def embed_tokens(
    ids: Tensor,
    params: Params,
    config: TransformerConfig,
    *,
    positions: Tensor | None = None,
    segments: Tensor | None = None,
    seed: int | None = None,
) -> Tensor:
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


def output_logits(states: Tensor, params: Params, config: TransformerConfig) -> Tensor:
    """One score per word for each state.

        logits = states weightᵀ,   weight = token_embedding if tied, else output_proj

    states (..., C)   Returns logits (..., V): softmax of them is the model's next-word
    distribution.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.4; Press & Wolf 2017.
    """
    _check_layers.names(params, _output_name(config))
    return linear(states, params[_output_name(config)])


def _add_up(
    ids: Tensor,
    params: Params,
    config: TransformerConfig,
    positions: Tensor | None,
    segments: Tensor | None,
) -> Tensor:
    """What each token is made of, before the norm."""
    _check_layers.names(params, *_tables(config))
    positions = torch.arange(ids.shape[1], device=ids.device) if positions is None else positions
    _check_layers.positions(torch.Tensor, positions, *ids.shape)
    vectors = embedding(ids, params["token_embedding.weight"]) * _scale(config)
    if config.positions == "sinusoidal":
        vectors = vectors + sinusoidal_positions(positions, config.width, dtype=vectors.dtype)
    elif config.positions == "learned":
        vectors = vectors + learned_positions(positions, params["position_embedding.weight"])
    if (segments := _segments(ids, config, segments)) is not None:
        vectors = vectors + embedding(segments, params["segment_embedding.weight"])
    return vectors


def _segments(ids: Tensor, config: TransformerConfig, segments: Tensor | None) -> Tensor | None:
    """The segment of each token, 0 where the call names none; None if the config has none."""
    if segments is None:
        return torch.zeros_like(ids) if config.segments else None
    if not config.segments:
        raise ValueError("segments: expected None, for config.segments is 0")
    _check_layers.within(torch.Tensor, "segments", segments, config.segments, "config.segments-1")
    _check.shape("segments", segments, ids.shape, "(B, T) like ids")
    return segments


def _tables(config: TransformerConfig) -> list[str]:
    used = {"token": True, "position": config.positions == "learned", "segment": config.segments}
    return [f"{kind}_embedding.weight" for kind, has in used.items() if has]


def _scale(config: TransformerConfig) -> float:
    return float(config.width) ** 0.5 if config.scaled_embedding else 1.0


def _output_name(config: TransformerConfig) -> str:
    return "token_embedding.weight" if config.tied else "output_proj.weight"


def _check_ids(ids: Tensor) -> None:
    _check.is_array(torch.Tensor, ids=ids)
    if ids.ndim != 2:
        raise ValueError(f"ids: expected shape (B, T), got {tuple(ids.shape)}")
