"""Right and wrong answers to assignment "news", in other words than the catalogue's own."""

import heapq
import math
from collections import Counter

import numpy as np
import torch

# ---------------------------------------------------------------------- attention received


def right_loops(vectors, temperature=1.0):
    T = len(vectors)
    received = [0.0] * T
    for t in range(T):
        powers = {s: math.exp(vectors[t] @ vectors[s] / temperature) for s in range(T) if s != t}
        for s, power in powers.items():
            received[s] += power / sum(powers.values()) / T
    return received


def right_torch(vectors, temperature=1.0):
    scores = torch.as_tensor(vectors @ vectors.T) / temperature
    return scores.fill_diagonal_(-math.inf).softmax(-1).mean(0)


def right_columns(vectors, temperature=1.0):
    """The scores are symmetric, so that the columns' softmax is the rows', transposed."""
    powers = np.exp(vectors @ vectors.T / temperature) * (1 - np.eye(len(vectors)))
    return (powers / powers.sum(0)).mean(1)


def _powers(vectors, temperature, hide=True):
    powers = np.exp(vectors @ vectors.T / temperature)
    return powers * (1 - np.eye(len(vectors))) if hide else powers


def wrong_self(vectors, temperature=1.0):
    powers = _powers(vectors, temperature, hide=False)
    return (powers / powers.sum(1, keepdims=True)).mean(0)


def wrong_given(vectors, temperature=1.0):
    powers = _powers(vectors, temperature)
    return (powers / powers.sum(1, keepdims=True)).mean(1)


def wrong_total(vectors, temperature=1.0):
    powers = _powers(vectors, temperature)
    return (powers / powers.sum(1, keepdims=True)).sum(0)


def wrong_heat(vectors, temperature=1.0):
    return right_loops(vectors)


def wrong_similarity(vectors, temperature=1.0):
    scores = vectors @ vectors.T / temperature
    np.fill_diagonal(scores, 0)
    return scores.mean(0)


# ------------------------------------------------------------------------------ the choice


def right_heap(scores, count):
    return sorted(heapq.nlargest(count, range(len(scores)), key=lambda n: scores[n]))


def right_threshold(scores, count):
    if count == 0:
        return np.array([], dtype=int)
    return np.flatnonzero(scores >= np.sort(scores)[::-1][min(count, len(scores)) - 1])


def right_topk(scores, count):
    return torch.as_tensor(scores).topk(min(count, len(scores))).indices.sort().values


def wrong_by_score(scores, count):
    return heapq.nlargest(count, range(len(scores)), key=lambda n: scores[n])


def wrong_least(scores, count):
    return sorted(heapq.nsmallest(count, range(len(scores)), key=lambda n: scores[n]))


def wrong_lead(scores, count):
    return np.arange(len(scores))[:count]


def wrong_values(scores, count):
    return heapq.nlargest(count, list(scores))


def wrong_one_more(scores, count):
    return right_heap(scores, count + 1)


def wrong_slice(scores, count):
    return sorted(np.argsort(scores)[-count:].tolist())


# ----------------------------------------------------------------------------------- ROUGE


def right_harmonic(candidate, reference):
    one, two = Counter(candidate), Counter(reference)
    m = sum(min(one[word], two[word]) for word in one)
    if not m:
        return 0
    precision, recall = m / len(candidate), m / len(reference)
    return 2 / (1 / precision + 1 / recall)


def right_crossing_off(candidate, reference):
    left, m = list(reference), 0
    for word in candidate:
        if word in left:
            left.remove(word)
            m += 1
    return 2 * m / (len(candidate) + len(reference))


def _common(candidate, reference):
    return sum((Counter(candidate) & Counter(reference)).values())


def wrong_recall(candidate, reference):
    return _common(candidate, reference) / len(reference)


def wrong_precision(candidate, reference):
    return _common(candidate, reference) / len(candidate) if candidate else 0.0


def wrong_mean(candidate, reference):
    m = _common(candidate, reference)
    return 0.5 * m / len(candidate) + 0.5 * m / len(reference) if candidate else 0.0


def wrong_once(candidate, reference):
    one, two = set(candidate), set(reference)
    return 2 * len(one & two) / (len(one) + len(two))


def wrong_every_time(candidate, reference):
    m = len([word for word in candidate if word in reference])
    return 2 * m / (len(candidate) + len(reference))


def wrong_half(candidate, reference):
    return _common(candidate, reference) / (len(candidate) + len(reference))


def wrong_division(candidate, reference):
    m = _common(candidate, reference)
    p, r = m / len(candidate), m / len(reference)
    return 2 * p * r / (p + r)


# ------------------------------------------------------------------------------ importance


def right_augmented(features, importance, strength):
    N, D = features.shape
    x = np.hstack([features, np.ones((N, 1))])
    amount = strength * N * np.diag([1.0] * D + [0.0])
    both = np.linalg.solve(x.T @ x + amount, x.T @ importance)
    return both[:D], both[D]


def right_stacked(features, importance, strength):
    N, D = features.shape
    x = features - features.mean(0)
    rows = np.vstack([x, np.sqrt(strength * N) * np.eye(D)])
    y = np.append(importance - importance.mean(), np.zeros(D))
    weights = np.linalg.lstsq(rows, y, rcond=None)[0]
    return weights, importance.mean() - features.mean(0) @ weights


def right_torch_ridge(features, importance, strength):
    x = features - features.mean(0)
    matrix = x.T @ x / len(x) + strength * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(matrix, x.T @ (importance - importance.mean()) / len(x))
    return weights, (importance.mean() - features.mean(0) @ weights).item()


def wrong_least_squares(features, importance, strength):
    x = np.hstack([features, np.ones((len(features), 1))])
    both = np.linalg.pinv(x) @ importance
    return both[:-1], both[-1]


def wrong_sum_of_squares(features, importance, strength):
    x = features - features.mean(0)
    weights = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ importance)
    return weights, importance.mean() - features.mean(0) @ weights


def wrong_origin(features, importance, strength):
    N, D = features.shape
    matrix = features.T @ features + strength * N * np.eye(D)
    return np.linalg.solve(matrix, features.T @ importance), 0.0


def wrong_bias_too(features, importance, strength):
    N, D = features.shape
    x = np.hstack([features, np.ones((N, 1))])
    both = np.linalg.solve(x.T @ x / N + strength * np.eye(D + 1), x.T @ importance / N)
    return both[:D], both[D]


def wrong_bias_first(features, importance, strength):
    weights, bias = right_augmented(features, importance, strength)
    return bias, weights


# ------------------------------------------------------------------------------ the target


def right_matrix(articles):
    chosen = []
    for article in articles:
        words = sorted({word for sentence in article for word in sentence})
        table = np.array([[word in sentence for word in words] for sentence in article], float)
        similarity = table @ table.T
        np.fill_diagonal(similarity, 0)
        chosen.append(similarity.sum(1).argmax())
    return np.array(chosen)


def right_number_of_neighbours(articles):
    return [
        max(
            range(len(article)),
            key=lambda n: sum(bool(set(article[n]) & set(other)) for other in article),
        )
        for article in articles
    ]


def wrong_first(articles):
    return np.zeros(len(articles), dtype=int)


def wrong_long(articles):
    return [max(range(len(a)), key=lambda n: len(a[n])) for a in articles]


def wrong_end(articles):
    return [len(a) - 1 for a in articles]


def wrong_outsider(articles):
    found = []
    for a in articles:
        others = [{w for m, s in enumerate(a) if m != n for w in s} for n in range(len(a))]
        found.append(min(range(len(a)), key=lambda n: len(set(a[n]) & others[n])))
    return found


def wrong_sentence(articles):
    return [a[n] for a, n in zip(articles, right_matrix(articles), strict=True)]


def wrong_counted_from_one(articles):
    return [n + 1 for n in right_number_of_neighbours(articles)]


def wrong_mean_bias(features, importance, strength):
    return right_augmented(features, importance, strength)[0], np.mean(importance)


RIGHT = [
    ("news.attention-received", right_loops),
    ("news.attention-received", right_torch),
    ("news.attention-received", right_columns),
    ("news.choose", right_heap),
    ("news.choose", right_threshold),
    ("news.choose", right_topk),
    ("news.rouge", right_harmonic),
    ("news.rouge", right_crossing_off),
    ("news.importance", right_augmented),
    ("news.importance", right_stacked),
    ("news.importance", right_torch_ridge),
    ("news.summarise", right_matrix),
    ("news.summarise", right_number_of_neighbours),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("news.attention-received", "sees-itself", wrong_self),
        ("news.attention-received", "rows", wrong_given),
        ("news.attention-received", "sum", wrong_total),
        ("news.attention-received", "temperature", wrong_heat),
        ("news.attention-received", "no-softmax", wrong_similarity),
        ("news.choose", "order", wrong_by_score),
        ("news.choose", "worst", wrong_least),
        ("news.choose", "first", wrong_lead),
        ("news.choose", "scores", wrong_values),
        ("news.choose", "off-by-one", wrong_one_more),
        ("news.choose", "negative-slice", wrong_slice),
        ("news.rouge", "recall", wrong_recall),
        ("news.rouge", "precision", wrong_precision),
        ("news.rouge", "arithmetic-mean", wrong_mean),
        ("news.rouge", "sets", wrong_once),
        ("news.rouge", "not-clipped", wrong_every_time),
        ("news.rouge", "no-factor-two", wrong_half),
        ("news.rouge", "empty", wrong_division),
        ("news.importance", "no-penalty", wrong_least_squares),
        ("news.importance", "penalty-not-per-item", wrong_sum_of_squares),
        ("news.importance", "no-bias", wrong_origin),
        ("news.importance", "bias-penalised", wrong_bias_too),
        ("news.importance", "order", wrong_bias_first),
        ("news.summarise", "lead", wrong_first),
        ("news.summarise", "longest", wrong_long),
        ("news.summarise", "last", wrong_end),
        ("news.summarise", "least-central", wrong_outsider),
        ("news.summarise", "text-not-number", wrong_sentence),
        ("news.summarise", "from-one", wrong_counted_from_one),
        ("news.importance", "bias-is-the-mean", wrong_mean_bias),
    ]
]
