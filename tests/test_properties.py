"""What must hold for any input, on examples that Hypothesis draws (profiles: `conftest.py`)."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

DTYPES = ("float16", "float32", "float64")
# A sum of up to 6 weights, each rounded once or twice.
NEAR = {"float16": 4e-3, "float32": 1e-6, "float64": 1e-14}

seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 6)
leads = st.sampled_from([(), (0,), (2,), (2, 3)])


@st.composite
def scores_and_masks(draw: Any, dtype: Any = None, largest: float = 1e4) -> tuple[Any, Any]:
    """Scores (..., T, S) up to ±1e4, a mask that leaves some rows blind, -inf here and there."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)) if dtype is None else dtype)
    shape = (*draw(leads), draw(lengths), draw(lengths))
    numbers = st.floats(-largest, largest, width=16) | st.just(-np.inf)
    scores = draw(arrays.arrays(dtype, shape, elements=numbers))
    return scores, draw(arrays.arrays(bool, shape))


@st.composite
def attention_inputs(draw: Any, T: int | None = None) -> tuple[Any, Any, Any]:
    rng, lead = np.random.default_rng(draw(seeds)), draw(leads)
    T, S, D, E = T or draw(lengths), draw(lengths), draw(lengths), draw(lengths)
    shapes = ((*lead, T, D), (*lead, S, D), (*lead, S, E))
    query, key, value = (3 * rng.standard_normal(shape) for shape in shapes)
    return query, key, value


def run(wing: Any, name: str, *inputs: Any, **options: Any) -> Any:
    """Call with NumPy arrays, get NumPy arrays."""
    given_ = [wing.array(a) if isinstance(a, np.ndarray) else a for a in inputs]
    result = getattr(wing.lib, name)(*given_, **options)
    return tuple(map(wing.numpy, result)) if isinstance(result, tuple) else wing.numpy(result)


# ------------------------------------------------------------------------------- softmax


@given(scores_and_masks())
def test_rows_sum_to_one_or_zero(wing: Any, drawn: Any) -> None:
    scores, mask = drawn
    weights = run(wing, "softmax", scores, mask)
    seen = mask & (scores > -np.inf)
    assert weights.dtype == scores.dtype
    assert weights.shape == scores.shape
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights[~seen] == 0).all()
    sums = weights.astype(np.float64).sum(axis=-1)
    np.testing.assert_allclose(sums, seen.any(axis=-1), rtol=0, atol=NEAR[scores.dtype.name])


@given(scores_and_masks(), st.sampled_from([0.25, 1.0, 4.0]))
def test_softmax_keeps_the_order(wing: Any, drawn: Any, temperature: float) -> None:
    scores, _ = drawn
    weights = run(wing, "softmax", scores, temperature=temperature)
    ranked = np.take_along_axis(weights, np.argsort(scores, axis=-1), axis=-1)
    assert (ranked[..., 1:] >= ranked[..., :-1]).all()


@given(scores_and_masks("float64", largest=100), st.integers(-1000, 1000))
def test_softmax_does_not_see_a_common_shift(wing: Any, drawn: Any, shift: int) -> None:
    scores, mask = drawn
    moved = run(wing, "softmax", scores + shift, mask)
    # adding up to 1000 rounds a score by up to 1e-13, and its weight by as much
    np.testing.assert_allclose(moved, run(wing, "softmax", scores, mask), rtol=0, atol=1e-12)


@given(scores_and_masks(), st.data())
def test_softmax_is_the_same_along_any_axis(wing: Any, drawn: Any, data: Any) -> None:
    scores, mask = drawn
    axis = data.draw(st.integers(-scores.ndim, scores.ndim - 1))
    turned = run(
        wing, "softmax", np.moveaxis(scores, -1, axis), np.moveaxis(mask, -1, axis), axis=axis
    )
    expected = run(wing, "softmax", scores, mask)
    near = NEAR[scores.dtype.name]
    np.testing.assert_allclose(np.moveaxis(turned, axis, -1), expected, rtol=0, atol=near)


@given(scores_and_masks())
def test_cold_softmax_chooses_the_largest(wing: Any, drawn: Any) -> None:
    scores, _ = drawn
    coldest = float(np.finfo(scores.dtype).tiny)
    # gaps of at least 2⁻⁷ next to a temperature of at most 6.1e-5: exp(-128) is far below any eps
    steps = np.round(scores.clip(-8, 8) * 128) / np.asarray(128, scores.dtype)
    weights = run(wing, "softmax", steps, temperature=coldest)
    top = steps == steps.max(axis=-1, keepdims=True)
    expected = top / top.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=NEAR[scores.dtype.name])


@given(scores_and_masks())
def test_hot_softmax_is_uniform(wing: Any, drawn: Any) -> None:
    scores, mask = drawn
    scores = np.where(np.isneginf(scores), 0, scores).astype(scores.dtype)
    hottest = float(np.finfo(scores.dtype).max)  # 65504 for float16: the scores stay within ±1
    weights = run(
        wing, "softmax", scores / np.asarray(1e4, scores.dtype), mask, temperature=hottest
    )
    expected = mask / np.maximum(mask.sum(axis=-1, keepdims=True), 1)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=NEAR[scores.dtype.name])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [0.5, 1, 2])
def test_the_largest_scores_of_a_dtype_do_not_overflow(
    wing: Any, dtype: str, temperature: float
) -> None:
    top = np.finfo(dtype).max
    scores = np.array([[top, -top, 0], [-top, -top, -np.inf]], dtype)
    expected = [[1, 0, 0], [0.5, 0.5, 0]]
    np.testing.assert_array_equal(run(wing, "softmax", scores, temperature=temperature), expected)
    np.testing.assert_array_equal(run(wing, "online_softmax", scores, block=1), expected)


@given(scores_and_masks(), st.integers(1, 8))
def test_online_softmax_is_softmax(wing: Any, drawn: Any, block: int) -> None:
    scores, _ = drawn
    found, expected = run(wing, "online_softmax", scores, block=block), run(wing, "softmax", scores)
    assert found.dtype == scores.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=NEAR[scores.dtype.name])


@pytest.mark.parametrize("name", ["softmax", "online_softmax"])
@given(scores_and_masks("float64"), st.integers(1, 8))
def test_autograd_stays_finite_where_scores_are_minus_infinity(
    name: str, drawn: Any, block: int
) -> None:
    import torch

    import companion.with_numpy as numpy_wing
    import companion.with_torch as torch_wing

    scores = torch.tensor(drawn[0], requires_grad=True)
    options = {"block": block} if name == "online_softmax" else {}
    weights = getattr(torch_wing, name)(scores, **options)
    grad = np.random.default_rng(1).standard_normal(weights.shape)
    (weights * torch.tensor(grad)).sum().backward()
    expected = numpy_wing.softmax_backward(grad, numpy_wing.softmax(drawn[0]))
    assert scores.grad is not None
    np.testing.assert_allclose(scores.grad.numpy(), expected, rtol=0, atol=1e-12)


def test_a_softmax_over_nothing_is_empty(wing: Any) -> None:
    for shape in ((0,), (2, 0), (0, 3), (2, 0, 3)):
        scores = np.zeros(shape, np.float32)
        for name in ("softmax", "online_softmax"):
            weights = run(wing, name, scores)
            assert weights.shape == shape
            assert weights.dtype == np.float32
    assert run(wing, "softmax", np.zeros((2, 0)), axis=0).shape == (2, 0)


# -------------------------------------------------------------------------------- scores


@given(st.sampled_from(DTYPES), seeds, st.sampled_from([1e-3, 1, 100]))
def test_cosine_stays_within_one(wing: Any, dtype: str, seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    query, key = ((size * rng.standard_normal((n, 40))).astype(dtype) for n in (3, 5))
    key[0] = query[0]
    key[1] = -2 * query[0]
    key[2] = 0
    scores = run(wing, "cosine_score", query, key)
    # 40 products of unit vectors: a few dozen roundings of numbers below 1
    near = 20 * np.finfo(dtype).eps
    assert scores.dtype == dtype
    assert (np.abs(scores) <= 1 + near).all()
    np.testing.assert_allclose(scores[0, :3], [1, -1, 0], rtol=0, atol=near)


@pytest.mark.parametrize("name", ["dot_score", "scaled_dot_score", "cosine_score"])
@given(attention_inputs())
def test_scores_of_swapped_roles_are_transposed(wing: Any, name: str, drawn: Any) -> None:
    query, key, _ = drawn
    found, swapped = run(wing, name, query, key), run(wing, name, key, query)
    np.testing.assert_allclose(found, swapped.swapaxes(-1, -2), rtol=1e-12, atol=1e-12)


# ----------------------------------------------------------------------------- attention


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["dot_score", "scaled_dot_score", "cosine_score"])
def test_dtypes_stay(wing: Any, dtype: str, name: str) -> None:
    rng = np.random.default_rng(2)
    query, key, value = (rng.standard_normal((2, n, 7)).astype(dtype) for n in (3, 5, 5))
    assert run(wing, name, query, key).dtype == dtype
    mask = rng.random((3, 5)) < 0.5
    score = getattr(wing.lib, name)
    output, weights = run(wing, "attention", query, key, value, mask, score=score)
    assert output.dtype == weights.dtype == dtype
    if wing.name == "numpy" and name == "scaled_dot_score":
        grads = run(wing, "attention_backward", output, query, key, value, weights)
        assert [g.dtype for g in grads] == [np.dtype(dtype)] * 3


@given(attention_inputs(), seeds)
def test_the_order_of_keys_does_not_matter(wing: Any, drawn: Any, seed: int) -> None:
    query, key, value = drawn
    order = np.random.default_rng(seed).permutation(key.shape[-2])
    mask = np.random.default_rng(seed).random((query.shape[-2], key.shape[-2])) < 0.7
    output, weights = run(wing, "attention", query, key, value, mask)
    moved_key, moved_value = key[..., order, :], value[..., order, :]
    moved = run(wing, "attention", query, moved_key, moved_value, mask[:, order])
    np.testing.assert_allclose(moved[0], output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(moved[1], weights[..., order], rtol=0, atol=1e-12)


@given(attention_inputs(), seeds)
def test_outputs_follow_the_order_of_queries(wing: Any, drawn: Any, seed: int) -> None:
    query, key, value = drawn
    order = np.random.default_rng(seed).permutation(query.shape[-2])
    output, weights = run(wing, "attention", query, key, value)
    moved = run(wing, "attention", query[..., order, :], key, value)
    np.testing.assert_allclose(moved[0], output[..., order, :], rtol=0, atol=1e-12)
    np.testing.assert_allclose(moved[1], weights[..., order, :], rtol=0, atol=1e-12)


@given(st.integers(2, 6), st.integers(0, 5), seeds, st.sampled_from(["float32", "float64"]))
def test_causal_attention_cannot_see_the_future(
    wing: Any, T: int, t: int, seed: int, dtype: str
) -> None:
    rng, t = np.random.default_rng(seed), t % (T - 1)
    query, key, value = (rng.standard_normal((2, T, 4)).astype(dtype) for _ in range(3))
    mask = wing.numpy(wing.lib.causal_mask(T))
    before, _ = run(wing, "attention", query, key, value, mask)
    for changed in (query, key, value):
        changed[:, t + 1] = 100 * rng.standard_normal(4)
    after, _ = run(wing, "attention", query, key, value, mask)
    np.testing.assert_array_equal(after[:, : t + 1], before[:, : t + 1])  # to the last bit
    assert (after[:, t + 1] != before[:, t + 1]).any()


@given(attention_inputs(), st.integers(1, 4), seeds)
def test_padding_changes_nothing(wing: Any, drawn: Any, extra: int, seed: int) -> None:
    query, key, value = drawn
    rng, S = np.random.default_rng(seed), key.shape[-2]
    padded = []
    for real in (key, value):
        pad = 1e3 * rng.standard_normal((*real.shape[:-2], extra, real.shape[-1]))
        padded.append(np.concatenate([real, pad], axis=-2))
    mask = wing.numpy(wing.lib.padding_mask(wing.array([S]), S + extra))[0]
    output, weights = run(wing, "attention", query, key, value)
    found = run(wing, "attention", query, *padded, mask)
    np.testing.assert_allclose(found[0], output, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[1][..., :S], weights, rtol=0, atol=1e-12)
    assert (found[1][..., S:] == 0).all()


@given(attention_inputs())
def test_outputs_lie_between_the_values(wing: Any, drawn: Any) -> None:
    query, key, value = drawn
    output, _ = run(wing, "attention", query, key, value)
    least, most = value.min(axis=-2, keepdims=True), value.max(axis=-2, keepdims=True)
    assert (output >= least - 1e-12).all()  # the weights sum to 1 but for a rounding
    assert (output <= most + 1e-12).all()


@given(attention_inputs(), seeds)
def test_blind_queries_give_zeros_and_get_no_gradient(wing: Any, drawn: Any, seed: int) -> None:
    query, key, value = drawn
    mask = np.random.default_rng(seed).random((query.shape[-2], key.shape[-2])) < 0.5
    mask[0] = False
    output, weights = run(wing, "attention", query, key, value, mask)
    assert (output[..., 0, :] == 0).all()
    assert (weights[..., ~mask] == 0).all()
    if wing.name == "numpy":
        ones = np.ones_like(output)
        grad_query, _, _ = run(wing, "attention_backward", ones, query, key, value, weights)
    else:
        leaf = wing.array(query).requires_grad_()
        tensors = [wing.array(a) for a in (key, value, mask)]
        wing.lib.attention(leaf, *tensors)[0].sum().backward()
        grad_query = leaf.grad.numpy()
    assert (grad_query[..., 0, :] == 0).all()
    assert np.isfinite(grad_query).all()


@given(st.integers(0, 6), st.integers(0, 6))
def test_causal_masks_grow_by_one_key_for_each_query(wing: Any, T: int, extra: int) -> None:
    mask = wing.numpy(wing.lib.causal_mask(T, T + extra))
    assert mask.shape == (T, T + extra)
    assert mask.dtype == bool
    assert mask.sum(axis=1).tolist() == [extra + t + 1 for t in range(T)]
    assert (np.diff(mask.astype(int), axis=1) <= 0).all()  # what is seen is a beginning


@given(st.lists(st.integers(0, 6), max_size=4), st.sampled_from(["int64", "int32", "uint8"]))
def test_padding_masks_count_the_real_tokens(wing: Any, real: list[int], dtype: str) -> None:
    mask = wing.numpy(wing.lib.padding_mask(wing.array(real, dtype), 6))
    assert mask.shape == (len(real), 1, 6)
    assert mask.dtype == bool
    assert mask.sum(axis=-1)[:, 0].tolist() == real
    assert (np.diff(mask.astype(int), axis=-1) <= 0).all()
