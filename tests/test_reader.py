"""The shipped readers: loaded only if whole, ahead of what costs nothing, faithful throughout."""

import hashlib
import json
from importlib import resources

import numpy as np
import pytest

from companion.news import (
    generate_summary,
    load_articles,
    load_news,
    load_reader,
    read_news,
    summarize,
)
from companion.news.measure import invented, summary_scores
from companion.news.shapes import reader_shapes
from companion.with_numpy import load_checkpoint, save_checkpoint

LANGUAGES = ("en", "zh")
MODELS = resources.files("companion.news").joinpath("data/models")


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def readings(language: str):
    articles = load_articles(language, "test")
    return articles, [read_news(article) for article in articles]


def test_both_models_fit_into_ten_megabytes() -> None:
    sizes = [len(MODELS.joinpath(f"{name}.safetensors").read_bytes()) for name in LANGUAGES]
    assert sum(sizes) <= 10_000_000


def test_ahead_of_lead_and_textrank_on_hand_written_articles(readings) -> None:
    """Rewording aside, the answers must be better than what needs no model, and by a margin."""
    articles, found = readings
    wanted = [article["summary"] for article in articles]
    ours = summary_scores(wanted, [reading.summary for reading in found])
    for method in ("lead", "textrank"):
        texts = [summarize(article["content"], 1, method).summary for article in articles]
        theirs = summary_scores(wanted, texts)
        assert ours["rouge2"] > theirs["rouge2"] + 5
        assert ours["rougeL"] > theirs["rougeL"] + 5


def test_no_name_and_no_number_is_invented(readings) -> None:
    articles, found = readings
    language = found[0].language
    names = sorted({name for a in load_articles(language) for name in a["names"]})
    for article, reading in zip(articles, found, strict=True):
        for text in (reading.summary, reading.written, reading.extracted):
            assert invented(text, article["content"], names) == [], article["id"]


def test_a_reading_says_what_it_found(readings) -> None:
    articles, found = readings
    for article, reading in zip(articles, found, strict=True):
        assert 1 <= reading.importance <= 5
        assert reading.importance == pytest.approx(1 + sum(reading.rubric.values()))
        assert reading.weights.shape == (len(reading.sentences),)
        assert np.all((reading.weights >= 0) & (reading.weights <= 1))
        assert reading.extracted in article["content"]
        assert reading.extracted in reading.sentences
        assert reading.summary in (reading.written, reading.extracted)
        assert (reading.method == "written") == (reading.summary == reading.written) or (
            reading.written == reading.extracted
        )


def test_the_articles_own_call(language: str) -> None:
    """generate_summary(news), as the article has it: a record in, a text out, from the content."""
    news = load_news(language)[0]
    assert generate_summary(news) == read_news(news["content"]).summary
    assert generate_summary({**news, "title": "Something else"}) == generate_summary(news)
    other = load_news(language)[1]
    assert generate_summary({**news, "content": other["content"]}) == generate_summary(other)


def test_reading_is_the_same_each_time(language: str) -> None:
    text = load_news(language)[0]["content"]
    one, two = read_news(text, explain=True), read_news(text, explain=True)
    np.testing.assert_array_equal(one.weights, two.weights)
    assert one.summary == two.summary
    assert one.sources == two.sources


def test_long_articles_are_read_to_their_end(language: str) -> None:
    """Twelve articles in a row: each sentence is weighed, and the last can be the answer."""
    articles = load_articles(language, "test")[:12]
    gap = "" if language == "zh" else " "
    whole = read_news(gap.join(article["content"] for article in articles))
    assert whole.windows > 2
    assert len(whole.sentences) == sum(len(read_news(a).sentences) for a in articles)
    assert (whole.weights > 0).all()
    assert max(whole.weights[len(whole.weights) // 2 :]) > 0.1


def test_awkward_texts_have_an_answer(language: str) -> None:
    one = "水。" if language == "zh" else "Go."
    assert read_news(one, reader=load_reader(language)).summary == one
    endless = ("水" if language == "zh" else "rain ") * 900
    assert read_news(endless, reader=load_reader(language)).windows >= 1
    numbers = " ".join(str(n) for n in range(400)) + "."
    assert read_news(numbers, reader=load_reader(language)).windows > 1


@pytest.mark.parametrize(
    ("news", "error", "said"),
    [
        (" \n", ValueError, "news: expected some text, got only white space"),
        (3, TypeError, "news: expected a record or str, got int"),
        ({"title": "x"}, ValueError, r"news: expected the key 'content', got \['title'\]"),
    ],
)
def test_refusals(news, error, said) -> None:
    with pytest.raises(error, match=said):
        read_news(news)
    with pytest.raises(ValueError, match="beams"):
        read_news("A text.", beams=0)


def test_a_damaged_file_is_refused(tmp_path) -> None:
    raw = bytearray(MODELS.joinpath("en.safetensors").read_bytes())
    raw[-5] ^= 1
    (tmp_path / "changed").write_bytes(raw)
    with pytest.raises(ValueError, match="expected the contents that were saved, got others"):
        load_reader("en", tmp_path / "changed")
    (tmp_path / "short").write_bytes(raw[:-100])
    with pytest.raises(ValueError, match="cut off"):
        load_reader("en", tmp_path / "short")
    with pytest.raises(FileNotFoundError, match="path: expected a checkpoint, got no file"):
        load_reader("en", tmp_path / "none")


def test_a_file_that_is_something_else_is_refused(tmp_path) -> None:
    kept = load_checkpoint(str(MODELS.joinpath("en.safetensors")))
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, kept.params, metadata={"about": "something else"})
    with pytest.raises(ValueError, match="path: expected a news reader in"):
        load_reader("en", other)
    name = next(iter(kept.params))
    save_checkpoint(other, {**kept.params, name: kept.params[name][:1]}, metadata=kept.metadata)
    with pytest.raises(ValueError, match="its shape in the config"):
        load_reader("en", other)
    with pytest.raises(ValueError, match="path: expected a reader of 'zh', got one of 'en'"):
        load_reader("zh", str(MODELS.joinpath("en.safetensors")))
    with pytest.raises(ValueError, match="language: expected 'en' or 'zh', got 'fr'"):
        load_reader("fr")


def test_the_card_has_the_hash_of_the_file(language: str) -> None:
    digest = hashlib.sha256(MODELS.joinpath(f"{language}.safetensors").read_bytes()).hexdigest()
    assert f"| SHA-256 of `{language}` | `{digest}` |" in MODELS.joinpath("README.md").read_text()


def test_the_card_tells_where_a_model_comes_from(language: str) -> None:
    reader = load_reader(language)
    card = json.loads(json.dumps(reader.metadata))["card"]
    assert card["license"] == "CC-BY-4.0"
    assert reader.metadata["plan"]["language"] == language
    for kind in ("written", "phrasings", "names"):
        assert card["metrics"][kind]["invented"]["answer"] == 0
    shapes = reader_shapes(reader.config)
    assert {name: array.shape for name, array in reader.params.items()} == shapes
    with pytest.raises(ValueError, match="read-only"):
        reader.params["copy_gate.bias"][:] = 0
