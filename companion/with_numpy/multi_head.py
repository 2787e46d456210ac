"""Several heads: attention side by side in narrow slices, each free to look elsewhere.

    multi_head_attention    project_keys and attend in one: what training calls
    project_keys            key and value heads of what is looked at: what a cache keeps
    attend                  the query's side, given such heads: what decoding calls

Query heads H and key heads G: G = H multi-head, 1 < G < H grouped-query, G = 1 multi-query. G is
read off the shape of key_proj. Self-attention gives the same array twice, cross-attention two.
"""

from collections.abc import Mapping

import numpy as np

from companion import _check_layers
from companion.with_numpy._types import Array
from companion.with_numpy.heads import (
    grouped_attention,
    grouped_attention_backward,
    merge_heads,
    split_heads,
)
from companion.with_numpy.layers import project, project_backward
from companion.with_numpy.positions import rotary, rotary_backward


def project_keys(
    inputs: Array, params: Mapping[str, Array], *, heads: int, positions: Array | None = None
) -> tuple[Array, Array]:
    """The key and value heads of what is looked at.

    inputs (B, S, C)   params, heads as in `multi_head_attention`
    positions (S,) or (B, S) to turn the keys by (`rotary`), or None
    Returns key and value, both (B, G, S, D), each computed from its own position alone, so that
    they can be kept and added to while decoding.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    G = _key_heads(params, heads)
    key = split_heads(project(inputs, params, "key_proj"), G)
    value = split_heads(project(inputs, params, "value_proj"), G)
    return _turn(key, positions), value


def attend(
    inputs: Array,
    key: Array,
    value: Array,
    params: Mapping[str, Array],
    mask: Array | None = None,
    *,
    heads: int,
    bias: Array | None = None,
    positions: Array | None = None,
) -> Array:
    """The query's side of `multi_head_attention`: look at key and value heads that are there.

    inputs (B, T, C)   key, value (B, G, S, D) from `project_keys`   the others as there, with
    positions (T,) or (B, T) of the queries
    Returns output (B, T, C).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    query = _project_query(inputs, params, heads, positions)
    mixed, _ = grouped_attention(query, key, value, _over_heads(mask), bias)
    return project(merge_heads(mixed), params, "output_proj")


def multi_head_attention(
    query_input: Array,
    key_input: Array,
    params: Mapping[str, Array],
    mask: Array | None = None,
    *,
    heads: int,
    bias: Array | None = None,
    positions: tuple[Array, Array] | None = None,
) -> Array:
    """Attend in several heads at once, each with its own view of query, key and value.

        head_h = attention(query_h, key_g, value_g),   output = output_proj [head_1 … head_H]

    query_input (B, T, C)   key_input (B, S, C), the same array for self-attention
    params query_proj.weight (C, C), key_proj.weight and value_proj.weight (G·D, C),
    output_proj.weight (C, C), a .bias to each or none
    mask (T, S), (B, T or 1, S) or (B, H or 1, T, S), True = may look
    bias stretching to (B, H, T, S), added to the scores (`alibi_bias`)
    positions of queries and of keys, (T,) or (B, T) and (S,) or (B, S), to turn by (`rotary`)
    Returns output (B, T, C); a query that sees no key mixes zeros. `multi_head_weights` takes the
    same arguments and returns the weights.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.2.2, there with G = H and without biases; groups as in
    Ainslie et al. 2023. Without dropout on the weights, which the paper has not either.
    """
    at_query, at_key = (None, None) if positions is None else positions
    key, value = project_keys(key_input, params, heads=heads, positions=at_key)
    return attend(query_input, key, value, params, mask, heads=heads, bias=bias, positions=at_query)


def multi_head_weights(
    query_input: Array,
    key_input: Array,
    params: Mapping[str, Array],
    mask: Array | None = None,
    *,
    heads: int,
    bias: Array | None = None,
    positions: tuple[Array, Array] | None = None,
) -> Array:
    """How much each head of `multi_head_attention` looks where; arguments as there.

    Returns weights (B, H, T, S); rows sum to 1, or to 0 for a query that sees no key.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    at_query, at_key = (None, None) if positions is None else positions
    query = _project_query(query_input, params, heads, at_query)
    key, value = project_keys(key_input, params, heads=heads, positions=at_key)
    return grouped_attention(query, key, value, _over_heads(mask), bias)[1]


def multi_head_attention_backward(
    grad_output: Array,
    query_input: Array,
    key_input: Array,
    params: Mapping[str, Array],
    mask: Array | None = None,
    *,
    heads: int,
    bias: Array | None = None,
    positions: tuple[Array, Array] | None = None,
) -> tuple[Array, Array, dict[str, Array]]:
    """Gradients of `multi_head_attention`, which it computes again to have what lies between.

    grad_output (B, T, C), the others as there; for self-attention the two input gradients add up
    Returns grad_query_input (B, T, C), grad_key_input (B, S, C), and the gradients under the
    names of params.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    at_query, at_key = (None, None) if positions is None else positions
    query = _project_query(query_input, params, heads, at_query)
    key, value = project_keys(key_input, params, heads=heads, positions=at_key)
    mixed, weights = grouped_attention(query, key, value, _over_heads(mask), bias)

    merged = merge_heads(mixed)
    grad_merged, output = project_backward(grad_output, merged, params, "output_proj")
    grad_query, grad_key, grad_value = grouped_attention_backward(
        split_heads(grad_merged, heads), query, key, value, weights
    )
    if positions is not None:
        grad_query = rotary_backward(grad_query, positions[0][..., None, :])
        grad_key = rotary_backward(grad_key, positions[1][..., None, :])
    into_query, queries = _from_heads(grad_query, query_input, params, "query_proj")
    into_key, keys = _from_heads(grad_key, key_input, params, "key_proj")
    into_value, values = _from_heads(grad_value, key_input, params, "value_proj")
    return into_query, into_key + into_value, queries | keys | values | output


def _project_query(
    inputs: Array, params: Mapping[str, Array], heads: int, positions: Array | None
) -> Array:
    query = split_heads(project(inputs, params, "query_proj"), heads)
    return _turn(query, positions)


def _turn(heads: Array, positions: Array | None) -> Array:
    if positions is None:
        return heads
    _check_layers.positions(np.ndarray, positions, heads.shape[0], heads.shape[2])
    return rotary(heads, positions[..., None, :])


def _from_heads(
    grad_heads: Array, inputs: Array, params: Mapping[str, Array], name: str
) -> tuple[Array, dict[str, Array]]:
    return project_backward(merge_heads(grad_heads), inputs, params, name)


def _over_heads(mask: Array | None) -> Array | None:
    return mask[:, None] if mask is not None and mask.ndim == 3 else mask  # (B, T, S): every head


def _key_heads(params: Mapping[str, Array], heads: int) -> int:
    _check_layers.names(params, "query_proj.weight", "key_proj.weight")
    width, narrow = params["query_proj.weight"].shape[0], params["key_proj.weight"].shape[0]
    _check_layers.divides(heads, width)
    D = width // heads
    if narrow % D or heads % (narrow // D):
        raise ValueError(
            f"params['key_proj.weight']: expected G·D rows with D = {D} and G a divisor of "
            f"H = {heads}, got {narrow}"
        )
    return narrow // D
