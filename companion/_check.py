"""Argument checks for both wings: say which argument, what was expected, what came.

Arrays are looked at through `.shape` and `.dtype` only, so that one set of checks serves
NumPy arrays and torch tensors and this file imports neither library.
"""

from collections.abc import Sequence
from functools import cache
from numbers import Integral, Real
from typing import Any


def dtype_name(array: Any) -> str:
    """The dtype without its library: 'float32' for numpy.float32 and torch.float32 alike."""
    return _name(array.dtype)


@cache
def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")  # kept: NumPy takes 3 µs to spell a dtype


def is_array(kind: type, **arrays: Any) -> None:
    """TypeError unless each argument is an array of `kind` (numpy.ndarray or torch.Tensor)."""
    for name, array in arrays.items():
        if not isinstance(array, kind):
            came = f"{type(array).__module__}.{type(array).__qualname__}"
            raise TypeError(f"{name}: expected {kind.__module__}.{kind.__name__}, got {came}")


def floats(kind: type, **arrays: Any) -> None:
    """TypeError unless all arguments are arrays of `kind` with one common floating dtype."""
    is_array(kind, **arrays)
    first = next(iter(arrays))
    for name, array in arrays.items():
        dtype = dtype_name(array)
        if "float" not in dtype:
            raise TypeError(f"{name}: expected a floating dtype, got {dtype}")
        if dtype != (wanted := dtype_name(arrays[first])):
            raise TypeError(f"{name}: expected dtype {wanted} like {first}, got {dtype}")


def rank(least: int, **arrays: Any) -> None:
    """ValueError unless each argument has at least `least` axes."""
    for name, array in arrays.items():
        if len(array.shape) < least:
            raise ValueError(
                f"{name}: expected at least {least} axes, got shape {tuple(array.shape)}"
            )


def shape(name: str, array: Any, expected: Sequence[int], axes: str) -> None:
    """ValueError unless `array` has exactly the shape `expected`, written with `axes`."""
    if tuple(array.shape) != tuple(expected):
        raise ValueError(
            f"{name}: expected shape {tuple(expected)} = {axes}, got {tuple(array.shape)}"
        )


def query_key(query: Any, key: Any, *, same_width: bool = True) -> None:
    """ValueError unless query (..., T, D) and key (..., S, D) agree."""
    rank(2, query=query, key=key)
    if same_width and query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"key: expected width D = {query.shape[-1]} like query {tuple(query.shape)}, "
            f"got {key.shape[-1]} in {tuple(key.shape)}"
        )
    if tuple(query.shape[:-2]) != tuple(key.shape[:-2]):
        raise ValueError(
            f"key: expected leading axes {tuple(query.shape[:-2])} like query, "
            f"got {tuple(key.shape[:-2])} in {tuple(key.shape)}"
        )


def key_value(key: Any, value: Any) -> None:
    """ValueError unless key (..., S, D) and value (..., S, E) hold one value for each key."""
    rank(2, value=value)
    if tuple(key.shape[:-1]) != tuple(value.shape[:-1]):
        raise ValueError(
            f"value: expected axes {tuple(key.shape[:-1])} = (..., S) like key, "
            f"got {tuple(value.shape[:-1])} in {tuple(value.shape)}"
        )


def mask(kind: type, mask: Any, scores_shape: Sequence[int], hint: str = "") -> None:
    """Refuse a mask that is not boolean or does not stretch to scores without enlarging them."""
    is_array(kind, mask=mask)
    if dtype_name(mask) != "bool":
        raise TypeError(f"mask: expected dtype bool (True = may look), got {dtype_name(mask)}")
    tail = tuple(scores_shape)[len(scores_shape) - len(mask.shape) :]
    fits = len(mask.shape) <= len(scores_shape) and all(
        have in (1, want) for have, want in zip(mask.shape, tail, strict=True)
    )
    if not fits:
        raise ValueError(
            f"mask: expected a shape that stretches to scores {tuple(scores_shape)}, "
            f"got {tuple(mask.shape)}{hint}"
        )


def attention_mask(kind: type, mask_: Any, scores_shape: Sequence[int]) -> None:
    """As `mask`, with the axes (T or 1, S) or those of the scores, and S of them at the end.

    What lies between is refused: (B, 1, S) would lay its B along the H of scores (B, H, T, S), and
    where B = H nobody would notice.
    """
    flat = len(getattr(mask_, "shape", ())) == 2
    hint = "; a padding mask (B, S) is written (B, 1, S)" if flat else ""
    mask(kind, mask_, scores_shape, hint)
    T, S = scores_shape[-2:]
    if len(mask_.shape) < 2 or mask_.shape[-1] != S:
        raise ValueError(
            f"mask: expected (..., T, S) or (..., 1, S) with T = {T}, S = {S}, "
            f"got {tuple(mask_.shape)}; a padding mask of shape (B, S) is written (B, 1, S)"
        )
    if len(mask_.shape) not in (2, len(scores_shape)):
        raise ValueError(
            f"mask: expected 2 axes or the {len(scores_shape)} of scores {tuple(scores_shape)}, "
            f"got {tuple(mask_.shape)}; a mask (B, T or 1, S) is written mask[:, None] beside heads"
        )


def axis(axis: int, array: Any) -> None:
    """TypeError/ValueError unless `axis` is one of the array's axes, counted from either end."""
    _integer("axis", axis)
    if not -len(array.shape) <= axis < len(array.shape):
        raise ValueError(f"axis: expected an axis of shape {tuple(array.shape)}, got {axis}")


def positive(**numbers: float) -> None:
    """TypeError/ValueError unless each argument is a finite number above zero.

    An array is refused, even of one element: float() would cut a tensor from its gradient.
    """
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{name}: expected a number, got {type(number).__name__}")
        if not 0 < number < float("inf"):
            raise ValueError(f"{name}: expected a finite number > 0, got {number}")


def temperature(temperature: float, smallest: float) -> None:
    """As `positive`, and at least `smallest`: what the scores' dtype rounds to 0 divides by 0."""
    positive(temperature=temperature)
    if temperature < smallest:
        raise ValueError(
            f"temperature: expected at least {smallest}, the smallest normal number of the "
            f"scores' dtype, got {temperature}"
        )


def length(least: int = 0, **lengths: Any) -> None:
    """TypeError/ValueError unless each argument is an integer of at least `least`."""
    for name, number in lengths.items():
        _integer(name, number)
        if number < least:
            raise ValueError(f"{name}: expected at least {least}, got {number}")


def _integer(name: str, number: Any) -> None:
    """TypeError unless `number` is an integer, Python's or NumPy's: no bool, no array, not 2.0."""
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise TypeError(f"{name}: expected an integer, got {type(number).__name__}")
