"""Byte-level BPE against Hugging Face tokenizers, both ways, and against the package regex.

Equal here means equal: the same pieces, merges, vocabulary, ids and texts. Nothing is rounded.
"""

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.text.bpe import BPE, train_bpe
from companion.text.byte_level import BYTE_LETTERS, to_letters
from companion.text.pretokenize import pretokenize

tokenizers = pytest.importorskip("tokenizers")

SPECIAL = ["<pad>", "<bos>", "<eos>", "<|user|>"]
TEXTS = [
    "the newest and the widest of the lowest rivers,  the river's mouth\n\n2024 and 1999",
    "注意力机制让每个词看见每个词。注意力就是权重,权重的和是一。第3章,12个头",
    "naïve café — Ελλάδα, русский язык; 🙂🙂 👩‍👩‍👧 e\u0301 \t\t x = x+1",
] * 3
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
# Texts of the parts where rules meet: spaces, contractions, scripts, marks, joiners, specials.
MIXED_TEXT = st.lists(
    st.sampled_from(
        [
            *" \n\t\r\u00a0\u3000\u200d'aZé注力🙂1²½,_\u0301\x1c\x85",
            "  ",
            "'s",
            "'ll",
            "'LL",
            "the",
            *SPECIAL,
        ]
    )
).map("".join)


def other(**trainer):
    """A tokenizer of the other library with the settings that ours has."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.train_from_iterator(
        trainer.pop("texts"),
        tokenizers.trainers.BpeTrainer(
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
            **trainer,
        ),
    )
    return made


def merges_of(tokenizer):
    return tuple(map(tuple, json.loads(tokenizer.to_str())["model"]["merges"]))


@pytest.fixture(scope="module")
def ours():
    return train_bpe(TEXTS, 350, SPECIAL)


@pytest.fixture(scope="module")
def theirs():
    return other(texts=TEXTS, vocab_size=350, special_tokens=SPECIAL)


@pytest.fixture(scope="module")
def read_by_them(ours, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "tokenizer.json"
    ours.save(path)
    return tokenizers.Tokenizer.from_file(str(path))


@pytest.fixture(scope="module")
def read_by_us(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "tokenizer.json"
    theirs.save(str(path))
    return BPE.load(path)


def test_same_merges_and_vocabulary(ours, theirs):
    assert ours.merges == merges_of(theirs)
    assert ours.vocab == theirs.get_vocab()


@pytest.mark.slow
@given(
    st.lists(st.text("abc \n注力é1", min_size=1, max_size=40), min_size=1, max_size=12),
    st.integers(0, 60),
    st.integers(1, 3),
)
@settings(deadline=None, max_examples=200)
def test_same_merges_for_any_text_and_setting(texts, merges, min_frequency):
    size = 256 + len(SPECIAL) + merges
    theirs = other(
        texts=texts, vocab_size=size, special_tokens=SPECIAL, min_frequency=min_frequency
    )
    ours = train_bpe(texts, size, SPECIAL, min_frequency=min_frequency)
    assert ours.merges == merges_of(theirs)
    assert ours.vocab == theirs.get_vocab()


def test_same_merges_where_many_counts_are_equal():
    rng = np.random.default_rng(0)
    text = " ".join(
        "".join(rng.choice(list("abcde"), size=rng.integers(1, 12))) for _ in range(800)
    )
    ours, theirs = train_bpe([text], 900), other(texts=[text], vocab_size=900)
    assert len(ours.merges) > 600
    assert ours.merges == merges_of(theirs)


@pytest.mark.slow
@given(ANY_TEXT | MIXED_TEXT)
@settings(deadline=None, max_examples=400)
def test_same_ids_and_texts_both_ways(ours, read_by_them, read_by_us, theirs, text):
    ids = ours.encode(text, allowed_special=ours.special_tokens)
    assert ids == read_by_them.encode(text).ids == theirs.encode(text).ids
    assert ids == read_by_us.encode(text, allowed_special=SPECIAL)
    assert ours.decode(ids) == text == read_by_them.decode(ids, skip_special_tokens=False)
    assert ours.decode(ids, skip_special_tokens=True) == read_by_them.decode(ids)


@given(MIXED_TEXT)
@settings(deadline=None)
def test_same_ids_where_special_tokens_are_plain_text(ours, read_by_them, text):
    plain = tokenizers.Tokenizer.from_str(read_by_them.to_str())
    plain.encode_special_tokens = True
    assert ours.encode(text) == plain.encode(text).ids


@given(st.binary(max_size=40))
@settings(deadline=None, max_examples=400)
def test_same_replacement_of_bytes_that_are_no_text(ours, read_by_them, raw):
    ids = [ours.vocab[BYTE_LETTERS[byte]] for byte in raw]
    assert ours.decode(ids) == read_by_them.decode(ids)


def test_a_file_of_theirs_is_read_as_ours(read_by_us, ours, theirs):
    assert read_by_us == ours
    assert read_by_us.vocab == theirs.get_vocab()


def test_special_tokens_that_were_added_later_are_read(tmp_path):
    theirs = other(texts=TEXTS, vocab_size=300)
    theirs.add_special_tokens(["<late>"])
    theirs.post_processor = tokenizers.processors.ByteLevel(trim_offsets=False)
    theirs.save(str(tmp_path / "t.json"))
    ours = BPE.load(tmp_path / "t.json")
    assert ours.special_tokens == ("<late>",)
    assert ours.encode("the<late>", allowed_special=["<late>"]) == theirs.encode("the<late>").ids


def test_a_trained_letter_alphabet_without_all_bytes_is_refused(tmp_path):
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.train_from_iterator(["abc"], tokenizers.trainers.BpeTrainer(show_progress=False))
    theirs.save(str(tmp_path / "t.json"))
    with pytest.raises(ValueError, match="letters of all 256 bytes, 253 are missing, such as '!'"):
        BPE.load(tmp_path / "t.json")


# --- pieces ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def byte_level():
    return tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def test_alphabet_is_theirs():
    assert set(tokenizers.pre_tokenizers.ByteLevel.alphabet()) == set(BYTE_LETTERS)


@pytest.mark.slow
@given(ANY_TEXT | MIXED_TEXT)
@settings(deadline=None, max_examples=400)
def test_pieces_are_theirs(byte_level, text):
    theirs = [piece for piece, _ in byte_level.pre_tokenize_str(text)]
    assert [to_letters(piece) for piece in pretokenize(text)] == theirs


@pytest.mark.slow
def test_every_code_point_falls_into_their_class(byte_level):
    # Planes 4 to 13 hold no characters at all: their first 256 code points stand for the rest.
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    codes = [c for c in codes if c < 0x40000 or 0xE0000 <= c < 0xE1000 or c & 0xFFFF < 256]
    for start in range(0, len(codes), 4096):
        text = "".join(f"a{chr(c)}1{chr(c)}!" for c in codes[start : start + 4096])
        theirs = [piece for piece, _ in byte_level.pre_tokenize_str(text)]
        assert [to_letters(piece) for piece in pretokenize(text)] == theirs


@pytest.mark.slow
@given(ANY_TEXT | MIXED_TEXT)
@settings(deadline=None, max_examples=400)
def test_pieces_are_those_of_the_package_regex(text):
    regex = pytest.importorskip("regex")
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    # regex knows a newer Unicode: only characters that this Python knows too are compared
    text = "".join(c for c in text if unicodedata.category(c) != "Cn")
    assert pretokenize(text) == regex.findall(pattern, text)
