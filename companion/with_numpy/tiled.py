"""Tiled attention: the same result, never holding more than one tile of scores."""

import numpy as np

from companion import _check
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
    """`attention`, exactly, with scores of T queries against `tile` keys at a time.

        m' = max(m, max(scores)),   Z' = Z exp(m - m') + Σ exp(scores - m')
        output' = (output Z exp(m - m') + exp(scores - m') value) / Z'

    query (..., T, D)   key (..., S, D)   value (..., S, E)   mask (..., T, S), True = may look
    causal as if with `causal_mask(T, S)`, which is then never made   tile keys looked at together
    Returns output (..., T, E), and log_normaliser (..., T) = m + log Z, all that backward needs
    besides the inputs; a query that sees no key gets zeros and -inf.

    Extra memory grows as T times the tile, not as T times S; the time is that of `attention`.
    Raises TypeError or ValueError naming the argument that does not fit, ValueError if a visible
    score is NaN or +inf, or causal is asked of S < T.
    Source: Milakov & Gimelshein 2018, algorithm 3; Rabe & Staats 2021; Dao et al. 2022,
    algorithm 1, which tiles the queries too.
    """
    _check_tiled(query, key, value, mask, causal=causal, tile=tile)
    peak = np.full((*query.shape[:-1], 1), -np.inf, dtype=query.dtype)
    total = np.zeros_like(peak)
    mixed = np.zeros((*query.shape[:-1], value.shape[-1]), dtype=query.dtype)
    for keys in _tiles(key.shape[-2], tile):
        rows = _rows(query, key, keys, causal)
        scores = _tile_scores(query, key, mask, causal, rows, keys)
        higher = np.maximum(peak[..., rows, :], scores.max(axis=-1, keepdims=True))
        if np.isnan(higher).any() or np.isposinf(higher).any():
            raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
        shift = _finite(higher)
        seen, before = np.exp(scores - shift), np.exp(peak[..., rows, :] - shift)
        total[..., rows, :] = total[..., rows, :] * before + seen.sum(axis=-1, keepdims=True)
        mixed[..., rows, :] = mixed[..., rows, :] * before + seen @ value[..., keys, :]
        peak[..., rows, :] = higher
    blind = total == 0
    total[blind] = 1
    return mixed / total, np.where(blind, -np.inf, peak + np.log(total))[..., 0]


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
    Returns grad_query (..., T, D), grad_key (..., S, D) and grad_value (..., S, E), with extra
    memory of T times the tile. A gradient of log_normaliser itself is not provided for.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Dao et al. 2022, appendix B.2.
    """
    _check_tiled(query, key, value, mask, causal=causal, tile=tile)
    _check.floats(np.ndarray, query=query, output=output, grad_output=grad_output)
    for name, array in (("output", output), ("grad_output", grad_output)):
        _check.shape(name, array, (*query.shape[:-1], value.shape[-1]), "(..., T, E)")
    _check.shape("log_normaliser", log_normaliser, query.shape[:-1], "(..., T)")
    normaliser = _finite(log_normaliser)[..., None]
    mean = (grad_output * output).sum(axis=-1, keepdims=True)
    root = float(query.shape[-1]) ** 0.5
    grad_query, grad_key, grad_value = (np.zeros_like(array) for array in (query, key, value))
    for keys in _tiles(key.shape[-2], tile):
        rows = _rows(query, key, keys, causal)
        scores = _tile_scores(query, key, mask, causal, rows, keys)
        weights = np.exp(scores - normaliser[..., rows, :])
        grad_weights = grad_output[..., rows, :] @ value[..., keys, :].swapaxes(-1, -2)
        grad_scores = weights * (grad_weights - mean[..., rows, :]) / root
        grad_query[..., rows, :] += grad_scores @ key[..., keys, :]
        grad_key[..., keys, :] = grad_scores.swapaxes(-1, -2) @ query[..., rows, :]
        grad_value[..., keys, :] = weights.swapaxes(-1, -2) @ grad_output[..., rows, :]
    return grad_query, grad_key, grad_value


def _tiles(S: int, tile: int) -> list[slice]:
    return [slice(start, min(start + tile, S)) for start in range(0, S, tile)]


def _rows(query: Array, key: Array, keys: slice, causal: bool) -> slice:
    """The queries that may see any key of the tile: with causal, those before it are skipped."""
    first = keys.start - (key.shape[-2] - query.shape[-2]) if causal else 0
    return slice(max(0, first), None)


def _tile_scores(
    query: Array,
    key: Array,
    mask: Array | None,
    causal: bool,
    rows: slice,
    keys: slice,
) -> Array:
    T, S = query.shape[-2], key.shape[-2]
    scores = scaled_dot_score(query[..., rows, :], key[..., keys, :])
    if mask is not None:
        tall = mask if mask.shape[-2] == 1 else mask[..., rows, :]
        np.putmask(scores, ~np.broadcast_to(tall[..., keys], scores.shape), -np.inf)
    if causal:
        ahead = np.arange(keys.start, keys.stop) > np.arange(T)[rows, None] + (S - T)
        scores[..., ahead] = -np.inf
    return scores


def _finite(peak: Array) -> Array:
    """0 for -inf, where nothing has been seen: exp(-inf - 0) = 0, and exp(-inf + inf) is NaN."""
    return np.where(np.isneginf(peak), 0, peak).astype(peak.dtype, copy=False)


def _check_tiled(
    query: Array, key: Array, value: Array, mask: Array | None, *, causal: bool, tile: int
) -> None:
    _check.floats(np.ndarray, query=query, key=key, value=value)
    _check.query_key(query, key)
    _check.key_value(key, value)
    _check.length(1, tile=tile)
    T, S = query.shape[-2], key.shape[-2]
    if mask is not None:
        _check.attention_mask(np.ndarray, mask, (*query.shape[:-1], S))
    if causal and S < T:
        raise ValueError(f"key: expected S ≥ T = {T} with causal, got S = {S}")
