"""No summary holds a name or a number that its article has not: tried on models that know nothing.

The check is `companion.news.measure.invented`, which is written without the code it checks, and a
search for whole rows of characters in the text.
"""

import numpy as np
import pytest

from companion.config import TransformerConfig
from companion.news import generate_articles, load_articles
from companion.news.faithful import BEGIN, Faithful
from companion.news.generate import write_summary
from companion.news.lexicon import build_lexicon
from companion.news.measure import invented
from companion.news.shapes import reader_shapes
from companion.news.units import END, KINDS, START, Lexicon, encode_text, kind_of, slot
from companion.with_numpy.pointer import pointer_generator_start

NAMES = {
    language: sorted({name for a in load_articles(language) for name in a["names"]})
    for language in ("en", "zh")
}
ENGLISH = Lexicon(
    "en", ("the", "mayor", "of", "said", "men", "left", ".", ",", "workers", "closed")
)


@pytest.fixture(scope="module", params=["en", "zh"])
def lexicon(request: pytest.FixtureRequest) -> Lexicon:
    return build_lexicon(load_articles(request.param, "train"), request.param)


def babbler(lexicon: Lexicon, seed: int):
    """A model of random weights: it says whatever it may."""
    config = TransformerConfig(vocabulary=lexicon.size, width=8, heads=2, layers=1, norm_first=True)
    rng = np.random.default_rng(seed)
    shapes = reader_shapes(config)
    return config, {k: rng.normal(size=s).astype(np.float32) for k, s in shapes.items()}


def drafts(content: str, lexicon: Lexicon, seed: int, free: bool = False):
    article = encode_text(content, lexicon)
    config, params = babbler(lexicon, seed)
    memory = pointer_generator_start(article.ids[None], params, config)
    return article, write_summary(
        article, memory, params, config, lexicon, beams=2, max_units=40, free=free
    )


def test_a_model_that_knows_nothing_invents_nothing(lexicon: Lexicon) -> None:
    language = lexicon.language
    articles = load_articles(language, "test")[:8]
    articles += generate_articles(4, language=language, split="test", seed=5)
    said = 0
    for seed, item in enumerate(articles):
        _, found = drafts(item["content"], lexicon, seed)
        for draft in found:
            said += len(draft.ids)
            assert invented(draft.text, item["content"], NAMES[language]) == [], draft.text
    assert said > 300


def test_without_the_rules_it_invents(lexicon: Lexicon) -> None:
    """The check above can fail: the same models, left to themselves, glue names and numbers."""
    articles = load_articles(lexicon.language, "test")[:8]
    faults = 0
    for seed, item in enumerate(articles):
        article, found = drafts(item["content"], lexicon, seed, free=True)
        rules = Faithful(article, lexicon)
        for draft in found:
            state = BEGIN
            for number in draft.ids:
                faults += not rules.allowed(state)[number]
                state = rules.advance(state, number)
    assert faults > 5


def test_rows_of_chinese_characters_are_rows_of_the_article() -> None:
    """Single characters, of which names are made, come in rows that stand in the article whole."""
    lexicon = build_lexicon(load_articles("zh", "train"), "zh")
    single = {w for w in lexicon.words if len(w) == 1}
    for seed, item in enumerate(load_articles("zh", "test")[:8]):
        article, found = drafts(item["content"], lexicon, seed)
        rules = Faithful(article, lexicon)
        for draft in found:
            row = ""
            for number in (*draft.ids, END):
                loose = number != END and rules.classes[number] == 2
                word = "" if not loose else article.surfaces.get(number) or _word(lexicon, number)
                assert not loose or word in single or number in article.surfaces
                if word:
                    row += word
                elif row:
                    assert row in item["content"]
                    row = ""


def _word(lexicon: Lexicon, number: int) -> str:
    return next(w for w, n in lexicon.ids.items() if n == number)


def allowed_after(content: str, said: list[str]) -> set[str]:
    """What English may follow, as text."""
    article = encode_text(content, ENGLISH)
    rules, state = Faithful(article, ENGLISH), BEGIN
    names = {text: n for n, text in article.surfaces.items()} | dict(ENGLISH.ids)
    for word in said:
        assert rules.allowed(state)[names[word]], word
        state = rules.advance(state, names[word])
    may = rules.allowed(state)
    return {text for text, n in names.items() if may[n]} | ({"<end>"} if may[END] else set())


def test_a_number_keeps_its_unit() -> None:
    content = "The mayor of Tovin said 3 million men left. 40 workers closed."
    assert allowed_after(content, ["3"]) == {"million"}
    assert allowed_after(content, ["3", "million"]) == {"men"}
    assert allowed_after(content, ["40"]) == {"workers"}


def test_a_number_alone_is_followed_by_no_other_noun() -> None:
    after = allowed_after("Men left in 2024, workers said.", ["2024"])
    assert "workers" not in after
    assert {",", "<end>", "of"} <= after


def test_two_names_stand_side_by_side_only_as_in_the_article() -> None:
    content = "The mayor of Tovin, Ana Boskin, left Marne Hall 3 million."
    after = allowed_after(content, ["mayor", "of", "Tovin"])
    assert not {"Ana Boskin", "Marne Hall", "3", "million"} & after
    assert {"mayor", "said", ",", "<end>"} <= after
    assert "3" in allowed_after(content, ["Marne Hall"])


def test_half_a_number_cannot_be_entered() -> None:
    start = allowed_after("The mayor said 3 million men left.", [])
    assert "3" in start
    assert "million" not in start


def test_what_the_article_has_not_cannot_be_said() -> None:
    article = encode_text("The mayor left.", ENGLISH)
    rules = Faithful(article, ENGLISH)
    may = rules.allowed(BEGIN)
    for kind in KINDS:
        assert not may[slot(kind, 0)]
    assert kind_of(START) == "special"
    assert not may[START]


def test_the_independent_check_finds_what_is_planted() -> None:
    text = "Mayor Ana Boskin of Tovin said 13 men left with two dogs."
    assert invented("Ana Boskin said two dogs left.", text) == []
    assert invented("In Tovin 3 men left.", text) == ["3"]
    assert invented("The three dogs of Ana Marne left.", text) == ["three", "Marne"]
    assert invented("约11万名储户", "约110万名储户") == ["11"]
    assert invented("三百名储户", "两百名储户") == ["三百"]
    assert invented("沈云青说", "他说", ["沈云青"]) == ["沈云青"]
