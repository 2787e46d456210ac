"""Argument checks of layers and models, for both wings; see `_check` for how they speak."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from companion import _check


def integers(kind: type, **arrays: Any) -> None:
    """TypeError unless each argument is an array of `kind` that holds integers."""
    _check.is_array(kind, **arrays)
    for name, array in arrays.items():
        if "int" not in _check.dtype_name(array):
            raise TypeError(f"{name}: expected integers, got {_check.dtype_name(array)}")


def within(kind: type, name: str, array: Any, count: int, last: str) -> None:
    """As `integers`, and ValueError unless all lie from 0 to count-1, which is written `last`."""
    integers(kind, **{name: array})
    if 0 not in array.shape and (int(array.min()) < 0 or int(array.max()) >= count):
        low, high = int(array.min()), int(array.max())
        raise ValueError(f"{name}: expected 0 to {last} = {count - 1}, got {low} to {high}")


def stretches(name: str, array: Any, full: Sequence[int], axes: str) -> None:
    """ValueError unless `array` stretches to the shape `full`, written `axes`, not enlarging it."""
    have, want = tuple(array.shape), tuple(full)
    tail = want[len(want) - len(have) :]
    if len(have) > len(want) or any(h not in (1, w) for h, w in zip(have, tail, strict=True)):
        raise ValueError(f"{name}: expected a shape that stretches to {want} = {axes}, got {have}")


def axes(name: str, array: Any, *letters: str) -> None:
    """ValueError unless `array` has one axis for each of `letters`."""
    if len(array.shape) != len(letters):
        raise ValueError(
            f"{name}: expected {len(letters)} axes ({', '.join(letters)}), "
            f"got shape {tuple(array.shape)}"
        )


def names(params: Mapping[str, Any], *needed: str) -> None:
    """ValueError unless `params` has each of the names needed."""
    if missing := [name for name in needed if name not in params]:
        some = ", ".join(list(params)[:8]) or "none"
        came = f"{some}, …" if len(params) > 8 else some
        raise ValueError(f"params: expected {', '.join(missing)}, got {came}")


def project(kind: type, inputs: Any, params: Mapping[str, Any], name: str) -> None:
    """Refuse inputs (..., In) that `name.weight` (Out, In) does not take, or a weight not there."""
    weight_name = f"{name}.weight"
    names(params, weight_name)
    _check.is_array(kind, inputs=inputs, **{f"params[{weight_name!r}]": params[weight_name]})
    _check.rank(1, inputs=inputs)
    axes(f"params[{weight_name!r}]", params[weight_name], "Out", "In")
    if inputs.shape[-1] != (width := params[weight_name].shape[1]):
        came = tuple(inputs.shape)
        raise ValueError(f"inputs: expected width {width}, In of {weight_name}, got shape {came}")


def no_memory(params: Mapping[str, Any]) -> None:
    """ValueError if a block has a cross-attention, which would be left out without a memory."""
    if any(name.startswith("cross_attention.") for name in params):
        raise ValueError("params: expected none of cross_attention, for there is no memory")


def positions(kind: type, positions: Any, B: int, T: int) -> None:
    """Refuse positions that are not integers of shape (T,) or (B, T)."""
    integers(kind, positions=positions)
    if tuple(positions.shape) not in ((T,), (B, T)):
        raise ValueError(
            f"positions: expected shape {(T,)} = (T,) or {(B, T)} = (B, T), "
            f"got {tuple(positions.shape)}"
        )


def cache(cache: Any, config: Any, inputs: Any) -> None:
    """Refuse a cache whose heads are not those of the config, or not of the inputs' dtype."""
    if len(cache.keys) != config.layers:
        raise ValueError(f"cache: expected {config.layers} layers, got {len(cache.keys)}")
    for key in cache.keys:
        expected = (inputs.shape[0], config.groups, cache.seen.shape[1], config.head_width)
        _check.shape("cache.keys", key, expected, "(B, G, S, D)")
        if _check.dtype_name(key) != (wanted := _check.dtype_name(inputs)):
            came = _check.dtype_name(key)
            raise TypeError(f"cache: expected dtype {wanted} like params, got {came}")


def linear(kind: type, inputs: Any, weight: Any, bias: Any | None) -> None:
    """Refuse inputs (..., In), weight (Out, In) and bias (Out,) that do not fit together."""
    _check.floats(kind, weight=weight, inputs=inputs)
    _check.rank(1, inputs=inputs)
    axes("weight", weight, "Out", "In")
    _check.shape("weight", weight, (weight.shape[0], inputs.shape[-1]), "(Out, In)")
    if bias is not None:
        _check.floats(kind, weight=weight, bias=bias)
        _check.shape("bias", bias, (weight.shape[0],), "(Out,)")


def embedding(kind: type, ids: Any, weight: Any) -> None:
    """Refuse ids that are not rows of the table weight (V, C)."""
    _check.floats(kind, weight=weight)
    axes("weight", weight, "V", "C")
    within(kind, "ids", ids, weight.shape[0], "V-1")


def learned(kind: type, positions: Any, weight: Any) -> None:
    """Refuse positions that have no row in the table weight (max_length, C)."""
    _check.floats(kind, weight=weight)
    axes("weight", weight, "max_length", "C")
    integers(kind, positions=positions)
    if 0 not in positions.shape and int(positions.min()) < 0:
        raise ValueError(f"positions: expected at least 0, got {int(positions.min())}")
    if 0 not in positions.shape and int(positions.max()) >= weight.shape[0]:
        raise ValueError(
            f"positions: expected at most max_length = {weight.shape[0]} tokens, "
            f"got position {int(positions.max())}"
        )


def position_pair(kind: type, query_positions: Any, key_positions: Any) -> None:
    """Refuse positions of queries (..., T) and of keys (..., S) that do not fit together."""
    integers(kind, query_positions=query_positions, key_positions=key_positions)
    _check.rank(1, query_positions=query_positions, key_positions=key_positions)
    expected = (*query_positions.shape[:-1], key_positions.shape[-1])
    _check.shape("key_positions", key_positions, expected, "(..., S), else like query_positions")


def norm(kind: type, inputs: Any, eps: float, **weights: Any) -> None:
    """Refuse inputs (..., C) and weights (C,) that do not fit, and eps that is not positive."""
    _check.floats(kind, inputs=inputs, **weights)
    _check.rank(1, inputs=inputs)
    _check.positive(eps=eps)
    for name, weight in weights.items():
        _check.shape(name, weight, (inputs.shape[-1],), "(C,)")


def rate(rate: float) -> None:
    """TypeError/ValueError unless 0 ≤ rate < 1."""
    if isinstance(rate, bool) or not isinstance(rate, Real):
        raise TypeError(f"rate: expected a number, got {type(rate).__name__}")
    if not 0 <= rate < 1:
        raise ValueError(f"rate: expected 0 ≤ rate < 1, got {rate}")


def pairs(width: int) -> None:
    """ValueError unless `width` units can be paired."""
    _check.length(1, width=width)
    if width % 2:
        raise ValueError(f"width: expected an even number of units to pair, got {width}")


def one_of(name: str, value: str, known: Sequence[str]) -> None:
    """ValueError unless `value` is one of `known`."""
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")


def divides(heads: int, width: int) -> None:
    """ValueError unless `heads` divides `width`."""
    _check.length(1, heads=heads)
    if width % heads:
        raise ValueError(f"heads: expected a divisor of width {width}, got {heads}")


def groups(kind: type, query: Any, key: Any, value: Any) -> None:
    """Refuse query (B, H, T, D), key and value (B, G, S, D) that do not fit, or G that is no
    divisor of H."""
    _check.floats(kind, query=query, key=key, value=value)
    _check.rank(4, query=query, key=key)
    expected = (query.shape[0], key.shape[1], key.shape[2], query.shape[3])
    _check.shape("key", key, expected, "(B, G, S, D)")
    _check.key_value(key, value)
    if key.shape[1] == 0 or query.shape[1] % key.shape[1]:
        raise ValueError(
            f"key: expected G key heads, a divisor of H = {query.shape[1]}, got {key.shape[1]}"
        )


def tiled(
    kind: type, query: Any, key: Any, value: Any, mask: Any | None, *, causal: bool, tile: int
) -> None:
    """Refuse arguments of `tiled_attention` that do not fit."""
    _check.floats(kind, query=query, key=key, value=value)
    _check.query_key(query, key)
    _check.key_value(key, value)
    _check.length(1, tile=tile)
    T, S = query.shape[-2], key.shape[-2]
    if mask is not None:
        _check.attention_mask(kind, mask, (*query.shape[:-1], S))
    if causal and S < T:
        raise ValueError(f"key: expected S ≥ T = {T} with causal, got S = {S}")
