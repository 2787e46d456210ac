"""Tiled attention: the same result, never holding more than one tile of scores."""

import torch
from torch import Tensor

from companion import _check_layers
from companion.with_torch.scores import scaled_dot_score


def tiled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    tile: int = 128,
) -> tuple[Tensor, Tensor]:
    """`attention`, exactly, with the scores of `tile` queries against `tile` keys at a time.

        m' = max(m, max(scores)),   Z' = Z exp(m - m') + Σ exp(scores - m')
        output' = (output Z exp(m - m') + exp(scores - m') value) / Z'

    query (..., T, D)   key (..., S, D)   value (..., S, E)   mask (..., T, S), True = may look
    causal as if with `causal_mask(T, S)`, which is then never made   tile in tokens
    Returns output (..., T, E), and log_normaliser (..., T) = m + log Z, all that backward needs
    besides the inputs; a query that sees no key gets zeros and -inf.

    Extra memory grows as T (times the tile at the most), not as T times S; the number of
    multiplications is that of `attention`, and half of it with causal. This holds of the forward
    pass: autograd keeps every tile, so train with torch's fused kernel (`fused_attention`).
    Raises TypeError or ValueError naming the argument that does not fit, ValueError if a visible
    score is NaN or +inf, or causal is asked of S < T.
    Source: Milakov & Gimelshein 2018, algorithm 3; Rabe & Staats 2021; Dao et al. 2022,
    algorithm 1.
    """
    _check_layers.tiled(torch.Tensor, query, key, value, mask, causal=causal, tile=tile)
    parts = []
    for rows in _tiles(query.shape[-2], tile):
        first = query[..., rows, :1]
        peak, total = torch.full_like(first, -torch.inf), torch.zeros_like(first)
        mixed = value.new_zeros((*first.shape[:-1], value.shape[-1]))
        for keys in _tiles(_reach(query, key, rows, causal), tile):
            scores = _tile_scores(query, key, mask, causal, rows, keys)
            higher = torch.maximum(peak, _peak(scores))
            if (higher.isnan() | higher.isposinf()).any():
                raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")
            seen, before = torch.exp(scores - _finite(higher)), torch.exp(peak - _finite(higher))
            total = total * before + seen.sum(dim=-1, keepdim=True)
            mixed = mixed * before + seen @ value[..., keys, :]
            peak = higher
        blind = total == 0
        total = total.masked_fill(blind, 1)
        parts.append((mixed / total, torch.where(blind, peak, peak + torch.log(total))[..., 0]))
    outputs, normalisers = zip(*parts, strict=True)
    return torch.cat(outputs, dim=-2), torch.cat(normalisers, dim=-1)


def _tiles(length: int, tile: int) -> list[slice]:
    """Slices that cover 0 to length; at least one, so that nothing has a shape as well."""
    return [slice(start, min(start + tile, length)) for start in range(0, max(length, 1), tile)]


def _reach(query: Tensor, key: Tensor, rows: slice, causal: bool) -> int:
    """How many keys the last of these queries may see: no tile behind them is looked at."""
    T, S = query.shape[-2], key.shape[-2]
    return rows.stop + S - T if causal else S


def _tile_scores(
    query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, rows: slice, keys: slice
) -> Tensor:
    scores = scaled_dot_score(query[..., rows, :], key[..., keys, :])
    if mask is not None:
        tall = mask if mask.shape[-2] == 1 else mask[..., rows, :]
        scores = scores.masked_fill(~tall[..., keys], -torch.inf)
    if causal:
        last_seen = torch.arange(rows.start, rows.stop, device=key.device) + (
            key.shape[-2] - query.shape[-2]
        )
        ahead = torch.arange(keys.start, keys.stop, device=key.device) > last_seen[:, None]
        scores = scores.masked_fill(ahead, -torch.inf)
    return scores


def _peak(scores: Tensor) -> Tensor:
    if scores.shape[-1] == 0:  # amax has no answer
        return scores.new_full((*scores.shape[:-1], 1), -torch.inf)
    return scores.amax(dim=-1, keepdim=True)


def _finite(peak: Tensor) -> Tensor:
    """0 for -inf, where nothing has been seen: exp(-inf - 0) = 0, and exp(-inf + inf) is NaN."""
    return peak.masked_fill(peak.isneginf(), 0)
