"""Are two results the same? Structure, shape and numbers; never the words of a library."""

from typing import Any

import numpy as np

from companion.assignments.task import Case

FLOAT32 = 1e-4  # relative and absolute, for results that were computed in single precision
FLOAT16 = 1e-2  # where the reference is in half precision, and nowhere else


SHAPES: dict[str, dict[str, str]] = {
    "en": {
        "shape": "shape {}", "list": "list of {}", "tuple": "tuple of {}", "both": " and ",
        "float": "number", "int": "whole number", "str": "text", "bool": "truth value",
        "NoneType": "None",
    },
    "zh": {
        "shape": "形状 {}", "list": "长度为 {} 的列表", "tuple": "长度为 {} 的元组", "both": "和",
        "float": "实数", "int": "整数", "str": "字符串", "bool": "布尔值", "dict": "字典",
        "NoneType": "None",
    },
}  # fmt: skip


def same(expected: Any, got: Any, tolerance: float) -> bool:
    """Whether two results agree: tuples and lists alike, numbers within the tolerance.

    A number and an array of one number of the same shape () agree; so do 1 and 1.0, and NaN and
    NaN in the same place (the reference never returns one).
    """
    if isinstance(expected, dict) or isinstance(got, dict):
        return (
            isinstance(expected, dict)
            and isinstance(got, dict)
            and expected.keys() == got.keys()
            and all(same(expected[key], got[key], tolerance) for key in expected)
        )
    if isinstance(expected, str) or isinstance(got, str) or expected is None or got is None:
        return type(expected) is type(got) and bool(expected == got)
    one, two = numbers(expected), numbers(got)
    if one is not None and two is not None:
        return _close(one, two, tolerance)
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(
            same(a, b, tolerance) for a, b in zip(expected, got, strict=True)
        )
    return False


def zeros_kept(expected: Any, got: Any) -> bool:
    """Whether the result is exactly 0 wherever the expected one is; of two that agree else."""
    one, two = numbers(expected), numbers(got)
    if one is not None and two is not None:
        return bool((two[one == 0] == 0).all())
    if isinstance(expected, list | tuple):
        return all(zeros_kept(a, b) for a, b in zip(expected, got, strict=True))
    return True


def share(expected: Any, got: Any) -> float:
    """The share of entries of two lists of equal length that agree; 0 if they don't compare."""
    one, two = numbers(expected), numbers(got)
    if one is None or two is None or one.shape != two.shape or not one.size:
        return 0.0
    return float((one == two).mean())


def numbers(value: Any) -> Any:
    """The value as an array, or None if it is not one array of numbers."""
    if isinstance(value, bool | int | float):
        return np.asarray(value)
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        try:
            array = np.asarray(value)
        except ValueError:  # rows of unequal length
            return None
        return array if array.dtype.kind in "biuf" else None
    return None


def shape(value: Any, language: str = "en") -> str:
    """What a message says of a result: its shape, or its kind; of several results, each one's."""
    say = SHAPES[language]
    several = isinstance(value, list | tuple) and any(isinstance(v, np.ndarray) for v in value)
    if isinstance(value, tuple) and several:
        return say["both"].join(shape(item, language) for item in value)
    array = None if several else numbers(value)
    if array is not None and not isinstance(value, bool | int | float | list | tuple):
        return say["shape"].format(tuple(array.shape))
    if isinstance(value, list | tuple):
        return say[type(value).__name__].format(len(value))
    return say.get(type(value).__name__, type(value).__name__)


def _close(one: Any, two: Any, tolerance: float) -> bool:
    if one.shape != two.shape:
        return False
    if (one.dtype.kind == "b") != (two.dtype.kind == "b"):
        # a mask of 0 and 1 is not a boolean mask: `~mask` and indexing mean something else
        return False
    sizes = [array.dtype.itemsize for array in (one, two) if array.dtype.kind == "f"]
    if one.dtype == np.float16:
        tolerance = max(tolerance, FLOAT16)
    elif min(sizes, default=8) < 8:
        tolerance = max(tolerance, FLOAT32)
    return bool(np.allclose(one.astype(float), two.astype(float), tolerance, tolerance, True))


def at(value: Any, look: tuple[int | str, ...] | None) -> Any:
    """The part of a result that is compared; raises LookupError or TypeError if it has none."""
    for step in look or ():
        value = value[step]
    return value


def size(case: Case) -> int:
    """How many numbers a case shows: the smallest counter-example is the one with the fewest."""
    return sum(_count((call.arguments, dict(call.keywords))) for call in case.calls)


def _count(tree: Any) -> int:
    if isinstance(tree, dict):
        return sum(map(_count, tree.values()))
    if isinstance(tree, list | tuple):
        return sum(map(_count, tree))
    return int(np.size(tree)) if isinstance(tree, np.ndarray) else 1


def printable(words: str) -> str:
    """A stranger's words without what XML, UTF-8 or a terminal takes for something else."""
    return "".join(c if c in "\n\t" or c.isprintable() else "?" for c in words)
