"""Summaries made of a text's own sentences, chosen by three rules that need no training."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from companion import _check
from companion.news.textrank import textrank
from companion.text.sentences import split_sentences, words
from companion.with_numpy import attention, dot_score
from companion.with_numpy._types import Array

METHODS = ("attention", "lead", "textrank")
MAX_SENTENCES = 1000  # the weights are T x T numbers: 8 MB here, 800 MB for ten times as many
TEMPERATURE = 0.1


@dataclass(frozen=True)
class Summary:
    """What was chosen, and what it was chosen by.

    sentences the T sentences; joined they are the text   weights (T, T) row t: how sentence t
    shares out its 1 among the others (None for lead)   scores (T,), higher is better
    chosen the numbers of the chosen sentences, ascending   summary these sentences, joined
    """

    sentences: tuple[str, ...]
    weights: Array | None
    scores: Array
    chosen: tuple[int, ...]
    summary: str


def summarize(text: str, sentences: int = 1, method: str = "attention") -> Summary:
    """Choose the sentences of a text that stand best for the rest; change no word of them.

    attention  sentences look at each other; the one most looked at is central: `sentence_attention`
    textrank   the same idea without softmax, passed on until it settles: `companion.news.textrank`
    lead       the first sentences, a baseline hard to beat in news

    text any text in English or Chinese, not blank   sentences how many to choose; all, if fewer
    Returns a `Summary`. Its text is not longer than the input and holds only sentences of it.

    What this is: nothing here was trained and nothing understands. "Central" means sharing many
    words with other sentences. A sentence that says the key fact once, in its own words, loses.

    Raises TypeError if an argument has the wrong type, ValueError if the text is blank or has more
    than 1000 sentences, `sentences` is below 1 or the method is unknown.
    """
    _check.length(1, sentences=sentences)
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    parts = split_sentences(text)
    if not text.strip():
        raise ValueError("text: expected at least one sentence, got only white space")
    T = len(parts)
    if T > MAX_SENTENCES:
        raise ValueError(f"text: expected at most {MAX_SENTENCES} sentences, got {T}")

    bags = [words(part) for part in parts]
    weights: Array | None = None
    if method == "attention":
        weights = sentence_attention(tfidf(bags))
        scores = weights.mean(axis=0)
    elif method == "textrank":
        scores, weights = textrank(bags)
    else:
        scores = np.arange(T, 0, -1) / T
    chosen = best(scores, sentences)
    summary = "".join(parts[number] for number in chosen).strip()
    for array in (scores, weights):
        if array is not None:
            array.flags.writeable = False
    return Summary(tuple(parts), weights, scores, chosen, summary)


def tfidf(bags: list[list[str]]) -> Array:
    """One vector for each sentence: which words it has, and how rare they are in this text.

        vector_tv = n_tv log(1 + T / df_v),   then divided by its length

    bags the words of each of the T sentences   n_tv how often word v stands in sentence t
    df_v the number of sentences with word v
    Returns vectors (T, V), float64, rows of length 1; a sentence without words gives zeros. Words
    are columns in sorted order.

    Differs from the usual: sentences play the part of documents, as in LexRank (Erkan & Radev
    2004), and the 1 keeps a word that stands in every sentence from vanishing in a short text.
    """
    counts = [Counter(bag) for bag in bags]
    df = Counter(word for count in counts for word in count)
    vocabulary = {word: v for v, word in enumerate(sorted(df))}
    vectors = np.zeros((len(bags), len(vocabulary)))
    for t, count in enumerate(counts):
        row = {vocabulary[word]: n * math.log1p(len(bags) / df[word]) for word, n in count.items()}
        norm = math.hypot(*row.values())
        for v, value in row.items():
            vectors[t, v] = value / norm
    return vectors


def sentence_attention(vectors: Array, temperature: float = TEMPERATURE) -> Array:
    """How much each sentence looks at each other one.

        weights = softmax(vectors vectorsᵀ / τ),   a sentence may not look at itself

    vectors (T, V), floating, rows of length 1   temperature τ > 0, no unit
    Returns weights (T, T): rows sum to 1, the diagonal is 0. A single sentence gives [[0]].

    The mean of column s is the share of all looks that sentence s receives. Unit vectors have
    products between 0 and 1; divided by √V as usual they would all be nearly 0 and the weights
    nearly equal, so that τ = 0.1 takes the place of √V here. It was set beforehand, not tuned.

    Raises TypeError or ValueError if vectors is no floating (T, V) or the temperature not positive.
    Differs from Vaswani et al. 2017: no learned projections, query = key = value, own scale.
    """
    _check.floats(np.ndarray, vectors=vectors)
    _check.positive(temperature=temperature)
    T = vectors.shape[0]
    _check.shape("vectors", vectors, (T, vectors.size // max(T, 1)), "(T, V)")
    others = ~np.eye(T, dtype=bool)
    _, weights = attention(
        vectors,
        vectors,
        vectors,
        mask=others,
        score=lambda query, key: dot_score(query, key) / float(temperature),
    )
    return weights


def best(scores: Array, sentences: int) -> tuple[int, ...]:
    """The numbers of the highest scores, ascending; of equal scores the earlier wins.

    scores (T,)   sentences how many, at least 1
    Scores that agree to 12 digits count as equal: sums in another order differ in the last digits,
    and a summary should not depend on the machine.
    """
    order = np.argsort(-np.round(scores, 12), kind="stable")
    return tuple(sorted(order[:sentences].tolist()))
