"""One case for each public name: how to draw its arguments. The parity tests are made from these.

To add a case, in this file or in your own `tests/cases_<room>.py` (collected by itself):
  1. write `draw(rng, dtype, lead)`: the forward's arguments by name, as NumPy arrays of `dtype`
     with leading axes `lead` (rank 0 to 3, one may be 0), the other sizes from `sizes(rng, ...)`;
  2. `add(Case("name", draw, returns=("scores",), gradients=("query", "key")))`: the outputs' names
     and the arguments that have a gradient, both in order; `name_backward` is then tested as well:
     its `grad_X` gets a random gradient of output X, its other parameters by name what went into
     or came out of the forward. Give `call` where the name is not just called with the arguments.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

Arguments = dict[str, Any]

# Public names that live in one wing only, each with the reason. `*_backward` need not be named:
# autograd is the torch wing's backward.
SINGLE_WING: dict[str, str] = {
    "tiled_attention_fast": "torch has its own: torch.nn.functional.scaled_dot_product_attention",
}

LEADS = ((), (1,), (2,), (0,), (2, 3), (3, 1, 2), (2, 0, 3))  # batch rank 0 to 3, empty batches


@dataclass(frozen=True)
class Case:
    name: str
    draw: Callable[[np.random.Generator, Any, tuple[int, ...]], Arguments]
    returns: tuple[str, ...] = ("output",)
    gradients: tuple[str, ...] = ()  # the arguments that `name_backward` returns gradients of
    call: Callable[..., Any] | None = None  # call(wing, **arguments), for a class and the like

    def run(self, wing: Any, arguments: Arguments) -> Any:
        if self.call is not None:
            return self.call(wing, **arguments)
        return getattr(wing, self.name)(**arguments)

    def outputs(self, result: Any) -> dict[str, Any]:
        """The result by name: a single output is not a tuple of one."""
        parts = (result,) if len(self.returns) == 1 else result
        return dict(zip(self.returns, parts, strict=True))


_CASES: dict[str, list[Case]] = {}


def add(case: Case) -> None:
    """A name may have several cases: add it again with another draw."""
    _CASES.setdefault(case.name, []).append(case)


def collected() -> dict[str, list[Case]]:
    """All cases by public name, those of the files beside this one included."""
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        importlib.import_module(path.stem)
    return _CASES


def convert(tree: Any, leaf: Callable[[Any], Any]) -> Any:
    """The same nest of dicts, lists, tuples and dataclasses with `leaf` applied to each end."""
    if isinstance(tree, dict):
        return {name: convert(part, leaf) for name, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(convert(part, leaf) for part in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(convert(part, leaf) for part in tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        parts = {f.name: convert(getattr(tree, f.name), leaf) for f in fields(tree)}
        return type(tree)(**parts)
    return leaf(tree)


def leaves(tree: Any) -> list[Any]:
    """The ends of the nest in order."""
    found: list[Any] = []
    convert(tree, lambda end: found.append(end) or end)
    return found


def sizes(rng: np.random.Generator, axes: str) -> list[int]:
    """A different length for each axis letter, 1 included, so that a transpose cannot hide."""
    return [int(n) for n in rng.permutation(np.arange(1, max(7, len(axes)) + 1))[: len(axes)]]


def normal(rng: np.random.Generator, dtype: Any, *shape: int) -> Any:
    return rng.standard_normal(shape).astype(dtype)


def some_mask(rng: np.random.Generator, *shape: int) -> Any:
    """Half of the pairs; where there are two rows or more, one row sees nothing."""
    mask = rng.random(shape) < 0.5
    if len(shape) > 1 and shape[-2] > 1 and mask.size:
        mask[..., rng.integers(shape[-2]), :] = False
    return mask


# ------------------------------------------------------------------------------- softmax


def _softmax(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S = sizes(rng, "TS")
    scores = 3 * normal(rng, dtype, *lead, T, S)
    masks = (None, some_mask(rng, T, S), some_mask(rng, *lead, T, S), some_mask(rng, T, 1))
    axis = int(rng.integers(-scores.ndim, scores.ndim))
    chosen = masks[rng.integers(len(masks))]
    return {"scores": scores, "mask": chosen, "axis": axis, "temperature": rng.uniform(0.5, 2)}


def _online_softmax(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S = sizes(rng, "TS")
    scores = 3 * normal(rng, dtype, *lead, T, S)
    scores[~some_mask(rng, *scores.shape)] = -np.inf
    return {"scores": scores, "block": int(rng.integers(1, S + 3))}


add(Case("softmax", _softmax, ("weights",), ("scores",)))
add(Case("online_softmax", _online_softmax, ("weights",)))


# -------------------------------------------------------------------------------- scores


def _pair(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S, D = sizes(rng, "TSD")
    return {"query": normal(rng, dtype, *lead, T, D), "key": normal(rng, dtype, *lead, S, D)}


def _cosine(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    # eps of the vectors' own size, so that some lie below it and some above
    return {**_pair(rng, dtype, lead), "eps": rng.uniform(0.5, 2)}


def _general(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S, Dq, Dk = sizes(rng, "TSQK")
    query, key = normal(rng, dtype, *lead, T, Dq), normal(rng, dtype, *lead, S, Dk)
    return {"query": query, "key": key, "weight": normal(rng, dtype, Dq, Dk)}


def _additive(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S, Dq, Dk, A = sizes(rng, "TSQKA")
    return {
        "query": normal(rng, dtype, *lead, T, Dq),
        "key": normal(rng, dtype, *lead, S, Dk),
        "query_proj": normal(rng, dtype, A, Dq),
        "key_proj": normal(rng, dtype, A, Dk),
        "score_proj": normal(rng, dtype, A),
    }


add(Case("dot_score", _pair, ("scores",), ("query", "key")))
add(Case("scaled_dot_score", _pair, ("scores",), ("query", "key")))
add(Case("cosine_score", _cosine, ("scores",), ("query", "key")))
add(Case("general_score", _general, ("scores",), ("query", "key", "weight")))
add(
    Case(
        "additive_score",
        _additive,
        ("scores",),
        ("query", "key", "query_proj", "key_proj", "score_proj"),
    )
)


# --------------------------------------------------------------------- masks and attention


def _causal_mask(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, extra = (int(n) for n in rng.integers(0, 6, size=2))
    return {"T": T, "S": None if extra == 0 else T + extra}


def _padding_mask(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    B, S = (lead or (1,))[0], int(rng.integers(0, 6))
    return {"lengths": rng.integers(0, S + 1, size=B), "S": S}


def _attention(rng: np.random.Generator, dtype: Any, lead: tuple[int, ...]) -> Arguments:
    T, S, D, E = sizes(rng, "TSDE")
    masks = (None, some_mask(rng, *lead, T, S), some_mask(rng, T, S), some_mask(rng, 1, S))
    return {
        "query": normal(rng, dtype, *lead, T, D),
        "key": normal(rng, dtype, *lead, S, D),
        "value": normal(rng, dtype, *lead, S, E),
        "mask": masks[rng.integers(len(masks))],
    }


add(Case("causal_mask", _causal_mask, ("mask",)))
add(Case("padding_mask", _padding_mask, ("mask",)))
add(Case("attention", _attention, ("output", "weights"), ("query", "key", "value")))
