"""The pointer-generator: an encoder-decoder that writes each word or copies it from the source.

    params = init_pointer_generator(config, generator)
    log_probs = pointer_generator(source, target, params, config, source_lengths)

    cache = pointer_generator_start(source, params, config, source_lengths)
    log_probs, cache = pointer_generator_step(ids, cache, params, config)

The parameters are those of `seq2seq` and four more: copy_query and copy_key say where in the
source to point, copy_gate how much to write and how much to copy, and copy_read tells the decoder
what follows its last word in the source, so that copying goes on where it was.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from companion.config import TransformerConfig
from companion.params import derive, pointer_generator_shapes
from companion.with_torch.cache import Cache, empty_cache, new_positions, remember, step_stack
from companion.with_torch.cache import select_rows as _select_rows
from companion.with_torch.copying import copy_mixture
from companion.with_torch.embed import embed_tokens, output_logits
from companion.with_torch.encoder import encoder
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import project
from companion.with_torch.masks import padding_mask
from companion.with_torch.residual import Params
from companion.with_torch.seq2seq import read_both
from companion.with_torch.stack import run_stack

__all__ = [
    "PointerCache",
    "init_pointer_generator",
    "pointer_generator",
    "pointer_generator_start",
    "pointer_generator_step",
    "select_pointer_rows",
]


def init_pointer_generator(
    config: TransformerConfig, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Draw first parameters of `pointer_generator`.

    config gives names and shapes, such as copy_query.weight (C, C)   generator the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if generator is not a torch.Generator.
    """
    return init_parameters(pointer_generator_shapes(config), generator, dtype)


def pointer_generator(
    source: Tensor,
    target: Tensor,
    params: Params,
    config: TransformerConfig,
    source_lengths: Tensor | None = None,
    *,
    seed: int | None = None,
) -> Tensor:
    """Tell the target's next word: written from the vocabulary, or copied from the source.

        log_probs_t = copy_mixture(logits_t, gate_t, scores_t, source)
        decoder input_t = embedding_t + copy_read · mean_{s: source_s = target_t} memory_{s+1}

    Arguments as in `seq2seq`, with the parameters that `pointer_generator_shapes` adds
    Returns log_probs (B, T, V), in nats; those at padding mean nothing.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: See et al. 2017, section 2.2, there on recurrent networks; here the pointer has weights
    of its own and does not reuse those of the cross-attention. The second line is the selective
    read of Gu et al. 2016, section 3.2, which takes memory_s; copying goes on at memory_{s+1}.
    """
    _, parts = pointer_parts(source, target, params, config, source_lengths, seed=seed)
    return copy_mixture(*parts, source)


def pointer_parts(
    source: Tensor,
    target: Tensor,
    params: Params,
    config: TransformerConfig,
    source_lengths: Tensor | None = None,
    *,
    seed: int | None = None,
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """The encoder's states (B, S, C), and logits, gate and scores, as `copy_mixture` takes them.

    What a loss needs that reads the states too. Arguments and errors as in `pointer_generator`.
    """
    vectors, look = read_both(source, target, params, config, source_lengths, seed)
    memory, mask = look["memory"], look["memory_mask"]
    real = None if mask is None else mask[:, 0]
    share = _follow(target, source, real, memory.dtype)
    vectors = vectors + project(share @ memory[:, 1:], params, "copy_read")
    states = run_stack(vectors, params, config, "decoder", seed=derive(seed, "target"), **look)
    key = project(memory, params, "copy_key")
    return memory, _parts(states, key, real, params, config)


class PointerCache(NamedTuple):
    """What decoding has read: the `Cache` of `seq2seq_step`, and what there is to copy.

    cache a `Cache` of B rows   source (B, S)   seen (B, S), boolean, the real words
    memory (B, S, C) the encoder's states   key (B, S, C) what the pointer compares with
    Returns a plain tuple, as `pointer_generator_start` makes it. Raises nothing by itself.
    """

    cache: Cache
    source: Tensor
    seen: Tensor
    memory: Tensor
    key: Tensor


def pointer_generator_start(
    source: Tensor, params: Params, config: TransformerConfig, source_lengths: Tensor | None = None
) -> PointerCache:
    """Read the source once, and keep what every later step looks at or copies.

    source (B, S), integer, 0 to V-1   source_lengths (B,): real words of each source
    Returns a cache of B rows that hold no target word yet.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    memory = encoder(source, params, config, source_lengths)
    mask = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    cache = empty_cache(config, source.shape[0], memory.dtype, device=memory.device)
    cache = remember(cache, memory, params, config, mask)
    seen = memory.new_ones(memory.shape[:2], dtype=torch.bool) if mask is None else mask[:, 0]
    return PointerCache(cache, source, seen, memory, project(memory, params, "copy_key"))


def pointer_generator_step(
    ids: Tensor,
    cache: PointerCache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Tensor | None = None,
) -> tuple[Tensor, PointerCache]:
    """`pointer_generator` for T new target words per row, after those that the cache has read.

    ids (B, T), integer, 0 to V-1   cache begun by `pointer_generator_start`, of B rows
    lengths (B,), integer, 0 to T: real words of each row, at its left; None: all of them
    Returns log_probs (B, T, V), equal to those of `pointer_generator` on the whole target, and the
    cache with the new words in it.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    parts, after = pointer_step_parts(ids, cache, params, config, lengths=lengths)
    return copy_mixture(*parts, cache.source), after


def pointer_step_parts(
    ids: Tensor,
    cache: PointerCache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Tensor | None = None,
) -> tuple[tuple[Tensor, Tensor, Tensor], PointerCache]:
    """Logits, gate and scores of `pointer_generator_step`, before they are mixed; and the cache."""
    positions, real = new_positions(cache.cache, ids, lengths)
    vectors = embed_tokens(ids, params, config, positions=positions)
    share = _follow(ids, cache.source, cache.seen, vectors.dtype)
    vectors = vectors + project(share @ cache.memory[:, 1:], params, "copy_read")
    states, inner = step_stack(vectors, cache.cache, params, config, positions, real)
    parts = _parts(states, cache.key, cache.seen, params, config)
    return parts, cache._replace(cache=inner)


def select_pointer_rows(cache: PointerCache, rows: Tensor) -> PointerCache:
    """`select_rows` for a `PointerCache`: row b of the result is row rows[b]; rows (N,), integer.

    Returns the cache of N rows.

    Raises TypeError or ValueError unless rows are integers from 0 to B-1.
    """
    inner = _select_rows(cache.cache, rows)
    rows = rows.long()
    rest = (array[rows] for array in cache[1:])
    return PointerCache(inner, *rest)


def _follow(target: Tensor, source: Tensor, seen: Tensor | None, dtype: torch.dtype) -> Tensor:
    """The weights (B, T, S-1) by which each target word reads what follows it in the source."""
    here = target[:, :, None] == source[:, None, :-1]
    if seen is not None:
        here = here & seen[:, None, 1:]
    return here.to(dtype) / here.sum(dim=-1, keepdim=True).clamp(min=1).to(dtype)


def _parts(
    states: Tensor, key: Tensor, seen: Tensor | None, params: Params, config: TransformerConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """logits (B, T, V), gate (B, T, 1), scores (B, T, S) of states (B, T, C)."""
    query = project(states, params, "copy_query")
    scores = query @ key.transpose(-1, -2) / math.sqrt(config.width)
    if seen is not None:
        scores = scores.masked_fill(~seen[:, None, :], -math.inf)
    return output_logits(states, params, config), project(states, params, "copy_gate"), scores
