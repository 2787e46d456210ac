"""Exact attention in float32: ours in tiles, the textbook's, torch's, and the machine's limit."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
from measure import Contender, Contenders

from companion.with_numpy import tiled_attention, tiled_attention_fast

BASELINE = "torch"
SHAPES = ((1, 8, 512, 64), (1, 8, 2048, 64), (1, 8, 8192, 64), (4, 8, 1024, 64))
SETUPS = [{"shape": shape, "causal": causal} for shape, causal in product(SHAPES, (False, True))]
QUICK = [{"shape": (1, 2, 192, 16), "causal": causal} for causal in (False, True)]
TOLERANCE = 2e-6  # float32 rounds at 6e-8; sums of some thousand products of order 1
READABLE = 2048
HIGH, WIDE = 128, 512  # tiles of the limit, the best of those tried


def contenders(shape: tuple[int, ...], causal: bool) -> Contenders:
    rng = np.random.default_rng(0)
    arrays = tuple(rng.standard_normal(shape).astype(np.float32) for _ in range(3))

    def exact() -> np.ndarray:
        return in_float64(*arrays, causal)

    found: Contenders = {
        "companion, tiled_attention_fast": Contender(
            lambda: tiled_attention_fast(*arrays, causal=causal)[0], exact, TOLERANCE
        ),
        "companion, tiled_attention": Contender(
            lambda: tiled_attention(*arrays, causal=causal)[0], exact, TOLERANCE
        ),
        "textbook NumPy": Contender(lambda: textbook(*arrays, causal), exact, TOLERANCE),
        "products and exp alone": Contender(
            lambda: limit(*arrays, causal),
            lambda: in_float64(*arrays, causal, whole=False),
            TOLERANCE,
        ),
    }
    if 3 * 4 * shape[-2] * arrays[0][..., 0].size > memory() / 2:
        found["textbook NumPy"] = "its scores do not fit the memory"
    if shape[-2] > READABLE:
        found["companion, tiled_attention"] = "the form to read, timed at short lengths only"
    try:
        import torch
    except ImportError:
        return found | {BASELINE: "torch: not installed"}
    tensors = [torch.from_numpy(array) for array in arrays]
    fused = torch.nn.functional.scaled_dot_product_attention
    return found | {
        BASELINE: Contender(lambda: fused(*tensors, is_causal=causal), exact, TOLERANCE)
    }


def textbook(query: Any, key: Any, value: Any, causal: bool) -> np.ndarray:
    """The formula as it is printed, in the dtype of its inputs."""
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    if causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, np.float32(-np.inf))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True) @ value


def limit(query: Any, key: Any, value: Any, causal: bool) -> np.ndarray:
    """Nothing but exp(query keyᵀ) value, tiles above the diagonal left out: the least to do.

    The diagonal's own tile is not masked, and no sum is divided by: this is no attention.
    """
    from threadpoolctl import threadpool_limits

    heads = np.stack([x.reshape(-1, *x.shape[-2:]) for x in (query, key, value)], axis=1)
    output = np.empty(heads[:, 0].shape, np.float32)

    def work(part: slice) -> None:
        tile, mixed = np.empty(HIGH * WIDE, np.float32), np.empty_like(output[0, :HIGH])
        for (q, k, v), out in zip(heads[part], output[part], strict=True):
            for top in range(0, len(q), HIGH):
                rows, seen = q[top : top + HIGH] / 8, top + HIGH if causal else len(k)
                mine = out[top : top + HIGH]
                for left in range(0, min(seen, len(k)), WIDE):
                    keys = slice(left, min(left + WIDE, seen, len(k)))
                    scores = tile[: len(rows) * (keys.stop - left)].reshape(len(rows), -1)
                    np.exp(np.matmul(rows, k[keys].T, out=scores), out=scores)
                    np.matmul(scores, v[keys], out=mixed[: len(rows)] if left else mine)
                    if left:
                        mine += mixed[: len(rows)]

    cores = int(os.environ["OMP_NUM_THREADS"])
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, [slice(i, None, cores) for i in range(cores)]))
    return output.reshape(query.shape)


def in_float64(query: Any, key: Any, value: Any, causal: bool, *, whole: bool = True) -> Any:
    """The truth, a few queries at a time; with `whole` false, of `limit` instead."""
    query, key, value = (array.astype(np.float64) for array in (query, key, value))
    output, T = np.empty_like(query), query.shape[-2]
    root = query.shape[-1] ** 0.5 if whole else 8.0
    for head in np.ndindex(*query.shape[:-2]):
        for top in range(0, T, HIGH):
            rows = slice(top, min(top + HIGH, T))
            scores = query[head][rows] @ key[head].T / root
            if causal:
                last = np.arange(T)[rows] if whole else np.full(rows.stop - top, top + HIGH - 1)
                scores[np.arange(T) > last[:, None]] = -np.inf
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True) if whole else scores)
            total = weights.sum(axis=-1, keepdims=True) if whole else 1
            output[head][rows] = weights @ value[head] / total
    return output


def memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
