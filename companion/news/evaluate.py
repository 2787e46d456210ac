"""The tables of the news chapter: a reader beside what costs nothing, on three kinds of article.

written      hand-written test articles, by the writers of the training articles
phrasings    generated from phrasings and names held out from training
names        generated from training phrasings with held-out names
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from companion.news.corpus import load_articles
from companion.news.dataset import RUBRIC
from companion.news.events import generate_articles
from companion.news.measure import (
    calibration_error,
    importance_scores,
    invented,
    novelty,
    summary_scores,
)
from companion.news.model import NewsReader
from companion.news.read import Reading, read_news
from companion.news.rouge import rouge
from companion.news.summarize import summarize
from companion.with_numpy._types import Array

ALWAYS_EXTRACT = 2.0  # a confidence that no draft has


def evaluation_sets(language: str, generated: int = 84) -> dict[str, list[dict[str, Any]]]:
    """The articles of each kind: `generated` of each generated one, four an event.

    Returns name → records; none of them was trained on.
    """
    return {
        "written": load_articles(language, "test"),
        "phrasings": generate_articles(generated, language=language, split="test", seed=7),
        "names": generate_articles(generated, language=language, split="names", seed=7),
    }


def choose_threshold(reader: NewsReader, articles: Sequence[Mapping[str, Any]]) -> float:
    """The confidence from which a written summary is the better answer, on validation articles.

    Returns the threshold whose answers have the highest mean ROUGE-L; of equals the highest, which
    extracts more; ALWAYS_EXTRACT if extracting is best throughout.
    """
    readings = [read_news(article, reader=reader) for article in articles]
    written = np.array([_rouge_l(a, r.written) for a, r in zip(articles, readings, strict=True)])
    copied = np.array([_rouge_l(a, r.extracted) for a, r in zip(articles, readings, strict=True)])
    confidence = np.array([r.confidence for r in readings])
    candidates = [ALWAYS_EXTRACT, *sorted(confidence.tolist(), reverse=True)]
    means = [np.where(confidence >= level, written, copied).mean() for level in candidates]
    return float(candidates[int(np.argmax(np.round(means, 9)))])


def _rouge_l(article: Mapping[str, Any], summary: str) -> float:
    return rouge(article["summary"], summary)["rougeL"] if summary else 0.0


def evaluate(
    reader: NewsReader, articles: Sequence[Mapping[str, Any]], names: Sequence[str] = ()
) -> dict[str, Any]:
    """One table: every way to summarise, how faithful, and how importance is judged.

    reader a trained model   articles with summary, carries, rubric and importance
    names invented names of the whole corpus, searched for in each summary
    Returns {"summaries": system → ROUGE, "invented": system → number of invented names and
    numbers, "novelty": …, "sentence": share of articles whose weightiest sentence carries the news,
    "importance": …, "calibration": …, "written_share": how often the written draft was the answer}.
    """
    readings = [read_news(article, reader=reader) for article in articles]
    greedy = [read_news(article, reader=reader, beams=1).written for article in articles]
    texts = [article["content"] for article in articles]
    systems = {
        "lead": [summarize(text, 1, "lead").summary for text in texts],
        "textrank": [summarize(text, 1, "textrank").summary for text in texts],
        "extracted": [r.extracted for r in readings],
        "written, one beam": greedy,
        "written": [r.written for r in readings],
        "answer": [r.summary for r in readings],
    }
    wanted = [article["summary"] for article in articles]
    own = [*names, *(name for article in articles for name in article.get("names", ()))]
    return {
        "articles": len(articles),
        "summaries": {name: summary_scores(wanted, found) for name, found in systems.items()},
        "invented": {
            name: sum(len(invented(s, t, own)) for s, t in zip(found, texts, strict=True))
            for name, found in systems.items()
        },
        "novelty": {
            name: float(np.mean([novelty(s, t) for s, t in zip(found, texts, strict=True)]))
            for name, found in systems.items()
        },
        "sentence": float(np.mean(_hits(articles, readings))),
        "written_share": float(np.mean([r.method == "written" for r in readings])),
        **_judged(articles, readings),
    }


def _hits(articles: Sequence[Mapping[str, Any]], readings: Sequence[Reading]) -> list[bool]:
    pairs = zip(articles, readings, strict=True)
    return [int(np.argmax(r.weights)) in a["carries"] for a, r in pairs]


def _judged(articles: Sequence[Mapping[str, Any]], readings: Sequence[Reading]) -> dict[str, Any]:
    true = np.array([article["importance"] for article in articles])
    labels = np.array([[a["rubric"][name] for name in RUBRIC] for a in articles])
    points = np.array([[r.rubric[name] for name in RUBRIC] for r in readings])
    weights, carries = _per_sentence(articles, readings)
    return {
        "importance": importance_scores(true, np.array([r.importance for r in readings])),
        "calibration": {
            "rubric": calibration_error(labels.ravel(), points.ravel()),
            "sentences": calibration_error(carries, weights),
        },
    }


def _per_sentence(
    articles: Sequence[Mapping[str, Any]], readings: Sequence[Reading]
) -> tuple[Array, Array]:
    weights = np.concatenate([r.weights for r in readings])
    carries = [
        np.isin(np.arange(len(r.weights)), a["carries"])
        for a, r in zip(articles, readings, strict=True)
    ]
    return weights, np.concatenate(carries)
