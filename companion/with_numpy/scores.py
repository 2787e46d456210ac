"""Scores: how well does each query match each key? Five answers, one form.

Every score takes query (..., T, Dq) and key (..., S, Dk), then its own weights if it has any, and
returns scores (..., T, S): one number, without unit, for each pair; `attention(score=...)` takes
any. Softmax is not among them: it turns scores into weights, it does not compare two vectors.
"""

import numpy as np

from companion import _check
from companion.with_numpy._types import Array


def dot_score(query: Array, key: Array) -> Array:
    """Compare by dot product.

        scores_ts = query_t · key_s

    query (..., T, D)   key (..., S, D), floating, one dtype   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Luong et al. 2015, section 3.1 ("dot").
    """
    _check.floats(np.ndarray, query=query, key=key)
    _check.query_key(query, key)
    return query @ key.swapaxes(-1, -2)


def dot_score_backward(grad_scores: Array, query: Array, key: Array) -> tuple[Array, Array]:
    """Gradients of `dot_score`.

        ∂L/∂query_t = Σ_s g_ts key_s,   ∂L/∂key_s = Σ_t g_ts query_t            g = ∂L/∂scores

    grad_scores (..., T, S)   query (..., T, D)   key (..., S, D)
    Returns grad_query (..., T, D) and grad_key (..., S, D).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_grad_scores(grad_scores, query, key)
    return grad_scores @ key, grad_scores.swapaxes(-1, -2) @ query


def scaled_dot_score(query: Array, key: Array) -> Array:
    """Compare by dot product, divided by √D so that its spread does not grow with the width D.

        scores_ts = query_t · key_s / √D

    query (..., T, D)   key (..., S, D), floating, one dtype   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Vaswani et al. 2017, section 3.2.1. The query is divided before the product, not the
    scores after it: the same but for rounding, with T·D divisions instead of T·S.
    """
    _check.floats(np.ndarray, query=query, key=key)
    _check.query_key(query, key)
    return dot_score(query / _root(query), key)


def scaled_dot_score_backward(grad_scores: Array, query: Array, key: Array) -> tuple[Array, Array]:
    """Gradients of `scaled_dot_score`: those of `dot_score`, divided by √D.

    grad_scores (..., T, S)   query (..., T, D)   key (..., S, D)
    Returns grad_query (..., T, D) and grad_key (..., S, D).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    grad_query, grad_key = dot_score_backward(grad_scores, query, key)
    return grad_query / _root(query), grad_key / _root(query)


def cosine_score(query: Array, key: Array, eps: float = 1e-8) -> Array:
    """Compare by the cosine of the angle: 1 same direction, 0 at right angles, -1 opposite.

        scores_ts = query_t · key_s / (max(‖query_t‖, eps) max(‖key_s‖, eps))

    query (..., T, D)   key (..., S, D), floating, one dtype
    Returns scores (..., T, S) in [-1, 1].

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    The cosine of a zero vector is 0/0; `eps` makes it 0, as torch.nn.functional.cosine_similarity
    does. Not used by Bahdanau, Luong or Vaswani: without a temperature softmax of it stays flat.
    """
    _check.floats(np.ndarray, query=query, key=key)
    _check.query_key(query, key)
    _check.positive(eps=eps)
    return dot_score(query / _norm(query, eps), key / _norm(key, eps))


def cosine_score_backward(
    grad_scores: Array, query: Array, key: Array, eps: float = 1e-8
) -> tuple[Array, Array]:
    """Gradients of `cosine_score`: what changes a length is projected out, only turning counts.

        ∂L/∂query_t = (u - (u · q̂) q̂) / ‖query_t‖,   u = Σ_s g_ts k̂_s,   q̂, k̂ = unit vectors

    grad_scores (..., T, S)   query (..., T, D)   key (..., S, D)
    Returns grad_query (..., T, D) and grad_key (..., S, D). A vector shorter than eps counts as
    divided by the constant eps.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_grad_scores(grad_scores, query, key)
    _check.positive(eps=eps)
    query_unit, key_unit = query / _norm(query, eps), key / _norm(key, eps)
    grad_query, grad_key = dot_score_backward(grad_scores, query_unit, key_unit)
    return (
        _normalise_backward(grad_query, query, query_unit, eps),
        _normalise_backward(grad_key, key, key_unit, eps),
    )


def general_score(query: Array, key: Array, weight: Array) -> Array:
    """Compare by a learned bilinear form, so that query and key may have different widths.

        scores_ts = query_tᵀ weight key_s

    query (..., T, Dq)   key (..., S, Dk)   weight (Dq, Dk)   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Luong et al. 2015, section 3.1 ("general").
    """
    _check.floats(np.ndarray, query=query, key=key, weight=weight)
    _check.query_key(query, key, same_width=False)
    _check.shape("weight", weight, (query.shape[-1], key.shape[-1]), "(Dq, Dk)")
    return dot_score(query @ weight, key)


def general_score_backward(
    grad_scores: Array, query: Array, key: Array, weight: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `general_score`.

        ∂L/∂weight = Σ_ts g_ts query_t key_sᵀ                                   g = ∂L/∂scores

    grad_scores (..., T, S)   query (..., T, Dq)   key (..., S, Dk)   weight (Dq, Dk)
    Returns grad_query (..., T, Dq), grad_key (..., S, Dk) and grad_weight (Dq, Dk).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_grad_scores(grad_scores, query, key, same_width=False)
    _check.floats(np.ndarray, query=query, weight=weight)
    _check.shape("weight", weight, (query.shape[-1], key.shape[-1]), "(Dq, Dk)")
    grad_projected, grad_key = dot_score_backward(grad_scores, query @ weight, key)
    grad_weight = _rows(query).T @ _rows(grad_projected)
    return grad_projected @ weight.T, grad_key, grad_weight


def additive_score(
    query: Array, key: Array, query_proj: Array, key_proj: Array, score_proj: Array
) -> Array:
    """Compare with a one-hidden-layer network that sees the query and the key.

        scores_ts = score_projᵀ tanh(query_proj query_t + key_proj key_s)

    query (..., T, Dq)   key (..., S, Dk)
    query_proj (A, Dq)   key_proj (A, Dk)   score_proj (A,)       A = number of hidden units
    Returns scores (..., T, S); the hidden layer (..., T, S, A) is held in memory.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Bahdanau et al. 2015, appendix A.1.2, where they are W_a, U_a, v_a; no bias, as there.
    """
    hidden = _additive_hidden(query, key, query_proj, key_proj, score_proj)
    return hidden @ score_proj


def additive_score_backward(
    grad_scores: Array,
    query: Array,
    key: Array,
    query_proj: Array,
    key_proj: Array,
    score_proj: Array,
) -> tuple[Array, Array, Array, Array, Array]:
    """Gradients of `additive_score`, with tanh′ = 1 - tanh².

        ∂L/∂z_ts = g_ts score_proj ⊙ (1 - h_ts²),   h = tanh(z)                 g = ∂L/∂scores

    grad_scores (..., T, S), the others as in `additive_score`
    Returns the gradients of query, key, query_proj, key_proj, score_proj, each shaped like its own.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_grad_scores(grad_scores, query, key, same_width=False)
    hidden = _additive_hidden(query, key, query_proj, key_proj, score_proj)
    grad_score_proj = _rows(hidden).T @ grad_scores.reshape(-1)
    grad_sum = grad_scores[..., None] * score_proj * (1 - hidden**2)  # (..., T, S, A)
    grad_query_side, grad_key_side = grad_sum.sum(axis=-2), grad_sum.sum(axis=-3)
    return (
        grad_query_side @ query_proj,
        grad_key_side @ key_proj,
        _rows(grad_query_side).T @ _rows(query),
        _rows(grad_key_side).T @ _rows(key),
        grad_score_proj,
    )


def _additive_hidden(
    query: Array, key: Array, query_proj: Array, key_proj: Array, score_proj: Array
) -> Array:
    _check.floats(
        np.ndarray,
        query=query,
        key=key,
        query_proj=query_proj,
        key_proj=key_proj,
        score_proj=score_proj,
    )
    _check.query_key(query, key, same_width=False)
    _check.rank(1, score_proj=score_proj)
    A = score_proj.shape[0]
    _check.shape("score_proj", score_proj, (A,), "(A,)")
    _check.shape("query_proj", query_proj, (A, query.shape[-1]), "(A, Dq)")
    _check.shape("key_proj", key_proj, (A, key.shape[-1]), "(A, Dk)")
    query_side, key_side = query @ query_proj.T, key @ key_proj.T
    return np.tanh(query_side[..., :, None, :] + key_side[..., None, :, :])


def _check_grad_scores(
    grad_scores: Array, query: Array, key: Array, *, same_width: bool = True
) -> None:
    _check.floats(np.ndarray, query=query, key=key, grad_scores=grad_scores)
    _check.query_key(query, key, same_width=same_width)
    expected = (*query.shape[:-1], key.shape[-2])
    _check.shape("grad_scores", grad_scores, expected, "(..., T, S)")


def _root(query: Array) -> float:
    return float(query.shape[-1]) ** 0.5  # a Python float leaves float32 as it is


def _length(vectors: Array) -> Array:
    wide = np.promote_types(vectors.dtype, np.float32)  # float16 squares overflow beyond 255
    squares = np.square(vectors, dtype=wide)
    return np.sqrt(squares.sum(axis=-1, keepdims=True)).astype(vectors.dtype, copy=False)


def _norm(vectors: Array, eps: float) -> Array:
    smallest = float(np.finfo(vectors.dtype).tiny)  # float16 rounds 1e-8 to 0, and 0/0 is NaN
    return np.maximum(_length(vectors), max(float(eps), smallest))


def _normalise_backward(grad_unit: Array, vectors: Array, unit: Array, eps: float) -> Array:
    along = (grad_unit * unit).sum(axis=-1, keepdims=True) * unit
    return (grad_unit - np.where(_length(vectors) > eps, along, 0)) / _norm(vectors, eps)


def _rows(array: Array) -> Array:
    """All leading axes as one: (..., D) becomes (N, D)."""
    return array.reshape(-1, array.shape[-1])
