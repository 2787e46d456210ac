"""Long articles: parts of whole sentences, each small enough to be read at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from companion.news.model import NewsReader
from companion.news.units import Encoded, SlotsFullError, encode_text, split_units

WINDOW = 320  # units read at once; longer articles are read window by window


@dataclass(frozen=True)
class Piece:
    """Sentences of one window, and their numbers in the whole article."""

    article: Encoded
    numbers: tuple[int, ...]


def windows(sentences: Sequence[str], reader: NewsReader) -> list[Piece]:
    """Neighbouring sentences together, as many as fit; one that is too long is cut in pieces."""
    cut = [(n, part) for n, s in enumerate(sentences) for part in _cut(s, reader)]
    pieces: list[Piece] = []
    while cut:
        count, size = 0, 1
        while count < len(cut):
            size += 1 + len(split_units(cut[count][1], reader.lexicon))
            if count and size > WINDOW:
                break
            count += 1
        pieces.append(fit_sentences(cut[:count], reader))
        cut = cut[len(pieces[-1].numbers) :]
    return pieces


def fit_sentences(parts: Sequence[tuple[int, str]], reader: NewsReader) -> Piece:
    """As many of the parts, from the first on, as there are slots for."""
    while True:
        try:
            article = encode_text([text for _, text in parts], reader.lexicon, slots=reader.slots)
        except SlotsFullError:
            parts = parts[: max(1, len(parts) // 2)]
            continue
        return Piece(article, tuple(n for n, _ in parts))


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
