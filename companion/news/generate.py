"""Summaries in new words: beam search over what a pointer-generator may faithfully say."""

from typing import Any, NamedTuple

import numpy as np

from companion.config import TransformerConfig
from companion.news.faithful import BEGIN, Faithful, State
from companion.news.units import END, START, Encoded, Lexicon, decode
from companion.with_numpy import beam_search
from companion.with_numpy._types import Array
from companion.with_numpy.pointer import (
    PointerCache,
    pointer_generator_step,
    select_pointer_rows,
)

LEAST = {"en": 6, "zh": 8}  # units, before a summary may end


class Draft(NamedTuple):
    """A summary: text, its ids (T,), and confidence, the mean probability of a unit, 0 to 1."""

    text: str
    ids: tuple[int, ...]
    confidence: float


class _Guided(NamedTuple):
    cache: PointerCache
    states: tuple[State, ...]
    length: int


def write_summary(
    article: Encoded,
    memory: PointerCache,
    params: dict[str, Array],
    config: TransformerConfig,
    lexicon: Lexicon,
    *,
    beams: int = 5,
    max_units: int = 60,
    alpha: float = 1.0,
    free: bool = False,
) -> list[Draft]:
    """The drafts a beam search ends with, the best first.

    article, lexicon as in `encode_text`   memory as `pointer_generator_start` makes it, of one row
    beams W ≥ 1   max_units N ≥ 1 of a draft   alpha of the length penalty
    free True leaves the rules of `Faithful` out, to show what they prevent
    Returns at most W `Draft`s. Each name and number in them is the article's own.
    """
    rules = Faithful(article, lexicon)
    known = rules.classes < 4

    def step(ids: Array, at: _Guided) -> tuple[Array, _Guided]:
        states = at.states
        if at.length:
            states = tuple(rules.advance(s, int(i)) for s, i in zip(states, ids[:, 0], strict=True))
        log_probs, cache = pointer_generator_step(ids, at.cache, params, config)
        may = np.stack([known if free else rules.allowed(state) for state in states])
        if at.length < LEAST[lexicon.language]:
            early = may.copy()
            early[:, END] = False
            may = np.where(early.any(axis=1, keepdims=True), early, may)
        masked = np.where(may[:, None], log_probs, -np.inf).astype(log_probs.dtype)
        return masked, _Guided(cache, states, at.length + 1)

    def select(at: _Guided, rows: Array) -> _Guided:
        states = tuple(at.states[row] for row in rows.tolist())
        return _Guided(select_pointer_rows(at.cache, rows), states, at.length)

    ids, lengths, log_probs, scores = beam_search(
        step,
        _Guided(memory, (BEGIN,), 0),
        np.array([[START]]),
        beams=beams,
        max_new_tokens=max_units,
        eos_id=END,
        alpha=alpha,
        select=select,
        no_repeat_ngram=3,
    )
    drafts = []
    for row, length, log_prob, score in zip(
        ids[0], lengths[0], log_probs[0], scores[0], strict=True
    ):
        if not np.isfinite(score):
            continue
        own = [int(i) for i in row[:length] if i != END]
        text = finish(decode(own, article, lexicon), lexicon.language)
        drafts.append(Draft(text, tuple(own), float(np.exp(log_prob / length))))
    return drafts


def finish(text: str, language: str) -> str:
    """A full stop at the end, where there is none."""
    text = text.strip().rstrip(",;:，、；：")
    stop = "。" if language == "zh" else "."
    return text if text.endswith((stop, "!", "?", "！", "？")) else text + stop


__all__ = ["Draft", "finish", "write_summary"]
_ = Any
