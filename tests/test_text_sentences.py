"""Splitting and tokenising lose nothing, and cut where a reader would."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.news import load_news
from companion.text import CharacterTokenizer, split_sentences, words

ANY = st.text(alphabet=st.characters(exclude_categories=()))  # surrogates included
MARKS = st.text(alphabet='aB中3 .!?…。！？；”」"\n\r\t\u3000')

SPLITS = {
    "plain": ["It rained. ", "We stayed! ", "Why not?"],
    "decimal": ["It grew 3.5 cm. ", "Then 4,200 left."],
    "title": ["Dr. Vane spoke. ", "Mrs. Low did not."],
    "initials": ["J. R. Moss and K. Lee voted. ", "He won."],
    "acronym inside": ["The U.S. Senate met. ", "It rose."],
    "acronym last": ["She moved to the U.S. ", "The rest stayed."],
    "for example": ["Take fruit, e.g. Apples or pears. ", "Done."],
    "time": ["It opens at 7.30 a.m. on weekdays. ", "It shuts at 6 p.m. ", "They sleep."],
    "number": ["See No. 5 first. ", "He said no. ", "No. ", "Never."],
    "address": ["Read example.org/a.b?c=d now. ", "Thanks."],
    "english quote": ["“Stop!” she cried. ", "“Why?” Marta said. ", "He left."],
    "quote at end": ["He said: “Go.” ", "They went."],
    "ellipsis": ["Well... maybe. ", "So... ", "Yes."],
    "list": ["1. First thing. ", "2. Second thing."],
    "chinese": ["下雨了。", "真的吗？", "真的！", "水位上涨；", "桥关闭。"],
    "chinese decimal": ["上涨3.5米。", "继续上涨。"],
    "chinese quote": ["他说：“停课。”", "学校照办。"],
    "chinese corner": ["他說：「停課。」", "學校照辦。"],
    "chinese speaker": ["“停！”他喊道。", "大家停下。"],
    "chinese long speaker": ["“停电了。”一位参会的部长说。", "会议继续。"],
    "not a speaker": ["“停电了。”", "问题还在。"],
    "chinese run": ["什么？！", "走吧……也许。", "好！！！", "走。"],
    "western marks": ["好!", "他来了?", "来了."],
    "mixed": ["小米说OK。", "Then it rained. ", "雨停了。"],
    "blank line": ["Headline\n\n", "Text begins."],
    "indented": ["标题\n\u3000\u3000", "正文。"],
    "one line break": ["A line\nthat goes on. ", "End."],
    "windows": ["One.\r\n", "Two\r\nlines.\r\n\r\n", "Three."],
    "no mark": ["no mark at all"],
    "white space": [" \n "],
}


@pytest.mark.parametrize("expected", SPLITS.values(), ids=SPLITS)
def test_cuts_where_a_reader_would(expected: list[str]) -> None:
    assert split_sentences("".join(expected)) == expected


def test_an_empty_text_has_no_sentence() -> None:
    assert split_sentences("") == []


@given(st.one_of(ANY, MARKS))
def test_splitting_loses_nothing(text: str) -> None:
    parts = split_sentences(text)
    assert "".join(parts) == text
    assert all(parts)
    assert text.isspace() or not any(part.isspace() for part in parts)


@pytest.mark.parametrize("filler", [" ", ".", "\n", "”", "A", "a. ", ".C", "……", " \n"])
def test_splitting_time_grows_with_the_length_only(filler: str) -> None:
    text = "a" + filler * (100_000 // len(filler)) + "b"
    start = time.perf_counter()
    assert "".join(split_sentences(text)) == text
    # 0.1 s where this was written; a quadratic pattern takes a minute or more
    assert time.perf_counter() - start < 5


def test_words_by_hand() -> None:
    assert words("Rain in 北京市") == ["rain", "in", "北", "京", "市", "北京", "京市"]
    assert words("北京市", bigrams=False) == ["北", "京", "市"]
    assert words("Don't: 3.5 cm, 4,200 SEA-wall.") == ["don't", "3.5", "cm", "4,200", "sea-wall"]
    assert words("今天，好") == ["今", "天", "今天", "好"]  # no pair across a comma
    assert words("。！—") == []


@pytest.mark.parametrize("function", [split_sentences, words])
def test_says_what_it_needs(function) -> None:
    with pytest.raises(TypeError, match="text: expected str, got bytes"):
        function(b"abc")


@given(st.one_of(ANY, MARKS), st.text())
def test_tokenising_loses_nothing(text: str, known: str) -> None:
    tokenizer = CharacterTokenizer.from_texts([known])
    ids = tokenizer.encode(text, bos=True, eos=True)
    assert tokenizer.decode(ids) == text
    assert (ids[0], ids[-1]) == (tokenizer.bos_id, tokenizer.eos_id)
    assert all(0 <= token < len(tokenizer) for token in ids)


def test_tokens_by_hand() -> None:
    tokenizer = CharacterTokenizer.from_texts(["ba", "b中"])
    assert tokenizer.characters == "ab中"
    assert len(tokenizer) == 3 + 256 + 3
    assert tokenizer.encode("中b") == [261, 260]
    assert tokenizer.encode("é") == [3 + 0xC3, 3 + 0xA9]  # two bytes of UTF-8
    assert tokenizer.encode("<eos>").count(tokenizer.eos_id) == 0
    assert tokenizer.unseen("abcé中c") == ["c", "é", "c"]
    assert CharacterTokenizer.from_texts(["ba", "b中"], min_count=2).characters == "b"


def test_no_character_of_the_news_is_unknown_or_lost() -> None:
    texts = [item["title"] + item["content"] for item in load_news()]
    tokenizer = CharacterTokenizer.from_texts(texts)
    for text in texts:
        ids = tokenizer.encode(text)
        assert len(ids) == len(text)
        assert tokenizer.decode(ids) == text
        assert tokenizer.unseen(text) == []


def test_bytes_that_are_no_utf8_become_the_replacement_character() -> None:
    tokenizer = CharacterTokenizer("a")
    assert tokenizer.decode([3 + 0xE4, 259, tokenizer.pad_id, 3 + 0xFF]) == "\ufffda\ufffd"


def test_the_tokenizer_is_frozen_and_compares_by_value() -> None:
    tokenizer = CharacterTokenizer("ab")
    assert tokenizer == CharacterTokenizer.from_texts(["ab"])
    with pytest.raises(AttributeError):
        tokenizer.characters = "xy"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.encode(b"a"), TypeError, "text: expected str, got bytes"),
        (lambda t: t.decode([261]), ValueError, "ids: expected 0 to V - 1 = 260, got 261"),
        (lambda t: t.decode([-1]), ValueError, "ids: expected 0 to V - 1 = 260, got -1"),
        (lambda t: t.decode([1.0]), TypeError, "ids: expected integers, got float"),
        (lambda t: t.decode([True]), TypeError, "ids: expected integers, got bool"),
        (lambda t: CharacterTokenizer("aba"), ValueError, "characters: .* got 'a' twice"),
        (lambda t: CharacterTokenizer(7), TypeError, "characters: expected str, got int"),
        (lambda t: t.from_texts("ab"), TypeError, "texts: expected several texts, got one str"),
        (lambda t: t.from_texts([1]), TypeError, "texts: expected str, got int"),
        (lambda t: t.from_texts([], min_count=0), ValueError, "min_count: expected at least 1"),
    ],
)
def test_the_tokenizer_says_what_is_wrong(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call(CharacterTokenizer("ab"))
