"""A decoder-only language model: each token is told by those before it.

    params = init_decoder(config, rng)                          flat dict, named as in torch
    logits = decoder(ids, params, config)                       (B, T) → (B, T, V)
    grads = decoder_backward(grad_logits, ids, params, config)  one gradient per parameter

    cache = empty_cache(config, B)                              nothing read yet
    logits, cache = decoder_step(ids, cache, params, config)    T new tokens per row, T ≥ 1
    cache = select_rows(cache, rows)                            keep, drop, repeat or reorder rows

With a seed, decoder and decoder_backward train with dropout; without, there is none.
"""

import numpy as np

from companion.config import TransformerConfig
from companion.params import decoder_shapes, summed
from companion.with_numpy._types import Array
from companion.with_numpy.cache import Cache, new_positions, step_stack
from companion.with_numpy.embed import (
    embed_tokens,
    embed_tokens_backward,
    output_logits,
    output_logits_backward,
)
from companion.with_numpy.init import init_parameters
from companion.with_numpy.masks import causal_mask
from companion.with_numpy.residual import Grads, Params
from companion.with_numpy.stack import run_stack, run_stack_backward, stack_weights


def init_decoder(
    config: TransformerConfig, rng: np.random.Generator, dtype: type = np.float32
) -> dict[str, Array]:
    """Draw first parameters of `decoder`.

    config gives names and shapes, such as token_embedding.weight (V, C)   rng the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if rng is not a numpy.random.Generator.
    """
    return init_parameters(decoder_shapes(config), rng, dtype)


def decoder(
    ids: Array, params: Params, config: TransformerConfig, *, seed: int | None = None
) -> Array:
    """Score each word of the vocabulary as the next one, at each position at once.

        logits_t depends on ids_0 … ids_t alone

    ids (B, T), integer, 0 to V-1; padding goes to the right, where no real token sees it
    params as `init_decoder` names them   seed None for no dropout
    Returns logits (B, T, V); those at padding mean nothing: leave them out of the loss.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Radford et al. 2019, section 2.3; the block of Vaswani et al. 2017, figure 1 (right),
    without its cross-attention.
    """
    vectors, mask = embed_tokens(ids, params, config, seed=seed), causal_mask(ids.shape[1])
    states = run_stack(vectors, params, config, "decoder", mask, seed=seed)
    return output_logits(states, params, config)


def decoder_backward(
    grad_logits: Array,
    ids: Array,
    params: Params,
    config: TransformerConfig,
    *,
    seed: int | None = None,
) -> Grads:
    """Gradients of `decoder`, which it computes again; see `run_stack_backward` for the cost.

    grad_logits (B, T, V), the others as in `decoder`, the same seed
    Returns the gradients under the names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors, mask = embed_tokens(ids, params, config, seed=seed), causal_mask(ids.shape[1])
    states = run_stack(vectors, params, config, "decoder", mask, seed=seed)
    grad_states, of_output = output_logits_backward(grad_logits, states, params, config)
    grad_vectors, _, of_stack = run_stack_backward(
        grad_states, vectors, params, config, "decoder", mask, seed=seed
    )
    of_input = embed_tokens_backward(grad_vectors, ids, params, config, seed=seed)
    return summed(of_input, of_stack, of_output)


def decoder_step(
    ids: Array,
    cache: Cache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Array | None = None,
) -> tuple[Array, Cache]:
    """`decoder` for T new tokens per row, after those that the cache has read.

    ids (B, T), integer, 0 to V-1   cache of B rows
    lengths (B,), integer, 0 to T: real tokens of each row, at its left; None: all of them.
    Returns logits (B, T, V), equal to those of `decoder` on the whole sequence, and the cache with
    the new tokens in it. Row b's next word is told by logits[b, lengths[b] - 1].

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    positions, real = new_positions(cache, ids, lengths)
    vectors = embed_tokens(ids, params, config, positions=positions)
    states, cache = step_stack(vectors, cache, params, config, positions, real)
    return output_logits(states, params, config), cache


def decoder_weights(ids: Array, params: Params, config: TransformerConfig) -> dict[str, Array]:
    """The attention weights of each block of `decoder`, by names like "decoder.0.self_attention".

    ids (B, T), integer, 0 to V-1
    Returns weights (B, H, T, T) under each name.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors, mask = embed_tokens(ids, params, config), causal_mask(ids.shape[1])
    return stack_weights(vectors, params, config, "decoder", mask)
