"""From logits to one token: filters that forbid tokens, and a draw among what is left.

Equal logits never leave anything to chance: the lower id counts as the larger.
"""

import torch
from torch import Tensor

from companion import _check, _check_decoding
from companion.with_torch.softmax import log_softmax, softmax

__all__ = ["block_repeated_ngrams", "nucleus_filter", "sample_token", "top_k_filter"]


def top_k_filter(logits: Tensor, top_k: int) -> Tensor:
    """Keep the `top_k` largest logits of each row; the others become -inf.

    logits (..., V), floating   top_k 1 to V
    Returns logits (..., V) of the same dtype; exactly `top_k` stay as they were.

    Raises TypeError or ValueError if logits hold NaN or +inf, or top_k is not 1 to V.
    Source: Fan et al. 2018, who sampled stories among the 10 most likely words.
    """
    _check_decoding.logits(torch.Tensor, logits)
    _check_decoding.top_k(top_k, logits.shape[-1])
    return _forbid(logits, ~keep_top(logits, top_k))


def nucleus_filter(logits: Tensor, top_p: float) -> Tensor:
    """Keep the fewest tokens whose probabilities add up to at least `top_p`; others become -inf.

        the most likely first:  token j stays  ⇔  Σ_{i before j} softmax(logits)_i < top_p

    logits (..., V), floating   top_p 0 < top_p ≤ 1, a probability
    Returns logits (..., V) of the same dtype; at least one stays in each row.

    Raises TypeError or ValueError if logits hold NaN or +inf, or top_p is not in (0, 1].
    Source: Holtzman et al. 2020, section 3.1. The sums are taken in float64: over a large
    vocabulary those of float32 would be wrong in the fourth digit.
    """
    _check_decoding.logits(torch.Tensor, logits)
    _check_decoding.top_p(top_p)
    if top_p == 1:  # all of them; a rounded sum could reach 1 before the last
        return logits.clone()
    order = torch.argsort(logits, dim=-1, descending=True, stable=True)
    weights = softmax(logits).gather(-1, order)
    before = torch.zeros(logits.shape, dtype=torch.float64, device=logits.device)
    before[..., 1:] = torch.cumsum(weights[..., :-1], dim=-1, dtype=torch.float64)
    out = torch.empty(logits.shape, dtype=torch.bool, device=logits.device)
    return _forbid(logits, out.scatter(-1, order, before >= top_p))


def block_repeated_ngrams(logits: Tensor, ids: Tensor, lengths: Tensor | None, n: int) -> Tensor:
    """Forbid each token that would end an n-gram which its row already holds.

        token v becomes -inf  ⇔  (the last n - 1 tokens, v) occurs in the row

    logits (B, V), floating   ids (B, T), integer, 0 to V-1: what has been written
    lengths (B,), integer, 0 to T: real tokens of each row, at its left; None: all   n ≥ 1
    Returns logits (B, V) of the same dtype.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Paulus et al. 2018, section 2.5, with n = 3.
    """
    _check_decoding.history(torch.Tensor, logits, ids, lengths, n)
    B, T = ids.shape
    if n > T:
        return logits.clone()
    count, ids = torch.arange(T + 1, device=ids.device), ids.long()
    ends = count.new_full((B,), T) if lengths is None else lengths.long()
    tail_at = (ends[:, None] - (n - 1) + count[: n - 1]).clamp(min=0)
    tail = ids.gather(1, tail_at)
    windows = ids.unfold(1, n, 1)  # (B, T-n+1, n)
    whole = count[n:] <= ends[:, None]
    found = (windows[..., :-1] == tail[:, None]).all(dim=-1) & whole
    rows, places = found.nonzero(as_tuple=True)
    out = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
    out[rows, windows[rows, places, -1]] = True
    return _forbid(logits, out)


def sample_token(
    logits: Tensor,
    uniform: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """Draw one token per row by inverting the cumulative distribution at a given uniform number.

        token = the first j with  Σ_{i ≤ j} w_i > u,    w = softmax(filtered logits / τ)

    logits (..., V), floating   uniform (...), floating, 0 ≤ u < 1: one draw per row
    temperature τ > 0 comes first, then top_k, then top_p; None for no filter
    Returns ids (...), int64. The draw is an argument, so both wings choose the same token.

    Raises TypeError or ValueError naming the argument that does not fit, or if a row is all -inf.
    Source: the inversion method, Devroye 1986, section III.2; the filters' are with them.
    """
    _check_decoding.logits(torch.Tensor, logits)
    _check_decoding.uniform(torch.Tensor, uniform, logits.shape[:-1], "the axes before V of logits")
    _check.temperature(temperature, torch.finfo(logits.dtype).tiny)
    _check_decoding.some_token(logits)
    kept = log_softmax(logits, temperature=temperature)
    kept = kept if top_k is None else top_k_filter(kept, top_k)
    kept = kept if top_p is None else nucleus_filter(kept, top_p)
    mass = torch.cumsum(softmax(kept), dim=-1, dtype=torch.float64)
    total = mass[..., -1]  # 1 but for rounding
    aim = torch.minimum(uniform * total, torch.nextafter(total, torch.zeros_like(total)))
    return (mass <= aim[..., None]).sum(dim=-1)


def keep_top(values: Tensor, count: int) -> Tensor:
    """Boolean, True at the `count` largest of the last axis; of equals, those that come first."""
    edge = values.topk(count, dim=-1).values[..., -1:]
    kept = values >= edge
    if int(kept.count_nonzero()) == edge.numel() * count:  # no more than room for
        return kept
    above, level = values > edge, values == edge
    room = count - above.sum(dim=-1, keepdim=True)
    return above | (level & (torch.cumsum(level, dim=-1) <= room))


def order_top(values: Tensor, count: int) -> Tensor:
    """Where the `count` largest of values (B, M) are, the largest first; of equals, the first."""
    kept = keep_top(values, count).nonzero()[:, 1].reshape(len(values), count)
    best = torch.argsort(values.gather(1, kept), dim=1, descending=True, stable=True)
    return kept.gather(1, best)


def _forbid(logits: Tensor, out: Tensor) -> Tensor:
    return logits.masked_fill(out, -torch.inf)
