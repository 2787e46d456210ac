"""Scores: how well does each query match each key? Five answers, one form.

Every score takes query (..., T, Dq) and key (..., S, Dk), then its own weights if it has any, and
returns scores (..., T, S): one number, without unit, for each pair; `attention(score=...)` takes
any. Softmax is not among them: it turns scores into weights, it does not compare two vectors.
"""

import torch
from torch import Tensor

from companion import _check


def dot_score(query: Tensor, key: Tensor) -> Tensor:
    """Compare by dot product.

        scores_ts = query_t · key_s

    query (..., T, D)   key (..., S, D), floating, one dtype   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Luong et al. 2015, section 3.1 ("dot").
    """
    _check.floats(torch.Tensor, query=query, key=key)
    _check.query_key(query, key)
    return query @ key.transpose(-1, -2)


def scaled_dot_score(query: Tensor, key: Tensor) -> Tensor:
    """Compare by dot product, divided by √D so that its spread does not grow with the width D.

        scores_ts = query_t · key_s / √D

    query (..., T, D)   key (..., S, D), floating, one dtype   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Vaswani et al. 2017, section 3.2.1. The query is divided before the product, not the
    scores after it: the same but for rounding, with T·D divisions instead of T·S.
    """
    _check.floats(torch.Tensor, query=query, key=key)
    _check.query_key(query, key)
    return dot_score(query / _root(query), key)


def cosine_score(query: Tensor, key: Tensor, eps: float = 1e-8) -> Tensor:
    """Compare by the cosine of the angle: 1 same direction, 0 at right angles, -1 opposite.

        scores_ts = query_t · key_s / (max(‖query_t‖, eps) max(‖key_s‖, eps))

    query (..., T, D)   key (..., S, D), floating, one dtype
    Returns scores (..., T, S) in [-1, 1].

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    The cosine of a zero vector is 0/0; `eps` makes it 0, as torch.nn.functional.cosine_similarity
    does. Not used by Bahdanau, Luong or Vaswani: without a temperature softmax of it stays flat.
    """
    _check.floats(torch.Tensor, query=query, key=key)
    _check.query_key(query, key)
    _check.positive(eps=eps)
    return dot_score(query / _norm(query, eps), key / _norm(key, eps))


def general_score(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    """Compare by a learned bilinear form, so that query and key may have different widths.

        scores_ts = query_tᵀ weight key_s

    query (..., T, Dq)   key (..., S, Dk)   weight (Dq, Dk)   Returns scores (..., T, S).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Luong et al. 2015, section 3.1 ("general").
    """
    _check.floats(torch.Tensor, query=query, key=key, weight=weight)
    _check.query_key(query, key, same_width=False)
    _check.shape("weight", weight, (query.shape[-1], key.shape[-1]), "(Dq, Dk)")
    return dot_score(query @ weight, key)


def additive_score(
    query: Tensor, key: Tensor, query_proj: Tensor, key_proj: Tensor, score_proj: Tensor
) -> Tensor:
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


def _additive_hidden(
    query: Tensor, key: Tensor, query_proj: Tensor, key_proj: Tensor, score_proj: Tensor
) -> Tensor:
    _check.floats(
        torch.Tensor,
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
    return torch.tanh(query_side[..., :, None, :] + key_side[..., None, :, :])


def _root(query: Tensor) -> float:
    return float(query.shape[-1]) ** 0.5  # a Python float leaves float32 as it is


def _norm(vectors: Tensor, eps: float) -> Tensor:
    smallest = torch.finfo(vectors.dtype).tiny  # float16 rounds 1e-8 to 0, and 0/0 is NaN
    norm = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return norm.clamp(min=max(float(eps), smallest))
