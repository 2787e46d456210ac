"""What byte-level BPE refuses and the words it says so in; its tables; what it imports."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from companion.text import _unicode
from companion.text.bpe import BPE, train_bpe
from companion.text.bpe_train import learn_merges
from companion.text.byte_level import BYTE_LETTERS

ROOT = Path(__file__).resolve().parent.parent
SPECIAL = ("<pad>", "<bos>", "<eos>")


@pytest.fixture(scope="module")
def bpe():
    return train_bpe(["the newest river, the widest river, 注意力 🙂"] * 2, 280, SPECIAL)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["a"], 255), ValueError, r"vocab_size: expected at least 256 = 256 bytes \+ 0 special "),
        (
            (["a"], 258, SPECIAL),
            ValueError,
            r"at least 259 = 256 bytes \+ 3 special tokens, got 258",
        ),
        ((["a"], 300.0), TypeError, "vocab_size: expected an integer, got float"),
        (("a", 300), TypeError, r"texts: expected several texts, got one str; write \[text\]"),
        ((None, 300), TypeError, "texts: expected several texts, got one NoneType"),
        ((["a", b"b"], 300), TypeError, r"texts\[1\]: expected str, got bytes"),
        (
            (["a", "bc\ud83dd"], 300),
            ValueError,
            r"texts\[1\]: expected Unicode without lone surrogates, got U\+D83D at position 2",
        ),
        (([], 300), ValueError, "texts: expected at least one character, got no text"),
        ((["", ""], 300), ValueError, "texts: expected at least one character, got no text"),
        ((["a"], 300, "<pad>"), TypeError, "special_tokens: expected several tokens, got one str"),
        ((["a"], 300, [3]), TypeError, "special_tokens: expected str, got int"),
        ((["a"], 300, [""]), ValueError, "special_tokens: expected at least one character each"),
        ((["a"], 300, ["x", "Ġ"]), ValueError, "expected none of the 256 byte letters, got 'x'"),
        ((["a"], 300, ["<a>"] * 2), ValueError, "special_tokens: expected each once, got '<a>' tw"),
        ((["a"], 300, ["\udc00."]), ValueError, r"special_tokens: .*got U\+DC00 at position 0"),
    ],
)
def test_training_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        train_bpe(*arguments)


def test_training_refuses_numbers_below_one():
    with pytest.raises(ValueError, match="min_frequency: expected at least 1, got 0"):
        train_bpe(["a"], 300, min_frequency=0)
    with pytest.raises(ValueError, match="size: expected at least 1, got 0"):
        learn_merges({"a": 1}, "a", 0)
    with pytest.raises(KeyError, match="b"):
        learn_merges({"ab": 1}, "a", 3)


@pytest.mark.parametrize(
    ("text", "allowed", "error", "message"),
    [
        (b"a", (), TypeError, "text: expected str, got bytes"),
        ("ab\udfff", (), ValueError, r"text: expected .*surrogates, got U\+DFFF at position 2"),
        ("a", "<pad>", TypeError, "allowed_special: expected a collection of special tokens, got"),
        ("a", ["<mask>"], ValueError, r"allowed_special: expected some of \('<pad>', .*'<mask>'"),
    ],
)
def test_encoding_refuses(bpe, text, allowed, error, message):
    with pytest.raises(error, match=message):
        bpe.encode(text, allowed_special=allowed)


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([0, 280], ValueError, "ids: expected 0 to V - 1 = 279, got 280"),
        ([-1], ValueError, "ids: expected 0 to V - 1 = 279, got -1"),
        ([1.0], TypeError, "ids: expected integers, got float"),
        ([True], TypeError, "ids: expected integers, got bool"),
        ([[1, 2]], TypeError, "ids: expected integers, got list"),
        (np.ones((2, 3), int), TypeError, "ids: expected integers, got ndarray"),
        ("12", TypeError, "ids: expected a list of integers, got str"),
        (5, TypeError, "ids: expected a list of integers, got int"),
    ],
)
def test_decoding_refuses(bpe, ids, error, message):
    with pytest.raises(error, match=message):
        bpe.decode(ids)


@pytest.mark.parametrize(
    ("tokens", "merges", "special", "message"),
    [
        ((*BYTE_LETTERS, "a"), (), (), "tokens: expected each once, got 'a' twice"),
        (tuple(BYTE_LETTERS[1:]), (), (), "tokens: expected the letters of all 256 bytes, 1 are"),
        ((*BYTE_LETTERS, "好"), (), (), "tokens: expected byte letters or a special token, got"),
        ((*BYTE_LETTERS, ""), (), (), "tokens: expected byte letters or a special token, got ''"),
        (tuple(BYTE_LETTERS), (("a", "b"),), (), r"merges: expected parts and sum .*\('a', 'b'\)"),
        (tuple(BYTE_LETTERS), (), ("<x>",), "special_tokens: expected to be among the tokens, got"),
        ((*BYTE_LETTERS, "ab"), (("a", "b"),), ("ab",), "merges: expected to build no special tok"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused(tokens, merges, special, message):
    with pytest.raises(ValueError, match=message):
        BPE(tokens, merges, special)


def test_tables_agree_with_the_unicode_that_python_knows():
    def members(ranges):
        ends = [[int(end, 16) for end in item.split("-")] for item in ranges.split()]
        return {code for item in ends for code in range(item[0], item[-1] + 1)}

    letters, numbers = members(_unicode.LETTERS), members(_unicode.NUMBERS)
    assert not letters & numbers
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        if category != "Cn":  # not yet assigned in this version of Python
            assert (code in letters, code in numbers) == (category[0] == "L", category[0] == "N")
    python_only = set(range(0x1C, 0x20))
    assert members(_unicode.SPACES) | python_only == {
        code for code in range(0x110000) if chr(code).isspace()
    }


def test_importing_needs_neither_tqdm_nor_another_library():
    program = (
        "import sys, companion.text.bpe; "
        "print(sorted({'tqdm', 'tokenizers', 'regex', 'torch', 'numpy'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n"
