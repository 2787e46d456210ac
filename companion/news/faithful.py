"""What a summary may say next, so that a name or a number in it is always the article's own.

A word of the lexicon may be written anywhere. A slot stands for a name, a number or a rare word of
this article, and no other can be said: nothing spells one out of letters. What is left to forbid is
to make a new name or number of true parts: `Ana` + `Boskin`, `3` + `million`, 青山 + 大桥. So

    number      is followed by what follows it in the article, if that is a word (3.25 percent)
    name        stands beside another name or number only where the article has them side by side
    Chinese     a row of single characters (any name is one) is copied whole: it begins where the
                article's row begins, ends where that ends, and touches no other word than there

    allowed(state) → which ids may come next          advance(state, id) → the state after it
"""

from typing import NamedTuple

import numpy as np

from companion.news._words import FUNCTION
from companion.news.units import (
    END,
    FIRST_WORD,
    Encoded,
    Lexicon,
    kind_of,
)
from companion.with_numpy._types import Array

FREE, WORD, LOOSE, NUMBER, NEVER = range(5)
NEVER_WRITTEN = frozenset("\"'“”‘’()（）[]【】《》-–—/&$€£%％")


class State(NamedTuple):
    """Where a summary stands: the class of its last word, and the article's places it may be at."""

    last: int
    places: frozenset[int]


BEGIN = State(FREE, frozenset())


class Faithful:
    """The rules above for one article.

    article as `encode_text` makes it   lexicon of the same language
    Holds for each id its class, and where in the article it stands. Raises nothing by itself.
    """

    def __init__(self, article: Encoded, lexicon: Lexicon) -> None:
        self._chinese = lexicon.language == "zh"
        self._ids = article.ids.tolist()
        self.classes = self._classify(article, lexicon)
        self._row = [int(self.classes[i]) if i != END else FREE for i in self._ids]
        self._row = [FREE if c == NEVER else c for c in self._row]
        self._at: dict[int, list[int]] = {}
        for place, number in enumerate(self._ids):
            self._at.setdefault(number, []).append(place)
        self._open = np.isin(self.classes, (FREE, WORD))
        self._enter = self._entrances()

    def allowed(self, state: State) -> Array:
        """Which ids may come next: (V,), boolean. At least one word or END always may."""
        follow = {
            self._ids[p + 1]: self._row[p + 1] for p in state.places if p + 1 < len(self._ids)
        }
        content = {i for i, c in follow.items() if c in (WORD, LOOSE, NUMBER)}
        if state.last == NUMBER and content:
            return self._only(content)
        may = self._open.copy()
        if state.last == FREE:
            may[self._enter] = True
        elif state.last == WORD and not self._chinese:
            may[self._slots()] = True
        elif state.last == LOOSE and self._chinese:
            ends = any(c not in (LOOSE, NUMBER) for c in follow.values()) or not follow
            may = self.classes == FREE if ends else np.zeros_like(may)
        elif state.last == NUMBER:
            may = self.classes == FREE  # "in 2024, workers" must not become "2024 workers"
        may[list(content)] = True
        return may

    def advance(self, state: State, number: int) -> State:
        """The state after one more id."""
        kind = int(self.classes[number])
        if kind == FREE:
            return BEGIN
        on = frozenset(
            p + 1 for p in state.places if p + 1 < len(self._ids) and self._ids[p + 1] == number
        )
        if on:
            return State(kind, on)
        places = self._at.get(number, ())
        if kind in (LOOSE, NUMBER) and state.last == FREE:
            places = [p for p in places if self._may_begin(p)]
        return State(kind, frozenset(places))

    def _classify(self, article: Encoded, lexicon: Lexicon) -> Array:
        classes = np.full(lexicon.size, NEVER, dtype=np.int8)
        free = FUNCTION[lexicon.language]
        for number, word in enumerate(lexicon.words, FIRST_WORD):
            if word in NEVER_WRITTEN:
                continue
            if word in free or not any(c.isalnum() for c in word):
                classes[number] = FREE
            else:
                single = self._chinese and len(word) == 1
                classes[number] = LOOSE if single else WORD
        for number in article.surfaces:
            kind = kind_of(number)
            if kind == "number":
                classes[number] = NUMBER
            elif kind == "name" or self._chinese:
                classes[number] = LOOSE
            elif any(c.isalnum() for c in article.surfaces[number]):
                classes[number] = WORD
        classes[END] = FREE
        return classes

    def _entrances(self) -> Array:
        """Ids of names and numbers that a row of the article begins with."""
        first = {
            number
            for place, number in enumerate(self._ids)
            if self._row[place] in (LOOSE, NUMBER) and self._may_begin(place)
        }
        return np.array(sorted(first), dtype=np.int64)

    def _may_begin(self, place: int) -> bool:
        """Whether a row may be entered here, and not only from the place before."""
        before = self._row[place - 1] if place else FREE
        if self._row[place] == NUMBER:
            return before != NUMBER
        return not self._chinese or before not in (LOOSE, NUMBER)

    def _slots(self) -> Array:
        return np.flatnonzero(np.isin(self.classes, (LOOSE, NUMBER)))

    def _only(self, ids: set[int]) -> Array:
        may = np.zeros(len(self.classes), dtype=bool)
        may[list(ids)] = True
        return may
