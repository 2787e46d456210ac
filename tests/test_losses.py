"""Losses against torch.nn.functional, a case by hand, finite differences, and their messages."""

from math import log
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from learning_helpers import rooms, to

from companion import with_numpy

B, T, V = 2, 3, 7
# Rounding: 1e-16 and 6e-8 a step; sums over a few dozen numbers of order 1 stay within these.
TOLERANCE = {"float64": 1e-13, "float32": 2e-6}


@pytest.fixture(params=["numpy", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    return rooms(request.param)


def draw(dtype: str = "float64", padding: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    logits = (3 * rng.standard_normal((B, T, V))).astype(dtype)
    targets = rng.integers(1, V, size=(B, T))
    targets[0, 1:] = padding
    return logits, targets


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.75])
def test_cross_entropy_and_gradient_are_those_of_torch(
    lib: Any, dtype: str, smoothing: float
) -> None:
    logits, targets = draw(dtype)
    leaf = torch.tensor(logits, requires_grad=True)
    oracle = F.cross_entropy(
        leaf.reshape(-1, V),
        torch.tensor(targets).reshape(-1),
        ignore_index=0,
        label_smoothing=smoothing,
    )
    (2.5 * oracle).backward()
    options = {"ignore_index": 0, "label_smoothing": smoothing}
    given_logits, given_targets = to(lib.wing, logits), to(lib.wing, targets)
    if lib.wing == "torch":
        given_logits.requires_grad_()
    loss = lib.cross_entropy(given_logits, given_targets, **options)
    if lib.wing == "torch":
        (grad,) = torch.autograd.grad(2.5 * loss, given_logits)
    else:
        assert isinstance(loss, np.ndarray)
        grad = lib.cross_entropy_backward(2.5, given_logits, given_targets, **options)
    loss, grad = np.asarray(loss.item(), dtype), np.asarray(grad)
    assert grad.dtype == dtype
    assert given_logits.shape == grad.shape
    np.testing.assert_allclose(loss, oracle.item(), rtol=TOLERANCE[dtype])
    np.testing.assert_allclose(grad, leaf.grad, rtol=0, atol=TOLERANCE[dtype])
    assert not grad[targets == 0].any()  # padding pulls at nothing


def test_loss_keeps_the_dtype(lib: Any) -> None:
    for dtype in TOLERANCE:
        logits, targets = draw(dtype)
        loss = lib.cross_entropy(to(lib.wing, logits), to(lib.wing, targets))
        assert str(loss.dtype).endswith(dtype)
        assert tuple(loss.shape) == ()
        again = lib.mean_squared_error(to(lib.wing, logits), to(lib.wing, logits + 1))
        assert str(again.dtype).endswith(dtype)


def test_cross_entropy_by_hand(lib: Any) -> None:
    # weights 1/4, 3/4; the true token is the second: ln(4/3). Smoothed by 0.2, q = (0.1, 0.9).
    logits = to(lib.wing, np.array([[0.0, log(3)]]))
    target = to(lib.wing, np.array([1]))
    assert float(lib.cross_entropy(logits, target)) == pytest.approx(log(4 / 3), rel=1e-14)
    smoothed = float(lib.cross_entropy(logits, target, label_smoothing=0.2))
    assert smoothed == pytest.approx(0.1 * log(4) + 0.9 * log(4 / 3), rel=1e-14)


def test_huge_logits_neither_overflow_nor_lose_the_loss(lib: Any) -> None:
    logits = to(lib.wing, np.array([[1e4, 0.0]], np.float32))
    loss = lib.cross_entropy(logits, to(lib.wing, np.array([1])))
    assert float(loss) == 1e4  # ln of a weight that float32 rounds to 0


def test_a_token_that_is_never_taken_may_have_minus_infinity(lib: Any) -> None:
    logits = to(lib.wing, np.array([[0.0, 0.0, -np.inf]]))
    loss = lib.cross_entropy(logits, to(lib.wing, np.array([1])))
    assert float(loss) == pytest.approx(log(2), rel=1e-14)
    with pytest.raises(ValueError, match=r"^loss: expected a finite number, got inf$"):
        lib.cross_entropy(logits, to(lib.wing, np.array([2])))


@given(seed=st.integers(0, 2**32), shift=st.floats(-50, 50), extra=st.integers(0, 4))
def test_cross_entropy_sees_neither_shift_nor_padding(seed: int, shift: float, extra: int) -> None:
    rng = np.random.default_rng(seed)
    logits, targets = rng.standard_normal((T, V)), rng.integers(0, V, size=T)
    padded = np.concatenate([logits + shift, rng.standard_normal((extra, V))])
    marked = np.concatenate([targets, np.full(extra, -100)])
    for wing in ("numpy", "torch"):
        lib = rooms(wing)
        loss = float(lib.cross_entropy(to(wing, logits), to(wing, targets)))
        other = float(lib.cross_entropy(to(wing, padded), to(wing, marked)))
        assert other == pytest.approx(loss, rel=1e-12)  # shift 50 costs two digits of sixteen
        assert loss >= 0


def test_unsigned_targets_are_not_taken_for_padding(lib: Any) -> None:
    logits = np.zeros((1, 200))
    targets = np.array([156], np.uint8)  # -100 modulo 256
    loss = lib.cross_entropy(to(lib.wing, logits), to(lib.wing, targets))
    assert float(loss) == pytest.approx(log(200), rel=1e-14)


PAIRS = {
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    "mean_squared_error": F.mse_loss,
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", PAIRS)
def test_pair_losses_and_gradients_are_those_of_torch(lib: Any, name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    first = (10 * rng.standard_normal((B, T))).astype(dtype)
    second = rng.random((B, T)).astype(dtype)
    leaves = [torch.tensor(first, requires_grad=True), torch.tensor(second, requires_grad=True)]
    oracle = PAIRS[name](*leaves)
    (2.5 * oracle).backward()
    loss = getattr(lib, name)(to(lib.wing, first), to(lib.wing, second))
    np.testing.assert_allclose(float(loss), oracle.item(), rtol=TOLERANCE[dtype])
    if lib.wing == "numpy":
        grads = getattr(lib, f"{name}_backward")(np.full((), 2.5, dtype), first, second)
        for grad, leaf in zip(grads, leaves, strict=True):
            assert grad.dtype == dtype
            np.testing.assert_allclose(grad, leaf.grad, rtol=0, atol=20 * TOLERANCE[dtype])


def test_binary_cross_entropy_of_a_sure_mistake_is_finite(lib: Any) -> None:
    logits, targets = np.array([1000.0, -1000.0]), np.array([0.0, 1.0])
    assert float(lib.binary_cross_entropy(to(lib.wing, logits), to(lib.wing, targets))) == 1000


STEP = 6e-6  # the cube root of float64's 2.2e-16, where cutting and rounding errors meet


@pytest.mark.parametrize("name", ["cross_entropy", *PAIRS])
def test_backward_is_the_slope(name: str) -> None:
    lib = rooms("numpy")
    logits, targets = draw(padding=-100)
    options = {"label_smoothing": 0.1} if name == "cross_entropy" else {}
    other = targets if options else np.random.default_rng(1).random(logits.shape)
    grads = getattr(lib, f"{name}_backward")(1.0, logits, other, **options)
    for number, grad in enumerate(grads if isinstance(grads, tuple) else (grads,)):
        for place in np.ndindex(grad.shape):
            losses = []
            for step in (STEP, -STEP):
                moved = [logits.copy(), other.copy()]
                moved[number][place] += step
                losses.append(float(getattr(lib, name)(*moved, **options)))
            slope = (losses[0] - losses[1]) / (2 * STEP)
            assert grad[place] == pytest.approx(slope, abs=1e-9)


def cross_entropy_errors() -> list[Any]:
    logits, targets = draw()
    nan, high = logits.copy(), targets.copy()
    nan[1, 2, 3] = np.nan
    high[1, 1] = V
    real = "expected at least one real token, got 6 of which all are ignore_index = -100"
    return [
        (logits.tolist(), targets, {}, TypeError, "logits: expected"),
        (targets, targets, {}, TypeError, "logits: expected a floating dtype, got int64"),
        (logits, logits, {}, TypeError, "targets: expected integers, got float64"),
        (logits, targets[0], {}, ValueError, r"targets: expected shape \(2, 3\) = .*got \(3,\)"),
        (logits, high, {}, ValueError, "targets: expected 0 to V - 1 = 6 or .*got 0 to 7"),
        (logits, targets - 1, {}, ValueError, r"targets: expected 0 .*got -1 to"),
        (logits, np.full((B, T), -100), {}, ValueError, f"targets: {real}"),
        (nan, targets, {}, ValueError, r"logits: expected finite numbers or -inf, got NaN"),
        (logits, targets, {"label_smoothing": 1.0}, ValueError, "label_smoothing: expected 0 ≤"),
        (logits, targets, {"label_smoothing": "1"}, TypeError, "label_smoothing: expected a numb"),
        (logits, targets, {"ignore_index": 0.5}, TypeError, "ignore_index: expected an integer"),
    ]


@pytest.mark.parametrize("number", range(len(cross_entropy_errors())))
def test_cross_entropy_says_what_is_wrong(lib: Any, number: int) -> None:
    logits, targets, options, kind, message = cross_entropy_errors()[number]
    logits, targets = to(lib.wing, logits), to(lib.wing, targets)
    with pytest.raises(kind, match=f"^{message}"):
        lib.cross_entropy(logits, targets, **options)
    if lib.wing == "numpy":
        with pytest.raises(kind, match=f"^{message}"):
            lib.cross_entropy_backward(1.0, logits, targets, **options)


def test_a_padded_row_may_hold_anything(lib: Any) -> None:
    logits, targets = draw()
    logits[0, 2] = np.nan
    loss = lib.cross_entropy(to(lib.wing, logits), to(lib.wing, targets), ignore_index=0)
    assert np.isfinite(float(loss))


@pytest.mark.parametrize(
    ("name", "first", "second", "message"),
    [
        ("mean_squared_error", np.ones(3), np.ones((3, 1)), r"target: expected shape \(3,\)"),
        ("mean_squared_error", np.ones(0), np.ones(0), "target: expected at least one number"),
        ("mean_squared_error", np.array([1e200]), np.ones(1), "loss: expected a finite number"),
        ("mean_squared_error", np.ones(1), np.array([np.inf]), "target: expected finite numbers"),
        ("binary_cross_entropy", np.ones(2), np.array([0, 1.5]), "targets: expected numbers from"),
        (
            "binary_cross_entropy",
            np.ones(1),
            np.array([np.nan]),
            "targets: expected finite numbers",
        ),
        ("binary_cross_entropy", np.array([np.inf]), np.ones(1), "logits: expected finite numbers"),
    ],
)
def test_pair_losses_say_what_is_wrong(
    lib: Any, name: str, first: np.ndarray, second: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        getattr(lib, name)(to(lib.wing, first), to(lib.wing, second))


def test_backward_wants_one_number() -> None:
    with pytest.raises(ValueError, match=r"^grad_loss: expected shape \(\), got \(2,\)"):
        rooms("numpy").mean_squared_error_backward(np.ones(2), np.ones(2), np.ones(2))


@pytest.mark.parametrize("name", PAIRS)
def test_backward_lets_no_nan_pass(name: str) -> None:
    backward = getattr(rooms("numpy"), f"{name}_backward")
    with pytest.raises(ValueError, match=r"^(logits|prediction): expected finite numbers, got NaN"):
        backward(1.0, np.array([np.nan, 1.0]), np.ones(2))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_float16_sums_over_a_large_vocabulary(lib: Any, smoothing: float) -> None:
    """exp(0) summed 70000 times, and 70000 log-weights: both lie beyond float16."""
    logits, targets = np.zeros((2, 70_000), np.float16), np.array([3, 69_999])
    loss = lib.cross_entropy(to(lib.wing, logits), to(lib.wing, targets), label_smoothing=smoothing)
    assert str(loss.dtype).endswith("float16")
    assert float(loss) == pytest.approx(log(70_000), rel=2**-10)  # one place of float16


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "online_softmax"])
def test_softmax_of_float16_over_a_large_vocabulary(name: str) -> None:
    weights = getattr(with_numpy, name)(np.zeros((1, 70_000), np.float16))
    assert weights.dtype == np.float16
    wanted = -log(70_000) if name == "log_softmax" else 1 / 70_000
    assert float(weights[0, -1]) == pytest.approx(wanted, rel=5e-3)  # 1/70000 is subnormal
