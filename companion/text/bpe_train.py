"""Learn the merges of byte-pair encoding, touching only the words that a merge changes."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TypeAlias

from companion import _check
from companion._optional import optional
from companion.text.byte_level import check_text, to_letters
from companion.text.pretokenize import pretokenize

Pair: TypeAlias = tuple[int, int]


def learn_merges(
    words: Mapping[str, int],
    alphabet: Sequence[str],
    size: int,
    *,
    min_frequency: int = 1,
    forbidden: Collection[str] = (),
    progress: bool = False,
) -> list[tuple[str, str]]:
    """Join the most frequent pair of neighbours, again and again, until `size` tokens are known.

        pair* = argmax over (a, b) of Σ_words frequency · number of places where b follows a

    Between equal counts the pair with the smaller ids (left, then right) wins; a token's id is its
    place in `alphabet`, then the order of the merges. In a word, joining goes from left to right.

    By hand: {"aaabdaaabac": 1} over "abcd" (ids 0 to 3).
        a a a b d a a a b a c     (a,a) 4, (a,b) 2, all others 1     join a a
        aa a b d aa a b a c       (a,b) 2 and (aa,a) 2: ids (0,1) < (4,0), join a b
        aa ab d aa ab a c         (aa,ab) 2                          join aa ab
        aaab d aaab a c           no pair stands twice: the next would be (a,c), ids (0,2)

    words        word → frequency; every letter must be in the alphabet
    alphabet     the tokens to begin with; `size` counts them
    forbidden    strings that no merge may build, such as special tokens
    min_frequency  a pair seen less often is not joined; learning then ends below `size`
    progress     show a bar (needs the package tqdm)
    Returns the merges (left, right), first learned first.

    Raises TypeError or ValueError for numbers below 1, KeyError for a letter outside the alphabet,
    ModuleNotFoundError if progress is asked for without tqdm.
    Source: Sennrich et al. 2016, algorithm 1. Differs from it: no end-of-word sign, since pieces
    carry the space in front; ties are ordered as in Hugging Face tokenizers; and the pairs are
    counted once: a merge then corrects the counts of the words that hold it, found by an index.
    """
    _check.length(1, size=size, min_frequency=min_frequency)
    tokens = list(alphabet)
    ids = {token: i for i, token in enumerate(tokens)}
    corpus = _Corpus([[ids[letter] for letter in word] for word in words], list(words.values()))
    heap = [(-count, pair) for pair, count in corpus.counts.items()]
    heapq.heapify(heap)
    merges: list[tuple[str, str]] = []
    with _bar(progress, size - len(tokens)) as step:
        while len(tokens) < size:
            pair = _most_frequent(heap, corpus.counts)
            if pair is None or corpus.counts[pair] < min_frequency:
                break
            left, right = tokens[pair[0]], tokens[pair[1]]
            if left + right in forbidden:
                continue
            for grown in corpus.join(pair, len(tokens)):
                heapq.heappush(heap, (-corpus.counts[grown], grown))
            tokens.append(left + right)
            merges.append((left, right))
            step()
    return merges


def count_pieces(texts: Iterable[str]) -> dict[str, int]:
    """How often each piece stands in the texts, in the letters of its bytes."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise TypeError(
            f"texts: expected several texts, got one {type(texts).__name__}; write [text]"
        )
    counts: Counter[str] = Counter()
    for index, text in enumerate(texts):
        check_text(f"texts[{index}]", text)
        counts.update(pretokenize(text))
    if not counts:
        raise ValueError("texts: expected at least one character, got no text")
    return {to_letters(piece): count for piece, count in counts.items()}


class _Corpus:
    """The words as lists of ids, how often each pair stands in them, and in which words."""

    def __init__(self, words: list[list[int]], frequencies: list[int]) -> None:
        self.words, self.frequencies = words, frequencies
        self.counts: Counter[Pair] = Counter()
        self.places: defaultdict[Pair, set[int]] = defaultdict(set)
        for index, word in enumerate(words):
            for pair in pairwise(word):
                self.counts[pair] += frequencies[index]
                self.places[pair].add(index)

    def join(self, pair: Pair, new: int) -> set[Pair]:
        """Write `new` for the pair in the words that hold it; return the pairs this creates."""
        created = set()
        for index in self.places.pop(pair):
            before = self.words[index]
            self.words[index] = after = replace_pair(before, pair, new)
            change = Counter(pairwise(after))
            remaining = set(change)
            change.subtract(pairwise(before))
            for neighbour, difference in change.items():
                self.counts[neighbour] += difference * self.frequencies[index]
                if neighbour not in remaining and neighbour != pair:
                    self.places[neighbour].discard(index)
                elif difference > 0:
                    self.places[neighbour].add(index)
                    created.add(neighbour)
        return created


def replace_pair(word: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Write `new` wherever the pair stands, from left to right: [a, a, a] → [aa, a]."""
    out: list[int] = []
    at = 0
    while at < len(word):
        if word[at] == pair[0] and at + 1 < len(word) and word[at + 1] == pair[1]:
            out.append(new)
            at += 2
        else:
            out.append(word[at])
            at += 1
    return out


def _most_frequent(heap: list[tuple[int, Pair]], counts: Mapping[Pair, int]) -> Pair | None:
    """Take the most frequent pair off the heap; an entry whose count has sunk is put back."""
    while heap:
        count, pair = heapq.heappop(heap)
        if -count == counts[pair]:
            return pair
        if counts[pair] > 0:
            heapq.heappush(heap, (-counts[pair], pair))
    return None


@contextmanager
def _bar(progress: bool, total: int) -> Iterator[Callable[[], object]]:
    """Give a function that moves the bar one merge on, or does nothing where none is wanted."""
    if not progress:
        yield lambda: None
        return
    with optional("tqdm.auto", "train").tqdm(total=total, desc="merges", unit="merge") as bar:
        yield bar.update
