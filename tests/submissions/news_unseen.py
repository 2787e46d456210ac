"""Answers to assignment "news" that were written without a look at the catalogue."""

import heapq
import math

import numpy as np
import torch


def right_received_loops(vectors, temperature=1.0):
    T = len(vectors)
    got = [0.0] * T
    for t in range(T):
        others = [s for s in range(T) if s != t]
        scores = [float(np.dot(vectors[t], vectors[s])) / temperature for s in others]
        powers = [math.exp(score - max(scores)) for score in scores]
        for s, power in zip(others, powers, strict=True):
            got[s] += power / sum(powers) / T
    return got


def right_received_torch(vectors, temperature=1.0):
    scores = (vectors.float() @ vectors.float().T / temperature).fill_diagonal_(-torch.inf)
    return scores.softmax(1).mean(0)


def right_received_naive(vectors, temperature=1.0):
    powers = np.exp(np.einsum("td,sd->ts", vectors, vectors) / temperature)
    np.fill_diagonal(powers, 0)
    return np.average(powers / powers.sum(1)[:, None], axis=0)


def right_choose_heap(scores, count):
    return np.sort(
        np.array(heapq.nlargest(count, range(len(scores)), key=lambda n: scores[n]), int)
    )


def right_rouge_sorted(candidate, reference):
    left, common = list(reference), 0
    for word in candidate:
        if word in left:
            left.remove(word)
            common += 1
    if common == 0:
        return 0
    precision, recall = common / len(candidate), common / len(reference)
    return 2 / (1 / precision + 1 / recall)


def right_importance_stacked(features, importance, strength):
    n, d = features.shape
    x = np.hstack([features, np.ones((n, 1))])
    penalty = strength * n * np.diag([1.0] * d + [0.0])
    both = np.linalg.lstsq(x.T @ x + penalty, x.T @ importance, rcond=None)[0]
    return list(both[:d]), both[d]


def right_importance_dual(features, importance, strength):
    mean, n = features.mean(0), len(features)
    x, y = features - mean, importance - importance.mean()
    if strength == 0:
        weights = np.linalg.pinv(x) @ y
    else:
        weights = x.T @ np.linalg.inv(x @ x.T + n * strength * np.eye(n)) @ y
    return weights, importance.mean() - weights @ mean


def right_summary_counts(articles):
    found = []
    for article in articles:
        votes = [
            sum(
                any(word in other for word in sentence)
                for other in article
                if other is not sentence
            )
            for sentence in article
        ]
        found.append(votes.index(max(votes)))
    return np.array(found)


def wrong_received_minus_twenty(vectors, temperature=1.0):
    scores = vectors @ vectors.T / temperature
    scores[np.diag_indices(len(scores))] = -20.0
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return (powers / powers.sum(1, keepdims=True)).mean(0)


def wrong_received_cosine(vectors, temperature=1.0):
    return right_received_loops(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True), temperature
    )


def wrong_received_scaled(vectors, temperature=1.0):
    return right_received_loops(vectors / vectors.shape[1] ** 0.25, temperature)


def wrong_choose_zero_one(scores, count):
    kept = np.zeros(len(scores), int)
    kept[np.argsort(-scores)[:count]] = 1
    return kept


def wrong_choose_at_least_one(scores, count):
    return sorted(np.argsort(-scores)[: max(count, 1)].tolist())


def wrong_rouge_minimum_length(candidate, reference):
    common = sum(min(candidate.count(w), reference.count(w)) for w in set(candidate))
    return common / max(1, min(len(candidate), len(reference)))


def wrong_rouge_jaccard(candidate, reference):
    common = sum(min(candidate.count(w), reference.count(w)) for w in set(candidate))
    return common / (len(candidate) + len(reference) - common)


def wrong_rouge_percent(candidate, reference):
    return 100 * right_rouge_sorted(candidate, reference)


def wrong_importance_squared_strength(features, importance, strength):
    return right_importance_stacked(features, importance, strength**2)


def wrong_importance_half_loss(features, importance, strength):
    return right_importance_stacked(features, importance, 2 * strength)


def wrong_importance_standardised(features, importance, strength):
    spread = features.std(0)
    weights, bias = right_importance_stacked(features / spread, importance, strength)
    return np.array(weights), bias


def wrong_summary_rarest(articles):
    return [
        int(np.argmax([sum(len(w) for w in s) / len(s) for s in article])) for article in articles
    ]


def wrong_summary_middle(articles):
    return [len(article) // 2 for article in articles]


R, I = "news.attention-received", "news.importance"  # noqa: E741
RIGHT = [
    (R, right_received_loops), (R, right_received_torch), (R, right_received_naive),
    ("news.choose", right_choose_heap), ("news.rouge", right_rouge_sorted),
    (I, right_importance_stacked), (I, right_importance_dual),
    ("news.summarise", right_summary_counts),
]  # fmt: skip
WRONG = [
    (R, f"{R}.sees-itself", wrong_received_minus_twenty),
    (R, f"{R}.scaled", wrong_received_cosine),
    (R, f"{R}.scaled", wrong_received_scaled),
    ("news.choose", "general.shape", wrong_choose_zero_one),
    ("news.choose", "news.choose.off-by-one", wrong_choose_at_least_one),
    ("news.rouge", "news.rouge.another-measure", wrong_rouge_minimum_length),
    ("news.rouge", "news.rouge.another-measure", wrong_rouge_jaccard),
    ("news.rouge", "news.rouge.percent", wrong_rouge_percent),
    (I, "general.unknown", wrong_importance_squared_strength),
    (I, f"{I}.penalty-factor", wrong_importance_half_loss),
    (I, "general.unknown", wrong_importance_standardised),
    ("news.summarise", "news.summarise.lead", wrong_summary_rarest),
    ("news.summarise", "news.summarise.middle", wrong_summary_middle),
]
