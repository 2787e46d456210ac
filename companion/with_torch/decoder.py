"""A decoder-only language model: each token is told by those before it.

    params = init_decoder(config, generator)                    flat dict, named as in torch
    logits = decoder(ids, params, config)                       (B, T) → (B, T, V)

    cache = empty_cache(config, B)                              nothing read yet
    logits, cache = decoder_step(ids, cache, params, config)    T new tokens per row, T ≥ 1
    cache = select_rows(cache, rows)                            keep, drop, repeat or reorder rows

With a seed there is dropout; without, there is none, in a module of whatever mode.
"""

import torch
from torch import Tensor

from companion.config import TransformerConfig
from companion.params import decoder_shapes
from companion.with_torch.cache import Cache, new_positions, step_stack
from companion.with_torch.embed import (
    embed_tokens,
    output_logits,
)
from companion.with_torch.init import init_parameters
from companion.with_torch.masks import causal_mask
from companion.with_torch.residual import Params
from companion.with_torch.stack import run_stack, stack_weights


def init_decoder(
    config: TransformerConfig, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Draw first parameters of `decoder`.

    config gives names and shapes, such as token_embedding.weight (V, C)   generator the one source
    Returns one array of `dtype` under each name, drawn as `init_parameters` says.

    Raises TypeError if generator is not a torch.Generator.
    """
    return init_parameters(decoder_shapes(config), generator, dtype)


def decoder(
    ids: Tensor, params: Params, config: TransformerConfig, *, seed: int | None = None
) -> Tensor:
    """Score each word of the vocabulary as the next one, at each position at once.

        logits_t depends on ids_0 … ids_t alone

    ids (B, T), integer, 0 to V-1; padding goes to the right, where no real token sees it
    params as `init_decoder` names them   seed None for no dropout
    Returns logits (B, T, V); those at padding mean nothing: leave them out of the loss.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Radford et al. 2019, section 2.3; the block of Vaswani et al. 2017, figure 1 (right),
    without its cross-attention.
    """
    vectors = embed_tokens(ids, params, config, seed=seed)
    mask = causal_mask(ids.shape[1], device=ids.device)
    states = run_stack(vectors, params, config, "decoder", mask, seed=seed)
    return output_logits(states, params, config)


def decoder_step(
    ids: Tensor,
    cache: Cache,
    params: Params,
    config: TransformerConfig,
    *,
    lengths: Tensor | None = None,
) -> tuple[Tensor, Cache]:
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


def decoder_weights(ids: Tensor, params: Params, config: TransformerConfig) -> dict[str, Tensor]:
    """The attention weights of each block of `decoder`, by names like "decoder.0.self_attention".

    ids (B, T), integer, 0 to V-1
    Returns weights (B, H, T, T) under each name.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    vectors, mask = embed_tokens(ids, params, config), causal_mask(ids.shape[1], device=ids.device)
    return stack_weights(vectors, params, config, "decoder", mask)
