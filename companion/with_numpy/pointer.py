"""The pointer-generator: an encoder-decoder that writes each word or copies it from the source.

    params = init_pointer_generator(config, rng)
    log_probs = pointer_generator(source, target, params, config, source_lengths)
    grads = pointer_generator_backward(grad_log_probs, source, target, params, config, ...)

    cache = pointer_generator_start(source, params, config, source_lengths)
    log_probs, cache = pointer_generator_step(ids, cache, params, config)

The parameters are those of `seq2seq` and four more: copy_query and copy_key say where in the
source to point, copy_gate how much to write and how much to copy, and copy_read tells the decoder
what follows its last word in the source, so that copying goes on where it was.
"""

import math
from typing import Any, NamedTuple, cast

import numpy as np

from companion.config import TransformerConfig
from companion.params import derive, pointer_generator_shapes, summed
from companion.with_numpy._types import Array
from companion.with_numpy.cache import (
    Cache,
    empty_cache,
    new_positions,
    remember,
    select_rows,
    step_stack,
)
from companion.with_numpy.copying import copy_mixture, copy_mixture_backward
from companion.with_numpy.embed import (
    embed_tokens,
    embed_tokens_backward,
    output_logits,
    output_logits_backward,
)
from companion.with_numpy.encoder import encoder, encoder_backward
from companion.with_numpy.init import init_parameters
from companion.with_numpy.layers import project, project_backward
from companion.with_numpy.masks import padding_mask
from companion.with_numpy.residual import Grads, Params
from companion.with_numpy.seq2seq import read_both
from companion.with_numpy.stack import run_stack, run_stack_backward

__all__ = [
    "PointerCache",
    "init_pointer_generator",
    "pointer_generator",
    "pointer_generator_backward",
    "pointer_generator_start",
    "pointer_generator_step",
    "select_pointer_rows",
]


def init_pointer_generator(
    config: TransformerConfig, rng: np.random.Generator, dtype: type = np.float32
) -> dict[str, Array]:
    """Draw first parameters of `pointer_generator`.

    config gives names and shapes, such as copy_query.weight (C, C)   rng the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if rng is not a numpy.random.Generator.
    """
    return init_parameters(pointer_generator_shapes(config), rng, dtype)


def pointer_generator(
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None = None,
    *,
    seed: int | None = None,
) -> Array:
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
    vectors, _, look = _read(source, target, params, config, source_lengths, seed)
    states = run_stack(vectors, params, config, "decoder", seed=derive(seed, "target"), **look)
    key = project(look["memory"], params, "copy_key")
    return copy_mixture(*_parts(states, key, look["memory_mask"], params, config), source)


def pointer_generator_backward(
    grad_log_probs: Array,
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None = None,
    *,
    seed: int | None = None,
) -> Grads:
    """Gradients of `pointer_generator`, which it computes again.

        ∂L/∂memory = through the decoder's blocks + through copy_key + through copy_read

    grad_log_probs (B, T, V), the others as in `pointer_generator`, the same seed
    Returns the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    at_source, at_target = derive(seed, "source"), derive(seed, "target")
    vectors, share, look = _read(source, target, params, config, source_lengths, seed)
    memory = look["memory"]
    states = run_stack(vectors, params, config, "decoder", seed=at_target, **look)
    query = project(states, params, "copy_query")
    key = project(memory, params, "copy_key")
    parts = _parts(states, key, look["memory_mask"], params, config)
    grad_logits, grad_gate, grad_scores = copy_mixture_backward(grad_log_probs, *parts, source)

    scale = math.sqrt(config.width)
    into_query, of_query = project_backward(grad_scores @ key / scale, states, params, "copy_query")
    grad_key = np.swapaxes(grad_scores, -1, -2) @ query / scale
    into_key, of_key = project_backward(grad_key, memory, params, "copy_key")
    into_gate, of_gate = project_backward(grad_gate, states, params, "copy_gate")
    into_logits, of_output = output_logits_backward(grad_logits, states, params, config)

    grad_vectors, grad_memory, of_decoder = run_stack_backward(
        into_query + into_gate + into_logits,
        vectors,
        params,
        config,
        "decoder",
        seed=at_target,
        **look,
    )
    of_target = embed_tokens_backward(grad_vectors, target, params, config, seed=at_target)
    grad_read, of_read = project_backward(grad_vectors, share @ memory[:, 1:], params, "copy_read")
    grad_memory = cast(Array, grad_memory) + into_key
    grad_memory[:, 1:] += np.swapaxes(share, -1, -2) @ grad_read
    of_encoder = encoder_backward(
        grad_memory, source, params, config, source_lengths, seed=at_source
    )
    return summed(of_encoder, of_decoder, of_target, of_output, of_read, of_query, of_key, of_gate)


class PointerCache(NamedTuple):
    """What decoding has read: the `Cache` of `seq2seq_step`, and what there is to copy.

    cache a `Cache` of B rows   source (B, S)   seen (B, S), boolean, the real words
    memory (B, S, C) the encoder's states   key (B, S, C) what the pointer compares with
    Returns a plain tuple, as `pointer_generator_start` makes it. Raises nothing by itself.
    """

    cache: Cache
    source: Array
    seen: Array
    memory: Array
    key: Array


def pointer_generator_start(
    source: Array, params: Params, config: TransformerConfig, source_lengths: Array | None = None
) -> PointerCache:
    """Read the source once, and keep what every later step looks at or copies.

    source (B, S), integer, 0 to V-1   source_lengths (B,): real words of each source
    Returns a cache of B rows that hold no target word yet.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    memory = encoder(source, params, config, source_lengths)
    mask = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    cache = empty_cache(config, source.shape[0], memory.dtype.type)
    cache = remember(cache, memory, params, config, mask)
    seen = np.ones(source.shape, dtype=bool) if mask is None else mask[:, 0]
    return PointerCache(cache, source, seen, memory, project(memory, params, "copy_key"))


def pointer_generator_step(
    ids: Array,
    cache: PointerCache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Array | None = None,
) -> tuple[Array, PointerCache]:
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
    ids: Array,
    cache: PointerCache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Array | None = None,
) -> tuple[tuple[Array, Array, Array], PointerCache]:
    """Logits, gate and scores of `pointer_generator_step`, before they are mixed; and the cache."""
    positions, real = new_positions(cache.cache, ids, lengths)
    vectors = embed_tokens(ids, params, config, positions=positions)
    share = _follow(ids, cache.source, cache.seen, vectors.dtype)
    vectors = vectors + project(share @ cache.memory[:, 1:], params, "copy_read")
    states, inner = step_stack(vectors, cache.cache, params, config, positions, real)
    parts = _parts(states, cache.key, cache.seen[:, None], params, config)
    return parts, cache._replace(cache=inner)


def select_pointer_rows(cache: PointerCache, rows: Array) -> PointerCache:
    """`select_rows` for a `PointerCache`: row b of the result is row rows[b]; rows (N,), integer.

    Returns the cache of N rows.

    Raises TypeError or ValueError unless rows are integers from 0 to B-1.
    """
    inner = select_rows(cache.cache, rows)
    rest = (array[rows] for array in cache[1:])
    return PointerCache(inner, *rest)


def _read(
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None,
    seed: int | None,
) -> tuple[Array, Array, dict[str, Any]]:
    """As `read_both`, with what follows each target word added in, and the weights of that."""
    vectors, look = read_both(source, target, params, config, source_lengths, seed)
    memory, mask = look["memory"], look["memory_mask"]
    share = _follow(target, source, None if mask is None else mask[:, 0], memory.dtype)
    return vectors + project(share @ memory[:, 1:], params, "copy_read"), share, look


def _follow(target: Array, source: Array, seen: Array | None, dtype: Any) -> Array:
    """The weights (B, T, S-1) by which each target word reads what follows it in the source."""
    here = target[:, :, None] == source[:, None, :-1]
    if seen is not None:
        here = here & seen[:, None, 1:]
    return here.astype(dtype) / np.maximum(here.sum(axis=-1, keepdims=True), 1).astype(dtype)


def _parts(
    states: Array, key: Array, mask: Array | None, params: Params, config: TransformerConfig
) -> tuple[Array, Array, Array]:
    """logits (B, T, V), gate (B, T, 1), scores (B, T, S) of states (B, T, C)."""
    query = project(states, params, "copy_query")
    scores = query @ np.swapaxes(key, -1, -2) / math.sqrt(config.width)
    if mask is not None:
        scores = np.where(mask, scores, scores.dtype.type(-np.inf))
    return output_logits(states, params, config), project(states, params, "copy_gate"), scores
