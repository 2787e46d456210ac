"""The encoder-decoder of 2017: read a source, write a target, looking back at both.

    params = init_seq2seq(config, generator)                         flat dict, named as in torch
    logits = seq2seq(source, target, params, config, source_lengths) (B, S), (B, T) → (B, T, V)

    cache = seq2seq_start(source, params, config, source_lengths)    the source is read once
    logits, cache = seq2seq_step(ids, cache, params, config)         T new target tokens per row
    cache = select_rows(cache, rows)                                 keep, drop, repeat or reorder

With a seed there is dropout; without, there is none, in a module of whatever mode.
"""

from typing import Any

import torch
from torch import Tensor

from companion import _check
from companion.config import TransformerConfig
from companion.params import derive, seq2seq_shapes
from companion.with_torch.cache import Cache, empty_cache, remember
from companion.with_torch.decoder import decoder_step
from companion.with_torch.embed import (
    embed_tokens,
    output_logits,
)
from companion.with_torch.encoder import encoder, encoder_weights
from companion.with_torch.init import init_parameters
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.residual import Params
from companion.with_torch.stack import run_stack, stack_weights

__all__ = [
    "init_seq2seq",
    "seq2seq",
    "seq2seq_start",
    "seq2seq_step",
    "seq2seq_weights",
]


def init_seq2seq(
    config: TransformerConfig, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Draw first parameters of `seq2seq`.

    config gives names and shapes, such as token_embedding.weight (V, C)   generator the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if generator is not a torch.Generator.
    """
    return init_parameters(seq2seq_shapes(config), generator, dtype)


def seq2seq(
    source: Tensor,
    target: Tensor,
    params: Params,
    config: TransformerConfig,
    source_lengths: Tensor | None = None,
    *,
    seed: int | None = None,
) -> Tensor:
    """Score each word as the target's next one, having read the source.

        logits_t depends on the source and target_0 … target_t alone

    source (B, S), target (B, T), integer, 0 to V-1; target begins with a start token, padding
    goes to the right of both   source_lengths (B,): real tokens of each source
    params as `init_seq2seq` names them   seed None for no dropout
    Returns logits (B, T, V); those at padding mean nothing: leave them out of the loss.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, figure 1 and section 3; one vocabulary for both sides, section 3.4.
    """
    vectors, look = read_both(source, target, params, config, source_lengths, seed)
    states = run_stack(vectors, params, config, "decoder", seed=derive(seed, "target"), **look)
    return output_logits(states, params, config)


def seq2seq_start(
    source: Tensor, params: Params, config: TransformerConfig, source_lengths: Tensor | None = None
) -> Cache:
    """Read the source once, and keep what every later step looks at.

    source (B, S), integer, 0 to V-1   source_lengths (B,): real tokens of each source
    Returns a cache of B rows that hold no target token yet.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    memory = encoder(source, params, config, source_lengths)
    mask = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    cache = empty_cache(config, source.shape[0], memory.dtype, device=memory.device)
    return remember(cache, memory, params, config, mask)


def seq2seq_step(
    ids: Tensor,
    cache: Cache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Tensor | None = None,
) -> tuple[Tensor, Cache]:
    """`seq2seq` for T new target tokens per row, after those that the cache has read.

    ids (B, T), integer, 0 to V-1   cache begun by `seq2seq_start`, of B rows; it carries the source
    lengths (B,), integer, 0 to T: real tokens of each row, at its left; None: all of them.
    Returns logits (B, T, V), equal to those of `seq2seq` on the whole target, and the cache with
    the new tokens in it. Row b's next word is told by logits[b, lengths[b] - 1].

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    if not cache.memory_keys:
        raise ValueError("cache: expected one begun by seq2seq_start, got one without a source")
    return decoder_step(ids, cache, params, config, lengths=lengths)


def seq2seq_weights(
    source: Tensor,
    target: Tensor,
    params: Params,
    config: TransformerConfig,
    source_lengths: Tensor | None = None,
) -> dict[str, Tensor]:
    """The attention weights of each block of both sides, by names like "decoder.0.cross_attention".

    Arguments as in `seq2seq`
    Returns encoder.i.self_attention (B, H, S, S), decoder.i.self_attention (B, H, T, T) and
    decoder.i.cross_attention (B, H, T, S).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors, look = read_both(source, target, params, config, source_lengths, None)
    found = encoder_weights(source, params, config, source_lengths)
    return found | stack_weights(vectors, params, config, "decoder", **look)


def read_both(
    source: Tensor,
    target: Tensor,
    params: Params,
    config: TransformerConfig,
    source_lengths: Tensor | None,
    seed: int | None,
) -> tuple[Tensor, dict[str, Any]]:
    """The target's vectors, and what the decoder looks at: itself up to now, and the source."""
    _check.is_array(torch.Tensor, source=source, target=target)
    if source.shape[:1] != target.shape[:1]:
        raise ValueError(
            f"target: expected B = {source.shape[0]} rows like source, got {target.shape[0]}"
        )
    memory = encoder(source, params, config, source_lengths, seed=derive(seed, "source"))
    vectors = embed_tokens(target, params, config, seed=derive(seed, "target"))
    seen = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    mask = causal_mask(target.shape[1], device=target.device)
    return vectors, {"mask": mask, "memory": memory, "memory_mask": seen}
