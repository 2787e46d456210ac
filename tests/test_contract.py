"""What the package promises around the numbers: errors that say what is wrong, light imports,
documented names. The same bad input gets the same message in both wings.
"""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import companion
import companion.with_numpy as numpy_wing
import companion.with_torch as torch_wing

B, T, S, D, E, A = 2, 3, 5, 7, 4, 6
NAN, INF = float("nan"), float("inf")


class Maker:
    """Arrays of a wing by shape, `m(T, D)`; a name of the wing by attribute, `m.softmax`."""

    def __init__(self, wing: Any) -> None:
        self.wing = wing

    def __call__(self, *shape: int, dtype: str = "float32") -> Any:
        return self.wing.array(np.ones(shape), dtype)

    def of(self, values: Any, dtype: Any = None) -> Any:
        return self.wing.array(values, dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wing.lib, name)


Bad = tuple[Callable[[Any], Any], type[Exception], str]


def refuses(bad: Bad, given: Any) -> None:
    call, error, message = bad
    with pytest.raises(error) as caught:
        call(given)
    assert type(caught.value) is error
    assert re.fullmatch(message, str(caught.value)), str(caught.value)


def numbered(table: list[Bad]) -> list[Any]:
    return [pytest.param(bad, id=f"{i}-{bad[2][:40]}") for i, bad in enumerate(table)]


KIND = r"(numpy\.ndarray|torch\.Tensor)"
FINITE = r"scores: expected finite numbers or -inf, got NaN or \+inf"

BAD_SOFTMAX: list[Bad] = [
    (lambda m: m.softmax([1.0]), TypeError, rf"scores: expected {KIND}, got builtins\.list"),
    (lambda m: m.softmax(None), TypeError, rf"scores: expected {KIND}, got builtins\.NoneType"),
    (
        lambda m: m.softmax(m(T, S, dtype="int64")),
        TypeError,
        "scores: expected a floating dtype, got int64",
    ),
    (
        lambda m: m.softmax(m(T, S, dtype="bool")),
        TypeError,
        "scores: expected a floating dtype, got bool",
    ),
    (
        lambda m: m.softmax(m(T, S), [[True] * S]),
        TypeError,
        rf"mask: expected {KIND}, got builtins\.list",
    ),
    (
        lambda m: m.softmax(m(T, S), m(T, S)),
        TypeError,
        r"mask: expected dtype bool \(True = may look\), got float32",
    ),
    (
        lambda m: m.softmax(m(T, S), m(T, S, dtype="uint8")),
        TypeError,
        r"mask: expected dtype bool \(True = may look\), got uint8",
    ),
    *(
        (
            lambda m, shape=shape: m.softmax(m(T, S), m(*shape, dtype="bool")),
            ValueError,
            r"mask: expected a shape that stretches to scores \(3, 5\), got "
            + re.escape(str(shape)),
        )
        for shape in [(S, T), (T, S + 1), (T + 1, S), (B, T, S), (1, T, S), (T,), (0, S)]
    ),
    (
        lambda m: m.softmax(m(1, S), m(T, S, dtype="bool")),
        ValueError,
        r"mask: expected a shape that stretches to scores \(1, 5\), got \(3, 5\)",
    ),
    *(
        (
            lambda m, axis=axis: m.softmax(m(T, S), axis=axis),
            ValueError,
            rf"axis: expected an axis of shape \(3, 5\), got {axis}",
        )
        for axis in (2, -3, 7)
    ),
    (lambda m: m.softmax(m()), ValueError, r"axis: expected an axis of shape \(\), got -1"),
    *(
        (
            lambda m, axis=axis: m.softmax(m(T, S), axis=axis),
            TypeError,
            f"axis: expected an integer, got {type(axis).__name__}",
        )
        for axis in (None, 1.0, True, (0, 1))
    ),
    *(
        (
            lambda m, number=number: m.softmax(m(T, S), temperature=number),
            ValueError,
            rf"temperature: expected a finite number > 0, got {number}",
        )
        for number in (0, 0.0, -0.5, NAN, INF, -INF)
    ),
    *(
        (
            lambda m, number=number: m.softmax(m(T, S), temperature=number),
            TypeError,
            f"temperature: expected a number, got {type(number).__name__}",
        )
        for number in ("1", None, True, 1j, [1.0])
    ),
    (
        lambda m: m.softmax(m(T, S), temperature=m.of(1.0)),
        TypeError,
        "temperature: expected a number, got (ndarray|Tensor)",
    ),
    (
        lambda m: m.softmax(m(T, S, dtype="float16"), temperature=1e-8),
        ValueError,
        r"temperature: expected at least 6\.1\d*e-05, the smallest normal number of the "
        "scores' dtype, got 1e-08",
    ),
    *(
        (lambda m, x=x: m.softmax(m.of([[0.0, x], [0.0, 1.0]])), ValueError, FINITE)
        for x in (NAN, INF)
    ),
    *(
        (
            lambda m, x=x: m.softmax(m.of([0.0, x, 1.0]), m.of([False, True, True])),
            ValueError,
            FINITE,
        )
        for x in (NAN, INF)
    ),
    (lambda m: m.online_softmax([1.0]), TypeError, rf"scores: expected {KIND}, got builtins\.list"),
    (
        lambda m: m.online_softmax(m(T, dtype="int32")),
        TypeError,
        "scores: expected a floating dtype, got int32",
    ),
    (
        lambda m: m.online_softmax(m()),
        ValueError,
        r"scores: expected at least 1 axes, got shape \(\)",
    ),
    (lambda m: m.online_softmax(m(T), block=0), ValueError, "block: expected at least 1, got 0"),
    (
        lambda m: m.online_softmax(m(T), block=2.0),
        TypeError,
        "block: expected an integer, got float",
    ),
    # in the first block, in a later one, and after a block of nothing
    *(
        (lambda m, row=row: m.online_softmax(m.of([row]), block=2), ValueError, FINITE)
        for x in (NAN, INF)
        for row in ([x, 0.0, 1.0], [0.0, 1.0, x], [-INF, -INF, x], [0.0, x, -INF])
    ),
]

BAD_MASKS: list[Bad] = [
    (lambda m: m.causal_mask(-1), ValueError, "T: expected at least 0, got -1"),
    (lambda m: m.causal_mask(2.0), TypeError, "T: expected an integer, got float"),
    (lambda m: m.causal_mask(True), TypeError, "T: expected an integer, got bool"),
    (lambda m: m.causal_mask(None), TypeError, "T: expected an integer, got NoneType"),
    (
        lambda m: m.causal_mask(m.of([1, 2])),
        TypeError,
        "T: expected an integer, got (ndarray|Tensor)",
    ),
    (
        lambda m: m.causal_mask(m.of([2])),
        TypeError,
        "T: expected an integer, got (ndarray|Tensor)",
    ),
    (
        lambda m: m.causal_mask(m.of(True)),
        TypeError,
        "T: expected an integer, got (ndarray|Tensor)",
    ),
    (lambda m: m.causal_mask(3, 2), ValueError, "S: expected at least 3, got 2"),
    (lambda m: m.causal_mask(3, 4.0), TypeError, "S: expected an integer, got float"),
    (lambda m: m.causal_mask(1, True), TypeError, "S: expected an integer, got bool"),
    (
        lambda m: m.padding_mask([1, 2], 3),
        TypeError,
        rf"lengths: expected {KIND}, got builtins\.list",
    ),
    (
        lambda m: m.padding_mask(m.of([1.0]), 3),
        TypeError,
        "lengths: expected integers, got float64",
    ),
    (lambda m: m.padding_mask(m.of([True]), 3), TypeError, "lengths: expected integers, got bool"),
    (
        lambda m: m.padding_mask(m.of([[1], [2]]), 3),
        ValueError,
        r"lengths: expected shape \(2,\) = \(B,\), got \(2, 1\)",
    ),
    (
        lambda m: m.padding_mask(m.of(2), 3),
        ValueError,
        r"lengths: expected shape \(1,\) = \(B,\), got \(\)",
    ),
    (
        lambda m: m.padding_mask(m.of([2, 4, 1]), 3),
        ValueError,
        "lengths: expected 0 to S = 3, got 1 to 4",
    ),
    (
        lambda m: m.padding_mask(m.of([2, -1, 1]), 3),
        ValueError,
        "lengths: expected 0 to S = 3, got -1 to 2",
    ),
    (lambda m: m.padding_mask(m.of([0]), -1), ValueError, "S: expected at least 0, got -1"),
    (lambda m: m.padding_mask(m.of([1]), 2.0), TypeError, "S: expected an integer, got float"),
]

SCORES = ("dot_score", "scaled_dot_score", "cosine_score")


def bad_pairs(name: str) -> list[Bad]:
    """What each score that has no weights of its own refuses."""

    def score(m: Any, *arguments: Any) -> Any:
        return getattr(m, name)(*arguments)

    return [
        (
            lambda m: score(m, [[1.0]], m(S, D)),
            TypeError,
            rf"query: expected {KIND}, got builtins\.list",
        ),
        (
            lambda m: score(m, m(T, D), [[1.0]]),
            TypeError,
            rf"key: expected {KIND}, got builtins\.list",
        ),
        (
            lambda m: score(m, m(T, D, dtype="int64"), m(S, D, dtype="int64")),
            TypeError,
            "query: expected a floating dtype, got int64",
        ),
        (
            lambda m: score(m, m(T, D), m(S, D, dtype="float64")),
            TypeError,
            "key: expected dtype float32 like query, got float64",
        ),
        (
            lambda m: score(m, m(D), m(S, D)),
            ValueError,
            r"query: expected at least 2 axes, got shape \(7,\)",
        ),
        (
            lambda m: score(m, m(T, D), m(D)),
            ValueError,
            r"key: expected at least 2 axes, got shape \(7,\)",
        ),
        (
            lambda m: score(m, m(T, D), m(S, D + 1)),
            ValueError,
            r"key: expected width D = 7 like query \(3, 7\), got 8 in \(5, 8\)",
        ),
        (
            lambda m: score(m, m(B, T, D), m(S, D)),
            ValueError,
            r"key: expected leading axes \(2,\) like query, got \(\) in \(5, 7\)",
        ),
        (
            lambda m: score(m, m(B, T, D), m(1, S, D)),
            ValueError,
            r"key: expected leading axes \(2,\) like query, got \(1,\) in \(1, 5, 7\)",
        ),
    ]


BAD_SCORES: list[Bad] = [
    *(bad for name in SCORES for bad in bad_pairs(name)),
    *(
        (
            lambda m, eps=eps: m.cosine_score(m(T, D), m(S, D), eps),
            ValueError,
            f"eps: expected a finite number > 0, got {eps}",
        )
        for eps in (0, -1e-8, NAN, INF)
    ),
    (
        lambda m: m.cosine_score(m(T, D), m(S, D), None),
        TypeError,
        "eps: expected a number, got NoneType",
    ),
    (
        lambda m: m.general_score(m(T, D), m(S, E), m(E, D)),
        ValueError,
        r"weight: expected shape \(7, 4\) = \(Dq, Dk\), got \(4, 7\)",
    ),
    (
        lambda m: m.general_score(m(T, D), m(S, E), m(D, E, dtype="float64")),
        TypeError,
        "weight: expected dtype float32 like query, got float64",
    ),
    (
        lambda m: m.general_score(m(B, T, D), m(S, E), m(D, E)),
        ValueError,
        r"key: expected leading axes \(2,\) like query, got \(\) in \(5, 4\)",
    ),
    (
        lambda m: m.additive_score(m(T, D), m(S, E), m(A, E), m(A, E), m(A)),
        ValueError,
        r"query_proj: expected shape \(6, 7\) = \(A, Dq\), got \(6, 4\)",
    ),
    (
        lambda m: m.additive_score(m(T, D), m(S, E), m(A, D), m(E, A), m(A)),
        ValueError,
        r"key_proj: expected shape \(6, 4\) = \(A, Dk\), got \(4, 6\)",
    ),
    (
        lambda m: m.additive_score(m(T, D), m(S, E), m(A, D), m(A, E), m(A, 1)),
        ValueError,
        r"score_proj: expected shape \(6,\) = \(A,\), got \(6, 1\)",
    ),
    (
        lambda m: m.additive_score(m(T, D), m(S, E), m(A, D), m(A, E), m()),
        ValueError,
        r"score_proj: expected at least 1 axes, got shape \(\)",
    ),
    *(
        (
            lambda m, at=at: m.additive_score(
                *(
                    m(*shape, dtype="float64" if i == at else "float32")
                    for i, shape in enumerate([(T, D), (S, E), (A, D), (A, E), (A,)])
                )
            ),
            TypeError,
            f"{name}: expected dtype float32 like query, got float64",
        )
        for at, name in enumerate(["query", "key", "query_proj", "key_proj", "score_proj"])
        if at
    ),
    (
        lambda m: m.additive_score(m(T, D), m(B, S, E), m(A, D), m(A, E), m(A)),
        ValueError,
        r"key: expected leading axes \(\) like query, got \(2,\) in \(2, 5, 4\)",
    ),
]


def stretched(query: Any, key: Any) -> Any:
    """A score with a wrong output: one row for all queries."""
    return (query @ key.swapaxes(-1, -2))[..., :1, :]


def attend(m: Any, mask: Any = None, **change: Any) -> Any:
    given = {"query": m(B, T, D), "key": m(B, S, D), "value": m(B, S, E), **change}
    return m.attention(**given, mask=mask)


BAD_ATTENTION: list[Bad] = [
    *(
        (
            lambda m, name=name: attend(m, **{name: [[1.0]]}),
            TypeError,
            rf"{name}: expected {KIND}, got builtins\.list",
        )
        for name in ("query", "key", "value")
    ),
    (
        lambda m: attend(m, query=m(B, T, D, dtype="int64")),
        TypeError,
        "query: expected a floating dtype, got int64",
    ),
    *(
        (
            lambda m, name=name, shape=shape: attend(m, **{name: m(*shape, dtype="float16")}),
            TypeError,
            f"{name}: expected dtype float32 like query, got float16",
        )
        for name, shape in {"key": (B, S, D), "value": (B, S, E)}.items()
    ),
    (
        lambda m: attend(m, query=m(D)),
        ValueError,
        r"query: expected at least 2 axes, got shape \(7,\)",
    ),
    (
        lambda m: attend(m, value=m(S)),
        ValueError,
        r"value: expected at least 2 axes, got shape \(5,\)",
    ),
    (
        lambda m: attend(m, key=m(B, S, D + 1)),
        ValueError,
        r"key: expected width D = 7 like query \(2, 3, 7\), got 8 in \(2, 5, 8\)",
    ),
    (
        lambda m: attend(m, key=m(1, S, D)),
        ValueError,
        r"key: expected leading axes \(2,\) like query, got \(1,\) in \(1, 5, 7\)",
    ),
    (
        lambda m: attend(m, value=m(B, S + 1, E)),
        ValueError,
        r"value: expected axes \(2, 5\) = \(\.\.\., S\) like key, got \(2, 6\) in \(2, 6, 4\)",
    ),
    (
        lambda m: attend(m, value=m(S, E)),
        ValueError,
        r"value: expected axes \(2, 5\) = \(\.\.\., S\) like key, got \(5,\) in \(5, 4\)",
    ),
    (lambda m: attend(m, [[True]]), TypeError, rf"mask: expected {KIND}, got builtins\.list"),
    (
        lambda m: attend(m, m(T, S)),
        TypeError,
        r"mask: expected dtype bool \(True = may look\), got float32",
    ),
    *(
        (
            lambda m, shape=shape: attend(m, m(*shape, dtype="bool")),
            ValueError,
            r"mask: expected a shape that stretches to scores \(2, 3, 5\), got "
            + re.escape(str(shape))
            + (r"; a padding mask \(B, S\) is written \(B, 1, S\)" if len(shape) == 2 else ""),
        )
        for shape in [(B, S), (S, T), (B + 1, T, S), (1, B, T, S), (B, T, S + 1)]
    ),
    *(
        (
            lambda m, shape=shape: attend(m, m(*shape, dtype="bool")),
            ValueError,
            r"mask: expected \(\.\.\., T, S\) or \(\.\.\., 1, S\) with T = 3, S = 5, got "
            + re.escape(str(shape))
            + r"; a padding mask of shape \(B, S\) is written \(B, 1, S\)",
        )
        for shape in [(S,), (), (T, 1), (B, T, 1), (1, 1)]
    ),
    (
        lambda m: attend(m, score=stretched),
        ValueError,
        r"score\(query, key\): expected shape \(2, 3, 5\) = \(\.\.\., T, S\), got \(2, 1, 5\)",
    ),
    (
        lambda m: attend(m, score=lambda query, key: m(B, T, S, dtype="float64")),
        TypeError,
        r"score\(query, key\): expected dtype float32 like query, got float64",
    ),
    (
        lambda m: attend(m, score=lambda query, key: m(B, T, S, dtype="int32")),
        TypeError,
        r"score\(query, key\): expected a floating dtype, got int32",
    ),
    (
        lambda m: attend(m, score=lambda query, key: None),
        TypeError,
        rf"score\(query, key\): expected {KIND}, got builtins\.NoneType",
    ),
    *(
        (lambda m, x=x: attend(m, query=m.of(np.full((B, T, D), x), "float32")), ValueError, FINITE)
        for x in (NAN, INF)
    ),
]

BAD = BAD_SOFTMAX + BAD_MASKS + BAD_SCORES + BAD_ATTENTION


@pytest.mark.parametrize("bad", numbered(BAD))
def test_bad_input(bad: Bad, wing: Any) -> None:
    refuses(bad, Maker(wing))


# ------------------------------------------------------- the backwards (NumPy wing alone)


def ones(*shape: int, dtype: str = "float32") -> Any:
    return np.ones(shape, dtype)


PAIR = {"query": (T, D), "key": (S, D)}
BACKWARDS: dict[str, dict[str, tuple[int, ...]]] = {
    "softmax_backward": {"grad_weights": (T, S), "weights": (T, S)},
    "dot_score_backward": {"grad_scores": (T, S), **PAIR},
    "scaled_dot_score_backward": {"grad_scores": (T, S), **PAIR},
    "cosine_score_backward": {"grad_scores": (T, S), **PAIR},
    "general_score_backward": {
        "grad_scores": (T, S),
        "query": (T, D),
        "key": (S, E),
        "weight": (D, E),
    },
    "additive_score_backward": {
        "grad_scores": (T, S),
        "query": (T, D),
        "key": (S, E),
        "query_proj": (A, D),
        "key_proj": (A, E),
        "score_proj": (A,),
    },
    "attention_backward": {
        "grad_output": (T, E),
        **PAIR,
        "value": (S, E),
        "weights": (T, S),
    },
}
ARGUMENTS = [(name, argument) for name, shapes in BACKWARDS.items() for argument in shapes]


def call_backward(name: str, **change: Any) -> Any:
    shapes = BACKWARDS[name]
    given = {argument: ones(*shape) for argument, shape in shapes.items()}
    return getattr(numpy_wing, name)(**{**given, **change})


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_bad_input_of_a_backward(name: str, argument: str) -> None:
    call_backward(name)  # what is refused below is the change alone
    shape = BACKWARDS[name][argument]
    table: list[tuple[Any, type[Exception], str]] = [
        ([1.0], TypeError, rf"{argument}: expected numpy\.ndarray, got builtins\.list"),
        (ones(*shape, dtype="int64"), TypeError, f"{argument}: expected a floating dtype, .*int64"),
        # the first that was looked at sets the dtype, so the message may name another argument
        (ones(*shape, dtype="float64"), TypeError, r"\w+: expected dtype \w+ like \w+, got \w+"),
        (ones(2, *shape), ValueError, r"\w+: expected (shape|leading axes|axes) .*, got .*"),
        (ones(*shape[:-1], 9), ValueError, r"\w+: expected (shape|width D|axes) .*, got .*"),
        (ones(9, *shape[1:]), ValueError, r"\w+: expected (shape|width D|axes) .*, got .*"),
    ]
    for value, error, message in table:
        refuses((lambda v: call_backward(name, **{argument: v}), error, message), value)


@pytest.mark.parametrize("name", [n for n, shapes in BACKWARDS.items() if "grad_scores" in shapes])
def test_grad_scores_of_another_shape(name: str) -> None:
    message = r"grad_scores: expected shape \(3, 5\) = \(\.\.\., T, S\), got \(5, 3\)"
    refuses((lambda g: call_backward(name, grad_scores=g), ValueError, message), ones(S, T))


def test_bad_options_of_a_backward() -> None:
    backward: list[tuple[str, dict[str, Any], type[Exception], str]] = [
        ("softmax", {"axis": 2}, ValueError, r"axis: expected an axis of shape \(3, 5\), got 2"),
        ("softmax", {"axis": 0.0}, TypeError, "axis: expected an integer, got float"),
        (
            "softmax",
            {"temperature": 0},
            ValueError,
            "temperature: expected a finite number > 0, got 0",
        ),
        (
            "softmax",
            {"temperature": 1e-40},
            ValueError,
            "temperature: expected at least 1.17.*e-38, .*, got 1e-40",
        ),
        (
            "softmax",
            {"grad_weights": ones(S, T)},
            ValueError,
            r"grad_weights: expected shape \(3, 5\) = the shape of weights, got \(5, 3\)",
        ),
        ("cosine_score", {"eps": 0.0}, ValueError, "eps: expected a finite number > 0, got 0.0"),
        (
            "attention",
            {"weights": ones(S, T)},
            ValueError,
            r"weights: expected shape \(3, 5\) = \(\.\.\., T, S\), got \(5, 3\)",
        ),
        (
            "attention",
            {"grad_output": ones(T, D)},
            ValueError,
            r"grad_output: expected shape \(3, 4\) = \(\.\.\., T, E\), got \(3, 7\)",
        ),
        (
            "attention",
            {"value": ones(S + 1, E)},
            ValueError,
            r"value: expected axes \(5,\) = \(\.\.\., S\) like key, got \(6,\) in \(6, 4\)",
        ),
    ]
    for name, change, error, message in backward:
        refuses(
            (lambda c, n=name: call_backward(f"{n}_backward", **c), error, message),  # type: ignore[misc]
            change,
        )


# ------------------------------------------------------------------------- wrong library


# shared by both wings: records that hold what they are given, and functions of numbers alone
SHARED = {"Checkpoint", "Record", "cosine_schedule", "inverse_sqrt_warmup"}
BOTH = sorted(set(numpy_wing.__all__) & set(torch_wing.__all__) - SHARED - {"causal_mask"})


@pytest.mark.parametrize("name", BOTH)
def test_arrays_of_the_other_library(name: str) -> None:
    import cases
    import torch

    case = cases.collected()[name][0]
    given = case.draw(np.random.default_rng(1), np.dtype("float32"), (2,))
    if not any(isinstance(end, np.ndarray) for end in cases.leaves(given)):
        pytest.skip("takes no array")
    as_torch = cases.convert(
        given, lambda end: torch.tensor(end) if isinstance(end, np.ndarray) else end
    )
    with pytest.raises(
        TypeError, match=r"^\w+(\['[\w.]+'\])?: expected numpy\.ndarray, got torch\.Tensor$"
    ):
        case.run(numpy_wing, as_torch)
    with pytest.raises(
        TypeError, match=r"^\w+(\['[\w.]+'\])?: expected torch\.Tensor, got numpy\.ndarray$"
    ):
        case.run(torch_wing, given)


# --------------------------------------------------------- what looks bad and is allowed


def test_what_is_masked_may_be_anything(wing: Any) -> None:
    scores, mask = wing.array([NAN, 0.0, INF, 0.0]), wing.array([False, True, False, True])
    assert wing.lib.softmax(scores, mask).tolist() == [0, 0.5, 0, 0.5]
    key = np.array([[1.0, 0], [NAN, 2], [0, 1]])
    seen = wing.array([[True, False, True]])
    query, value = wing.array([[0.0, 0]]), wing.array([[2.0], [5], [4]])
    output, weights = wing.lib.attention(query, wing.array(key), value, seen)
    assert weights.tolist() == [[0.5, 0, 0.5]]
    assert output.tolist() == [[3]]


def test_masks_stretch_where_their_length_is_one(wing: Any) -> None:
    m = Maker(wing)
    for shape in [(B, T, S), (1, T, S), (T, S), (1, S), (B, 1, S), (1, 1, S)]:
        output, weights = attend(m, m(*shape, dtype="bool"))
        assert tuple(output.shape) == (B, T, E)
        assert tuple(weights.shape) == (B, T, S)
    for shape in [(S,), (1,), (), (T, 1), (1, 1)]:  # softmax alone takes any that stretches
        assert tuple(m.softmax(m(T, S), m(*shape, dtype="bool")).shape) == (T, S)


def test_scores_may_compare_different_widths(wing: Any) -> None:
    m = Maker(wing)
    output, _ = m.attention(
        m(B, T, D), m(B, S, E), m(B, S, A), score=lambda q, k: m.general_score(q, k, m(D, E))
    )
    assert tuple(output.shape) == (B, T, A)


def test_lengths_may_be_integers_of_any_library(wing: Any) -> None:
    for number in (3, np.int64(3), np.uint8(3)):
        assert tuple(wing.lib.causal_mask(number).shape) == (3, 3)
        assert tuple(wing.lib.padding_mask(wing.array([1]), number).shape) == (1, 1, 3)
    number = np.float32(2)
    found = wing.lib.softmax(wing.array([1.0, 2.0]), temperature=number)
    assert "float64" in str(found.dtype)


def test_masks_are_made_where_they_are_asked_for() -> None:
    import torch

    meta = torch.device("meta")
    assert torch_wing.causal_mask(2, device=meta).device == meta
    # where the lengths are; none of them, because on this device numbers cannot be looked at
    none = torch.empty(0, dtype=torch.int64, device=meta)
    assert torch_wing.padding_mask(none, 3).device == meta


# ------------------------------------------------------------------------------- imports


@pytest.mark.parametrize("module", ["companion", "companion.with_numpy"])
def test_imports_stay_light(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "print([m for m in ('torch', 'matplotlib', 'companion.with_torch') if m in sys.modules],"
        " 'companion.with_numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n")[0] == f"[] {module != 'companion'}"


# ------------------------------------------------------------------- names and documents

WINGS = pytest.mark.parametrize("lib", [numpy_wing, torch_wing], ids=["numpy", "torch"])


def modules_of(lib: ModuleType) -> list[str]:
    return sorted(m.name for m in pkgutil.walk_packages(lib.__path__) if m.name[0] != "_")


def test_the_wings_have_the_same_files() -> None:
    assert modules_of(numpy_wing) == modules_of(torch_wing)


@WINGS
def test_all_is_sorted_true_and_complete(lib: ModuleType) -> None:
    assert lib.__all__ == sorted(set(lib.__all__))
    for name in set(lib.__all__) - SHARED:
        assert getattr(lib, name).__module__.startswith(lib.__name__ + ".")
    for module_name in modules_of(lib):
        module = importlib.import_module(f"{lib.__name__}.{module_name}")
        own = [
            name
            for name, thing in vars(module).items()
            if name[0] != "_"
            and (inspect.isfunction(thing) or inspect.isclass(thing))
            and thing.__module__ == module.__name__
        ]
        left_out = set(getattr(module, "__all__", own)) - set(lib.__all__)
        assert not left_out, f"public in {module.__name__} and not in __all__: {left_out}"


def documents() -> list[Any]:
    return [
        pytest.param(getattr(lib, name), id=f"{lib.__name__[15:]}-{name}")
        for lib in (numpy_wing, torch_wing)
        for name in lib.__all__
        if name not in SHARED
    ]


@pytest.mark.parametrize("thing", documents())
def test_every_public_name_is_documented(thing: Any) -> None:
    text = inspect.getdoc(thing) or ""
    if inspect.isclass(thing):  # what it takes and returns stands with its methods
        methods = [m for n, m in vars(thing).items() if inspect.isfunction(m)]
        text = "\n".join([text, *(inspect.getdoc(m) or "" for m in methods)])
    first = text.split("\n", 1)[0]
    assert first
    assert first[-1] in ".:"
    assert re.search(r"\((\.\.\.|[A-Z]\w*)[,)]|any shape", text), "no shape with named axes"
    assert "Returns" in text
    assert "Raises" in text


def test_the_package_says_its_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", companion.__version__)
