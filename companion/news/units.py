"""Text as units: words of a closed lexicon, and everything else as pieces that stay whole.

    "Mayor Ana Tovin closed 3 bridges."   →   mayor · Ana Tovin · closed · 3 · bridges · .

A unit is a **name** (a run of capitalised words), a **number** (digits, number words, Chinese
numerals), a **rare** word or character (in no lexicon), or a known word or mark. Chinese has no
capitals: there a name is a row of single characters, and `companion.news.faithful` keeps it whole.

Only known words have ids of their own. The others get a *slot*, an id that means "the third name of
this article": a model can point at it, but cannot spell it. So it can copy a name or a number, and
never make one up.

    split_units(text, lexicon) → units        "".join(u.before + u.text) is the text again
    encode_text(text, lexicon) → ids, and what each slot stands for
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from companion.news._words import NUMBER_WORDS, NUMERALS
from companion.news.dataset import LANGUAGES
from companion.text.sentences import split_sentences
from companion.with_numpy._types import Array

KINDS = ("name", "number", "rare")
SPECIAL = ("<pad>", "<start>", "<end>", "<article>", "<sentence>")
PAD, START, END, ARTICLE, SENTENCE = range(len(SPECIAL))
SLOTS = {"name": 48, "number": 48, "rare": 128}
FIRST_SLOT = len(SPECIAL)
FIRST_WORD = FIRST_SLOT + sum(SLOTS.values())

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_DIGITS = r"[$€£¥]?[0-9０-９]+(?:[.,:/0-9０-９–-]*[0-9０-９])?[%％]?(?:st|nd|rd|th|s)?(?![0-9])"
_TOKEN = re.compile(
    rf"(?P<number>{_DIGITS})"
    rf"|(?P<han>[{_HAN}]+)"
    rf"|(?P<word>(?:(?![{_HAN}])[^\W_])+(?:['’&.-](?:(?![{_HAN}])[^\W_])+)*)"
    r"|(?P<mark>[^\w\s]|_)"
)


class Unit(NamedTuple):
    """A piece of text: before, the white space in front of it; text; kind "word", "mark" or KINDS.

    key what it is looked up by: lower case where a capital only opens the sentence
    """

    before: str
    text: str
    kind: str
    key: str


@dataclass(frozen=True)
class Lexicon:
    """The closed list of words that a model may say without copying.

    language "en" or "zh"   words in the order of their ids, from FIRST_WORD on; no name, no number
    Raises ValueError if a word stands twice or holds a digit or a numeral.
    """

    language: str
    words: tuple[str, ...]
    ids: Mapping[str, int] = field(init=False, repr=False, compare=False)
    longest: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(f"language: expected 'en' or 'zh', got {self.language!r}")
        ids = {word: FIRST_WORD + n for n, word in enumerate(self.words)}
        if len(ids) != len(self.words):
            raise ValueError("words: expected each once, got one twice")
        for word in self.words:
            if is_number(word, self.language):
                raise ValueError(f"words: expected no number, got {word!r}")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "longest", max(map(len, self.words), default=1))

    @property
    def size(self) -> int:
        """V: specials, slots and words."""
        return FIRST_WORD + len(self.words)


def language_of(text: str) -> str:
    """ "zh" if Chinese characters are more than a quarter of the letters, else "en"."""
    letters = [c for c in text if c.isalpha()]
    return "zh" if len(re.findall(f"[{_HAN}]", text)) * 4 > len(letters) else "en"


def is_number(word: str, language: str) -> bool:
    """Whether a word says how many: with a digit, or a number word ("twelve", 三)."""
    if any(c.isdigit() for c in word):
        return True
    if language == "zh":
        return any(c in NUMERALS for c in word)
    return all(part in NUMBER_WORDS for part in re.split("[-–]", word.lower()))


def split_units(text: str, lexicon: Lexicon) -> list[Unit]:
    """Cut a text into units, losing nothing but white space at its end.

    text any str   lexicon of its language
    Returns units in order; `"".join(u.before + u.text for u in units)` is the text without the
    white space at its end.

    Raises TypeError if text is no str.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected str, got {type(text).__name__}")
    units: list[Unit] = []
    end, opens = 0, True
    for match in _TOKEN.finditer(text):
        before, piece = text[end : match.start()], match[0]
        end = match.end()
        if match.lastgroup == "han":
            units += _split_han(before, piece, lexicon)
        else:
            unit = _unit(before, piece, str(match.lastgroup), lexicon, opens)
            joins = units and unit.kind == "name" == units[-1].kind and before in (" ", "-")
            if joins and lexicon.language == "en":
                whole = units[-1].text + before + piece
                units[-1] = Unit(units[-1].before, whole, "name", whole)
            else:
                units.append(unit)
        opens = piece in '.!?。！？:：“"‘' or (opens and match.lastgroup == "mark")
    return units


def _unit(before: str, piece: str, group: str, lexicon: Lexicon, opens: bool) -> Unit:
    lower = piece.lower().replace("’", "'")
    if group == "mark":
        return Unit(before, piece, "mark" if piece in lexicon.ids else "rare", piece)
    if group == "number" or is_number(piece, "en"):
        return Unit(before, piece, "number", lower)
    if piece[0].isupper() and not (opens and lower in lexicon.ids) and piece != "I":
        return Unit(before, piece, "name", piece)
    return Unit(before, piece, "word" if lower in lexicon.ids else "rare", lower)


def _split_han(before: str, run: str, lexicon: Lexicon) -> list[Unit]:
    """Longest known word first; numerals together; what is left, character by character."""
    units: list[Unit] = []
    start = 0
    while start < len(run):
        end = start + 1
        if run[start] in NUMERALS:
            kind = "number"
            while end < len(run) and run[end] in NUMERALS:
                end += 1
        else:
            end = min(len(run), start + lexicon.longest)
            while end > start + 1 and run[start:end] not in lexicon.ids:
                end -= 1
            kind = "word" if run[start:end] in lexicon.ids else "rare"
        piece = run[start:end]
        units.append(Unit("" if start else before, piece, kind, piece))
        start = end
    return units


@dataclass(frozen=True)
class Encoded:
    """An article as a model reads it.

    ids (S,), int64: ARTICLE, then each sentence behind a SENTENCE   sentences (S,) number of the
    sentence, -1 for ARTICLE   surfaces id → text, for each slot in use, given out in order of
    appearance   texts the sentences
    """

    language: str
    ids: Array
    sentences: Array
    surfaces: Mapping[int, str]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


class SlotsFullError(ValueError):
    """A text has more names, numbers or rare words than there are slots: read it in windows."""


def encode_text(text: str | Sequence[str], lexicon: Lexicon, *, slots: bool = True) -> Encoded:
    """An article's units as ids; what the lexicon has not gets a slot, so that nothing is unknown.

    text an article, or its sentences   lexicon of its language
    slots False gives all names one slot, all numbers one, all rare words one: an ablation, in which
    the first of each kind stands for all
    Returns `Encoded`; `decode(encoded.ids, encoded, lexicon)` says the text again, but for spaces
    and capitals.

    Raises TypeError if text is no str, SlotsFullError if it has more names, numbers or rare words
    than there are slots.
    """
    sentences = split_sentences(text) if isinstance(text, str) else list(text)
    given: dict[tuple[str, str], int] = {}
    count = dict.fromkeys(KINDS, 0)
    ids, places = [ARTICLE], [-1]
    for number, sentence in enumerate(sentences):
        ids.append(SENTENCE)
        places.append(number)
        for unit in split_units(sentence, lexicon):
            ids.append(_id(unit, lexicon, given, count, slots))
            places.append(number)
    surfaces = {n: text for (_, text), n in given.items()}
    return Encoded(
        lexicon.language,
        np.array(ids, dtype=np.int64),
        np.array(places, dtype=np.int64),
        surfaces,
        tuple(sentences),
    )


def encode_summary(text: str, article: Encoded, lexicon: Lexicon) -> list[int]:
    """A reference summary in the ids of its article; END at its end.

    A piece that the article has not can't be copied: a rare word or a name is left out. (Number or
    name of a reference that the article does not have is an error of the data; see its tests.)
    """
    folded = {text.lower(): n for n, text in article.surfaces.items()}
    found: list[int | None] = []
    for unit in split_units(text, lexicon):
        if unit.kind in ("word", "mark"):
            found.append(lexicon.ids[unit.key])
            continue
        whole = unit.text.lower()
        first, _, rest = whole.partition(" ")
        if whole not in folded and rest in folded:  # "Mayor Ana Tovin", where the article has mayor
            found += [folded.get(first), folded[rest]]
        else:
            found.append(folded.get(whole))
    return [*(number for number in found if number is not None), END]


def _id(
    unit: Unit,
    lexicon: Lexicon,
    given: dict[tuple[str, str], int],
    count: dict[str, int],
    slots: bool,
) -> int:
    if unit.kind in ("word", "mark"):
        return lexicon.ids[unit.key]
    key = (unit.kind, unit.text if unit.kind == "name" else unit.key)
    if not slots:
        key = next((known for known in given if known[0] == unit.kind), key)
    if key not in given:
        n = count[unit.kind]
        if n == SLOTS[unit.kind]:
            raise SlotsFullError(f"text: expected at most {n} different {unit.kind}s, got more")
        count[unit.kind] = n + 1
        given[key] = slot(unit.kind, n)
    return given[key]


def slot(kind: str, number: int) -> int:
    """The id of slot `number`, from 0, of a kind."""
    before = sum(SLOTS[other] for other in KINDS[: KINDS.index(kind)])
    return FIRST_SLOT + before + number


def kind_of(number: int) -> str:
    """ "special", "name", "number", "rare" or "word", of an id."""
    if number < FIRST_SLOT:
        return "special"
    for kind in KINDS:
        if number < slot(kind, 0) + SLOTS[kind]:
            return kind
    return "word"


def decode(ids: Iterable[int], article: Encoded, lexicon: Lexicon) -> str:
    """Ids as text: slots as the article spells them, English with spaces and a capital in front."""
    pieces = []
    for number in map(int, ids):
        if number >= FIRST_WORD:
            pieces.append(lexicon.words[number - FIRST_WORD])
        elif number >= FIRST_SLOT:
            pieces.append(article.surfaces[number])
    if lexicon.language == "zh":
        return "".join(pieces)
    return _spaced(pieces)


def _spaced(pieces: Sequence[str]) -> str:
    text = ""
    glue = True
    for piece in pieces:
        closes = piece in {".", ",", ";", ":", "!", "?", ")", "]", "%", "”", "’", "…", "'"}
        text += piece if glue or closes else " " + piece
        glue = piece in {"(", "[", "“", "‘", "$", "€", "£"}
        if piece in {"-", "–", "/", "—"}:
            glue = True
            text = text[: -len(piece) - 1] + piece if text.endswith(" " + piece) else text
    return re.sub(r"(^|[.!?]\s+)([a-z])", lambda m: m[1] + m[2].upper(), text)
