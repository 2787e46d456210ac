"""Positions: four ways to tell attention, which knows no order, where each token stands.

added to the token vectors     sinusoidal_positions, learned_positions
turned into query and key      rotary
added to the scores            alibi_bias
"""

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array
from companion.with_numpy.layers import embedding, embedding_backward


def sinusoidal_positions(
    positions: Array, C: int, base: float = 10_000.0, dtype: type = np.float64
) -> Array:
    """Write a position as the hands of C/2 clocks, from quick to slow.

        output_2i = sin(p / base^(2i/C)),   output_2i+1 = cos(p / base^(2i/C))    p = position

    positions any shape, integer, in tokens from the first   C width, even
    Returns output (*positions.shape, C) of `dtype`, to be added to the token vectors.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.5.
    """
    angles = _angles(positions, C, base)
    return _interleave(np.sin(angles), np.cos(angles)).astype(dtype)


def learned_positions(positions: Array, weight: Array) -> Array:
    """Look up one learned vector for each position.

        output_p = weight[p]

    positions any shape, integer, in tokens from the first   weight (max_length, C)
    Returns output (*positions.shape, C), to be added to the token vectors.

    Raises TypeError or ValueError naming the argument that does not fit, such as a position that
    was never learned. Source: Devlin et al. 2019, section 3; also Vaswani et al. 2017, table 3 (E).
    """
    _check_layers.learned(np.ndarray, positions, weight)
    return embedding(positions, weight)


def learned_positions_backward(grad_output: Array, positions: Array, weight: Array) -> Array:
    """Gradient of `learned_positions`: each row collects what its position received.

    grad_output (*positions.shape, C), the others as there, positions of any shape
    Returns grad_weight (max_length, C).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check_layers.learned(np.ndarray, positions, weight)
    return embedding_backward(grad_output, positions, weight)


def rotary(vectors: Array, positions: Array, base: float = 10_000.0) -> Array:
    """Turn each pair of units by an angle that grows with the position.

        (a, b) → (a cos θ - b sin θ, a sin θ + b cos θ),   θ = p / base^(2i/D)    p = position

    vectors (..., T, D), D even, floating; the pairs are units 2i and 2i+1
    positions (T,) or stretching to (..., T), integer, in tokens from the first
    Returns vectors turned, (..., T, D): after it, query · key depends on the offset alone.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Su et al. 2024, eq. 34. Some libraries pair unit i with i + D/2 instead: their weights
    need their rows put in another order before they fit here.
    """
    return _rotate(vectors, positions, base, forward=True)


def rotary_backward(grad_output: Array, positions: Array, base: float = 10_000.0) -> Array:
    """Gradient of `rotary`: a rotation's transpose turns back by the same angle.

    grad_output (..., T, D), the others as in `rotary`   Returns grad_vectors (..., T, D).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    return _rotate(grad_output, positions, base, forward=False)


def alibi_slopes(H: int) -> Array:
    """How fast each head forgets with distance.

        slope_h = 2^(-8 h / H),   h = 1 .. H

    H heads   Returns slopes (H,), float64, per token of distance.

    Raises TypeError or ValueError if H is not an integer of at least 1.
    Source: Press et al. 2022, section 3. Where H is no power of two, as their code does: the slopes
    of the power below, then every other one of the power above.
    """
    _check.length(1, H=H)
    power = 1 << (H.bit_length() - 1)
    slopes = [2.0 ** (-8 * h / power) for h in range(1, power + 1)]
    between = [2.0 ** (-8 * h / (2 * power)) for h in range(1, 2 * power, 2)]
    return np.array(slopes + between[: H - power])


def alibi_bias(
    query_positions: Array, key_positions: Array, H: int, dtype: type = np.float64
) -> Array:
    """Add a penalty to each score that grows with the distance, in each head at its own pace.

        bias_hts = -slope_h |p_t - p_s|                                         p = position

    query_positions (..., T)   key_positions (..., S), integer, in tokens   H heads
    Returns bias (..., H, T, S) of `dtype`, to be added to the scores; a constant, so no gradient.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Press et al. 2022, section 3, where keys never lie ahead of the query; the absolute
    value serves encoders too.
    """
    _check_layers.position_pair(np.ndarray, query_positions, key_positions)
    at_query, at_key = query_positions.astype(np.int64), key_positions.astype(np.int64)
    distance = np.abs(at_query[..., :, None] - at_key[..., None, :])  # unsigned: 0 - 1 = 255
    return (-alibi_slopes(H)[:, None, None] * distance[..., None, :, :]).astype(dtype)


def _rotate(vectors: Array, positions: Array, base: float, *, forward: bool) -> Array:
    _check.floats(np.ndarray, vectors=vectors)
    _check.rank(2, vectors=vectors)
    angles = _angles(positions, vectors.shape[-1], base)
    _check_layers.stretches("positions", positions, vectors.shape[:-1], "(..., T)")
    cos, sin = np.cos(angles).astype(vectors.dtype), np.sin(angles).astype(vectors.dtype)
    sin = sin if forward else -sin
    first, second = vectors[..., 0::2], vectors[..., 1::2]
    return _interleave(first * cos - second * sin, first * sin + second * cos)


def _angles(positions: Array, width: int, base: float) -> Array:
    _check_layers.integers(np.ndarray, positions=positions)
    _check_layers.pairs(width)
    _check.positive(base=base)
    return positions[..., None] * float(base) ** (-np.arange(0, width, 2) / width)


def _interleave(even: Array, odd: Array) -> Array:
    return np.stack([even, odd], axis=-1).reshape(*even.shape[:-1], 2 * even.shape[-1])
