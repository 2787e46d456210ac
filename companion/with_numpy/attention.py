"""Attention: each query mixes the values, weighing every key by how well it matches."""

from collections.abc import Callable

import numpy as np

from companion import _check
from companion.with_numpy._types import Array
from companion.with_numpy.scores import scaled_dot_score, scaled_dot_score_backward
from companion.with_numpy.softmax import softmax, softmax_backward


def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    score: Callable[[Array, Array], Array] = scaled_dot_score,
) -> tuple[Array, Array]:
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
    _check.floats(np.ndarray, query=query, key=key, value=value)
    _check.query_key(query, key, same_width=False)
    _check.key_value(key, value)
    scores = score(query, key)
    _check.floats(np.ndarray, query=query, **{"score(query, key)": scores})
    _check.shape("score(query, key)", scores, (*query.shape[:-1], key.shape[-2]), "(..., T, S)")
    if mask is not None:
        _check.attention_mask(np.ndarray, mask, scores.shape)
    weights = softmax(scores, mask)
    return weights @ value, weights


def attention_backward(
    grad_output: Array, query: Array, key: Array, value: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `attention` with its scaled dot-product score.

        ∂L/∂value = weightsᵀ G,   ∂L/∂weights = G valueᵀ,   G = ∂L/∂output
        ∂L/∂query, ∂L/∂key: through `softmax_backward`, then `scaled_dot_score_backward`

    grad_output (..., T, E)   query (..., T, D)   key (..., S, D)   value (..., S, E)
    weights (..., T, S), as `attention` returned them; a masked pair has weight 0 and so no gradient
    Returns grad_query (..., T, D), grad_key (..., S, D) and grad_value (..., S, E).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check.floats(
        np.ndarray, query=query, key=key, value=value, weights=weights, grad_output=grad_output
    )
    _check.query_key(query, key)
    _check.key_value(key, value)
    _check.shape("weights", weights, (*query.shape[:-1], key.shape[-2]), "(..., T, S)")
    _check.shape("grad_output", grad_output, (*query.shape[:-1], value.shape[-1]), "(..., T, E)")
    grad_value = weights.swapaxes(-1, -2) @ grad_output
    grad_weights = grad_output @ value.swapaxes(-1, -2)
    grad_scores = softmax_backward(grad_weights, weights)
    grad_query, grad_key = scaled_dot_score_backward(grad_scores, query, key)
    return grad_query, grad_key, grad_value
