"""Parity cases of decoding, and the small models that its tests write with."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Arguments, Case, add, normal, sizes

Rng, Lead = np.random.Generator, tuple[int, ...]


def table_step(table: Any) -> Callable[..., tuple[Any, Any]]:
    """A language model that is a table (P, V, V): position modulo P, last token → logits.

    Its cache is the count (B,) of tokens read, so that a wrong row or a wrong count shows.
    """

    def step(ids: Any, cache: Any, *, lengths: Any = None) -> tuple[Any, Any]:
        at = cache[:, None] + (ids * 0 + 1).cumsum(1) - 1
        read = ids.shape[1] if lengths is None else lengths
        return table[at % len(table), ids], cache + read

    return step


def take_rows(cache: Any, rows: Any) -> Any:
    """`select` for a cache that is an array or a tuple of arrays."""
    return tuple(part[rows] for part in cache) if isinstance(cache, tuple) else cache[rows]


def uncached(forward: Callable[..., Any], array: Callable[[Any], Any]) -> Callable[..., Any]:
    """A step that reads everything again: its cache is (text (B, n), seen (B,), *context).

    forward(text, *context) → logits (B, n, V)   array from NumPy to the wing
    """

    def step(ids: Any, cache: Any, *, lengths: Any = None) -> tuple[Any, Any]:
        old, seen, new = (np.asarray(a) for a in (cache[0], cache[1], ids))
        B, T = new.shape
        counts = np.full(B, T) if lengths is None else np.asarray(lengths)
        text = np.concatenate([old, np.zeros((B, T), old.dtype)], axis=1)
        for b in range(B):
            text[b, seen[b] : seen[b] + counts[b]] = new[b, : counts[b]]
        logits = forward(array(text), *cache[2:])
        at = seen[:, None] + np.arange(T)
        picked = logits[array(np.arange(B)[:, None]), array(at)]
        return picked, (array(text), array(seen + counts), *cache[2:])

    return step


def nothing_read(B: int, array: Callable[[Any], Any], *context: Any) -> Any:
    """The first cache of `uncached`."""
    return (array(np.zeros((B, 0), np.int64)), array(np.zeros(B, np.int64)), *context)


# ------------------------------------------------------------------------------- filters


def _logits(rng: Rng, dtype: Any, *shape: int) -> Any:
    """Some -inf, some equal; the first of each row is finite."""
    logits = np.where(rng.random(shape) < 0.3, 1.5, 2 * normal(rng, dtype, *shape)).astype(dtype)
    logits[rng.random(shape) < 0.2] = -np.inf
    logits[..., 0] = 0.25
    return logits


def _filter(name: str, draw: Callable[[Rng, int], Any]) -> Any:
    def drawn(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
        V = int(rng.integers(1, 12))
        return {"logits": _logits(rng, dtype, *lead, V), name: draw(rng, V)}

    return drawn


def _history(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    B, V, T = math.prod(lead), *(int(n) for n in rng.integers(1, 8, size=2))
    lengths = rng.integers(0, T + 1, size=B)
    return {
        "logits": _logits(rng, dtype, B, V),
        "ids": rng.integers(0, V, size=(B, T)),
        "lengths": lengths if rng.random() < 0.5 else None,
        "n": int(rng.integers(1, 4)),
    }


def _draw(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    V = int(rng.integers(1, 12))
    return {
        "logits": _logits(rng, dtype, *lead, V),
        "uniform": np.asarray(rng.random(lead)),
        **_filters(rng, V),
    }


def _filters(rng: Rng, V: int) -> Arguments:
    return {
        "temperature": rng.uniform(0.5, 2),
        "top_k": int(rng.integers(1, V + 1)) if rng.random() < 0.5 else None,
        "top_p": rng.uniform(0.1, 1) if rng.random() < 0.5 else None,
    }


add(Case("top_k_filter", _filter("top_k", lambda rng, V: int(rng.integers(1, V + 1))), ("logits",)))
add(Case("nucleus_filter", _filter("top_p", lambda rng, V: rng.uniform(0.01, 1)), ("logits",)))
add(Case("block_repeated_ngrams", _history, ("logits",)))
add(Case("sample_token", _draw, ("ids",)))


# ------------------------------------------------------------------------------- writing


def _prompt(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    B, (T, P) = math.prod(lead), sizes(rng, "TP")
    V = int(rng.integers(10, 14))  # more than an n-gram of 1 can use up
    return {
        "table": 2 * normal(rng, dtype, P, V, V),
        "cache": rng.integers(0, 3, size=B),
        "ids": rng.integers(0, V, size=(B, T)),
        "lengths": rng.integers(1, T + 1, size=B) if rng.random() < 0.5 else None,
        "eos_id": int(rng.integers(V)) if rng.random() < 0.8 else None,
        "pad_id": int(rng.integers(V)),
        "no_repeat_ngram": int(rng.choice([0, 2, 3])),
    }


def _greedy(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {**_prompt(rng, dtype, lead), "max_new_tokens": int(rng.integers(1, 6))}


def _sample(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _prompt(rng, dtype, lead)
    uniform = rng.random((len(given["ids"]), int(rng.integers(1, 6))))
    return {**given, "uniform": uniform, **_filters(rng, given["table"].shape[-1])}


def _beam(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _greedy(rng, dtype, lead)
    return {**given, "beams": int(rng.integers(1, 6)), "alpha": rng.uniform(-0.5, 1.5)}


def _over_table(name: str, **fixed: Any) -> Any:
    def call(wing: Any, table: Any, cache: Any, **rest: Any) -> Any:
        return getattr(wing, name)(table_step(table), cache, **rest, **fixed)

    return call


def _length(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"length": int(rng.integers(1, 20)), "alpha": rng.uniform(-1, 2)}


WRITTEN = ("ids", "lengths", "log_probs")
add(Case("greedy", _greedy, WRITTEN, call=_over_table("greedy")))
add(Case("sample", _sample, WRITTEN, call=_over_table("sample")))
beam = _over_table("beam_search", select=take_rows)
add(Case("beam_search", _beam, (*WRITTEN, "scores"), call=beam))
add(Case("wu_length_penalty", _length, ("divisor",)))
add(Case("power_length_penalty", _length, ("divisor",)))
