"""The inside of `tiled_attention_fast`: where its time goes, and what is done about it.

Two matrix products and one exponential a score are the work; all else is to be avoided.
1. Buffers are made once a thread and written into (`out=`): no tile is ever allocated.
2. A tile that a mask hides wholly is skipped; one that it does not touch is not masked.
3. |query · key| ≤ ‖query‖ ‖key‖ (Cauchy-Schwarz): where that bound is small, exp is safe as it is,
   and running maximum, subtraction and rescaling are left out.
4. Each (head, block of queries) is a job of its own, in a fixed order of sums: threads share them
   out and change no bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from companion._threads import share_out
from companion.with_numpy._types import Array

WIDE = 4  # a tile is so many times as wide as high: fewer steps, and 256 KiB fit a core's cache
SMALL = 2**18  # scores; below, a thread costs more than it brings
Job = tuple[tuple[int, ...], slice]  # the head, as an index of the leading axes, and its queries


@dataclass(frozen=True)
class Inputs:
    """What the jobs read and, of `output` and `normaliser`, each its own part writes."""

    query: Array  # (..., T, D)
    key: Array  # (..., S, D)
    value: Array  # (..., S, E)
    mask: Array | None  # (..., T or 1, S)
    causal: bool
    tile: int
    longest: Array  # (...), the longest key of each head
    highest: float  # the largest bound on scores at which exp needs no maximum
    output: Array  # (..., T, E)
    normaliser: Array  # (..., T)


@dataclass(frozen=True)
class Buffers:
    """One thread's own: its tile of scores, and the running sums of its block of queries."""

    query: Array  # (tile, D)
    scores: Array  # (tile * WIDE * tile,)
    mixed: Array  # (tile, E)
    total: Array  # (tile,)
    peak: Array  # (tile,)
    ones: Array  # (WIDE * tile,)
    ahead: Array  # (tile, tile), True above the diagonal


def forward(
    query: Array, key: Array, value: Array, mask: Array | None, causal: bool, tile: int
) -> tuple[Array, Array]:
    """Output (..., T, E) and log_normaliser (..., T) of arguments that are known to fit."""
    dtype, (*lead, T, _), S = query.dtype, query.shape, key.shape[-2]
    query, key, value = (_plain(array) for array in (query, key, value))
    if mask is not None:
        mask = np.broadcast_to(mask, (*lead, mask.shape[-2], S))
    with np.errstate(all="ignore"):  # what overflows here is no bound, and the scores tell
        longest = np.sqrt(np.einsum("...sd,...sd->...s", key, key).max(axis=-1, initial=0))
    highest = float(np.log(np.finfo(query.dtype).max)) / 3  # leaves room for S and for values
    output = np.empty((*lead, T, value.shape[-1]), query.dtype)
    normaliser = np.empty((*lead, T), query.dtype)
    tile = min(tile, max(T, S, 1))
    inputs = Inputs(query, key, value, mask, causal, tile, longest, highest, output, normaliser)
    blocks = [slice(first, min(first + tile, T)) for first in range(0, T, tile)]
    jobs = [(head, rows) for rows in reversed(blocks) for head in np.ndindex(*lead)]
    share_out(jobs, partial(_work, inputs), alone=normaliser.size * S < SMALL)
    return output.astype(dtype, copy=False), normaliser.astype(dtype, copy=False)


def _plain(array: Array) -> Array:
    """As BLAS takes it: rows of neighbours; float16, which BLAS does not know, as float32."""
    wide = array.astype(np.promote_types(array.dtype, np.float32), copy=False)
    return wide if wide.strides[-1] == wide.itemsize else np.ascontiguousarray(wide)


def _work(inputs: Inputs, jobs: Iterator[Job]) -> None:
    """One thread: its buffers, then one job after the other."""
    tile, dtype = inputs.tile, inputs.query.dtype
    buffers = Buffers(
        query=np.empty((tile, inputs.query.shape[-1]), dtype),
        scores=np.empty(tile * WIDE * tile, dtype),
        mixed=np.empty((tile, inputs.value.shape[-1]), dtype),
        total=np.empty(tile, dtype),
        peak=np.empty(tile, dtype),
        ones=np.ones(WIDE * tile, dtype),
        ahead=~np.tri(tile, dtype=bool),
    )
    with np.errstate(all="ignore"):  # NaN and inf are looked for by value
        for head, rows in jobs:
            _block(inputs, buffers, head, rows)


def _block(inputs: Inputs, buffers: Buffers, head: tuple[int, ...], rows: slice) -> None:
    """One block of queries against all keys that they may see."""
    (T, D), S, high = inputs.query.shape[-2:], inputs.key.shape[-2], rows.stop - rows.start
    query, total, peak = buffers.query[:high], buffers.total[:high], buffers.peak[:high]
    np.divide(inputs.query[head][rows], float(D) ** 0.5, out=query)
    longest = np.sqrt(np.einsum("td,td->t", query, query).max())
    bounded = bool(longest * inputs.longest[head] <= inputs.highest)  # False if NaN
    peak.fill(0 if bounded else -np.inf)
    output, mixed, fresh = inputs.output[head][rows], buffers.mixed[:high], True
    stop = rows.stop + S - T if inputs.causal else S
    for keys in _key_tiles(stop, WIDE * inputs.tile):
        seen = None if inputs.mask is None else _seen(inputs.mask[head], rows, keys)
        if seen is not None and not seen.any():
            continue
        wide = keys.stop - keys.start
        scores = buffers.scores[: high * wide].reshape(high, wide)
        np.matmul(query, inputs.key[head][keys].T, out=scores)
        if bounded:
            np.exp(scores, out=scores)
        ahead = buffers.ahead[:high, :high] if inputs.causal and keys.stop == stop else None
        _hide(scores, 0 if bounded else -np.inf, seen, ahead)
        if not bounded:
            shrink = _exp_below_peak(scores, peak)
            if shrink is not None and not fresh:
                total *= shrink
                output *= shrink[:, None]
        np.matmul(scores, inputs.value[head][keys], out=output if fresh else mixed)
        if fresh:
            np.matmul(scores, buffers.ones[:wide], out=total)
        else:
            output += mixed
            total += scores @ buffers.ones[:wide]
        fresh = False
    _finish(output, inputs.normaliser[head][rows], None if fresh else total, peak)


def _finish(output: Array, normaliser: Array, total: Array | None, peak: Array) -> None:
    """Divide by the sum; who has seen nothing gets zeros and -inf. No total: nobody has."""
    if total is None:
        output.fill(0)
        normaliser.fill(-np.inf)
        return
    blind = total == 0
    if blind.any():
        total[blind], peak[blind] = 1, -np.inf
    output /= total[:, None]
    np.add(peak, np.log(total), out=normaliser)


def _key_tiles(stop: int, wide: int) -> list[slice]:
    """From 0 to `stop`, the short one first: the diagonal lies in the last, wide enough for it."""
    first = stop % wide or wide
    edges = [0, *range(first, stop, wide), stop] if stop else []
    return [slice(start, end) for start, end in pairwise(edges)]


def _seen(mask: Array, rows: slice, keys: slice) -> Array | None:
    """The mask's part, None where it hides nothing."""
    part = mask[:, keys] if len(mask) == 1 else mask[rows, keys]
    return None if part.all() else part


def _hide(scores: Array, hidden: float, seen: Array | None, ahead: Array | None) -> None:
    if seen is not None:
        np.copyto(scores, hidden, where=~seen)
    if ahead is not None:
        np.copyto(scores[:, -len(ahead) :], hidden, where=ahead)


def _exp_below_peak(scores: Array, peak: Array) -> Array | None:
    """exp(scores - peak) in place; the factor for what was summed before, if the peak rose."""
    top, shrink = scores.max(axis=-1), None
    if not (top < np.inf).all():
        raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
    if (top > peak).any():
        higher = np.maximum(peak, top)
        shrink = np.exp(peak - _finite(higher))
        peak[:] = higher
    scores -= _finite(peak)[:, None]
    np.exp(scores, out=scores)
    return shrink


def _finite(peak: Array) -> Array:
    return np.where(np.isneginf(peak), 0, peak).astype(peak.dtype, copy=False)
