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

from companion import _check, _check_layers
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
from companion.with_numpy.embed import (
    embed_tokens,
    embed_tokens_backward,
    output_logits,
    output_logits_backward,
)
from companion.with_numpy.encoder import encoder, encoder_backward
from companion.with_numpy.init import init_parameters
from companion.with_numpy.layers import project, project_backward
from companion.with_numpy.masks import causal_mask, padding_mask
from companion.with_numpy.residual import Grads, Params
from companion.with_numpy.softmax import softmax
from companion.with_numpy.stack import run_stack, run_stack_backward

__all__ = [
    "PointerCache",
    "copy_cross_entropy",
    "copy_mixture",
    "copy_mixture_backward",
    "init_pointer_generator",
    "pointer_generator",
    "pointer_generator_backward",
    "pointer_generator_start",
    "pointer_generator_step",
    "select_pointer_rows",
]


def copy_mixture(logits: Array, gate: Array, scores: Array, source: Array) -> Array:
    """One distribution over words from two: one that writes, one that points into the source.

        p(v) = σ(g) softmax(logits)_v + (1 - σ(g)) Σ_s [source_s = v] softmax(scores)_s

    logits (B, T, V)   gate g (B, T, 1)   scores (B, T, S), -inf where nothing is to be copied
    source (B, S), integer, 0 to V-1: the source's words
    Returns log_probs (B, T, V), in nats. A word that stands twice in the source gets both weights.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: See et al. 2017, eq. 9. Differs: the logarithm, and a source word has an id of its own
    in the vocabulary, so that no extended vocabulary is needed.
    """
    mixed, *_ = _mix(logits, gate, scores, source)
    return np.log(mixed)


def copy_mixture_backward(
    grad_log_probs: Array, logits: Array, gate: Array, scores: Array, source: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `copy_mixture`, with respect to logits, gate and scores.

        w = σ(g),   a = softmax(logits),   b = softmax(scores),   u = ∂L/∂p = grad_log_probs / p
        ∂L/∂logits = w a (u - Σ_v a u),         ∂L/∂scores = (1 - w) b (u_s - Σ_s b u_s),
        ∂L/∂g = w (1 - w) (Σ_v a u - Σ_s b u_s)                            u_s = u[source_s]

    grad_log_probs (B, T, V), the others as in `copy_mixture`
    Returns grad_logits (B, T, V), grad_gate (B, T, 1) and grad_scores (B, T, S).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    mixed, write, words, places = _mix(logits, gate, scores, source)
    grad = grad_log_probs / mixed
    grad_there = np.take_along_axis(grad, _places(source, scores.shape), axis=-1)
    through_words = (words * grad).sum(axis=-1, keepdims=True)
    through_places = (places * grad_there).sum(axis=-1, keepdims=True)
    grad_logits = write * words * (grad - through_words)
    grad_scores = (1 - write) * places * (grad_there - through_places)
    return grad_logits, write * (1 - write) * (through_words - through_places), grad_scores


def copy_cross_entropy(
    logits: Array,
    gate: Array,
    scores: Array,
    source: Array,
    targets: Array,
    *,
    ignore_index: int = -100,
) -> Array:
    """Surprise at the true words under `copy_mixture`.

        loss = -1/N Σ_n ln p_n(y_n)

    logits, gate, scores, source as in `copy_mixture`
    targets (B, T), integer, 0 to V-1, or ignore_index, which counts neither in the sum nor in N
    Returns loss (), in nats per real word.

    Raises TypeError or ValueError naming the argument that does not fit, or if no word is real.
    Source: See et al. 2017, eqs. 6 and 9, without coverage; the mean is over the batch's words.
    """
    log_probs = copy_mixture(logits, gate, scores, source)
    _check.shape("targets", targets, logits.shape[:2], "(B, T)")
    real = targets != ignore_index
    if not real.any():
        raise ValueError(f"targets: expected a real word, got only ignore_index = {ignore_index}")
    wanted = np.where(real, targets, 0)
    _check_layers.within(np.ndarray, "targets", wanted, logits.shape[-1], "V-1")
    chosen = np.take_along_axis(log_probs, wanted[..., None], axis=-1)[..., 0]
    return -chosen[real].mean()


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
    memory, vectors, look = _read(source, target, params, config, source_lengths, seed)
    states = run_stack(vectors, params, config, "decoder", seed=derive(seed, "target"), **look)
    key = project(memory, params, "copy_key")
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
    memory, vectors, look = _read(source, target, params, config, source_lengths, seed)
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
    seen = look["memory_mask"]
    share = _follow(target, source, None if seen is None else seen[:, 0]).astype(memory.dtype)
    grad_read, of_read = project_backward(grad_vectors, share @ memory[:, 1:], params, "copy_read")
    grad_memory = cast(Array, grad_memory) + into_key
    grad_memory[:, 1:] += np.swapaxes(share, -1, -2) @ grad_read
    of_encoder = encoder_backward(
        grad_memory, source, params, config, source_lengths, seed=at_source
    )
    return summed(of_encoder, of_decoder, of_target, of_output, of_query, of_key, of_gate, of_read)


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
    share = _follow(ids, cache.source, cache.seen).astype(vectors.dtype)
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
    """The encoder's states, the target's vectors, and what the decoder looks at."""
    _check.is_array(np.ndarray, source=source, target=target)
    if source.shape[:1] != target.shape[:1]:
        raise ValueError(
            f"target: expected B = {source.shape[0]} rows like source, got {target.shape[0]}"
        )
    memory = encoder(source, params, config, source_lengths, seed=derive(seed, "source"))
    vectors = embed_tokens(target, params, config, seed=derive(seed, "target"))
    seen = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    share = _follow(target, source, None if seen is None else seen[:, 0]).astype(memory.dtype)
    vectors = vectors + project(share @ memory[:, 1:], params, "copy_read")
    mask = causal_mask(target.shape[1])
    return memory, vectors, {"mask": mask, "memory": memory, "memory_mask": seen}


def _follow(target: Array, source: Array, seen: Array | None) -> Array:
    """The weights (B, T, S-1) by which each target word reads what follows it in the source."""
    here = target[:, :, None] == source[:, None, :-1]
    if seen is not None:
        here = here & seen[:, None, 1:]
    return here / np.maximum(here.sum(axis=-1, keepdims=True), 1)


def _parts(
    states: Array, key: Array, mask: Array | None, params: Params, config: TransformerConfig
) -> tuple[Array, Array, Array]:
    """logits (B, T, V), gate (B, T, 1), scores (B, T, S) of states (B, T, C)."""
    query = project(states, params, "copy_query")
    scores = query @ np.swapaxes(key, -1, -2) / math.sqrt(config.width)
    if mask is not None:
        scores = np.where(mask, scores, scores.dtype.type(-np.inf))
    return output_logits(states, params, config), project(states, params, "copy_gate"), scores


def _mix(
    logits: Array, gate: Array, scores: Array, source: Array
) -> tuple[Array, Array, Array, Array]:
    """p (B, T, V), and what it is made of: σ(g), softmax(logits), softmax(scores)."""
    _check.floats(np.ndarray, logits=logits, gate=gate, scores=scores)
    _check_layers.axes("logits", logits, "B", "T", "V")
    _check_layers.within(np.ndarray, "source", source, logits.shape[-1], "V-1")
    _check_layers.axes("source", source, "B", "S")
    B, T, _ = logits.shape
    _check.shape("gate", gate, (B, T, 1), "(B, T, 1)")
    _check.shape("scores", scores, (B, T, source.shape[1]), "(B, T, S)")
    _check.shape("source", source, (B, source.shape[1]), "(B, S)")
    with np.errstate(over="ignore"):
        write = 1 / (1 + np.exp(-gate))
    words, places = softmax(logits), softmax(scores)
    mixed = write * words
    rows = np.arange(B)[:, None, None], np.arange(T)[:, None], _places(source, scores.shape)
    np.add.at(mixed, rows, (1 - write) * places)
    return np.maximum(mixed, np.finfo(mixed.dtype).tiny), write, words, places


def _places(source: Array, shape: tuple[int, ...]) -> Array:
    """source (B, S) for each target word: (B, T, S)."""
    return np.broadcast_to(source[:, None], shape)
