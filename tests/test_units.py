"""Units, slots and the lexicon: nothing lost, nothing unknown, nothing spelled by the model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.news import generate_articles, load_articles
from companion.news.lexicon import build_lexicon
from companion.news.units import (
    ARTICLE,
    END,
    FIRST_WORD,
    SENTENCE,
    SLOTS,
    Lexicon,
    SlotsFullError,
    decode,
    encode_summary,
    encode_text,
    is_number,
    kind_of,
    language_of,
    slot,
    split_units,
)

EN = Lexicon("en", ("the", "mayor", "of", "closed", "bridges", ".", ",", "in", "on", "and", "it"))
ZH = Lexicon("zh", ("的", "了", "，", "。", "水库", "表示"))


def kinds(text: str, lexicon: Lexicon) -> list[tuple[str, str]]:
    return [(unit.text, unit.kind) for unit in split_units(text, lexicon)]


def test_english_by_hand() -> None:
    assert kinds("Mayor Ana Tovin closed 3 bridges, twenty-two in May.", EN) == [
        ("Mayor", "word"),
        ("Ana Tovin", "name"),
        ("closed", "word"),
        ("3", "number"),
        ("bridges", "word"),
        (",", "mark"),
        ("twenty-two", "number"),
        ("in", "word"),
        ("May", "name"),
        (".", "mark"),
    ]


def test_numbers_stay_whole() -> None:
    for number in ("3.25", "1,200", "$3.5", "14%", "2-0", "9th", "18:30", "３５"):
        found = split_units(f"on {number} , in", EN)
        assert [unit.text for unit in found if unit.kind == "number"] == [number]


def test_chinese_by_hand() -> None:
    assert kinds("沈云水库的三百万元", ZH) == [
        ("沈", "rare"),
        ("云", "rare"),
        ("水库", "word"),
        ("的", "word"),
        ("三百万", "number"),
        ("元", "rare"),
    ]


@given(st.text(alphabet="ab A1２三沈的，。.-' \n“”中文é$%", max_size=60), st.sampled_from([EN, ZH]))
def test_units_lose_nothing(text: str, lexicon: Lexicon) -> None:
    whole = "".join(unit.before + unit.text for unit in split_units(text, lexicon))
    assert text.startswith(whole)
    assert not text[len(whole) :].strip()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_unknown_and_every_word_comes_back(language: str) -> None:
    """UNK rate 0 on articles that no lexicon was made from: each unit is told again as it was."""
    lexicon = build_lexicon(load_articles(language, "train"), language)
    articles = load_articles(language, "test") + generate_articles(
        20, language=language, split="test", seed=3
    )
    for item in articles:
        article = encode_text(item["content"], lexicon)
        assert article.ids.dtype == np.int64
        assert article.ids[0] == ARTICLE
        assert (article.ids == SENTENCE).sum() == len(article.texts)
        assert article.ids.max() < lexicon.size
        back = decode(article.ids, article, lexicon)
        assert _letters(back) == _letters(item["content"])


def _letters(text: str) -> str:
    return "".join(c for c in text.lower().replace("’", "'") if not c.isspace())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_references_can_be_said(language: str) -> None:
    """At most one piece in fifty of a test summary is neither in the lexicon nor in the article."""
    articles = load_articles(language, "train") + generate_articles(
        300, language=language, split="train", seed=1
    )
    lexicon = build_lexicon(articles, language)
    lost = total = 0
    for item in load_articles(language, "test"):
        article = encode_text(item["content"], lexicon)
        wanted = len(split_units(item["summary"], lexicon))
        lost += wanted - (len(encode_summary(item["summary"], article, lexicon)) - 1)
        total += wanted
    assert lost / total < 0.02


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_name_and_no_number_is_in_a_lexicon(language: str) -> None:
    articles = load_articles(language, "train")
    lexicon = build_lexicon(articles, language)
    names = {name for item in articles for name in item["names"]}
    if language == "en":
        assert not {name.lower() for name in names if " " not in name} & set(lexicon.words)
    else:
        assert not {name for name in names if len(name) > 1} & set(lexicon.words)
    assert not [word for word in lexicon.words if is_number(word, language)]
    assert build_lexicon(articles, language) == lexicon


def test_the_same_name_has_the_same_slot() -> None:
    article = encode_text("Ana Tovin closed it. The mayor of Oda, Ana Tovin, closed 3.", EN)
    names = [n for n in article.ids.tolist() if kind_of(n) == "name"]
    assert [article.surfaces[n] for n in names] == ["Ana Tovin", "Oda", "Ana Tovin"]
    assert names[0] == names[2] == slot("name", 0)
    assert article.sentences.tolist()[:3] == [-1, 0, 0]


def test_a_summary_takes_its_slots_from_the_article() -> None:
    article = encode_text("The mayor of Oda, Ana Tovin, closed 3 bridges.", EN)
    ids = encode_summary("Ana Tovin closed 3 bridges in Paris.", article, EN)
    assert ids[-1] == END
    assert decode(ids[:-1], article, EN) == "Ana Tovin closed 3 bridges in."


def test_slots_run_out_with_a_word() -> None:
    text = " and ".join(f"{n}" for n in range(SLOTS["number"] + 1))
    with pytest.raises(SlotsFullError, match=f"at most {SLOTS['number']} different numbers"):
        encode_text(text, EN)


def test_ids_do_not_overlap() -> None:
    found = [slot(kind, n) for kind in SLOTS for n in range(SLOTS[kind])]
    assert sorted(found) == list(range(found[0], FIRST_WORD))
    assert [kind_of(slot(kind, SLOTS[kind] - 1)) for kind in SLOTS] == list(SLOTS)
    assert kind_of(FIRST_WORD) == "word"
    assert kind_of(SENTENCE) == "special"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a", "a"), "words: expected each once, got one twice"),
        (("a", "twelve"), "words: expected no number, got 'twelve'"),
        (("b2b",), "words: expected no number, got 'b2b'"),
    ],
)
def test_a_lexicon_refuses(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Lexicon("en", words)


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="language: expected 'en' or 'zh', got 'fr'"):
        Lexicon("fr", ())
    with pytest.raises(TypeError, match="text: expected str, got int"):
        split_units(3, EN)  # type: ignore[arg-type]


def test_language() -> None:
    assert language_of("A plain text.") == "en"
    assert language_of("东湖（East Lake）的水位") == "zh"
    assert language_of("") == "en"
