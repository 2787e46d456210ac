"""The shipped news reader, in NumPy: load it, let it read, ask what it found.

    from companion.news import load_reader, read_news
    reading = read_news(text)
    print(reading.importance, reading.summary)

The weights lie in the package (companion/news/data/models, with a card). Reading needs NumPy and
safetensors, and no torch. How they were trained: `companion.news.fit`, `make model`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from companion import _check
from companion.config import TransformerConfig
from companion.news.dataset import LANGUAGES, RUBRIC
from companion.news.generate import Draft, write_summary
from companion.news.shapes import reader_shapes
from companion.news.units import (
    SENTENCE,
    START,
    Encoded,
    Lexicon,
    SlotsFullError,
    decode,
    encode_text,
    language_of,
    split_units,
)
from companion.params import check_params
from companion.text.sentences import split_sentences
from companion.with_numpy import load_checkpoint
from companion.with_numpy._types import Array
from companion.with_numpy.layers import linear
from companion.with_numpy.pointer import (
    PointerCache,
    pointer_generator_start,
    pointer_step_parts,
)
from companion.with_numpy.softmax import softmax

WINDOW = 320  # units read at once; longer articles are read window by window
CHOSEN = 3  # sentences that a summary is written from, at most
LEAST_WORDS = 5  # units below which a sentence is not offered as a summary


@dataclass(frozen=True)
class NewsReader:
    """A trained model and all that belongs to it.

    language, lexicon   config, params of `companion.news.shapes.reader_shapes`, float32
    threshold a written summary with less confidence gives way to the extracted one
    metadata the card: data, command, seeds, metrics
    slots False for an ablation in which all names look alike, see `encode_text`
    """

    lexicon: Lexicon
    config: TransformerConfig
    params: Mapping[str, Array] = field(repr=False)
    threshold: float
    metadata: Mapping[str, Any] = field(repr=False)
    slots: bool = True

    @property
    def language(self) -> str:
        return self.lexicon.language


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


def load_reader(language: str, path: str | os.PathLike[str] | None = None) -> NewsReader:
    """Load the model of a language from the package, or another from a file that `fit` wrote.

    language "en" or "zh"   path of another file, or None
    Returns a `NewsReader`; its arrays refuse to be written to.

    Raises ValueError for another language, and if the file was changed or cut off (its SHA-256 is
    recorded in it), holds a NaN, or does not fit its own description; FileNotFoundError if there is
    none; ModuleNotFoundError without safetensors.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language: expected 'en' or 'zh', got {language!r}")
    return _shipped(language) if path is None else _load(language, path)


@cache
def _shipped(language: str) -> NewsReader:
    entry = resources.files("companion.news").joinpath(f"data/models/{language}.safetensors")
    with resources.as_file(entry) as path:
        return _load(language, path)


def _load(language: str, path: str | os.PathLike[str]) -> NewsReader:
    kept = load_checkpoint(path)
    try:
        card = kept.metadata["reader"]
        lexicon = Lexicon(card["language"], tuple(card["words"]))
        config = TransformerConfig(**card["config"])
        threshold, slots = float(card["threshold"]), bool(card["slots"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path: expected a news reader in {path}, got {error!r}") from error
    if lexicon.language != language:
        raise ValueError(
            f"path: expected a reader of {language!r}, got one of {lexicon.language!r}"
        )
    params = {name: array.astype(np.float32) for name, array in kept.params.items()}
    check_params(np.ndarray, params, reader_shapes(config))
    for array in params.values():
        array.flags.writeable = False
    return NewsReader(lexicon, config, params, threshold, kept.metadata, slots)


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
    pieces = _windows(sentences, reader)
    parts = [_judge(piece, reader) for piece in pieces]
    weights = np.concatenate([p.weights for p in parts])
    owner = [n for p in pieces for n in p.numbers]
    per_sentence = np.zeros(len(sentences))
    np.maximum.at(per_sentence, owner, weights)
    rubric = np.max([p.rubric for p in parts], axis=0)
    extracted = _extract(sentences, per_sentence)
    first = _judge(_best(pieces, parts, reader), reader)
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
class _Piece:
    """Sentences of one window, and their numbers in the whole article."""

    article: Encoded
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class _Judged:
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


def _judge(piece: _Piece, reader: NewsReader) -> _Judged:
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
    return _Judged(piece.article, memory, _sigmoid(sentences), _sigmoid(rubric), piece.numbers)


def _head(states: Array, reader: NewsReader, name: str) -> Array:
    return linear(states, reader.params[f"{name}.weight"], reader.params[f"{name}.bias"])


def _sigmoid(logits: Array) -> Array:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def _extract(sentences: Sequence[str], weights: Array) -> str:
    """The sentence that weighs most; fragments of a few words only if there is nothing else."""
    long = np.array([len(s.strip()) >= 3 * LEAST_WORDS for s in sentences])
    best = np.where(long, weights, weights - 1) if long.any() else weights
    return sentences[int(np.argmax(np.round(best, 6)))].strip()


def _windows(sentences: Sequence[str], reader: NewsReader) -> list[_Piece]:
    """Neighbouring sentences together, as many as fit; one that is too long is cut in pieces."""
    cut = [(n, part) for n, s in enumerate(sentences) for part in _cut(s, reader)]
    pieces: list[_Piece] = []
    while cut:
        count, size = 0, 1
        while count < len(cut):
            size += 1 + len(split_units(cut[count][1], reader.lexicon))
            if count and size > WINDOW:
                break
            count += 1
        pieces.append(_fit(cut[:count], reader))
        cut = cut[len(pieces[-1].numbers) :]
    return pieces


def _fit(parts: Sequence[tuple[int, str]], reader: NewsReader) -> _Piece:
    """As many of the parts, from the first on, as there are slots for."""
    while True:
        try:
            article = encode_text([text for _, text in parts], reader.lexicon, slots=reader.slots)
        except SlotsFullError:
            parts = parts[: max(1, len(parts) // 2)]
            continue
        return _Piece(article, tuple(n for n, _ in parts))


def _cut(sentence: str, reader: NewsReader) -> list[str]:
    """A sentence, or pieces of at most 40 units of one that is longer than half a window."""
    units = split_units(sentence, reader.lexicon)
    if len(units) <= WINDOW // 2 and _has_room(sentence, reader):
        return [sentence]
    texts = [unit.before + unit.text for unit in units]
    return ["".join(texts[n : n + 40]) for n in range(0, len(texts), 40)]


def _has_room(sentence: str, reader: NewsReader) -> bool:
    try:
        encode_text([sentence], reader.lexicon, slots=reader.slots)
    except SlotsFullError:
        return False
    return True


def _best(pieces: Sequence[_Piece], parts: Sequence[_Judged], reader: NewsReader) -> _Piece:
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
    return _fit([(every[k][1], every[k][2]) for k in chosen], reader)


def trace(
    draft: Draft, read: "_Judged", reader: NewsReader
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
