"""The checks that the brain models need beside `companion._check`: finite, bounded, whole steps."""

from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

import numpy as np

from companion import _check


def finite(**arrays: Any) -> None:
    """Unless all are floating arrays of one dtype and finite: TypeError, ValueError."""
    _check.floats(np.ndarray, **arrays)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")


def non_negative_array(**arrays: Any) -> None:
    """As `finite`, and no entry may be below zero."""
    finite(**arrays)
    for name, array in arrays.items():
        if array.size and array.min() < 0:
            raise ValueError(f"{name}: expected no number below 0, got {float(array.min())}")


def axes(count: int, letters: str, **arrays: Any) -> None:
    """ValueError unless each argument has exactly `count` axes, written with `letters`."""
    for name, array in arrays.items():
        if array.ndim != count:
            raise ValueError(f"{name}: expected axes {letters}, got shape {array.shape}")


def boolean(**arrays: Any) -> None:
    """TypeError unless each argument is an array of dtype bool."""
    _check.is_array(np.ndarray, **arrays)
    for name, array in arrays.items():
        if array.dtype != np.bool_:
            raise TypeError(f"{name}: expected dtype bool, got {array.dtype}")


def generator(rng: Any) -> None:
    """TypeError unless `rng` is a NumPy random generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected numpy.random.Generator, got {type(rng).__qualname__}")


def number(**numbers: Any) -> None:
    """Unless each argument is one finite real number: TypeError, ValueError."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name}: expected a number, got {type(value).__qualname__}")
        if not abs(float(value)) < float("inf"):
            raise ValueError(f"{name}: expected a finite number, got {value}")


def positive(**numbers: Any) -> None:
    """As `number`, and above zero."""
    number(**numbers)
    _check.positive(**numbers)


def non_negative(**numbers: Any) -> None:
    """As `number`, and not below zero."""
    number(**numbers)
    for name, value in numbers.items():
        if value < 0:
            raise ValueError(f"{name}: expected a number >= 0, got {value}")


def below(name: str, value: float, limit: float, reason: str) -> None:
    """ValueError unless `value` is at most `limit`; the message gives the reason."""
    if value > limit:
        raise ValueError(f"{name}: expected at most {limit:g}, got {value:g}: {reason}")


def steps(name: str, duration_ms: float, dt_ms: float) -> int:
    """The number of steps of `dt_ms` in `duration_ms`; ValueError unless it is a whole number."""
    count = round(duration_ms / dt_ms)
    if abs(count * dt_ms - duration_ms) > 1e-6 * dt_ms:  # 0.3 / 0.1 is not exactly 3
        raise ValueError(
            f"{name}: expected a whole number of steps of {dt_ms:g} ms, got {duration_ms:g} ms"
        )
    return count


def signs(**arrays: Any) -> None:
    """As `finite`, and every entry must be -1 or +1."""
    finite(**arrays)
    for name, array in arrays.items():
        if not (np.abs(array) == 1).all():
            raise ValueError(f"{name}: expected every entry -1 or +1, got other numbers")


def keys(name: str, params: Mapping[str, Any], expected: Collection[str]) -> None:
    """ValueError unless the mapping has exactly the expected keys."""
    if set(params) != set(expected):
        raise ValueError(f"{name}: expected keys {sorted(expected)}, got {sorted(params)}")
