"""Tiled attention: the same result, never holding more than one tile of scores."""

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy import _tiled_fast
from companion.with_numpy._types import Array
from companion.with_numpy.scores import scaled_dot_score


def tiled_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    causal: bool = False,
    tile: int = 128,
) -> tuple[Array, Array]:
    """`attention`, exactly, with the scores of `tile` queries against `tile` keys at a time.

        m' = max(m, max(scores)),   Z' = Z exp(m - m') + Σ exp(scores - m')
        output' = (output Z exp(m - m') + exp(scores - m') value) / Z'

    query (..., T, D)   key (..., S, D)   value (..., S, E)   mask (..., T, S), True = may look
    causal as if with `causal_mask(T, S)`, which is then never made   tile in tokens
    Returns output (..., T, E), and log_normaliser (..., T) = m + log Z, all that backward needs
    besides the inputs; a query that sees no key gets zeros and -inf.

    Extra memory grows as T (times the tile at the most), not as T times S; the number of
    multiplications is that of `attention`, and half of it with causal.
    Raises TypeError or ValueError naming the argument that does not fit, ValueError if a visible
    score is NaN or +inf, or causal is asked of S < T.
    Source: Milakov & Gimelshein 2018, algorithm 3; Rabe & Staats 2021; Dao et al. 2022,
    algorithm 1.
    """
    _check_layers.tiled(np.ndarray, query, key, value, mask, causal=causal, tile=tile)
    parts = []
    for rows in _tiles(query.shape[-2], tile):
        first = query[..., rows, :1]
        peak, total = np.full_like(first, -np.inf), np.zeros_like(first)
        mixed = np.zeros((*first.shape[:-1], value.shape[-1]), dtype=value.dtype)
        for keys in _tiles(_reach(query, key, rows, causal), tile):
            scores = _tile_scores(query, key, mask, causal, rows, keys)
            higher = np.maximum(peak, scores.max(axis=-1, keepdims=True, initial=-np.inf))
            if np.isnan(higher).any() or np.isposinf(higher).any():
                raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
            with np.errstate(over="ignore"):  # a gap too wide for the dtype is -inf: weight 0
                seen, before = np.exp(scores - _finite(higher)), np.exp(peak - _finite(higher))
            total = total * before + seen.sum(axis=-1, keepdims=True)
            mixed = mixed * before + seen @ value[..., keys, :]
            peak = higher
        blind = total == 0
        total = np.where(blind, 1, total).astype(query.dtype, copy=False)
        parts.append((mixed / total, np.where(blind, peak, peak + np.log(total))[..., 0]))
    outputs, normalisers = zip(*parts, strict=True)
    return np.concatenate(outputs, axis=-2), np.concatenate(normalisers, axis=-1)


def tiled_attention_fast(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    causal: bool = False,
    tile: int = 128,
) -> tuple[Array, Array]:
    """`tiled_attention` for use: the same sums, as fast as we know how in NumPy.

    query (..., T, D)   key (..., S, D)   value (..., S, E)   mask (..., T, S), True = may look
    causal, tile as in `tiled_attention`, but a tile is four times as wide as high
    Returns output (..., T, E) and log_normaliser (..., T), as `tiled_attention` does.

    In as many threads as BLAS may use (OMP_NUM_THREADS, threadpoolctl), side by side over heads and
    blocks of queries, with BLAS on one thread until it returns; the result has the same bits for
    any number. Without threadpoolctl (the extra `fast`) there is one thread of ours. float16 is
    computed in float32 and rounded at the end. How, step by step: `_tiled_fast.py`.
    Raises what `tiled_attention` raises, with the same words.
    """
    _check_layers.tiled(np.ndarray, query, key, value, mask, causal=causal, tile=tile)
    return _tiled_fast.forward(query, key, value, mask, causal, tile)


def tiled_attention_backward(
    grad_output: Array,
    query: Array,
    key: Array,
    value: Array,
    output: Array,
    log_normaliser: Array,
    mask: Array | None = None,
    *,
    causal: bool = False,
    tile: int = 128,
) -> tuple[Array, Array, Array]:
    """Gradients of `tiled_attention`'s output: each tile of weights is made again from its scores.

        weights = exp(scores - log_normaliser),   g = ∂L/∂weights = G valueᵀ,   G = grad_output
        ∂L/∂scores = weights (g - Σ_e G_e output_e),   as Σ_s g_s weights_s = Σ_e G_e output_e

    grad_output, output (..., T, E)   log_normaliser (..., T) as returned   the others as there
    Returns grad_query (..., T, D), grad_key (..., S, D) and grad_value (..., S, E). There is none
    of log_normaliser: it is for this function, not for a loss.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Dao et al. 2022, appendix B.4.
    """
    _check_backward(grad_output, query, key, value, output, log_normaliser)
    _check_layers.tiled(np.ndarray, query, key, value, mask, causal=causal, tile=tile)
    normaliser, root = _finite(log_normaliser)[..., None], float(query.shape[-1]) ** 0.5
    mean = (grad_output * output).sum(axis=-1, keepdims=True)
    grad_query, grad_key, grad_value = (np.zeros_like(array) for array in (query, key, value))
    for rows in _tiles(query.shape[-2], tile):
        grad_rows = grad_output[..., rows, :]
        for keys in _tiles(_reach(query, key, rows, causal), tile):
            scores = _tile_scores(query, key, mask, causal, rows, keys)
            weights = np.exp(scores - normaliser[..., rows, :])
            grad_weights = grad_rows @ value[..., keys, :].swapaxes(-1, -2)
            grad_scores = weights * (grad_weights - mean[..., rows, :]) / root
            grad_query[..., rows, :] += grad_scores @ key[..., keys, :]
            grad_key[..., keys, :] += grad_scores.swapaxes(-1, -2) @ query[..., rows, :]
            grad_value[..., keys, :] += weights.swapaxes(-1, -2) @ grad_rows
    return grad_query, grad_key, grad_value


def _tiles(length: int, tile: int) -> list[slice]:
    """Slices that cover 0 to length; at least one, so that nothing has a shape as well."""
    return [slice(start, min(start + tile, length)) for start in range(0, max(length, 1), tile)]


def _reach(query: Array, key: Array, rows: slice, causal: bool) -> int:
    """How many keys the last of these queries may see: no tile behind them is looked at."""
    T, S = query.shape[-2], key.shape[-2]
    return rows.stop + S - T if causal else S


def _tile_scores(
    query: Array, key: Array, mask: Array | None, causal: bool, rows: slice, keys: slice
) -> Array:
    scores = scaled_dot_score(query[..., rows, :], key[..., keys, :])
    if mask is not None:
        tall = mask if mask.shape[-2] == 1 else mask[..., rows, :]
        scores = np.where(tall[..., keys], scores, -np.inf).astype(scores.dtype, copy=False)
    if causal:
        last_seen = np.arange(rows.start, rows.stop) + (key.shape[-2] - query.shape[-2])
        ahead = np.arange(keys.start, keys.stop) > last_seen[:, None]
        scores = np.where(ahead, -np.inf, scores).astype(scores.dtype, copy=False)
    return scores


def _finite(peak: Array) -> Array:
    """0 for -inf, where nothing has been seen: exp(-inf - 0) = 0, and exp(-inf + inf) is NaN."""
    return np.where(np.isneginf(peak), 0, peak).astype(peak.dtype, copy=False)


def _check_backward(
    grad_output: Array,
    query: Array,
    key: Array,
    value: Array,
    output: Array,
    log_normaliser: Array,
) -> None:
    saved = {"output": output, "log_normaliser": log_normaliser, "grad_output": grad_output}
    _check.floats(np.ndarray, query=query, key=key, value=value, **saved)
    for name in ("output", "grad_output"):
        _check.shape(name, saved[name], (*query.shape[:-1], value.shape[-1]), "(..., T, E)")
    _check.shape("log_normaliser", log_normaliser, query.shape[:-1], "(..., T)")
