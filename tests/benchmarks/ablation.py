"""One trick after the other: from attention as it is printed to attention as fast as it goes."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from attention import TOLERANCE, in_float64, textbook
from measure import Contender, Contenders
from threadpoolctl import threadpool_limits

from companion.with_numpy import tiled_attention_fast

BASELINE = "textbook, float32"
SETUPS = [
    {"shape": shape, "causal": causal}
    for shape, causal in product(((1, 8, 1024, 64), (1, 8, 2048, 64)), (False, True))
]
QUICK = [{"shape": (1, 2, 192, 16), "causal": causal} for causal in (False, True)]
HIGH, WIDE = 128, 512


@dataclass(frozen=True)
class Tricks:
    """What is done about the time: the block form as it is, and then one trick more at a time."""

    wide: int | None = None  # keys at a time; None for all, as the formula needs it
    bounded: bool = False  # no maximum where a bound on the scores shows that exp is safe
    buffers: bool = False  # write into arrays that are there
    ones: bool = False  # add up a row by a product with ones
    threads: bool = False  # two blocks at a time
    one_blas: bool = False  # and BLAS on one thread in each
    exp2: bool = False  # 2 to the x log₂ e


STEPS = {
    "blocks of queries": (blocks := Tricks()),
    "+ threads, BLAS on one in each": (threads := replace(blocks, threads=True, one_blas=True)),
    "+ no maximum where exp is safe": (bounded := replace(threads, bounded=True)),
    "+ row sums as products": (ones := replace(bounded, ones=True)),
    "+ buffers": (buffers := replace(ones, buffers=True)),
    "+ tiles of keys": (whole := replace(buffers, wide=WIDE)),
    "all, but one thread": replace(whole, threads=False),
    "all, but BLAS on all cores in each": replace(whole, one_blas=False),
    "all, but a running maximum": replace(whole, bounded=False),
    "all, but no buffers": replace(whole, buffers=False),
    "all, but exp2": replace(whole, exp2=True),
}


def contenders(shape: tuple[int, ...], causal: bool) -> Contenders:
    rng = np.random.default_rng(0)
    arrays = tuple(rng.standard_normal(shape).astype(np.float32) for _ in range(3))
    exact = partial(in_float64, *arrays, causal)
    runs: dict[str, Callable[[], Any]] = {
        "textbook, divided by np.sqrt(D)": partial(float64_unawares, *arrays, causal),
        BASELINE: partial(textbook, *arrays, causal),
        **{name: partial(in_blocks, *arrays, causal, tricks) for name, tricks in STEPS.items()},
        "companion, tiled_attention_fast": lambda: tiled_attention_fast(*arrays, causal=causal)[0],
    }
    return {name: Contender(run, exact, TOLERANCE) for name, run in runs.items()}


def float64_unawares(query: Any, key: Any, value: Any, causal: bool) -> np.ndarray:
    """As `textbook`, but np.sqrt of an int is a float64, and float32 / float64 is float64."""
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    if causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ value


def in_blocks(query: Any, key: Any, value: Any, causal: bool, tricks: Tricks) -> np.ndarray:
    """Blocks of queries; a block of causal attention looks at no key behind its last query."""
    heads = [array.reshape(-1, *array.shape[-2:]) for array in (query, key, value)]
    output = np.empty_like(heads[2])
    if tricks.bounded and not bound(*heads[:2]) < 29:  # e^29 and sums of it fit float32
        raise ValueError("these scores need a running maximum")
    jobs = [(head, top) for top in range(0, query.shape[-2], HIGH) for head in range(len(output))]

    def work(mine: list[tuple[int, int]]) -> None:
        wide = tricks.wide or key.shape[-2]
        space = np.empty(HIGH * wide, np.float32) if tricks.buffers else None
        for head, top in mine:
            q, k, v = (array[head] for array in heads)
            seen = min(top + HIGH, len(k)) if causal else len(k)
            part = slice(top, top + HIGH)
            block(q[part], k[:seen], v[:seen], output[head, part], causal, space, wide, tricks)

    cores = int(os.environ["OMP_NUM_THREADS"]) if tricks.threads else 1
    held = threadpool_limits(1, user_api="blas") if tricks.one_blas else nullcontext()
    with held, ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, [jobs[i::cores] for i in range(cores)]))
    return output.reshape(*query.shape[:-1], value.shape[-1])


def bound(query: np.ndarray, key: np.ndarray) -> float:
    """No score is larger: |query · key| ≤ ‖query‖ ‖key‖."""
    longest = [np.sqrt(np.einsum("...d,...d->...", x, x).max()) for x in (query, key)]
    return float(longest[0] * longest[1] / query.shape[-1] ** 0.5)


def block(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    output: np.ndarray,
    causal: bool,
    space: np.ndarray | None,
    wide: int,
    tricks: Tricks,
) -> None:
    """One block of queries over tiles of keys; the last keys are the queries' own if causal."""
    exp, base = (np.exp2, np.log2(np.e)) if tricks.exp2 else (np.exp, 1.0)
    query = query * np.float32(base / query.shape[-1] ** 0.5)
    total, peak = np.zeros((len(query), 1), np.float32), np.full((len(query), 1), -np.inf, "f4")
    ones = np.ones((min(wide, len(key)), 1), np.float32)
    for left in range(0, len(key), wide):
        keys = slice(left, min(left + wide, len(key)))
        count = keys.stop - left
        own = None if space is None else space[: len(query) * count].reshape(len(query), count)
        scores = np.matmul(query, key[keys].T, out=own)
        if causal and keys.stop > len(key) - len(query):
            last = np.arange(len(key) - len(query), len(key))[:, None]
            np.copyto(scores, -np.inf, where=np.arange(left, keys.stop) > last)
        if not tricks.bounded:
            higher = np.maximum(peak, scores.max(axis=-1, keepdims=True))
            scores, shrink = np.subtract(scores, higher, out=own), exp(peak - higher)
            total, peak = total * shrink, higher
            if left:
                output *= shrink
        weights = exp(scores, out=own)
        total += weights @ ones[:count] if tricks.ones else weights.sum(axis=-1, keepdims=True)
        if left:
            output += weights @ value[keys]
        else:
            np.matmul(weights, value[keys], out=output)
    output /= total
