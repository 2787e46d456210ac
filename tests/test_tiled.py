"""Tiled attention gives what full attention gives, and never holds its scores."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

import companion.with_numpy as numpy_wing
from companion import _threads

B, H, T, S, D, E = 2, 2, 37, 53, 7, 5
# Both sum the same S products in another order: a few roundings of 6e-8 or 1e-16, and the
# weights sum to 1, so the outputs are of the values' order.
TOLERANCE = {"float32": 1e-6, "float64": 1e-14}


def draw(dtype: str, *lengths: int, seed: int = 0) -> tuple[Any, ...]:
    rng, (t, s) = np.random.default_rng(seed), lengths or (T, S)
    shapes = ((B, H, t, D), (B, H, s, D), (B, H, s, E))
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


def some_mask(*shape: int) -> Any:
    mask = np.random.default_rng(1).random(shape) < 0.4
    mask[..., 1, :] = False  # one query sees nothing
    return mask


MASKS = {
    "none": None,
    "full": some_mask(B, H, T, S),
    "shared by the heads": some_mask(B, 1, T, S),
    "padding": np.arange(S) < np.array([S, 20])[:, None, None, None],
}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("tile", [1, 8, 16, 53, 128])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_equals_full_attention(wing: Any, dtype: str, tile: int, mask: Any, causal: bool) -> None:
    query, key, value = (wing.array(x) for x in draw(dtype))
    seen = np.ones((1, S), bool) if mask is None else mask
    seen = seen & numpy_wing.causal_mask(T, S) if causal else seen
    full, weights = wing.lib.attention(query, key, value, wing.array(seen))
    mask = None if mask is None else wing.array(mask)
    ours, normaliser = wing.lib.tiled_attention(query, key, value, mask, causal=causal, tile=tile)
    ours, normaliser = wing.numpy(ours), wing.numpy(normaliser)
    assert ours.dtype == normaliser.dtype == dtype
    np.testing.assert_allclose(ours, wing.numpy(full), rtol=0, atol=TOLERANCE[dtype])
    blind = (wing.numpy(weights) == 0).all(axis=-1)
    np.testing.assert_array_equal(np.isneginf(normaliser), blind)
    assert (ours[blind] == 0).all()


def test_scores_of_hundreds_do_not_overflow(wing: Any) -> None:
    query, key, value = draw("float32")
    arrays = (wing.array(100 * query), wing.array(100 * key), wing.array(value))
    full, _ = wing.lib.attention(*arrays)
    ours, _ = wing.lib.tiled_attention(*arrays, tile=8)
    np.testing.assert_allclose(wing.numpy(ours), wing.numpy(full), rtol=0, atol=2e-5)
    # scores of 1e5 are themselves rounded to 0.008, by the same product in both


@pytest.mark.parametrize("tile", [1, 8, 128])
@pytest.mark.parametrize("causal", [False, True])
def test_gradients_equal_those_of_full_attention(tile: int, causal: bool) -> None:
    query, key, value = draw("float64")
    mask = MASKS["shared by the heads"]
    seen = mask & numpy_wing.causal_mask(T, S) if causal else mask
    grad = np.random.default_rng(2).standard_normal((B, H, T, E))
    _, weights = numpy_wing.attention(query, key, value, seen)
    full = numpy_wing.attention_backward(grad, query, key, value, weights)
    options: Any = {"causal": causal, "tile": tile}
    saved = numpy_wing.tiled_attention(query, key, value, mask, **options)
    ours = numpy_wing.tiled_attention_backward(grad, query, key, value, *saved, mask, **options)
    for one, other in zip(ours, full, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)  # sums of 53 terms of order 1


def peak_bytes(length: int, tile: int, *, backward: bool) -> int:
    """The largest extra memory of one call, inputs and outputs left out."""
    rng = np.random.default_rng(0)
    query, key, value, grad = (rng.standard_normal((length, D)) for _ in range(4))
    saved = numpy_wing.tiled_attention(query, key, value, tile=tile)
    tracemalloc.start()
    if backward:
        out: Any = numpy_wing.tiled_attention_backward(grad, query, key, value, *saved, tile=tile)
    else:
        out = numpy_wing.tiled_attention(query, key, value, tile=tile)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - sum(array.nbytes for array in out)


@pytest.mark.parametrize("backward", [False, True])
def test_extra_memory_grows_as_the_length_at_most(backward: bool) -> None:
    tile = 64
    short, long = (peak_bytes(n, tile, backward=backward) for n in (512, 2048))
    assert long < 1.25 * 4 * short  # T times 4: at most 4 times; with all scores it would be 16
    assert long < 2048 * tile * 8 * 2  # below two float64 tiles as high as T
    assert long < 2048 * 2048 * 8 / 8  # an eighth of the full scores

    def full(length: int) -> int:
        arrays = [np.ones((length, D)) for _ in range(3)]
        tracemalloc.start()
        numpy_wing.attention(*arrays)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert full(1024) > 3.5 * full(512)  # the ruler itself can tell a square


def test_causal_needs_as_many_keys_as_queries(wing: Any) -> None:
    query, key, value = (wing.array(x) for x in draw("float32", 5, 3))
    message = r"^key: expected S ≥ T = 5 with causal, got S = 3$"
    with pytest.raises(ValueError, match=message):
        wing.lib.tiled_attention(query, key, value, causal=True)


def test_bad_input_is_named(wing: Any) -> None:
    query, key, value = (wing.array(x) for x in draw("float32", 3, 5))
    tiled = wing.lib.tiled_attention
    with pytest.raises(ValueError, match=r"^tile: expected at least 1, got 0$"):
        tiled(query, key, value, tile=0)
    with pytest.raises(ValueError, match=r"^key: expected width D = 7 like query"):
        tiled(query, key[..., :-1], value)
    with pytest.raises(ValueError, match=r"^value: expected axes \(2, 2, 5\)"):
        tiled(query, key, value[..., :-1, :])
    with pytest.raises(ValueError, match=r"^mask: expected \(\.\.\., T, S\)"):
        tiled(query, key, value, wing.array(np.ones((3, 1), bool)))
    with pytest.raises(ValueError, match=r"^scores: expected finite numbers or -inf"):
        tiled(query * float("nan"), key, value)
    with pytest.raises(TypeError, match=r"^value: expected dtype float32 like query, got float64$"):
        tiled(query, key, wing.array(wing.numpy(value), "float64"))


def test_without_keys_there_are_zeros(wing: Any) -> None:
    query, key, value = (wing.array(x) for x in draw("float32", 3, 0))
    output, log_normaliser = wing.lib.tiled_attention(query, key, value)
    np.testing.assert_array_equal(wing.numpy(output), np.zeros((B, H, 3, E), "float32"))
    assert np.isneginf(wing.numpy(log_normaliser)).all()


def test_a_gap_too_wide_for_float16_is_weight_zero(wing: Any) -> None:
    """Scores of ±40000 lie 80000 apart: beyond 65504, and no warning."""
    query, key, value = (wing.array(x, "float16") for x in ([[200]], [[200], [-200]], [[1], [2]]))
    output, _ = wing.lib.tiled_attention(query, key, value, tile=1)
    np.testing.assert_array_equal(wing.numpy(output), np.ones((1, 1), "float16"))


def test_what_is_masked_may_be_anything(wing: Any) -> None:
    query, key, value = draw("float64", 3, 5)
    mask = np.ones((3, 5), bool)
    mask[:, 2] = False
    expected = wing.numpy(
        wing.lib.tiled_attention(*map(wing.array, (query, key, value)), wing.array(mask), tile=2)[0]
    )
    key[..., 2, :] = np.nan
    ours = wing.lib.tiled_attention(*map(wing.array, (query, key, value)), wing.array(mask), tile=2)
    np.testing.assert_array_equal(wing.numpy(ours[0]), expected)


def test_autograd_goes_through(wing: Any) -> None:
    if wing.name == "numpy":
        pytest.skip("NumPy has its backward written out")
    import torch

    arrays = [torch.tensor(x, requires_grad=True) for x in draw("float64")]
    loss = wing.lib.tiled_attention(*arrays, tile=8, causal=True)[0].square().sum()
    ours = torch.autograd.grad(loss, arrays)
    full = wing.lib.attention(*arrays, wing.lib.causal_mask(T, S))[0].square().sum()
    for one, other in zip(ours, torch.autograd.grad(full, arrays), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-13)


# ------------------------------------------------------------------------- the fast form

fast = numpy_wing.tiled_attention_fast
WIDTH = 16


def torch_attention(query: Any, key: Any, value: Any, mask: Any, causal: bool) -> Any:
    """The oracle: torch's own, in float64, with the rows that see nothing as ours give them."""
    import torch

    lengths = query.shape[-2], key.shape[-2]
    seen = np.ones(lengths, bool) if mask is None else mask
    seen = seen & numpy_wing.causal_mask(*lengths) if causal else seen
    arrays = (torch.tensor(np.asarray(x, np.float64)) for x in (query, key, value))
    output = torch.nn.functional.scaled_dot_product_attention(*arrays, attn_mask=torch.tensor(seen))
    return np.where(seen.any(axis=-1, keepdims=True), output.numpy(), 0)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("steep", [1, 100], ids=["bounded", "with a maximum"])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_fast_equals_torch(dtype: str, steep: int, mask: Any, causal: bool) -> None:
    """At the tile of 1 and of 8 several tiles follow each other, at 128 there is one."""
    query, key, value = draw(dtype)
    query = query * query.dtype.type(steep)
    expected = torch_attention(query, key, value, mask, causal)
    _, normaliser = numpy_wing.tiled_attention(query, key, value, mask, causal=causal)
    # scores of up to 100 * 15 are rounded to 1e-4 or 2e-13 themselves
    atol = TOLERANCE[dtype] * steep
    for tile in (1, 8, 128):
        ours, ours_normaliser = fast(query, key, value, mask, causal=causal, tile=tile)
        assert ours.dtype == ours_normaliser.dtype == dtype
        np.testing.assert_allclose(ours, expected, rtol=0, atol=atol)
        np.testing.assert_allclose(ours_normaliser, normaliser, rtol=TOLERANCE[dtype], atol=atol)
        blind = np.isneginf(ours_normaliser)
        assert (ours[blind] == 0).all()


def blas_threads() -> list[int]:
    return [lib["num_threads"] for lib in ThreadpoolController().info()]


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """BLAS may use two, as if there were two cores at least, and the work is worth it."""
    monkeypatch.setattr(_threads, "_cores", lambda: 2)
    monkeypatch.setattr("companion.with_numpy._tiled_fast.SMALL", 0)
    with threadpool_limits(2, user_api="blas"):
        yield


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the thread pools that are made from now on."""
    import concurrent.futures

    sizes: list[int] = []

    class Noted(concurrent.futures.ThreadPoolExecutor):
        def __init__(self, threads: int) -> None:
            sizes.append(threads)
            super().__init__(threads)

    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", Noted)
    return sizes


@pytest.mark.parametrize("steep", [1, 100], ids=["bounded", "with a maximum"])
def test_the_number_of_threads_changes_no_bit(
    two_threads: None, pools: list[int], steep: float
) -> None:
    query, key, value = draw("float32", 60, 90)
    query = query * np.float32(steep)
    both = fast(query, key, value, causal=True, tile=WIDTH)
    assert pools == [2]
    with threadpool_limits(1, user_api="blas"):
        alone = fast(query, key, value, causal=True, tile=WIDTH)
    assert pools == [2]
    for one, other in zip(both, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_blas_has_one_thread_inside_and_what_it_had_afterwards(
    two_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[int] = []
    exp: Callable[..., Any] = np.exp

    def look(*arguments: Any, **options: Any) -> Any:
        inside.extend(blas_threads())
        return exp(*arguments, **options)

    before = blas_threads()
    assert 2 in before
    monkeypatch.setattr(np, "exp", look)
    query, key, value = draw("float32", 9, 9)
    fast(query, key, value)
    assert set(inside) == {1}
    assert blas_threads() == before
    with pytest.raises(ValueError, match=r"^scores: expected finite numbers or -inf"):
        fast(query * np.float32(np.nan), key, value)
    assert blas_threads() == before


def test_a_call_beside_another_takes_no_thread_from_it(two_threads: None, pools: list[int]) -> None:
    before = blas_threads()
    with _threads._one_blas_thread() as first:
        fast(*draw("float32"), tile=WIDTH)
        assert max(blas_threads()) == 1  # the inner call has left, the outer has not
    assert (first, pools) == (2, [])
    assert blas_threads() == before


def test_without_threadpoolctl_there_is_one_thread(
    two_threads: None, pools: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    query, key, value = draw("float32")
    monkeypatch.setattr(_threads, "_blas", lambda: None)
    output, _ = fast(query, key, value, tile=WIDTH)
    assert pools == []
    expected = torch_attention(query, key, value, None, False)
    np.testing.assert_allclose(output, expected, rtol=0, atol=1e-6)


def test_fast_refuses_what_tiled_refuses() -> None:
    query, key, value = draw("float32", 3, 5)
    bad: list[tuple[Any, dict[str, Any]]] = [
        ((query, key, value), {"tile": 0}),
        ((query, key[..., :-1], value), {}),
        ((query, key, value[..., :-1, :]), {}),
        ((query, key, value, np.ones((3, 1), bool)), {}),
        ((query, key, value.astype("float64")), {}),
        ((query[..., 0, 0], key, value), {}),
        ((key, query, query), {"causal": True}),
        ((query * np.float32(np.nan), key, value), {}),
    ]
    for arguments, options in bad:
        with pytest.raises((TypeError, ValueError)) as told:
            numpy_wing.tiled_attention(*arguments, **options)
        with pytest.raises(told.type) as ours:
            fast(*arguments, **options)
        assert str(ours.value) == str(told.value)
    with pytest.raises(ValueError, match=r"^scores: expected finite numbers or -inf"):
        fast(np.full_like(query, 1e30), np.full_like(key, 1e30), value)


def test_fast_at_the_edges() -> None:
    query, key, value = draw("float32", 3, 0)
    output, normaliser = fast(query, key, value)
    np.testing.assert_array_equal(output, np.zeros((B, H, 3, E), "float32"))
    assert np.isneginf(normaliser).all()
    assert not fast(np.full_like(query, np.inf), key, value)[0].any()  # as there is no score
    assert fast(*draw("float32", 0, 4))[0].shape == (B, H, 0, E)
    assert fast(*(x[:0] for x in draw("float32")))[0].shape == (0, H, T, E)
    query, key, value = (np.array(x, "float16") for x in ([[200]], [[200], [-200]], [[1], [2]]))
    output, normaliser = fast(query, key, value, tile=1)
    np.testing.assert_array_equal(output, np.ones((1, 1), "float16"))
    assert normaliser.dtype == "float16"
    query, key, value = draw("float64", 3, 5)  # what is masked may be anything
    mask = np.arange(5) != 2
    expected, _ = fast(query, key, value, mask[None], tile=2)
    key[..., 2, :] = np.nan
    ours, _ = fast(query, key, value, mask[None], tile=2)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-14)  # now with a maximum


def test_fast_takes_heads_that_lie_across_memory() -> None:
    """Heads are split by a view: rows far apart; and columns apart cost a copy, no more."""
    rows, across = (x.swapaxes(-2, -3).copy().swapaxes(-2, -3) for x in draw("float32")[:2])
    key = across.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    value = draw("float32")[2]
    ours, _ = fast(rows, key, value, tile=8)
    expected, _ = fast(rows.copy(), key.copy(), value, tile=8)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


def test_fast_needs_little_memory_and_backward_takes_its_normaliser() -> None:
    def peak(length: int) -> int:
        arrays = [np.ones((length, D), "float32") for _ in range(3)]
        tracemalloc.start()
        out = fast(*arrays)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak - sum(array.nbytes for array in out)

    peak(8)  # imports
    assert peak(2048) < 2**20  # a thread's tile takes 256 KiB; all scores would take 16 MiB
    query, key, value = draw("float64")
    grad = np.random.default_rng(2).standard_normal((B, H, T, E))
    backward = numpy_wing.tiled_attention_backward
    for one, other in zip(
        backward(grad, query, key, value, *fast(query, key, value)),
        backward(grad, query, key, value, *numpy_wing.tiled_attention(query, key, value)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)
