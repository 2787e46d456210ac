"""Checks of flat dicts of arrays, for both wings: say which key, what was expected, what came."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from companion import _check


def arrays(kind: type, name: str, params: Any) -> None:
    """TypeError unless `params` is a dict from names to floating arrays of `kind`."""
    if not isinstance(params, Mapping):
        raise TypeError(f"{name}: expected a dict of arrays, got {type(params).__name__}")
    for key, array in params.items():
        if not isinstance(key, str):
            raise TypeError(f"{name}: expected names as keys, got {key!r}")
        _check.floats(kind, **{f"{name}[{key!r}]": array})


def keys(name: str, given: Mapping[str, Any], expected: Mapping[str, Any], like: str) -> None:
    """ValueError naming the missing and the unexpected keys."""
    missing, extra = sorted(expected.keys() - given.keys()), sorted(given.keys() - expected.keys())
    if missing or extra:
        raise ValueError(
            f"{name}: expected the keys of {like}, got missing {missing}, unexpected {extra}"
        )


def alike(name: str, given: Mapping[str, Any], expected: Mapping[str, Any], like: str) -> None:
    """ValueError/TypeError unless both have the same keys, and each key its shape and dtype."""
    keys(name, given, expected, like)
    for key, array in given.items():
        label, wanted = f"{name}[{key!r}]", expected[key]
        _check.shape(label, array, tuple(wanted.shape), f"that of {like}")
        if (came := _check.dtype_name(array)) != (dtype := _check.dtype_name(wanted)):
            raise TypeError(f"{label}: expected dtype {dtype} like {like}, got {came}")


def finite(name: str, given: Mapping[str, Any]) -> None:
    """ValueError naming the first key whose array, if it is floating, holds NaN or infinity."""
    for key, array in given.items():
        floating = "float" in _check.dtype_name(array)
        if floating and not bool((abs(array) < float("inf")).all()):  # NaN compares False as well
            raise ValueError(f"{name}[{key!r}]: expected finite numbers, got NaN or inf")


def number(name: str, value: Any, *, below: float = float("inf")) -> float:
    """The number as a Python float, which leaves float32 as it is; ValueError if not in [0, b)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    if not 0 <= float(value) < below:
        raise ValueError(f"{name}: expected 0 ≤ {name} < {below}, got {value}")
    return float(value)


def callables(**functions: Any) -> None:
    """TypeError unless each argument can be called."""
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name}: expected a function, got {type(function).__name__}")
