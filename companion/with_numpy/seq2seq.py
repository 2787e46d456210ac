"""The encoder-decoder of 2017: read a source, write a target, looking back at both.

    params = init_seq2seq(config, rng)                               flat dict, named as in torch
    logits = seq2seq(source, target, params, config, source_lengths) (B, S), (B, T) → (B, T, V)
    grads = seq2seq_backward(grad_logits, source, target, params, config, source_lengths)

    cache = seq2seq_start(source, params, config, source_lengths)    the source is read once
    logits, cache = seq2seq_step(ids, cache, params, config)         T new target tokens per row
    cache = select_rows(cache, rows)                                 keep, drop, repeat or reorder

With a seed they train with dropout; without, there is none.
"""

from typing import Any, cast

import numpy as np

from companion import _check
from companion.config import TransformerConfig
from companion.params import derive, seq2seq_shapes, summed
from companion.with_numpy._types import Array
from companion.with_numpy.cache import Cache, empty_cache, remember
from companion.with_numpy.decoder import decoder_step
from companion.with_numpy.embed import (
    embed_tokens,
    embed_tokens_backward,
    output_logits,
    output_logits_backward,
)
from companion.with_numpy.encoder import encoder, encoder_backward, encoder_weights
from companion.with_numpy.init import init_parameters
from companion.with_numpy.masks import causal_mask, padding_mask
from companion.with_numpy.residual import Grads, Params
from companion.with_numpy.stack import run_stack, run_stack_backward, stack_weights

__all__ = [
    "init_seq2seq",
    "seq2seq",
    "seq2seq_backward",
    "seq2seq_start",
    "seq2seq_step",
    "seq2seq_weights",
]


def init_seq2seq(
    config: TransformerConfig, rng: np.random.Generator, dtype: type = np.float32
) -> dict[str, Array]:
    """Draw first parameters of `seq2seq`.

    config gives names and shapes, such as token_embedding.weight (V, C)   rng the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if rng is not a numpy.random.Generator.
    """
    return init_parameters(seq2seq_shapes(config), rng, dtype)


def seq2seq(
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None = None,
    *,
    seed: int | None = None,
) -> Array:
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


def seq2seq_backward(
    grad_logits: Array,
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None = None,
    *,
    seed: int | None = None,
) -> Grads:
    """Gradients of `seq2seq`, which it computes again; see `run_stack_backward` for the cost.

        ∂L/∂memory = the sum over the decoder's blocks, each of which looked at it

    grad_logits (B, T, V), the others as in `seq2seq`, the same seed
    Returns the gradients under the names of params; the shared embedding sums its two or, tied,
    three uses.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    at_source, at_target = derive(seed, "source"), derive(seed, "target")
    vectors, look = read_both(source, target, params, config, source_lengths, seed)
    states = run_stack(vectors, params, config, "decoder", seed=at_target, **look)
    grad_states, of_output = output_logits_backward(grad_logits, states, params, config)
    grad_vectors, grad_memory, of_decoder = run_stack_backward(
        grad_states, vectors, params, config, "decoder", seed=at_target, **look
    )
    of_target = embed_tokens_backward(grad_vectors, target, params, config, seed=at_target)
    of_encoder = encoder_backward(
        cast(Array, grad_memory), source, params, config, source_lengths, seed=at_source
    )
    return summed(of_encoder, of_decoder, of_target, of_output)


def seq2seq_start(
    source: Array, params: Params, config: TransformerConfig, source_lengths: Array | None = None
) -> Cache:
    """Read the source once, and keep what every later step looks at.

    source (B, S), integer, 0 to V-1   source_lengths (B,): real tokens of each source
    Returns a cache of B rows that hold no target token yet.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    memory = encoder(source, params, config, source_lengths)
    mask = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    cache = empty_cache(config, source.shape[0], memory.dtype.type)
    return remember(cache, memory, params, config, mask)


def seq2seq_step(
    ids: Array,
    cache: Cache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Array | None = None,
) -> tuple[Array, Cache]:
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
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None = None,
) -> dict[str, Array]:
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
    source: Array,
    target: Array,
    params: Params,
    config: TransformerConfig,
    source_lengths: Array | None,
    seed: int | None,
) -> tuple[Array, dict[str, Any]]:
    """The target's vectors, and what the decoder looks at: itself up to now, and the source."""
    _check.is_array(np.ndarray, source=source, target=target)
    if source.shape[:1] != target.shape[:1]:
        raise ValueError(
            f"target: expected B = {source.shape[0]} rows like source, got {target.shape[0]}"
        )
    memory = encoder(source, params, config, source_lengths, seed=derive(seed, "source"))
    vectors = embed_tokens(target, params, config, seed=derive(seed, "target"))
    seen = None if source_lengths is None else padding_mask(source_lengths, source.shape[1])
    mask = causal_mask(target.shape[1])
    return vectors, {"mask": mask, "memory": memory, "memory_mask": seen}
