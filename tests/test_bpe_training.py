"""Learning merges: the work it takes, counted in operations, and that it is always the same."""

import os
import subprocess
import sys
import textwrap
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from companion.text import bpe_train
from companion.text.bpe_train import learn_merges, replace_pair

ROOT = Path(__file__).resolve().parent.parent


def corpus_of_many_words():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), size=rng.integers(2, 9))) for _ in range(3000)]
    return Counter(words)


def test_learning_touches_only_the_words_that_hold_the_pair(monkeypatch):
    visited = []

    def counting(word, pair, new):
        assert pair in set(pairwise(word)), "a word was looked at in vain"
        visited.append(len(word))
        return replace_pair(word, pair, new)

    monkeypatch.setattr(bpe_train, "replace_pair", counting)
    words = corpus_of_many_words()
    merges = learn_merges(words, "abcdefgh", 8 + 300)
    assert len(merges) == 300
    scan = sum(map(len, words))  # letters that one look through all words would visit
    assert sum(visited) < 4 * scan  # rescanning at each merge would take 300


def test_pairs_of_the_whole_corpus_are_counted_once(monkeypatch):
    pairs = [0]

    def counting(word):
        for pair in pairwise(word):
            pairs[0] += 1
            yield pair

    monkeypatch.setattr(bpe_train, "pairwise", counting)
    words = corpus_of_many_words()
    learn_merges(words, "abcdefgh", 8 + 300)
    scan = sum(len(word) - 1 for word in words)
    assert scan < pairs[0] < 8 * scan


@pytest.mark.slow
def test_incremental_counts_equal_those_of_a_full_rescan():
    words = corpus_of_many_words()
    tokens = list("abcdefgh")
    split = {word: [tokens.index(letter) for letter in word] for word in words}
    expected = []
    for new in range(8, 8 + 120):
        counts = Counter()
        for word, symbols in split.items():
            for pair in pairwise(symbols):
                counts[pair] += words[word]
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        expected.append((tokens[best[0]], tokens[best[1]]))
        tokens.append("".join(expected[-1]))
        split = {word: replace_pair(symbols, best, new) for word, symbols in split.items()}
    assert learn_merges(words, "abcdefgh", 8 + 120) == expected


def test_progress_moves_once_a_merge(monkeypatch):
    tqdm = pytest.importorskip("tqdm.auto")
    bars = []

    class Bar(tqdm.tqdm):
        def __init__(self, **options):
            super().__init__(**options, file=open(os.devnull, "w"))  # noqa: SIM115
            bars.append(self)

        def close(self):
            super().close()
            self.fp.close() if hasattr(self.fp, "close") else None

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    assert learn_merges({"aaab": 1}, "ab", 4, progress=True) == [("a", "a"), ("a", "b")]
    assert (bars[0].n, bars[0].total) == (2, 2)


def test_progress_without_tqdm_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"tqdm.auto: expected to be installed, .*pip install"):
        learn_merges({"aaab": 1}, "ab", 4, progress=True)
    assert learn_merges({"aaab": 1}, "ab", 3) == [("a", "a")]


@pytest.mark.slow
def test_learning_is_the_same_whatever_the_hash_seed():
    program = textwrap.dedent(
        """
        from companion.text.bpe import train_bpe
        texts = ["low lower newest widest 注意力 注意 attention"] * 2
        bpe = train_bpe(texts, 330, ["<pad>", "<eos>"])
        print(ascii((bpe.tokens, bpe.merges, bpe.encode("lowest 注意力"))))
        """
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(said) == 1
    assert "lowe" in said.pop()
