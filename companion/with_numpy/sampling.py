"""From logits to one token: filters that forbid tokens, and a draw among what is left.

Equal logits never leave anything to chance: the lower id counts as the larger.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from companion import _check, _check_decoding
from companion.with_numpy._types import Array
from companion.with_numpy.softmax import log_softmax, softmax

__all__ = ["block_repeated_ngrams", "nucleus_filter", "sample_token", "top_k_filter"]


def top_k_filter(logits: Array, top_k: int) -> Array:
    """Keep the `top_k` largest logits of each row; the others become -inf.

    logits (..., V), floating   top_k 1 to V
    Returns logits (..., V) of the same dtype; exactly `top_k` stay as they were.

    Raises TypeError or ValueError if logits hold NaN or +inf, or top_k is not 1 to V.
    Source: Fan et al. 2018, who sampled stories among the 10 most likely words.
    """
    _check_decoding.logits(np.ndarray, logits)
    _check_decoding.top_k(top_k, logits.shape[-1])
    return _forbid(logits, ~keep_top(logits, top_k))


def nucleus_filter(logits: Array, top_p: float) -> Array:
    """Keep the fewest tokens whose probabilities add up to at least `top_p`; others become -inf.

        the most likely first:  token j stays  ⇔  Σ_{i before j} softmax(logits)_i < top_p

    logits (..., V), floating   top_p 0 < top_p ≤ 1, a probability
    Returns logits (..., V) of the same dtype; at least one stays in each row.

    Raises TypeError or ValueError if logits hold NaN or +inf, or top_p is not in (0, 1].
    Source: Holtzman et al. 2020, section 3.1. The sums are taken in float64: over a large
    vocabulary those of float32 would be wrong in the fourth digit.
    """
    _check_decoding.logits(np.ndarray, logits)
    _check_decoding.top_p(top_p)
    if top_p == 1:  # all of them; a rounded sum could reach 1 before the last
        return logits.copy()
    order = np.argsort(-logits, axis=-1, kind="stable")
    weights = np.take_along_axis(softmax(logits), order, axis=-1)
    before = np.zeros(logits.shape)
    before[..., 1:] = np.cumsum(weights[..., :-1], axis=-1, dtype=np.float64)
    out = np.empty(logits.shape, bool)
    np.put_along_axis(out, order, before >= top_p, axis=-1)
    return _forbid(logits, out)


def block_repeated_ngrams(logits: Array, ids: Array, lengths: Array | None, n: int) -> Array:
    """Forbid each token that would end an n-gram which its row already holds.

        token v becomes -inf  ⇔  (the last n - 1 tokens, v) occurs in the row

    logits (B, V), floating   ids (B, T), integer, 0 to V-1: what has been written
    lengths (B,), integer, 0 to T: real tokens of each row, at its left; None: all   n ≥ 1
    Returns logits (B, V) of the same dtype.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Paulus et al. 2018, section 2.5, with n = 3.
    """
    _check_decoding.history(np.ndarray, logits, ids, lengths, n)
    B, T = ids.shape
    if n > T:
        return logits.copy()
    ends = np.full(B, T) if lengths is None else lengths.astype(np.int64)
    tail_at = np.maximum(ends[:, None] - (n - 1) + np.arange(n - 1), 0)
    tail = np.take_along_axis(ids, tail_at, axis=1)
    windows = sliding_window_view(ids, n, axis=1)  # (B, T-n+1, n)
    whole = np.arange(n, T + 1) <= ends[:, None]
    found = (windows[..., :-1] == tail[:, None]).all(axis=-1) & whole
    rows, places = np.nonzero(found)
    out = np.zeros(logits.shape, bool)
    out[rows, windows[rows, places, -1]] = True
    return _forbid(logits, out)


def sample_token(
    logits: Array,
    uniform: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Array:
    """Draw one token per row by inverting the cumulative distribution at a given uniform number.

        token = the first j with  Σ_{i ≤ j} w_i > u,    w = softmax(filtered logits / τ)

    logits (..., V), floating   uniform (...), floating, 0 ≤ u < 1: one draw per row
    temperature τ > 0 comes first, then top_k, then top_p; None for no filter
    Returns ids (...), int64. The draw is an argument, so both wings choose the same token.

    Raises TypeError or ValueError naming the argument that does not fit, or if a row is all -inf.
    Source: the inversion method, Devroye 1986, section III.2; the filters' are with them.
    """
    _check_decoding.logits(np.ndarray, logits)
    _check_decoding.uniform(np.ndarray, uniform, logits.shape[:-1], "the axes before V of logits")
    _check.temperature(temperature, np.finfo(logits.dtype).tiny)
    _check_decoding.some_token(logits)
    kept = log_softmax(logits, temperature=temperature)
    kept = kept if top_k is None else top_k_filter(kept, top_k)
    kept = kept if top_p is None else nucleus_filter(kept, top_p)
    mass = np.cumsum(softmax(kept), axis=-1, dtype=np.float64)
    total = mass[..., -1]  # 1 but for rounding
    aim = np.minimum(uniform * total, np.nextafter(total, 0))
    return (mass <= aim[..., None]).sum(axis=-1, dtype=np.int64)


def keep_top(values: Array, count: int) -> Array:
    """Boolean, True at the `count` largest of the last axis; of equals, those that come first."""
    edge = np.partition(values, -count, axis=-1)[..., -count, None]
    kept = values >= edge
    if np.count_nonzero(kept) == edge.size * count:  # no more than room for
        return kept
    above, level = values > edge, values == edge
    room = count - above.sum(axis=-1, keepdims=True)
    return above | (level & (np.cumsum(level, axis=-1) <= room))


def order_top(values: Array, count: int) -> Array:
    """Where the `count` largest of values (B, M) are, the largest first; of equals, the first."""
    kept = np.nonzero(keep_top(values, count))[1].reshape(len(values), count)
    best = np.argsort(-np.take_along_axis(values, kept, axis=1), axis=1, kind="stable")
    return np.take_along_axis(kept, best, axis=1)


def _forbid(logits: Array, out: Array) -> Array:
    return np.where(out, -np.inf, logits).astype(logits.dtype, copy=False)
