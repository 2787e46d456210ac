"""Positions: four ways to tell attention, which knows no order, where each token stands.

added to the token vectors     sinusoidal_positions, learned_positions
turned into query and key      rotary
added to the scores            alibi_bias
"""

import torch
from torch import Tensor

from companion import _check, _check_layers
from companion.with_torch.layers import embedding


def sinusoidal_positions(
    positions: Tensor, C: int, base: float = 10_000.0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Write a position as the hands of C/2 clocks, from quick to slow.

        output_2i = sin(p / base^(2i/C)),   output_2i+1 = cos(p / base^(2i/C))    p = position

    positions any shape, integer, in tokens from the first   C width, even
    Returns output (*positions.shape, C) of `dtype`, to be added to the token vectors.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Vaswani et al. 2017, section 3.5.
    """
    angles = _angles(positions, C, base)
    return _interleave(torch.sin(angles), torch.cos(angles)).to(dtype)


def learned_positions(positions: Tensor, weight: Tensor) -> Tensor:
    """Look up one learned vector for each position.

        output_p = weight[p]

    positions any shape, integer, in tokens from the first   weight (max_length, C)
    Returns output (*positions.shape, C), to be added to the token vectors.

    Raises TypeError or ValueError naming the argument that does not fit, such as a position that
    was never learned. Source: Devlin et al. 2019, section 3; also Vaswani et al. 2017, table 3 (E).
    """
    _check_layers.learned(torch.Tensor, positions, weight)
    return embedding(positions, weight)


def rotary(vectors: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """Turn each pair of units by an angle that grows with the position.

        (a, b) → (a cos θ - b sin θ, a sin θ + b cos θ),   θ = p / base^(2i/D)    p = position

    vectors (..., T, D), D even, floating; the pairs are units 2i and 2i+1
    positions (T,) or stretching to (..., T), integer, in tokens from the first
    Returns vectors turned, (..., T, D): after it, query · key depends on the offset alone.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Su et al. 2024, eq. 34. Some libraries pair unit i with i + D/2 instead: their weights
    need their rows put in another order before they fit here.
    """
    _check.floats(torch.Tensor, vectors=vectors)
    _check.rank(2, vectors=vectors)
    angles = _angles(positions, vectors.shape[-1], base)
    _check_layers.stretches("positions", positions, vectors.shape[:-1], "(..., T)")
    cos, sin = torch.cos(angles).to(vectors.dtype), torch.sin(angles).to(vectors.dtype)
    first, second = vectors[..., 0::2], vectors[..., 1::2]
    return _interleave(first * cos - second * sin, first * sin + second * cos)


def alibi_slopes(H: int) -> Tensor:
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
    return torch.tensor(slopes + between[: H - power], dtype=torch.float64)


def alibi_bias(
    query_positions: Tensor, key_positions: Tensor, H: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Add a penalty to each score that grows with the distance, in each head at its own pace.

        bias_hts = -slope_h |p_t - p_s|                                         p = position

    query_positions (..., T)   key_positions (..., S), integer, in tokens   H heads
    Returns bias (..., H, T, S) of `dtype`, to be added to the scores; a constant, so no gradient.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: Press et al. 2022, section 3, where keys never lie ahead of the query; the absolute
    value serves encoders too.
    """
    _check_layers.position_pair(torch.Tensor, query_positions, key_positions)
    at_query, at_key = query_positions.long(), key_positions.long()
    distance = torch.abs(at_query[..., :, None] - at_key[..., None, :])  # unsigned: 0 - 1 = 255
    slopes = -alibi_slopes(H).to(distance.device)
    return (slopes[:, None, None] * distance[..., None, :, :]).to(dtype)


def _angles(positions: Tensor, width: int, base: float) -> Tensor:
    _check_layers.integers(torch.Tensor, positions=positions)
    _check_layers.pairs(width)
    _check.positive(base=base)
    even = torch.arange(0, width, 2, dtype=torch.float64, device=positions.device)
    return positions[..., None] * float(base) ** (-even / width)


def _interleave(even: Tensor, odd: Tensor) -> Tensor:
    return torch.stack([even, odd], dim=-1).reshape(*even.shape[:-1], 2 * even.shape[-1])
