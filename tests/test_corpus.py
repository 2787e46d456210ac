"""The hand-written corpus: complete records, no leak between articles, nothing invented twice."""

import re
from collections import Counter

import pytest

from companion.news.corpus import SPLITS, load_articles
from companion.text import split_sentences

ARTICLES = load_articles()
LANGUAGES = sorted({article["language"] for article in ARTICLES})
POINTS = {"reach", "severity", "novelty", "urgency"}


def grams(article, size=8):
    """All runs of eight words (Chinese: characters) of title, content and summary."""
    found = set()
    for key in ("title", "content", "summary"):
        text = article[key].lower()
        chinese = article["language"] == "zh"
        units = [c for c in text if c.isalnum()] if chinese else re.findall(r"\w+", text)
        found |= {tuple(units[at : at + size]) for at in range(len(units) - size + 1)}
    return found


def leaks(articles):
    """Pairs of articles that share eight consecutive words."""
    first, pairs = {}, set()
    for article in articles:
        for gram in grams(article):
            other = first.setdefault(gram, article["id"])
            if other != article["id"]:
                pairs.add((other, article["id"]))
    return pairs


def test_there_is_a_corpus_in_batches_of_sixty():
    assert ARTICLES
    assert len(ARTICLES) % 60 == 0
    assert [article["id"] for article in ARTICLES] == sorted({a["id"] for a in ARTICLES})
    per_split = Counter((article["id"][:4], article["split"]) for article in ARTICLES)
    assert {split for _, split in per_split} == set(SPLITS)
    assert all(
        per_split[batch, split] == size
        for batch in {batch for batch, _ in per_split}
        for split, size in zip(SPLITS, (38, 8, 14), strict=True)
    )


@pytest.mark.parametrize("article", ARTICLES, ids=[article["id"] for article in ARTICLES])
def test_record_is_complete_and_can_be_copied_from(article):
    sentences = split_sentences(article["content"])
    assert "".join(sentences) == article["content"]
    assert 3 <= len(sentences) <= 8
    assert 1 <= len(article["carries"]) <= 3
    assert set(article["carries"]) <= set(range(len(sentences)))
    assert set(article["rubric"]) == POINTS
    assert article["importance"] == 1 + sum(article["rubric"].values())
    assert article["synthetic"] is True
    assert article["license"] == "CC-BY-4.0"
    assert article["split"] in SPLITS
    assert all(name in article["content"] for name in article["names"])
    for key in ("title", "summary"):
        assert article[key] not in article["content"]
        for number in re.findall(r"\d[\d,.:]*\d|\d", article[key]):
            assert number in article["content"], (key, number)


def test_no_two_articles_share_eight_words_or_a_name():
    assert not leaks(ARTICLES)
    names = Counter(name for article in ARTICLES for name in set(article["names"]))
    assert not [name for name, count in names.items() if count > 1]


def test_the_search_for_leaks_finds_one():
    copied = {**ARTICLES[1], "summary": ARTICLES[0]["summary"]}
    assert leaks([ARTICLES[0], copied])


def test_position_does_not_give_the_news_away():
    for language in LANGUAGES:
        first = [article["carries"][0] for article in load_articles(language)]
        assert sum(at == 0 for at in first) < len(first) / 2


def test_selection_and_refusals():
    assert {article["split"] for article in load_articles("en", "test")} == {"test"}
    assert {article["language"] for article in load_articles("zh")} == {"zh"}
    load_articles()[0]["title"] = "changed"
    assert load_articles()[0]["title"] != "changed"
    with pytest.raises(ValueError, match="language: expected 'en', 'zh' or None, got 'de'"):
        load_articles("de")
    with pytest.raises(ValueError, match="split: expected 'train'"):
        load_articles(split="dev")
