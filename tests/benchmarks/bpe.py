"""Byte-level BPE: learn merges from a text, and encode it with them."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from measure import Contender, Contenders

BASELINE = "Hugging Face tokenizers"
UNIT = "bytes"
ROUNDS = 3  # a call takes many seconds
SETUPS = [
    {"work": work, "megabytes": megabytes, "V": V}
    for megabytes, V in ((0.05, 512), (1, 8000), (10, 8000))
    for work in ("train", "encode")
]
QUICK = [
    {"work": work, "megabytes": megabytes, "V": V}
    for megabytes, V in ((0.01, 300), (0.5, 1000))
    for work in ("train", "encode")
]
TEXTBOOK = 0.05  # megabytes; beyond it would take hours

Pair = tuple[Callable[[], np.ndarray], Callable[[np.ndarray], np.ndarray]]  # train, encode


def contenders(work: str, megabytes: float, V: int) -> Contenders:
    """Training gives the merges as pairs of ids (M, 2), encoding the ids of all texts."""
    texts = documents(megabytes)
    makers = {"companion": ours, "textbook, all text at each merge": textbook, BASELINE: theirs}
    found: Contenders = {}
    if megabytes > TEXTBOOK:
        del makers["textbook, all text at each merge"]
        found["textbook, all text at each merge"] = "timed with small texts only"
    able = {}
    for name, make in makers.items():
        try:
            able[name] = make(texts, V)
        except ImportError as error:
            found[name] = f"not installed: {error.name}"
    merges = able.get(BASELINE, able["companion"])[0]() if work == "encode" else None
    runs = {
        name: train if merges is None else partial(encode, merges)
        for name, (train, encode) in able.items()
    }
    for name, run in runs.items():  # written apart, they must agree to the last id
        others = [other for other in runs if other != name]
        found[name] = Contender(run, runs[others[-1] if others else name], 0)
    return found


def amount(megabytes: float, **_: Any) -> int:
    return sum(len(text.encode()) for text in documents(megabytes))


@cache
def documents(megabytes: float) -> list[str]:
    """Texts of some thousand bytes, of made-up words as frequent as real ones are (Zipf 1949).

    60,000 words of one to four syllables, numbers, signs, and one document in ten in Chinese
    characters, whose pieces are long and seldom stand twice.
    """
    rng = np.random.default_rng(0)
    ends = [f"{a}{b}" for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er")]
    ends = np.array(["", *ends])
    parts = rng.integers(1, len(ends), size=(60_000, 4))
    parts[np.arange(4) >= rng.integers(1, 5, size=(len(parts), 1))] = 0
    vocabulary = ["".join(word) for word in ends[parts]]
    letters = [chr(0x4E00 + n) for n in range(3000)]
    signs = (" ", " ", " ", " ", " ", " ", ", ", ". ", " 17 ", "; ")
    left, texts = megabytes * 1e6, []
    while left > 0:
        if len(texts) % 10 == 9:
            chosen = [letters[i] for i in zipf(rng, len(letters), 1000)]
            text = "".join(letter + "，" * (i % 12 == 11) for i, letter in enumerate(chosen))
        else:
            chosen, between = zipf(rng, len(vocabulary), 500), rng.integers(len(signs), size=500)
            text = "".join(vocabulary[i] + signs[k] for i, k in zip(chosen, between, strict=True))
        texts.append(text)
        left -= len(text.encode())
    return texts


def zipf(rng: np.random.Generator, n: int, size: int) -> list[int]:
    """Draw from 0 to n-1, the rank k + 1 with a probability in proportion to 1 / (k + 1)."""
    return np.searchsorted(shares(n), rng.random(size), side="right").tolist()


@cache
def shares(n: int) -> np.ndarray:
    share = np.cumsum(1 / np.arange(1, n + 1))
    return share / share[-1]


def ours(texts: list[str], V: int) -> Pair:
    from companion.text import BPE, train_bpe
    from companion.text.byte_level import BYTE_LETTERS

    def train() -> np.ndarray:
        return numbered(train_bpe(texts, V).merges)

    def encode(merges: np.ndarray) -> np.ndarray:
        tokens = tokens_of(merges)
        spelt = tuple((tokens[left], tokens[right]) for left, right in merges)
        bpe = BPE((*sorted(BYTE_LETTERS), *tokens[256:]), spelt)  # a new one remembers no piece
        return np.array([i for text in texts for i in bpe.encode(text)])

    return train, encode


def theirs(texts: list[str], V: int) -> Pair:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    def fresh(model: Any) -> Any:
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer

    def train() -> np.ndarray:
        tokenizer = fresh(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=V,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            min_frequency=1,
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return numbered(json.loads(tokenizer.to_str())["model"]["merges"])

    def encode(merges: np.ndarray) -> np.ndarray:
        tokens = tokens_of(merges)
        spelt = [(tokens[left], tokens[right]) for left, right in merges]
        vocab = {token: i for i, token in enumerate(tokens)}
        tokenizer = fresh(models.BPE(vocab=vocab, merges=spelt))
        return np.array([i for found in tokenizer.encode_batch_fast(texts) for i in found.ids])

    return train, encode


def tokens_of(merges: Any) -> list[str]:
    """What each id is written as: 256 letters, then what each merge of ids builds."""
    from companion.text.byte_level import BYTE_LETTERS

    tokens = sorted(BYTE_LETTERS)
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return tokens


def numbered(merges: Any) -> np.ndarray:
    """The merges (M, 2) as ids instead of letters."""
    from companion.text.byte_level import BYTE_LETTERS

    ids = {letter: i for i, letter in enumerate(sorted(BYTE_LETTERS))}
    for left, right in merges:
        ids[left + right] = len(ids)
    return np.array([(ids[left], ids[right]) for left, right in merges])


# ------------------------------------------------------------------------ textbook


def textbook(texts: list[str], V: int) -> Pair:
    """Count all pairs of the text, join the most frequent one everywhere, and again."""

    def train() -> np.ndarray:
        pieces, merges = letters_of(texts), []
        while 256 + len(merges) < V:
            counts = Counter(pair for piece in pieces for pair in pairwise(piece))
            if not counts:
                break
            merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
            pieces = [join(piece, merges[-1], 255 + len(merges)) for piece in pieces]
        return np.array(merges)

    def encode(merges: np.ndarray) -> np.ndarray:
        pieces = letters_of(texts)
        for new, (left, right) in enumerate(merges.tolist(), start=256):
            pieces = [join(piece, (left, right), new) for piece in pieces]
        return np.array([i for piece in pieces for i in piece])

    return train, encode


def letters_of(texts: list[str]) -> list[list[int]]:
    """The bytes of each piece, numbered in the order of the letters that stand for them."""
    from companion.text import pretokenize
    from companion.text.byte_level import BYTE_LETTERS

    ranks = sorted(range(256), key=BYTE_LETTERS.__getitem__)
    number = {byte: rank for rank, byte in enumerate(ranks)}
    return [[number[b] for b in piece.encode()] for text in texts for piece in pretokenize(text)]


def join(piece: list[int], pair: tuple[int, int], new: int) -> list[int]:
    out, at = [], 0
    while at < len(piece):
        here = at + 1 < len(piece) and (piece[at], piece[at + 1]) == pair
        out.append(new if here else piece[at])
        at += 2 if here else 1
    return out
