"""The memory of decoding: the key and value heads of what has been read, so that no step repeats.

A step takes a cache and returns a new one; no cache is ever written into. Rows are independent:
`select_rows(cache, rows)` keeps, drops, repeats or reorders them, which is all beam search needs.

Rows may differ in length. New tokens stand at the right, padding behind the real tokens; `seen`
tells real slots from padding for ever after, and a token's position is the count of real tokens
before it.
"""

from typing import Any, NamedTuple

import numpy as np

from companion import _check, _check_layers
from companion.config import TransformerConfig
from companion.params import part
from companion.with_numpy._types import Array
from companion.with_numpy.blocks import feed_forward_sublayer, placed
from companion.with_numpy.masks import padding_mask
from companion.with_numpy.multi_head import attend, project_keys
from companion.with_numpy.residual import Params, normalise, residual

__all__ = ["Cache", "empty_cache", "select_rows"]


class Cache(NamedTuple):
    """What decoding has read so far.

    keys, values heads (B, G, S, D), one of each per layer   seen (B, S), boolean, the real slots
    memory_keys, memory_values, memory_seen the same of an encoder's states, for models with one
    Returns a plain tuple, as `empty_cache` and `seq2seq_start` make it.

    Raises nothing by itself: the steps check what they are given.
    """

    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    seen: Array
    memory_keys: tuple[Array, ...] = ()
    memory_values: tuple[Array, ...] = ()
    memory_seen: Array | None = None


def empty_cache(config: TransformerConfig, B: int, dtype: type = np.float32) -> Cache:
    """A cache that has read nothing.

    config of the model   B rows   dtype that of the parameters
    Returns a cache with heads (B, G, 0, D).

    Raises TypeError or ValueError if B is not an integer of at least 0.
    """
    _check.length(B=B)
    none: Array = np.zeros((B, config.groups, 0, config.head_width), dtype)
    return Cache((none,) * config.layers, (none,) * config.layers, np.zeros((B, 0), bool))


def remember(
    cache: Cache, memory: Array, params: Params, config: TransformerConfig, mask: Array | None
) -> Cache:
    """The same cache with an encoder's states (B, S, C) to look at, projected once.

    mask (B, 1, S) as `padding_mask` gives it, or None
    """
    cross = [part(params, f"decoder.{i}.cross_attention") for i in range(config.layers)]
    heads = [project_keys(memory, own, heads=config.heads) for own in cross]
    keys, values = zip(*heads, strict=True)
    seen = np.ones(memory.shape[:2], bool) if mask is None else mask[:, 0]
    return cache._replace(memory_keys=keys, memory_values=values, memory_seen=seen)


def select_rows(cache: Cache, rows: Array) -> Cache:
    """The cache whose row b is row rows[b] of this one; rows (N,), integer, may repeat.

    Returns the cache of N rows.

    Raises TypeError or ValueError unless rows are integers from 0 to B-1.
    """
    _check_layers.within(np.ndarray, "rows", rows, cache.seen.shape[0], "B-1")
    _check.shape("rows", rows, (rows.shape or (1,))[:1], "(N,)")
    return Cache(
        tuple(key[rows] for key in cache.keys),
        tuple(value[rows] for value in cache.values),
        cache.seen[rows],
        tuple(key[rows] for key in cache.memory_keys),
        tuple(value[rows] for value in cache.memory_values),
        None if cache.memory_seen is None else cache.memory_seen[rows],
    )


def new_positions(cache: Cache, ids: Array, lengths: Array | None) -> tuple[Array, Array]:
    """Where T new tokens per row stand, and which of them are real.

    ids (B, T)   lengths (B,), integer, 0 to T: real tokens at the left of each row; None: all
    Returns positions (B, T), with 0 for padding, and real (B, T), boolean.
    """
    _check.is_array(np.ndarray, ids=ids)
    B, T = cache.seen.shape[0], ids.shape[-1]
    _check.shape("ids", ids, (B, T), "(B, T), one row for each of the cache")
    if lengths is None:
        real = np.ones((B, T), bool)
    else:
        real = padding_mask(lengths, T)[:, 0]
        _check.shape("lengths", lengths, (B,), "(B,)")
    return np.where(real, cache.seen.sum(axis=1)[:, None] + np.arange(T), 0), real


def step_stack(
    inputs: Array,
    cache: Cache,
    params: Params,
    config: TransformerConfig,
    positions: Array,
    real: Array,
) -> tuple[Array, Cache]:
    """`run_stack` of the decoder for T new tokens per row, looking at the cache and at themselves.

    inputs (B, T, C)   positions, real (B, T) from `new_positions`
    Returns states (B, T, C) and the cache with T more slots.
    """
    _check_layers.cache(cache, config, inputs)
    seen = np.concatenate([cache.seen, real], axis=1)
    key_positions = np.maximum(np.cumsum(seen, axis=1) - 1, 0)
    past, T = cache.seen.shape[1], inputs.shape[1]
    behind = np.arange(past + T) <= past + np.arange(T)[:, None]
    mask = seen[:, None, :] & behind
    where = placed(config, positions, key_positions, inputs.dtype)
    keys: tuple[Array, ...] = ()
    values: tuple[Array, ...] = ()
    for i in range(config.layers):
        block = part(params, f"decoder.{i}")
        if not cache.memory_keys:
            _check_layers.no_memory(block)
        inputs, key, value = _look_back(inputs, cache, block, config, i, mask, where)
        inputs = _look_at_memory(inputs, cache, block, config, i) if cache.memory_keys else inputs
        step, norm = feed_forward_sublayer(block, config), part(block, "feed_forward_norm")
        inputs = residual(inputs, step.forward, norm, config)
        keys, values = (*keys, key), (*values, value)
    if config.norm_first:
        inputs = normalise(inputs, part(params, "decoder_norm"), config)
    return inputs, cache._replace(keys=keys, values=values, seen=seen)


def _look_back(
    inputs: Array,
    cache: Cache,
    block: Params,
    config: TransformerConfig,
    i: int,
    mask: Array,
    where: dict[str, Any],
) -> tuple[Array, Array, Array]:
    """Self-attention: the new tokens' key and value heads join those of the cache."""
    own, norm, H = part(block, "self_attention"), part(block, "self_attention_norm"), config.heads
    turn, bias = where.get("positions", (None,))[0], where.get("bias")
    read = normalise(inputs, norm, config) if config.norm_first else inputs
    new_key, new_value = project_keys(read, own, heads=H, positions=turn)
    key = np.concatenate([cache.keys[i], new_key], axis=2)
    value = np.concatenate([cache.values[i], new_value], axis=2)

    def look(read: Array) -> Array:
        return attend(read, key, value, own, mask, heads=H, bias=bias, positions=turn)

    return residual(inputs, look, norm, config), key, value


def _look_at_memory(
    inputs: Array, cache: Cache, block: Params, config: TransformerConfig, i: int
) -> Array:
    own, norm = part(block, "cross_attention"), part(block, "cross_attention_norm")
    key, value, seen = cache.memory_keys[i], cache.memory_values[i], cache.memory_seen
    mask = None if seen is None else seen[:, None, :]

    def look(read: Array) -> Array:
        return attend(read, key, value, own, mask, heads=config.heads)

    return residual(inputs, look, norm, config)
