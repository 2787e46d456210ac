"""Beam search: follow several texts at once and keep the best, long ones not put at a loss.

Each row of the batch has W live texts of equal length, and room for W that have ended. A step
grows each live text by each token, and of these W·V keeps the best; the cache follows by
`select(cache, rows)`. The search ends when no live text can still overtake the worst that ended.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from companion import _check, _check_decoding, _check_layers
from companion.with_torch.cache import select_rows
from companion.with_torch.decoding import Step, begin, forbid, read, written
from companion.with_torch.sampling import order_top
from companion.with_torch.softmax import log_softmax

__all__ = ["beam_search", "power_length_penalty", "wu_length_penalty"]


def wu_length_penalty(length: int, alpha: float) -> float:
    """What a text's log-probability is divided by before texts of unequal length are compared.

        lp(Y) = ((5 + |Y|) / 6)^α

    length |Y| ≥ 1, in tokens; alpha α: 0 for no penalty, the larger, the longer the texts
    Returns the divisor of log_probs (B, W): 1 for a single token.

    Raises ZeroDivisionError or OverflowError where the power has no finite value.
    Source: Wu et al. 2016, eq. 14, without their coverage penalty.
    """
    return float(((5 + length) / 6) ** alpha)


def power_length_penalty(length: int, alpha: float) -> float:
    """The plain power: with α = 1 texts are compared by their mean log-probability per token.

        lp(Y) = |Y|^α

    length |Y| ≥ 1, in tokens; alpha α
    Returns the divisor of log_probs (B, W): 1 for a single token. It grows faster than that of
    `wu_length_penalty`: from 1 to 10 tokens by 10^α where the other grows by 2.5^α.

    Raises ZeroDivisionError or OverflowError where the power has no finite value.
    Source: Hugging Face transformers, where α is called `length_penalty`.
    """
    return float(length**alpha)


class _Live(NamedTuple):
    """The texts still growing: text (B, W, T+N), log_probs (B, W), the largest first."""

    text: Tensor
    log_probs: Tensor


class _Ended(NamedTuple):
    """The best texts that ended; scores (B, W) = log_probs / penalty, the largest first.

    text (B, W, T+N), lengths and log_probs (B, W). A score of -inf: none yet.
    """

    text: Tensor
    lengths: Tensor
    log_probs: Tensor
    scores: Tensor


@torch.no_grad()
def beam_search(
    step: Step,
    cache: Any,
    ids: Tensor,
    *,
    beams: int,
    max_new_tokens: int,
    lengths: Tensor | None = None,
    eos_id: int | None = None,
    pad_id: int = 0,
    alpha: float = 0.6,
    length_penalty: Callable[[int, float], float] = wu_length_penalty,
    no_repeat_ngram: int = 0,
    select: Callable[[Any, Tensor], Any] = select_rows,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Look for the texts with the highest log-probability over length penalty.

        score(Y) = log p(Y | prompt) / lp(Y),    log p(Y) = Σ_t log p(y_t | prompt, y_1 … y_{t-1})

    step, cache, ids (B, T), lengths (B,), eos_id, pad_id, no_repeat_ngram as in `greedy`
    beams W ≥ 1   max_new_tokens N ≥ 1; a text cut off there counts as ended
    alpha, length_penalty: lp(Y) = length_penalty(|Y|, alpha), where |Y| counts eos_id
    select(cache, rows (B·W,)): the cache with these rows, for a cache that is not `Cache`
    Returns ids (B, W, N), lengths (B, W), log_probs (B, W) in nats and scores (B, W), the best
    first. Equal scores: the text that ended first, then that of the better start, then that of the
    lower id. If fewer than W texts exist, the rest have length 0 and score -inf.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Sutskever et al. 2014, section 3.2; penalty: Wu et al. 2016, eq. 14, with the α = 0.6 of
    Vaswani et al. 2017, section 6.1. Live texts stay W when one ends, where Sutskever et al. keep
    one fewer; a text may end only among the W best of its step. With beams = 1 and alpha = 0 this
    is `greedy`; with alpha > 0 a text that passed over eos_id may still overtake.
    """
    _check_decoding.prompt(torch.Tensor, ids, lengths)
    _check.length(1, beams=beams, max_new_tokens=max_new_tokens)
    _check.length(no_repeat_ngram=no_repeat_ngram)
    divisors = _check_decoding.divisors(length_penalty, alpha, max_new_tokens)
    text, starts = begin(ids, lengths, max_new_tokens, pad_id)
    logits, cache = read(step, cache, ids, starts)
    _check_decoding.tokens(logits.shape[-1], ids, eos_id=eos_id, pad_id=pad_id)
    _check_layers.within(torch.Tensor, "ids", text, logits.shape[-1], "V-1")
    at = starts[:, None].expand(-1, beams)
    live, ended = _start(text, beams, logits.dtype)
    logits = logits.repeat_interleave(beams, dim=0)
    first = torch.arange(len(ids), device=ids.device)[:, None]
    for t, divisor in enumerate(divisors):
        flat = live.text.reshape(-1, text.shape[1])
        words = forbid(log_softmax(logits), flat, (at + t).reshape(-1), no_repeat_ngram)
        reached = live.log_probs[..., None] + words.reshape(*at.shape, words.shape[-1])
        last = t + 1 == max_new_tokens
        live, ended, parents = _grow(live, ended, reached, starts + t, t + 1, divisor, eos_id, last)
        if last or not (live.log_probs[:, 0] / max(divisors[t + 1 :]) > ended.scores[:, -1]).any():
            break
        # at t = 0 the cache has one row for all texts of a prompt
        rows = first * beams + parents if t else first.expand(-1, beams)
        token = written(live.text, at + t, 1)
        logits, cache = read(step, select(cache, rows.reshape(-1)), token.reshape(-1, 1))
    return written(ended.text, at, max_new_tokens), *ended[1:]


def _start(text: Tensor, W: int, dtype: torch.dtype) -> tuple[_Live, _Ended]:
    """One live text per row, the prompt, in the first of W places; nothing has ended."""
    texts = text[:, None].expand(-1, W, -1)
    none = torch.full(texts.shape[:2], -torch.inf, dtype=dtype, device=text.device)
    log_probs, lengths = none.clone(), torch.zeros_like(none, dtype=torch.int64)
    log_probs[:, 0] = 0
    return _Live(texts, log_probs), _Ended(texts, lengths, none, none)


def _grow(
    live: _Live,
    ended: _Ended,
    reached: Tensor,
    places: Tensor,
    length: int,
    divisor: float,
    eos_id: int | None,
    last: bool,
) -> tuple[_Live, _Ended, Tensor]:
    """Grow each live text by one token, written at places (B,).

    reached (B, W, V), the log-probabilities of the grown texts, of `length` new tokens
    Returns live and ended texts, and which live text each live one has grown from, (B, W).
    """
    B, W, V = reached.shape
    # eos_id can take W of the 2 W best at most, so W are left to live on
    best = order_top(reached.reshape(B, W * V), min(2 * W, W * V))
    parents, token, row = best // V, best % V, torch.arange(B, device=best.device)[:, None]
    log_probs = reached.reshape(B, W * V).gather(1, best)
    text = live.text[row, parents]
    rank = torch.arange(best.shape[1], device=best.device)
    text[row, rank, places[:, None]] = token.to(text.dtype)
    ends = (token == (-1 if eos_id is None else eos_id)) | last
    scores = (log_probs / divisor).masked_fill(~ends | (rank >= W), -torch.inf)
    lengths = torch.full_like(token, length)
    ended = _merge(ended, _Ended(text, lengths, log_probs, scores))
    log_probs = log_probs.masked_fill(ends, -torch.inf)
    kept = order_top(log_probs, W)
    return _Live(text[row, kept], log_probs[row, kept]), ended, parents[row, kept]


def _merge(ended: _Ended, more: _Ended) -> _Ended:
    """The W best of both."""
    both = [torch.cat(pair, dim=1) for pair in zip(ended, more, strict=True)]
    kept = order_top(both[3], ended.scores.shape[1])
    row = torch.arange(len(kept), device=kept.device)[:, None]
    return _Ended(*(part[row, kept] for part in both))
