"""Let a news reader read: how important is it, which sentences carry it, what does it say?

    from companion.news import read_news
    reading = read_news(text)
    print(reading.importance, reading.summary)

Reading needs NumPy and safetensors, and no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion import _check
from companion.news.dataset import RUBRIC
from companion.news.generate import Draft, write_summary
from companion.news.model import NewsReader, load_reader
from companion.news.units import SENTENCE, START, Encoded, decode, language_of
from companion.news.windows import Piece, fit_sentences, windows
from companion.text.sentences import split_sentences
from companion.with_numpy._types import Array
from companion.with_numpy.layers import linear
from companion.with_numpy.pointer import PointerCache, pointer_generator_start, pointer_step_parts
from companion.with_numpy.softmax import softmax

CHOSEN = 3  # sentences that a summary is written from, at most
LEAST_WORDS = 5  # words below which a sentence is not offered as a summary


@dataclass(frozen=True)
class Reading:
    """What a `NewsReader` found in one article.

    importance 1 to 5: 1 plus the expected number of the four rubric points   rubric name →
    probability   sentences, weights (N,) probability that a sentence carries the news
    summary the answer   method "written" or "extracted"   confidence of the written draft, 0 to 1
    written, extracted both candidates ("" if nothing could be written)
    windows how many parts the article was read in
    sources for each piece of the written summary: (piece, number of the sentence it is copied from,
    or None if it was written freely, share of copying); filled by `explain=True`
    """

    language: str
    importance: float
    rubric: Mapping[str, float]
    sentences: tuple[str, ...]
    weights: Array
    summary: str
    method: str
    confidence: float
    written: str
    extracted: str
    windows: int
    sources: tuple[tuple[str, int | None, float], ...] = ()


def generate_summary(
    news: Mapping[str, Any] | str, *, beams: int = 5, reader: NewsReader | None = None
) -> str:
    """A summary of one piece of news, from its content.

    news a record with `content`, or the text itself; English or Chinese, not blank
    beams W ≥ 1 of the beam search   reader None for the shipped model of the text's language
    Returns the written summary, or, where the model is unsure, the sentence that carries most.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    return read_news(news, beams=beams, reader=reader).summary


def read_news(
    news: Mapping[str, Any] | str,
    *,
    beams: int = 5,
    reader: NewsReader | None = None,
    explain: bool = False,
) -> Reading:
    """Read one article: how important it is, which sentences carry it, and what it says in short.

    news, beams, reader as in `generate_summary`   explain to fill `Reading.sources`
    Returns a `Reading`. A long article is read in windows of whole sentences; the summary is then
    written from the few sentences that weigh most.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    text = _text(news)
    _check.length(1, beams=beams)
    reader = load_reader(language_of(text)) if reader is None else reader
    sentences = [s for s in split_sentences(text) if s.strip()]
    pieces = windows(sentences, reader)
    parts = [judge(piece, reader) for piece in pieces]
    weights = np.concatenate([p.weights for p in parts])
    owner = [n for p in pieces for n in p.numbers]
    per_sentence = np.zeros(len(sentences))
    np.maximum.at(per_sentence, owner, weights)
    rubric = np.max([p.rubric for p in parts], axis=0)
    extracted = _extract(sentences, per_sentence)
    first = judge(_best(pieces, parts, reader), reader)
    drafts = write_summary(
        first.article, first.memory, dict(reader.params), reader.config, reader.lexicon, beams=beams
    )
    draft = drafts[0] if drafts else Draft("", (), 0.0)
    sure = bool(draft.text) and draft.confidence >= reader.threshold
    return Reading(
        language=reader.language,
        importance=float(1 + rubric.sum()),
        rubric=dict(zip(RUBRIC, rubric.tolist(), strict=True)),
        sentences=tuple(s.strip() for s in sentences),
        weights=per_sentence,
        summary=draft.text if sure else extracted,
        method="written" if sure else "extracted",
        confidence=draft.confidence,
        written=draft.text,
        extracted=extracted,
        windows=len(pieces),
        sources=trace(draft, first, reader) if explain else (),
    )


@dataclass(frozen=True)
class Judged:
    """One window as the encoder read it: weights (N,) of its sentences, rubric (4,), 0 to 1."""

    article: Encoded
    memory: PointerCache
    weights: Array
    rubric: Array
    numbers: tuple[int, ...]


def _text(news: Mapping[str, Any] | str) -> str:
    if isinstance(news, Mapping):
        if "content" not in news:
            raise ValueError(f"news: expected the key 'content', got {sorted(map(str, news))}")
        news = news["content"]
    if not isinstance(news, str):
        raise TypeError(f"news: expected a record or str, got {type(news).__name__}")
    if not news.strip():
        raise ValueError("news: expected some text, got only white space")
    return news


def judge(piece: Piece, reader: NewsReader) -> Judged:
    """Sentence weights (N,) and rubric (4,) of one window, as probabilities."""
    ids = piece.article.ids
    memory = pointer_generator_start(ids[None], reader.params, reader.config)
    states = memory.memory[0]
    number = np.cumsum(ids == SENTENCE) - 1
    inside = number == np.arange(len(piece.numbers))[:, None]
    means = inside / inside.sum(axis=1, keepdims=True)
    sentences = _head(means.astype(states.dtype) @ states, reader, "sentence_proj")[:, 0]
    sentences = sentences + inside @ reader.params["sentence_words.weight"][ids, 0]
    rubric = _head(states.mean(axis=0, keepdims=True), reader, "rubric_proj")[0]
    return Judged(piece.article, memory, _sigmoid(sentences), _sigmoid(rubric), piece.numbers)


def _head(states: Array, reader: NewsReader, name: str) -> Array:
    return linear(states, reader.params[f"{name}.weight"], reader.params[f"{name}.bias"])


def _sigmoid(logits: Array) -> Array:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def _extract(sentences: Sequence[str], weights: Array) -> str:
    """The sentence that weighs most; fragments of a few words only if there is nothing else."""
    long = np.array([len(s.strip()) >= 3 * LEAST_WORDS for s in sentences])
    best = np.where(long, weights, weights - 1) if long.any() else weights
    return sentences[int(np.argmax(np.round(best, 6)))].strip()


def _best(pieces: Sequence[Piece], parts: Sequence[Judged], reader: NewsReader) -> Piece:
    """The weightiest sentences of all windows, in their order: what a summary is written from.

    The first of them, and those at least half as likely to carry the news; CHOSEN at most.
    """
    every = [
        (float(weight), n, text)
        for piece, part in zip(pieces, parts, strict=True)
        for n, weight, text in zip(piece.numbers, part.weights, piece.article.texts, strict=True)
    ]
    ranked = sorted(range(len(every)), key=lambda k: (-round(every[k][0], 6), k))
    least = every[ranked[0]][0] / 2
    chosen = sorted(k for k in ranked[:CHOSEN] if every[k][0] >= least)
    return fit_sentences([(every[k][1], every[k][2]) for k in chosen], reader)


def trace(
    draft: Draft, read: Judged, reader: NewsReader
) -> tuple[tuple[str, int | None, float], ...]:
    """Where each piece of a written summary comes from.

    Returns (text, number of the sentence the pointer looks at most, share of copying 0 to 1) for
    each unit; the sentence is None where the unit stands nowhere in the article.
    """
    if not draft.ids:
        return ()
    article, at = read.article, read.memory
    found = []
    previous = START
    for number in draft.ids:
        weights, copied, at = pointer_weights(np.array([[previous]]), at, reader)
        places = np.flatnonzero(article.ids == number)
        sentence = None
        if len(places):
            best = places[int(np.argmax(weights[places]))]
            sentence = read.numbers[int(article.sentences[best])]
        found.append((decode([number], article, reader.lexicon), sentence, copied))
        previous = number
    return tuple(found)


def pointer_weights(
    ids: Array, memory: PointerCache, reader: NewsReader
) -> tuple[Array, float, PointerCache]:
    """Where the pointer looks after one more unit: weights (S,), share of copying, cache."""
    parts, after = pointer_step_parts(ids, memory, reader.params, reader.config)
    _, gate, scores = parts
    return softmax(scores)[0, -1], float(1 - _sigmoid(gate[0, -1, 0])), after
