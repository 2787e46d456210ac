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

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import derive, pointer_generator_shapes
from companion.with_torch.cache import Cache, empty_cache, new_positions, remember, step_stack
from companion.with_torch.cache import select_rows as _select_rows
from companion.with_torch.embed import embed_tokens, output_logits
from companion.with_torch.encoder import encoder
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import project
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.residual import Params
from companion.with_torch.softmax import log_softmax, softmax
from companion.with_torch.stack import run_stack

__all__ = [
    "PointerCache",
    "copy_cross_entropy",
    "copy_mixture",
    "init_pointer_generator",
    "pointer_generator",
    "pointer_generator_start",
    "pointer_generator_step",
    "select_pointer_rows",
]


def copy_mixture(logits: Tensor, gate: Tensor, scores: Tensor, source: Tensor) -> Tensor:
    """One distribution over words from two: one that writes, one that points into the source.

        p(v) = σ(g) softmax(logits)_v + (1 - σ(g)) Σ_s [source_s = v] softmax(scores)_s

    logits (B, T, V)   gate g (B, T, 1)   scores (B, T, S), -inf where nothing is to be copied
    source (B, S), integer, 0 to V-1: the source's words
    Returns log_probs (B, T, V), in nats. A word that stands twice in the source gets both weights.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: See et al. 2017, eq. 9. Differs: the logarithm, and a source word has an id of its own
    in the vocabulary, so that no extended vocabulary is needed.
    """
    _check_mixture(logits, gate, scores, source)
    write = torch.sigmoid(gate)
    weights = (1 - write) * softmax(scores)
    place = source.long()[:, None].expand(weights.shape)
    mixed = (write * softmax(logits)).scatter_add(-1, place, weights)
    return mixed.clamp(min=torch.finfo(mixed.dtype).tiny).log()


def copy_cross_entropy(
    logits: Tensor,
    gate: Tensor,
    scores: Tensor,
    source: Tensor,
    targets: Tensor,
    *,
    ignore_index: int = -100,
) -> Tensor:
    """Surprise at the true words under `copy_mixture`, which is never laid out for all V words.

        loss = -1/N Σ_n ln p_n(y_n)

    logits, gate, scores, source as in `copy_mixture`
    targets (B, T), integer, 0 to V-1, or ignore_index, which counts neither in the sum nor in N
    Returns loss (), in nats per real word.

    Raises TypeError or ValueError naming the argument that does not fit, or if no word is real.
    Source: See et al. 2017, eqs. 6 and 9, without coverage; the mean is over the batch's words.
    """
    _check_mixture(logits, gate, scores, source)
    _check.shape("targets", targets, tuple(logits.shape[:2]), "(B, T)")
    real = targets != ignore_index
    if not real.any():
        raise ValueError(f"targets: expected a real word, got only ignore_index = {ignore_index}")
    wanted = torch.where(real, targets, 0).long()
    _check_layers.within(Tensor, "targets", wanted, logits.shape[-1], "V-1")
    written = log_softmax(logits).gather(-1, wanted[..., None])[..., 0]
    here = source[:, None, :] == wanted[..., None]
    # Finite, not -inf: where there is no place to copy from, the gradient of all -inf is NaN.
    nowhere = torch.finfo(logits.dtype).min / 4
    pointed = torch.logsumexp(
        log_softmax(scores).clamp(min=nowhere).masked_fill(~here, nowhere), -1
    )
    gate = gate[..., 0]
    sigmoid = torch.nn.functional.logsigmoid
    loss = torch.logaddexp(sigmoid(gate) + written, sigmoid(-gate) + pointed)
    return -(loss * real).sum() / real.sum()


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
    _check.is_array(Tensor, source=source, target=target)
    if source.shape[:1] != target.shape[:1]:
        raise ValueError(
            f"target: expected B = {source.shape[0]} rows like source, got {target.shape[0]}"
        )
    memory = encoder(source, params, config, source_lengths, seed=derive(seed, "source"))
    place = derive(seed, "target")
    seen = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    real = None if seen is None else seen[:, 0]
    vectors = embed_tokens(target, params, config, seed=place)
    vectors = vectors + _selective_read(target, source, memory, real, params)
    mask = causal_mask(target.shape[1], device=target.device)
    look = {"memory": memory, "memory_mask": seen}
    states = run_stack(vectors, params, config, "decoder", mask, seed=place, **look)
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
    vectors = vectors + _selective_read(ids, cache.source, cache.memory, cache.seen, params)
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


def _selective_read(
    target: Tensor, source: Tensor, memory: Tensor, seen: Tensor | None, params: Params
) -> Tensor:
    """What follows each target word in the source, on average: (B, T, C)."""
    here = target[:, :, None] == source[:, None, :-1]
    if seen is not None:
        here = here & seen[:, None, 1:]
    share = here / here.sum(dim=-1, keepdim=True).clamp(min=1)
    return project(share.to(memory.dtype) @ memory[:, 1:], params, "copy_read")


def _parts(
    states: Tensor, key: Tensor, seen: Tensor | None, params: Params, config: TransformerConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """logits (B, T, V), gate (B, T, 1), scores (B, T, S) of states (B, T, C)."""
    query = project(states, params, "copy_query")
    scores = query @ key.transpose(-1, -2) / math.sqrt(config.width)
    if seen is not None:
        scores = scores.masked_fill(~seen[:, None, :], -math.inf)
    return output_logits(states, params, config), project(states, params, "copy_gate"), scores


def _check_mixture(logits: Tensor, gate: Tensor, scores: Tensor, source: Tensor) -> None:
    _check.floats(Tensor, logits=logits, gate=gate, scores=scores)
    _check_layers.axes("logits", logits, "B", "T", "V")
    _check_layers.within(Tensor, "source", source, logits.shape[-1], "V-1")
    _check_layers.axes("source", source, "B", "S")
    B, T = logits.shape[:2]
    _check.shape("gate", gate, (B, T, 1), "(B, T, 1)")
    _check.shape("scores", scores, (B, T, source.shape[1]), "(B, T, S)")
    _check.shape("source", source, (B, source.shape[1]), "(B, S)")
