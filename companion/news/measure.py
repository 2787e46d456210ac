"""How good is a reader? Summaries, faithfulness and importance, beside what costs nothing.

rows = summary_scores(articles, {"lead": ..., "textrank": ..., "written": ...})
errors = invented(summary, article)       names and numbers that the article does not have
importance_scores(true, predicted)        correlation, macro-F1, calibration
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from companion import _check
from companion.news._words import NUMBER_WORDS, NUMERALS
from companion.news.rouge import rouge
from companion.text.sentences import words
from companion.with_numpy._types import Array

_NUMBER = re.compile(r"[0-9０-９]+(?:[.,:/-]?[0-9０-９]+)*[%％]?")
_CAPITALISED = re.compile(r"(?<![.!?:“\"]\s)(?<!^)\b[A-Z][\w’'-]*")


def invented(summary: str, article: str, names: Sequence[str] = ()) -> list[str]:
    """Names and numbers of a summary that do not stand in its article: an independent check.

    summary, article text   names every proper name to look for, of this and of other articles
    Numbers: digits and number words (Chinese numerals in their whole rows). Names: English words
    with a capital inside a sentence, and those of `names`. Spelling must agree, case not.
    Returns what was found, in order; [] is what is wanted.

    Written with regular expressions of its own, and without `companion.news.units`, so that it can
    find a fault in them.
    """
    chinese = bool(re.search("[\u4e00-\u9fff]", summary))
    found = [n for n in _NUMBER.findall(summary) if not _stands(n, article)]
    if chinese:
        rows = re.findall(f"[{''.join(sorted(NUMERALS))}]+", summary)
        found += [row for row in rows if row not in article]
    else:
        lower = set(re.findall(r"\w+", article.lower()))
        spoken = re.findall(r"[a-z]+", summary.lower())
        found += [w for w in spoken if w in NUMBER_WORDS and w not in lower]
        found += [w for w in _CAPITALISED.findall(summary) if w.lower() not in article.lower()]
    found += [name for name in names if name in summary and name not in article]
    return found


def _stands(number: str, article: str) -> bool:
    """Whether a number stands in the article by itself and not as a part of a longer one."""
    return bool(re.search(rf"(?<![0-9.,]){re.escape(number)}(?![0-9]|[.,][0-9])", article))


def novelty(summary: str, article: str) -> float:
    """The share of a summary's word pairs (Chinese: character pairs) that the article has not.

    summary, article text   Returns 0 (an extract) to 1; 0 for a summary of one word.
    """
    own, there = _pairs(summary), set(_pairs(article))
    return sum(pair not in there for pair in own) / len(own) if own else 0.0


def _pairs(text: str) -> list[tuple[str, str]]:
    found = words(text, bigrams=False)
    return list(pairwise(found))


def summary_scores(references: Sequence[str], candidates: Sequence[str]) -> dict[str, float]:
    """Mean ROUGE-1, -2 and -L (F1) of candidates against references, times 100.

    references, candidates n texts each, n ≥ 1   Returns {"rouge1": …, "rouge2": …, "rougeL": …}.

    Raises ValueError if their numbers differ; see `rouge`.
    """
    if len(references) != len(candidates) or not references:
        raise ValueError(
            f"candidates: expected {len(references)} and at least 1, got {len(candidates)}"
        )
    each = [rouge(r, c) for r, c in zip(references, candidates, strict=True)]
    return {kind: 100 * float(np.mean([scores[kind] for scores in each])) for kind in each[0]}


def importance_scores(true: Array, predicted: Array) -> dict[str, float]:
    """How well predicted importance fits: order, classes, size of the error.

    true (n,) integers 1 to 5   predicted (n,) numbers 1 to 5
    Returns pearson and spearman correlation (0 if all predictions agree), macro_f1 of the five
    classes after rounding, mean absolute error in points.

    Raises ValueError if shapes differ or n < 2.
    """
    true, predicted = np.asarray(true), np.asarray(predicted, dtype=np.float64)
    _check.shape("predicted", predicted, true.shape, "like true")
    if len(true) < 2:
        raise ValueError(f"true: expected at least 2, got {len(true)}")
    rounded = np.clip(np.rint(predicted), 1, 5)
    return {
        "pearson": _correlation(true, predicted),
        "spearman": _correlation(_ranks(true), _ranks(predicted)),
        "macro_f1": macro_f1(true, rounded),
        "mean_error": float(np.abs(true - predicted).mean()),
    }


def macro_f1(true: Array, predicted: Array) -> float:
    """The mean over classes, each counting the same, of F1 = 2 hits / (true + predicted).

    true, predicted (n,), class numbers   A class that is in neither is left out.
    """
    scores = []
    for kind in np.union1d(true, predicted):
        hits = np.sum((true == kind) & (predicted == kind))
        scores.append(2 * hits / (np.sum(true == kind) + np.sum(predicted == kind)))
    return float(np.mean(scores))


def calibration_error(labels: Array, probabilities: Array, bins: int = 5) -> float:
    """Expected calibration error: how far "70 %" is from happening seven times in ten.

        ECE = Σ_bin n_bin / n · |mean label - mean probability|

    labels (n,) 0 or 1   probabilities (n,), 0 to 1   bins of equal width
    Returns 0 (calibrated in each bin) to 1. Depends on the bins; few cases make it large by chance.

    Raises ValueError if shapes differ.
    Source: Guo et al. 2017, eq. 3.
    """
    labels, probabilities = np.asarray(labels, float), np.asarray(probabilities, float)
    _check.shape("probabilities", probabilities, labels.shape, "like labels")
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = 0.0
    for number in range(bins):
        here = which == number
        if here.any():
            gap = abs(labels[here].mean() - probabilities[here].mean())
            total += here.sum() * gap
    return float(total / len(labels))


def _correlation(a: Array, b: Array) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Array) -> Array:
    """Ranks from 0, ties shared."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[group]


__all__ = [
    "calibration_error",
    "importance_scores",
    "invented",
    "macro_f1",
    "novelty",
    "summary_scores",
]
