"""Byte-level BPE: merges worked by hand, every text comes back, special tokens are never made.

The comparison with another implementation is in test_bpe_oracle.py.
"""

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.text.bpe import train_bpe
from companion.text.bpe_encode import join_piece
from companion.text.bpe_train import learn_merges, replace_pair
from companion.text.byte_level import BYTE_LETTERS, to_bytes, to_letters
from companion.text.pretokenize import pretokenize

SPECIAL = ("<pad>", "<bos>", "<eos>")
TEXTS = [
    "the newest and the widest of the lowest rivers, the river's mouth 2024",
    "注意力机制让每个词看见每个词。注意力就是权重,权重的和是一。",
    "naïve café — Ελλάδα, русский язык; 🙂🙂 👩‍👩‍👧",
] * 3
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def bpe():
    return train_bpe(TEXTS, 320, SPECIAL)


def test_merges_worked_by_hand():
    merges = learn_merges({"aaabdaaabac": 1}, "abcd", 8)
    assert merges == [("a", "a"), ("a", "b"), ("aa", "ab"), ("a", "c")]
    bpe = train_bpe(["aaabdaaabac"], 259)
    assert bpe.merges == (("a", "a"), ("a", "b"), ("aa", "ab"))
    ids = bpe.encode("aaabdaaabac")
    assert [bpe.tokens[i] for i in ids] == ["aaab", "d", "aaab", "a", "c"]
    assert ids == [258, 67, 258, 64, 66]  # "!" is the first letter, id 0; so "a" is 97 - 33 = 64


def test_merges_count_a_word_as_often_as_it_stands():
    # the words of Sennrich et al. 2016, section 3.2, without their end-of-word sign:
    # e s 9, s t 9, w e 8, l o 7, o w 7, ...; then es t 9, l o 7, lo w 7, n e 6, ...
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    merges = learn_merges(words, sorted(set("".join(words))), 14)
    assert merges[:4] == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]


def test_ties_go_to_the_smaller_ids_not_to_the_order_of_words():
    for words in ({"cd": 2, "ab": 2}, {"ab": 2, "cd": 2}):
        assert learn_merges(words, "abcd", 5) == [("a", "b")]
        assert learn_merges(words, "dcba", 5) == [("c", "d")]


def test_min_frequency_and_lack_of_pairs_end_the_learning_early():
    assert learn_merges({"ab": 3, "cd": 2}, "abcd", 99, min_frequency=3) == [("a", "b")]
    assert learn_merges({"ab": 3, "cd": 2}, "abcd", 99) == [("a", "b"), ("c", "d")]
    assert len(train_bpe(["ab"], 999)) == 257


def test_replace_pair_goes_from_left_to_right():
    assert replace_pair([0, 0, 0], (0, 0), 9) == [9, 0]
    assert replace_pair([0, 1, 0, 1, 2], (0, 1), 9) == [9, 9, 2]
    assert replace_pair([], (0, 1), 9) == []


def test_join_piece_takes_the_lowest_rank_not_the_first_place():
    # abc with (b,c) before (a,b): a bc, not ab c
    assert join_piece([0, 1, 2], {(1, 2): (0, 4), (0, 1): (1, 3)}) == [0, 4]
    assert join_piece([0, 1, 2], {(1, 2): (1, 4), (0, 1): (0, 3)}) == [3, 2]
    assert join_piece([0] * 5, {(0, 0): (0, 1), (1, 1): (1, 2)}) == [2, 0]
    assert join_piece([], {}) == []
    # a b c d: b c goes first, so a b no longer stands when its turn comes; e d before a e
    ranks = {(1, 2): (0, 4), (0, 1): (1, 9), (4, 3): (2, 5), (0, 4): (3, 6)}
    assert join_piece([0, 1, 2, 3], ranks) == [0, 5]


@given(st.lists(st.integers(0, 2), max_size=30), st.integers(0, 9999))
@settings(deadline=None)
def test_join_piece_equals_the_plain_loop(piece, seed):
    # Any pair of 9 tokens may join, to tokens that join again: so pairs go while they wait.
    rng = np.random.default_rng(seed)
    order, joined = rng.permutation(81).reshape(9, 9), rng.integers(3, 9, size=(9, 9))
    ranks = {
        (a, b): (int(order[a, b]), int(joined[a, b]))
        for a in range(9)
        for b in range(9)
        if order[a, b] < 60
    }
    plain = list(piece)
    while found := [(ranks[p][0], at) for at, p in enumerate(pairwise(plain)) if p in ranks]:
        _, at = min(found)
        plain[at : at + 2] = [ranks[plain[at], plain[at + 1]][1]]
    assert join_piece(piece, ranks) == plain


def test_bytes_as_letters():
    assert len(set(BYTE_LETTERS)) == 256
    assert to_letters(" 好") == "Ġå¥½"
    assert to_letters("\n\t") == "Ċĉ"
    assert to_bytes(BYTE_LETTERS) == bytes(range(256))
    assert all(not c.isspace() and c.isprintable() for c in BYTE_LETTERS)
    with pytest.raises(ValueError, match=r"letters: expected the 256 letters .*got ' '"):
        to_bytes("a b")


def test_pieces_worked_by_hand():
    assert pretokenize("I'm here,  2024年") == ["I", "'m", " here", ",", " ", " 2024", "年"]
    assert pretokenize("a  \n") == ["a", "  \n"]
    assert pretokenize("a   b") == ["a", "  ", " b"]
    assert pretokenize("x²½ I'LL we'll") == ["x", "²½", " I", "'", "LL", " we", "'ll"]
    assert pretokenize("") == []


@given(ANY_TEXT)
@settings(deadline=None)
def test_every_text_comes_back(text):
    bpe = train_bpe(TEXTS, 320, SPECIAL)
    ids = bpe.encode(text)
    assert bpe.decode(ids) == text
    assert not set(ids) & {0, 1, 2}
    assert "".join(pretokenize(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\r\n\t \u3000",
        "注意力机制",
        "👩‍👩‍👧",
        "e\u0301",
        "\x00\x1c\u0378",
        "\U0010ffff",
        "a" * 50_000,
    ],
    ids=ascii,
)
def test_named_texts_come_back(bpe, text):
    assert bpe.decode(bpe.encode(text)) == text


@given(st.lists(ANY_TEXT, min_size=1), ANY_TEXT)
@settings(deadline=None, max_examples=50)
def test_whatever_was_learned_every_text_comes_back(texts, text):
    if any(texts):
        bpe = train_bpe(texts, 290)
        assert bpe.decode(bpe.encode(text)) == text
        assert all(bpe.decode(bpe.encode(seen)) == seen for seen in texts)


def test_learned_text_is_shorter(bpe):
    text = TEXTS[1]
    assert len(bpe.encode(text)) < len(text.encode()) / 2


def test_half_characters_become_replacement_characters(bpe):
    def decode(raw):
        return bpe.decode([bpe.vocab[BYTE_LETTERS[byte]] for byte in raw])

    assert decode(b"\xe5\xa5\xbd") == "好"
    assert decode(b"\xe5\xa5!") == "\ufffd!"  # one for the cut character, not one for each byte
    assert decode(b"\xff\xff") == "\ufffd\ufffd"


def test_ids_of_numpy_and_iterators_are_read(bpe):
    ids = bpe.encode("the river")
    assert bpe.decode(np.array(ids, dtype=np.int32)) == "the river"
    assert bpe.decode(iter(ids)) == "the river"


def test_copies_are_equal_and_work(bpe):
    for twin in (copy.deepcopy(bpe), pickle.loads(pickle.dumps(bpe))):
        assert twin == bpe
        assert twin.encode("the river") == bpe.encode("the river")
    assert hash(bpe) == hash(copy.deepcopy(bpe))


def test_what_is_returned_is_not_the_inside(bpe):
    first = bpe.encode("river")
    first.append(0)
    bpe.vocab.clear()
    assert bpe.encode("river") == first[:-1]


def test_special_tokens_come_first_and_then_the_bytes(bpe):
    assert bpe.tokens[:3] == SPECIAL
    assert bpe.tokens[3:259] == tuple(sorted(BYTE_LETTERS))
    assert len(bpe) == len(bpe.tokens) == 320


def test_special_tokens_in_a_text_are_plain_unless_allowed(bpe):
    text = "<bos>the river<eos>"
    plain = bpe.encode(text)
    assert not set(plain) & {0, 1, 2}
    assert bpe.decode(plain) == text
    inside = bpe.encode("the river")
    assert bpe.encode(text, allowed_special=bpe.special_tokens) == [1, *inside, 2]
    only_bos = bpe.encode(text, allowed_special=["<bos>"])
    assert only_bos == [1, *bpe.encode("the river<eos>")]
    assert bpe.decode([1, *inside, 2]) == text
    assert bpe.decode([1, *inside, 2], skip_special_tokens=True) == "the river"


def test_the_longer_special_token_wins_and_none_is_a_pattern():
    bpe = train_bpe(["ab"], 300, ["<a>", "<a><b>", ".*"])
    assert bpe.encode("<a><b>.*<a>", allowed_special=bpe.special_tokens) == [1, 2, 0]
    assert bpe.encode("xy", allowed_special=[".*"]) == bpe.encode("xy")


def test_no_merge_spells_a_special_token():
    bpe = train_bpe(["PAD PAD PAD"], 300, ["PAD"])
    assert 0 not in bpe.encode("PAD PAD")
    assert bpe.encode("PAD", allowed_special=["PAD"]) == [0]
    assert all(left + right != "PAD" for left, right in bpe.merges)
