"""TextRank: sentences vote for the sentences they resemble, and votes of the chosen count more."""

import math

import numpy as np

from companion import _check
from companion.with_numpy._types import Array

DAMPING = 0.85  # Mihalcea & Tarau 2004, section 2, after Brin & Page 1998


def overlap(bags: list[list[str]]) -> Array:
    """How many words two sentences share, against their lengths.

        similarity_ts = |words_t ∩ words_s| / (log n_t + log n_s)       n = number of words

    bags the words of each of the T sentences
    Returns similarity (T, T), symmetric, diagonal 0, no unit. Words repeated in a sentence count
    once in the intersection. Two sentences of one word each have 0 / 0 or 1 / 0: 0 here.

    Source: Mihalcea & Tarau 2004; all words are used, without their filters.
    """
    T = len(bags)
    sets = [set(bag) for bag in bags]
    similarity = np.zeros((T, T))
    for t in range(T):
        for s in range(t):
            shared = len(sets[t] & sets[s])
            if shared and len(bags[t]) * len(bags[s]) > 1:
                lengths = math.log(len(bags[t])) + math.log(len(bags[s]))
                similarity[t, s] = similarity[s, t] = shared / lengths
    return similarity


def pagerank(similarity: Array, damping: float = DAMPING, tolerance: float = 1e-10) -> Array:
    """The share of time a reader spends on each sentence who follows resemblances at random.

        rank_s = (1 - d) / T + d Σ_t rank_t similarity_ts / Σ_k similarity_tk        d = damping

    similarity (T, T), floating, not negative   damping in (0, 1)
    tolerance stop when Σ |change| is below it
    Returns rank (T,), adding up to 1. Who stands at a sentence like no other jumps anywhere.

    Raises TypeError or ValueError if similarity is not square, floating, finite and ≥ 0, or a
    number lies outside its range.
    Source: Mihalcea & Tarau 2004. Differs: (1 - d) / T, so that ranks add up to 1; the order is
    the same. Each step multiplies the error by d at most, so the loop ends.
    """
    share, lonely = _votes(similarity)
    _check.positive(damping=damping, tolerance=tolerance)
    if damping >= 1:
        raise ValueError(f"damping: expected a number between 0 and 1, got {damping}")
    T = similarity.shape[0]
    rank = np.full(T, 1 / T)
    # After n steps the change is at most 2 dⁿ: this many are enough, whatever the input.
    for _ in range(math.ceil(math.log(tolerance / 2) / math.log(damping)) + 1):
        jump = (1 - damping + damping * float(rank[lonely].sum())) / T
        following = jump + damping * (rank @ share)
        change = float(np.abs(following - rank).sum())
        rank = following
        if change < tolerance:
            break
    return rank


def textrank(bags: list[list[str]]) -> tuple[Array, Array]:
    """Rank (T,) of each sentence, and the votes (T, T) it follows from; rows sum to 1 or are 0."""
    similarity = overlap(bags)
    share, _ = _votes(similarity)
    return pagerank(similarity), share


def _votes(similarity: Array) -> tuple[Array, Array]:
    """Each row divided by its sum, and which rows have none."""
    _check.floats(np.ndarray, similarity=similarity)
    _check.rank(2, similarity=similarity)
    T = similarity.shape[0]
    _check.shape("similarity", similarity, (T, T), "(T, T)")
    if T == 0 or not np.isfinite(similarity).all() or similarity.min() < 0:
        raise ValueError("similarity: expected finite numbers >= 0 of at least one sentence")
    total = similarity.sum(axis=1, keepdims=True)
    lonely = total[:, 0] == 0
    return similarity / np.where(total > 0, total, 1), lonely
