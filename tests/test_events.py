"""Generated news: complete phrasings, no leak between splits, names that can be copied."""

import itertools
import re
from collections import Counter

import pytest
from test_corpus import ARTICLES, POINTS, grams

from companion.news import events
from companion.news.events import SPLITS, event_types, generate_articles
from companion.text import split_sentences

LANGUAGES = ("en", "zh")
GENERATED = {
    (language, split): generate_articles(400, language=language, split=split, seed=7)
    for language in LANGUAGES
    for split in SPLITS
}
DATA = {language: events._load(language) for language in LANGUAGES}
PHRASINGS = [
    pytest.param(language, kind["slots"], phrasing, id=f"{language}-{event}-{share}-{number}")
    for language in LANGUAGES
    for event, kind in DATA[language]["events"].items()
    for share in ("train", "held_out")
    for number, phrasing in enumerate(kind[share])
]
CHOICE = re.compile(r"<([^<>]*)>")
SLOT = re.compile(r"{(\w+)}")


def always(text):
    """The slots that stand in the text whatever is chosen."""
    chosen = [[set(SLOT.findall(o)) for o in c.split("|")] for c in CHOICE.findall(text)]
    return set(SLOT.findall(CHOICE.sub("", text))).union(*(set.intersection(*c) for c in chosen))


def outcomes(text):
    """Every text that the choices allow."""
    parts = [part.split("|") if at % 2 else [part] for at, part in enumerate(CHOICE.split(text))]
    return ["".join(parts) for parts in itertools.product(*parts)]


def length(text, language):
    """Words, or Chinese characters; a slot counts as one word or three characters."""
    if language == "en":
        return len(text.split())
    return sum(c.isalnum() for c in SLOT.sub("字字字", text))


def runs(articles):
    """All runs of eight words; in Chinese, of eight characters outside of names, numbers and days.

    There a digit is a character, and 以5票对1票 or 中级法院周一 a formula.
    """
    if articles[0]["language"] == "en":
        return set().union(*map(grams, articles))
    found = set()
    for article in articles:
        filled = "|".join([*map(re.escape, article["names"]), "周[一二三四五六日]"])
        keys = ("title", "content", "summary")
        found |= grams(article | {key: re.sub(filled, "0", article[key]) for key in keys})
    return {gram for gram in found if not any(character.isdigit() for character in gram)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_events_phrasings_and_fillers(language):
    data = DATA[language]
    assert len(event_types(language)) >= 16
    assert set(event_types(language)) == set(event_types("en"))
    for kind in data["events"].values():
        assert len(kind["train"]) >= 10
        assert len(kind["held_out"]) >= 4
    assert len(data["fillers"]["train"]) >= 60
    assert len(data["fillers"]["held_out"]) >= 20
    assert data["license"] == "CC-BY-4.0"
    phrasings = [param.values[2] for param in PHRASINGS if param.values[0] == language]
    assert 0.3 < sum(p["carries"][0] == 0 for p in phrasings) / len(phrasings) < 0.5
    assert len({p["style"] for p in phrasings}) >= 6


@pytest.mark.parametrize(("language", "slots", "phrasing"), PHRASINGS)
def test_phrasing_can_be_filled_and_copied_from(language, slots, phrasing):
    title, summary, sentences = (phrasing[key] for key in ("title", "summary", "sentences"))
    assert 3 <= len(sentences) <= 7
    assert 1 <= len(phrasing["carries"]) <= 3
    assert phrasing["carries"] == sorted(set(phrasing["carries"]))
    assert set(phrasing["carries"]) <= set(range(len(sentences)))
    assert set(phrasing["rubric"]) == POINTS
    assert set(phrasing["rubric"].values()) <= {0, 1}
    assert sum("<" in sentence for sentence in sentences) >= len(sentences) / 2
    for text in (title, summary, *sentences):
        assert set(SLOT.findall(text)) <= set(slots)
        assert not re.search(r"[<>{}|]", SLOT.sub("", CHOICE.sub("", text)))
    carried = set().union(*(always(sentences[at]) for at in phrasing["carries"]))
    assert set(SLOT.findall(title + summary)) <= carried
    for digits in re.findall(r"\d+", SLOT.sub("", title + summary)):
        assert digits in "".join(sentences)
    least, most = (12, 35) if language == "en" else (20, 70)
    assert all(least <= length(text, language) <= most for text in outcomes(summary))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_article_is_complete_and_can_be_copied_from(language, split):
    written = set(ARTICLES[0])
    for number, article in enumerate(GENERATED[language, split]):
        assert set(article) == written
        assert article["id"] == f"{language}-g-{article['event']}-{number:06d}"
        assert article["split"] == split
        assert article["importance"] == 1 + sum(article["rubric"].values())
        sentences = split_sentences(article["content"])
        kind = DATA[language]["events"][article["event"]]
        assert article["topic"] == kind["topic"]
        assert 3 <= len(sentences) <= 10, article
        assert 1 <= len(article["carries"]) <= 3
        text = " ".join(article[key] for key in ("title", "content", "summary"))
        assert not re.search(r"[<>{}|]|  ", text), text
        carried = "".join(sentences[at] for at in article["carries"])
        for key in ("title", "summary"):
            assert article[key] not in article["content"]
            for number_ in re.findall(r"\d[\d,.:]*\d|\d", article[key]):
                assert number_ in article["content"], (article["id"], key, number_)
            for name in article["names"]:
                assert name not in article[key] or name in carried, (article["id"], key, name)
        assert all(name in article["content"] for name in article["names"])


def test_sentences_end_where_the_phrasing_ends_them():
    for language, share in itertools.product(LANGUAGES, ("train", "held_out")):
        gap = " " if language == "en" else ""
        for kind in DATA[language]["events"].values():
            for phrasing in kind[share]:
                plain = [outcomes(text)[0] for text in phrasing["sentences"]]
                plain = [SLOT.sub("Abc" if gap else "甲", text) for text in plain]
                assert [s.strip() for s in split_sentences(gap.join(plain))] == plain
        for text in DATA[language]["fillers"][share]:
            assert len(split_sentences(SLOT.sub("Abc" if gap else "甲", outcomes(text)[0]))) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_splits_share_no_names_and_no_eight_words(language):
    made = {split: GENERATED[language, split] for split in SPLITS}
    found = {split: runs(articles) for split, articles in made.items()}
    names = {split: {n for a in articles for n in a["names"]} for split, articles in made.items()}
    for one, other in itertools.combinations(("train", "validation", "test"), 2):
        assert not found[one] & found[other]
        assert not names[one] & names[other]
    assert found["train"] & found["names"]
    assert not names["train"] & names["names"]
    written = [a for a in ARTICLES if a["language"] == language and a["split"] != "train"]
    for split in SPLITS:
        assert not found[split] & runs(written)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_for_leaks_finds_one(language):
    train, test = (GENERATED[language, split][0] for split in ("train", "test"))
    assert runs([train]) & runs([{**test, "summary": train["content"]}])


@pytest.mark.parametrize("language", LANGUAGES)
def test_pools_of_names_do_not_overlap(language):
    starts = events._STARTS[language]
    if language == "en":
        ends = [end for table in events._ENDS["en"].values() for end in table.split()]
        pools = [{s + end for s in starts[p].split() for end in ends} for p in starts]
    else:
        pools = [set(starts[pool]) for pool in starts]
        for one, other in itertools.combinations(events._SURNAMES.values(), 2):
            assert not set(one) & set(other)
    for one, other in itertools.combinations(pools, 2):
        assert not one & other


def test_no_name_is_in_the_written_corpus():
    written = {name for article in ARTICLES for name in article["names"]}
    words = {word for name in written for word in name.split()}
    for (language, _), articles in GENERATED.items():
        for name in {name for article in articles for name in article["names"]}:
            assert name not in written
            assert language == "zh" or name.split()[0] not in words


def test_fillers_move_the_news_but_seldom_come_first():
    for language in LANGUAGES:
        articles = GENERATED[language, "train"]
        lengths = Counter(len(split_sentences(article["content"])) for article in articles)
        assert len(lengths) >= 5
        phrasings = [param.values[2] for param in PHRASINGS if param.values[0] == language]
        first, before = (
            sum(text["carries"][0] == 0 for text in texts) / len(texts)
            for texts in (articles, phrasings)
        )
        assert 0.2 < first < before + 0.1


def test_same_seed_same_articles_and_every_event():
    again = generate_articles(400, language="en", split="train", seed=7)
    assert again == GENERATED["en", "train"]
    assert generate_articles(400, language="en", split="train", seed=8) != again
    assert {article["event"] for article in again} == set(event_types("en"))
    again[0]["rubric"]["reach"] = 5
    assert generate_articles(1, language="en", split="train", seed=7)[0]["rubric"]["reach"] < 2
    assert generate_articles(0, language="zh", split="test", seed=0) == []


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"language": "de"}, ValueError, "language: expected 'en' or 'zh', got 'de'"),
        ({"split": "dev"}, ValueError, "split: expected one of train, validation, test, names"),
        ({"count": -1}, ValueError, "count: expected at least 0, got -1"),
        ({"count": 2.0}, TypeError, "count: expected an integer, got float"),
        ({"seed": -1}, ValueError, "seed: expected at least 0, got -1"),
        ({"seed": None}, TypeError, "seed: expected an integer, got NoneType"),
    ],
)
def test_refusals(changed, error, message):
    with pytest.raises(error, match=message):
        generate_articles(**{"count": 1, "language": "en", "split": "train", "seed": 0, **changed})
    with pytest.raises(ValueError, match="language: expected 'en' or 'zh', got 'fr'"):
        event_types("fr")
