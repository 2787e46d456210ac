"""Attention: each query mixes the values, weighing every key by how well it matches."""

from collections.abc import Callable

import torch
from torch import Tensor

from companion import _check
from companion.with_torch.scores import scaled_dot_score
from companion.with_torch.softmax import softmax


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    score: Callable[[Tensor, Tensor], Tensor] = scaled_dot_score,
) -> tuple[Tensor, Tensor]:
    """Mix the values; each query weighs every key by similarity.

        weights = softmax(query keyᵀ / √D),   output = weights value    (Vaswani et al. 2017, eq. 1)

    query (..., T, D)   key (..., S, D)   value (..., S, E)   mask (..., T, S), True = may look
    score any function (query, key) → scores (..., T, S); see `scores`
    Returns output (..., T, E) and weights (..., T, S); a query that sees no key gets zeros.

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit. Leading
    axes of query, key and value must be equal; only the mask may have axes of length 1.
    Differs from the paper: the weights are returned too, and the mask is boolean where the paper
    writes -∞ into the scores.
    """
    _check.floats(torch.Tensor, query=query, key=key, value=value)
    _check.query_key(query, key, same_width=False)
    _check.key_value(key, value)
    scores = score(query, key)
    _check.floats(torch.Tensor, query=query, **{"score(query, key)": scores})
    _check.shape("score(query, key)", scores, (*query.shape[:-1], key.shape[-2]), "(..., T, S)")
    if mask is not None:
        _check.attention_mask(torch.Tensor, mask, scores.shape)
    weights = softmax(scores, mask)
    return weights @ value, weights
