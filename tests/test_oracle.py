"""Both wings against what others wrote: torch.nn.functional, or plain loops over scalars.

float64 agrees to 1e-12 (a few dozen products added up in another order), float32 to 1e-5. Errors
are relative to 1 or to the largest magnitude: NumPy's `assert_allclose` with both set alike.
"""

from math import tanh
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import companion.with_numpy as numpy_wing

B, T, S, H, D, E = 2, 3, 5, 2, 7, 4
NEAR = {"float64": 1e-12, "float32": 1e-5}
DTYPES = pytest.mark.parametrize("dtype", NEAR)


def normal(*shape: int, dtype: str = "float64", seed: int = 1) -> Any:
    return np.random.default_rng((seed, *shape)).standard_normal(shape).astype(dtype)


def same(actual: Any, expected: torch.Tensor) -> None:
    actual, expected = np.asarray(actual), expected.detach().numpy()
    assert actual.dtype == expected.dtype
    near = NEAR[str(expected.dtype)]
    np.testing.assert_allclose(actual, expected, rtol=near, atol=near)


# ------------------------------------------------------------------------------- softmax


@DTYPES
@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("temperature", [0.1, 1, 30.0])
def test_softmax(wing: Any, dtype: str, axis: int, temperature: float) -> None:
    scores = 4 * normal(B, T, S, dtype=dtype)
    found = wing.lib.softmax(wing.array(scores), axis=axis, temperature=temperature)
    same(found, functional.softmax(torch.tensor(scores) / temperature, dim=axis))


@DTYPES
def test_masked_softmax(wing: Any, dtype: str) -> None:
    scores, mask = normal(B, T, S, dtype=dtype), normal(T, S) > 0
    mask[:, 2] = True
    filled = torch.tensor(scores).masked_fill(torch.tensor(~mask), -torch.inf)
    same(wing.lib.softmax(wing.array(scores), wing.array(mask)), functional.softmax(filled, -1))


# -------------------------------------------------------------------------------- scores


@DTYPES
def test_dot_scores(wing: Any, dtype: str) -> None:
    query, key = normal(B, H, T, D, dtype=dtype), normal(B, H, S, D, dtype=dtype)
    expected = torch.einsum("bhtd,bhsd->bhts", torch.tensor(query), torch.tensor(key))
    same(wing.lib.dot_score(wing.array(query), wing.array(key)), expected)
    same(wing.lib.scaled_dot_score(wing.array(query), wing.array(key)), expected / 7**0.5)


@DTYPES
def test_scaled_dot_score_keeps_its_spread(wing: Any, dtype: str) -> None:
    # a width of 4096: dot products of unit normals spread by √4096 = 64, scaled ones by 1
    query, key = normal(40, 4096, dtype=dtype), normal(50, 4096, dtype=dtype)
    found = np.asarray(wing.lib.scaled_dot_score(wing.array(query), wing.array(key)))
    exact = query.astype(np.float64) @ key.astype(np.float64).T / 64
    np.testing.assert_allclose(found, exact, rtol=0, atol=NEAR[dtype])
    assert found.dtype == dtype
    # 2000 numbers: the spread's own standard error is 1 / √4000 = 0.016, so this is 6 of them
    assert abs(found.std() - 1) < 0.1


@DTYPES
@pytest.mark.parametrize("eps", [1e-8, 2.5])
def test_cosine_score(wing: Any, dtype: str, eps: float) -> None:
    query, key = normal(B, T, D, dtype=dtype), normal(B, S, D, dtype=dtype)
    query[0, 1] = 0
    key[1, 2] = 0
    expected = functional.cosine_similarity(
        torch.tensor(query)[:, :, None], torch.tensor(key)[:, None], dim=-1, eps=eps
    )
    same(wing.lib.cosine_score(wing.array(query), wing.array(key), eps), expected)


def test_cosine_gradient_at_a_zero_vector() -> None:
    """Both wings say the same where the length itself has no derivative."""
    import companion.with_torch as torch_wing

    query, key, grad = normal(T, D), normal(S, D), normal(T, S)
    query[1] = 0
    leaves = [torch.tensor(a, requires_grad=True) for a in (query, key)]
    (torch_wing.cosine_score(*leaves) * torch.tensor(grad)).sum().backward()
    found = numpy_wing.cosine_score_backward(grad, query, key)
    for one, leaf in zip(found, leaves, strict=True):
        np.testing.assert_allclose(one, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


@DTYPES
def test_general_score(wing: Any, dtype: str) -> None:
    query, key = normal(B, T, D, dtype=dtype), normal(B, S, E, dtype=dtype)
    weight = normal(D, E, dtype=dtype)
    found = wing.lib.general_score(wing.array(query), wing.array(key), wing.array(weight))
    pairs = np.broadcast_to(query[:, :, None], (B, T, S, D)).copy()
    others = np.broadcast_to(key[:, None], (B, T, S, E)).copy()
    expected = functional.bilinear(
        torch.tensor(pairs), torch.tensor(others), torch.tensor(weight)[None]
    )
    same(found, expected[..., 0])


@DTYPES
def test_additive_score_by_loops(wing: Any, dtype: str) -> None:
    A = 6
    query, key = normal(B, T, D, dtype=dtype), normal(B, S, E, dtype=dtype)
    query_proj, key_proj = normal(A, D, dtype=dtype), normal(A, E, dtype=dtype)
    score_proj = normal(A, dtype=dtype)
    arguments = (query, key, query_proj, key_proj, score_proj)
    found = np.asarray(wing.lib.additive_score(*map(wing.array, arguments)))
    assert found.dtype == dtype
    assert found.shape == (B, T, S)
    for b, t, s in np.ndindex(B, T, S):
        total = 0.0
        for a in range(A):
            hidden = sum(float(query_proj[a, d] * query[b, t, d]) for d in range(D))
            hidden += sum(float(key_proj[a, e] * key[b, s, e]) for e in range(E))
            total += float(score_proj[a]) * tanh(hidden)
        assert abs(found[b, t, s] - total) < NEAR[dtype] * max(1, abs(total))


# ------------------------------------------------------------------------------ attention


def attention_inputs(dtype: str) -> tuple[Any, Any, Any]:
    shapes = ((B, H, T, D), (B, H, S, D), (B, H, S, E))
    query, key, value = (normal(*shape, dtype=dtype) for shape in shapes)
    return query, key, value


@DTYPES
@pytest.mark.parametrize("shape", [None, (B, H, T, S), (B, 1, T, S), (T, S), (B, 1, 1, S), (1, S)])
def test_attention(wing: Any, dtype: str, shape: tuple[int, ...] | None) -> None:
    inputs = attention_inputs(dtype)
    mask = None
    if shape is not None:
        mask = normal(*shape) > 0
        mask[..., 1] = True  # torch's own is only asked about rows that see something
    output, weights = wing.lib.attention(
        *map(wing.array, inputs), None if mask is None else wing.array(mask)
    )
    tensors = [torch.tensor(a) for a in inputs]
    seen = None if mask is None else torch.tensor(mask)
    same(output, functional.scaled_dot_product_attention(*tensors, attn_mask=seen))
    # the weights are what a value of unit vectors brings out
    unit = torch.eye(S, dtype=tensors[0].dtype).expand(B, H, S, S)
    same(weights, functional.scaled_dot_product_attention(*tensors[:2], unit, attn_mask=seen))


@DTYPES
def test_causal_attention(wing: Any, dtype: str) -> None:
    query, _, value = attention_inputs(dtype)
    value = value[:, :, :T]
    output, _ = wing.lib.attention(
        wing.array(query), wing.array(-query), wing.array(value), wing.lib.causal_mask(T)
    )
    tensors = (torch.tensor(query), torch.tensor(-query), torch.tensor(value))
    same(output, functional.scaled_dot_product_attention(*tensors, is_causal=True))


@DTYPES
def test_padded_attention_is_attention_without_the_padding(wing: Any, dtype: str) -> None:
    query, key, value = attention_inputs(dtype)
    lengths = [2, 4]
    mask = wing.lib.padding_mask(wing.array(lengths), S)[:, None]
    output, _ = wing.lib.attention(wing.array(query), wing.array(key), wing.array(value), mask)
    for b, n in enumerate(lengths):
        alone = (torch.tensor(a) for a in (query[b], key[b, :, :n], value[b, :, :n]))
        same(np.asarray(output)[b], functional.scaled_dot_product_attention(*alone))


@DTYPES
def test_attention_backward_is_the_gradient_of_torch_attention(dtype: str) -> None:
    inputs, mask = attention_inputs(dtype), normal(T, S) > 0
    mask[:, 1] = True
    _, weights = numpy_wing.attention(*inputs, mask)
    grad = normal(B, H, T, E, dtype=dtype)
    tensors = [torch.tensor(a, requires_grad=True) for a in inputs]
    output = functional.scaled_dot_product_attention(*tensors, attn_mask=torch.tensor(mask))
    expected = torch.autograd.grad((output * torch.tensor(grad)).sum(), tensors)
    found = numpy_wing.attention_backward(grad, *inputs, weights)
    for one, other in zip(found, expected, strict=True):
        same(one, other)
