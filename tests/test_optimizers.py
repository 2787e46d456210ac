"""Optimisers and clipping against torch's own over 20 steps; schedules by hand; their messages."""

from functools import partial
from math import cos, pi
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from learning_helpers import assert_identical, back, locked, rooms, to

from companion import schedules

STEPS = 20
# torch groups the same operations otherwise (in place, fused); 20 steps add up 20 roundings.
TOLERANCE = {"float64": 1e-13, "float32": 3e-6}


@pytest.fixture(params=["numpy", "torch"])
def lib(request: pytest.FixtureRequest) -> Any:
    return rooms(request.param)


def draw(dtype: str = "float64") -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    """Parameters of several shapes, () included, and gradients of sizes from 1e-3 to 1e3."""
    rng = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {"mlp.weight": (3, 5), "mlp.bias": (3,), "scale": ()}
    params = {name: np.asarray(rng.standard_normal(s), dtype) for name, s in shapes.items()}
    sizes = 10.0 ** rng.uniform(-3, 3, size=STEPS)
    grads = [
        {name: np.asarray(size * rng.standard_normal(s), dtype) for name, s in shapes.items()}
        for size in sizes
    ]
    return params, grads


CASES = [  # optimiser, its torch counterpart, the options of both
    ("sgd", torch.optim.SGD, {}),
    ("sgd", torch.optim.SGD, {"momentum": 0.9}),
    ("sgd", torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.1, "nesterov": True}),
    ("adam", torch.optim.Adam, {}),
    ("adam", torch.optim.Adam, {"betas": (0.9, 0.98), "eps": 1e-9, "weight_decay": 0.1}),
    ("adamw", torch.optim.AdamW, {}),  # both decay by 0.01 if not told otherwise
    ("adamw", torch.optim.AdamW, {"weight_decay": 0.3, "eps": 0.1}),
]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "oracle", "options"), CASES)
def test_twenty_steps_are_those_of_torch(
    lib: Any, name: str, oracle: Any, options: Any, dtype: str
) -> None:
    params, all_grads = draw(dtype)
    leaves = {key: torch.tensor(p, requires_grad=True) for key, p in params.items()}
    optim = oracle(leaves.values(), lr=0.0, **options)
    ours, state = to(lib.wing, params), None
    for step, grads in enumerate(all_grads, start=1):
        rate = 0.05 / step  # a new learning rate each step, as a schedule gives it
        optim.param_groups[0]["lr"] = rate
        for key, leaf in leaves.items():
            leaf.grad = torch.tensor(grads[key])
        optim.step()
        ours, state = getattr(lib, name)(
            ours, to(lib.wing, grads), state, learning_rate=rate, **options
        )
    assert int(state["step"]) == STEPS
    for key, leaf in leaves.items():
        got = back(ours[key])
        assert isinstance(got, np.ndarray)
        assert got.dtype == dtype
        scale = max(1.0, float(leaf.detach().abs().max()))
        np.testing.assert_allclose(got, leaf.detach(), rtol=0, atol=scale * TOLERANCE[dtype])


def test_adamw_decays_only_what_it_is_told_to(lib: Any) -> None:
    params, (grads, *_) = draw()
    leaves = {key: torch.tensor(p, requires_grad=True) for key, p in params.items()}
    for key, leaf in leaves.items():
        leaf.grad = torch.tensor(grads[key])
    groups = [
        {"params": [leaves["mlp.weight"]], "weight_decay": 0.5},
        {"params": [leaves["mlp.bias"], leaves["scale"]], "weight_decay": 0.0},
    ]
    torch.optim.AdamW(groups, lr=0.1).step()
    ours, _ = lib.adamw(
        to(lib.wing, params),
        to(lib.wing, grads),
        None,
        learning_rate=0.1,
        weight_decay=0.5,
        decayed=["mlp.weight"],
    )
    for key, leaf in leaves.items():
        np.testing.assert_allclose(back(ours[key]), leaf.detach(), rtol=0, atol=1e-15)


def test_adam_by_hand(lib: Any) -> None:
    # t = 1: m̂ = g and v̂ = g², so each step is η g / (|g| + eps): 0.1 × 4 / (4 + 1) = 0.08.
    one = {"w": np.array([2.0])}
    params, state = lib.adam(
        to(lib.wing, one), to(lib.wing, {"w": np.array([4.0])}), None, learning_rate=0.1, eps=1.0
    )
    assert float(params["w"][0]) == pytest.approx(1.92, rel=1e-15)
    assert float(state["mean.w"][0]) == pytest.approx(0.4, rel=1e-15)
    assert float(state["mean_square.w"][0]) == pytest.approx(0.016, rel=1e-13)  # 1 - 0.999 cancels


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_nothing_given_is_written_to(lib: Any, name: str) -> None:
    params, all_grads = draw()
    options = {"momentum": 0.9} if name == "sgd" else {}
    step = partial(getattr(lib, name), learning_rate=0.1, **options)
    _, state = step(to(lib.wing, params), to(lib.wing, all_grads[0]), None)
    kept = {key: np.array(array) for key, array in back(state).items()}
    if lib.wing == "numpy":  # writing to these is an error
        step(locked(params), locked(all_grads[1]), locked(state))
    given_params, given_grads = to(lib.wing, params), to(lib.wing, all_grads[1])
    first = step(given_params, given_grads, state)
    assert_identical(state, kept)
    assert_identical(given_params, params)
    assert_identical(given_grads, all_grads[1])
    assert_identical(first[0], step(given_params, given_grads, state)[0])  # and no hidden state


def test_no_graph_is_kept_in_the_torch_wing() -> None:
    params = {"w": torch.ones(2, requires_grad=True)}
    new, state = rooms("torch").adam(params, {"w": torch.ones(2)}, None, learning_rate=0.1)
    assert not new["w"].requires_grad
    assert not state["mean.w"].requires_grad


def step_errors() -> list[Any]:
    w, ok = np.ones(2, np.float32), {"w": np.ones(2, np.float32)}
    nan = {"w": np.array([1, np.nan], np.float32)}
    huge = {"w": np.array([1e30, 1], np.float32)}  # its square is no float32
    keys = r"grads: expected the keys of params, got missing \['w'\], unexpected \['x'\]"
    return [
        (ok, {"x": w}, {}, ValueError, keys),
        (ok, {"w": np.ones(3, np.float32)}, {}, ValueError, r"grads\['w'\]: expected shape \(2,\)"),
        (ok, {"w": np.ones(2)}, {}, TypeError, r"grads\['w'\]: expected dtype float32 like params"),
        (ok, {"w": np.ones(2, int)}, {}, TypeError, r"grads\['w'\]: expected a floating dtype"),
        (ok, [w], {}, TypeError, "grads: expected a dict of arrays, got list"),
        ({3: w}, ok, {}, TypeError, "params: expected names as keys, got 3"),
        (ok, nan, {}, ValueError, r"grads\['w'\]: expected finite numbers, got NaN or inf"),
        (nan, ok, {}, ValueError, r"new params\['w'\]: expected finite numbers"),
        (ok, huge, {}, ValueError, r"new state\['mean_square.w'\]: expected finite numbers"),
        (ok, ok, {"learning_rate": -1.0}, ValueError, "learning_rate: expected 0 ≤ learning_rate"),
        (ok, ok, {"learning_rate": float("nan")}, ValueError, "learning_rate: expected 0 ≤"),
        (ok, ok, {"learning_rate": "1"}, TypeError, "learning_rate: expected a number, got str"),
        (ok, ok, {"betas": (0.9, 1.0)}, ValueError, r"betas\[1\]: expected 0 ≤ .* < 1, got 1.0"),
        (
            ok,
            ok,
            {"betas": (0.9,)},
            ValueError,
            r"betas: expected two numbers, \(β₁, β₂\), got \(0.9,\)",
        ),
        (ok, ok, {"betas": 0.9}, ValueError, r"betas: expected two numbers, \(β₁, β₂\), got 0.9"),
        (ok, ok, {"eps": 0.0}, ValueError, "eps: expected a finite number > 0"),
        (ok, ok, {"weight_decay": -0.1}, ValueError, "weight_decay: expected 0 ≤"),
    ]


@pytest.mark.parametrize("number", range(len(step_errors())))
@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_says_what_is_wrong(lib: Any, name: str, number: int) -> None:
    params, grads, options, kind, message = step_errors()[number]
    options = {"learning_rate": 0.1, **options}
    with pytest.raises(kind, match=f"^{message}"):
        getattr(lib, name)(to(lib.wing, params), to(lib.wing, grads), None, **options)


def test_sgd_adamw_and_state_say_what_is_wrong(lib: Any) -> None:
    ok = to(lib.wing, {"w": np.ones(2)})
    with pytest.raises(ValueError, match=r"^momentum: expected above 0 with nesterov, got 0"):
        lib.sgd(ok, ok, None, learning_rate=0.1, nesterov=True)
    with pytest.raises(ValueError, match=r"^decayed: expected names of params, got \['v'\]"):
        lib.adamw(ok, ok, None, learning_rate=0.1, decayed=["v"])
    _, state = lib.sgd(ok, ok, None, learning_rate=0.1, momentum=0.9)
    message = r"^state: expected the keys of the optimiser and params, got missing \['mean.w', "
    with pytest.raises(ValueError, match=message):
        lib.adam(ok, ok, state, learning_rate=0.1)
    wrong = state | to(lib.wing, {"velocity.w": np.ones(3)})
    with pytest.raises(ValueError, match=r"^state\['velocity.w'\]: expected shape \(2,\)"):
        lib.sgd(ok, ok, wrong, learning_rate=0.1, momentum=0.9)


# ------------------------------------------------------------------------------ clipping


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e6])
def test_clipping_is_that_of_torch(lib: Any, dtype: str, max_norm: float) -> None:
    _, (grads, *_) = draw(dtype)
    leaves = [torch.zeros(g.shape, dtype=torch.tensor(g).dtype) for g in grads.values()]
    for leaf, grad in zip(leaves, grads.values(), strict=True):
        leaf.requires_grad_().grad = torch.tensor(grad)
    wanted = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    given_grads = to(lib.wing, grads)
    clipped, norm = lib.clip_by_global_norm(given_grads, max_norm)
    assert str(norm.dtype).endswith(dtype)
    np.testing.assert_allclose(float(norm), wanted.item(), rtol=TOLERANCE[dtype])
    # torch divides by norm + 1e-6, the paper by norm
    room = 1e-6 / wanted.item() + TOLERANCE[dtype]
    for (key, got), leaf in zip(clipped.items(), leaves, strict=True):
        assert back(got).dtype == dtype, key
        np.testing.assert_allclose(back(got), leaf.grad, rtol=room)
    assert_identical(given_grads, grads)
    if wanted > max_norm:
        assert float(lib.global_norm(clipped)) == pytest.approx(max_norm, rel=TOLERANCE[dtype])
    else:
        assert_identical(clipped, grads)


def test_the_norm_of_3_and_4_is_5(lib: Any) -> None:
    grads = to(lib.wing, {"a": np.array([[3.0]]), "b": np.array(4.0), "none": np.zeros((0, 2))})
    clipped, norm = lib.clip_by_global_norm(grads, 2.5)
    assert float(norm) == 5
    assert (float(clipped["a"][0, 0]), float(clipped["b"])) == (1.5, 2)
    assert float(lib.global_norm({})) == 0


def test_the_norm_does_not_hang_on_the_order_of_names(lib: Any) -> None:
    rng = np.random.default_rng(0)
    grads = to(lib.wing, {f"w{i}": rng.standard_normal(9).astype(np.float32) for i in range(40)})
    norms = set()
    for _ in range(20):
        names = rng.permutation(list(grads))
        norms.add(float(lib.global_norm({str(name): grads[str(name)] for name in names})))
    assert len(norms) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_clipping_names_the_gradient_that_is_no_number(lib: Any, bad: float) -> None:
    grads = to(lib.wing, {"fine": np.ones(2), "layer.1.weight": np.array([1.0, bad])})
    with pytest.raises(ValueError, match=r"^grads\['layer.1.weight'\]: expected finite numbers"):
        lib.clip_by_global_norm(grads, 1.0)


def test_clipping_names_the_gradient_whose_norm_overflows(lib: Any) -> None:
    grads = to(lib.wing, {"fine": np.ones(2, np.float32), "big": np.full(2, 3e38, np.float32)})
    with pytest.raises(ValueError, match=r"^norm of grads\['(big|all)'\]: expected finite"):
        lib.clip_by_global_norm(grads, 1.0)
    with pytest.raises(ValueError, match=r"^max_norm: expected a finite number > 0, got 0"):
        lib.clip_by_global_norm(grads, 0.0)


# ----------------------------------------------------------------------------- schedules


def test_both_wings_share_the_schedules(lib: Any) -> None:
    assert lib.inverse_sqrt_warmup is schedules.inverse_sqrt_warmup
    assert lib.cosine_schedule is schedules.cosine_schedule


def test_inverse_sqrt_warmup_by_hand() -> None:
    rate = partial(schedules.inverse_sqrt_warmup, width=4, warmup=4)
    # 1/√4 = 1/2 times: 1·4^-1.5 = 1/8;  4·4^-1.5 = 4^-0.5 = 1/2;  16^-0.5 = 1/4
    assert [rate(1), rate(4), rate(16)] == [1 / 16, 1 / 4, 1 / 8]
    base = schedules.inverse_sqrt_warmup(4000, width=512, warmup=4000)
    assert base == pytest.approx((512 * 4000) ** -0.5, rel=1e-15)  # 7.0e-4, the paper's peak


def test_cosine_schedule_by_hand() -> None:
    rate = partial(schedules.cosine_schedule, peak=2.0, total=10, warmup=4, floor=1.0)
    assert [rate(1), rate(2), rate(4)] == [0.5, 1.0, 2.0]
    assert rate(7) == pytest.approx(1.5, rel=1e-15)  # half of the way down
    assert rate(6) == pytest.approx(1 + (1 + cos(pi / 3)) / 2, rel=1e-15)
    assert [rate(10), rate(11), rate(10**9)] == [1.0, 1.0, 1.0]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 64))
def test_inverse_sqrt_warmup_rises_to_the_peak_then_falls(
    step: int, warmup: int, width: int
) -> None:
    now, then = (
        schedules.inverse_sqrt_warmup(s, width=width, warmup=warmup) for s in (step, step + 1)
    )
    assert 0 < now <= (width * warmup) ** -0.5 * (1 + 1e-12)
    assert (then > now) == (step < warmup)


@given(st.integers(1, 400), st.integers(0, 100), st.integers(1, 200), st.floats(0, 1))
def test_cosine_rises_to_the_peak_then_falls_to_the_floor(
    step: int, warmup: int, more: int, floor: float
) -> None:
    rate = partial(
        schedules.cosine_schedule, peak=1.0, total=warmup + more, warmup=warmup, floor=floor
    )
    if step < warmup:
        assert rate(step + 1) > rate(step)
    else:
        assert floor <= rate(step + 1) <= rate(step) <= 1
    assert rate(warmup + more) == pytest.approx(floor, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: schedules.inverse_sqrt_warmup(0, width=4, warmup=4), ValueError, "step: expected"),
        (lambda: schedules.inverse_sqrt_warmup(1, width=0, warmup=4), ValueError, "width: expect"),
        (lambda: schedules.inverse_sqrt_warmup(1.5, width=4, warmup=4), TypeError, "step: expec"),
        (lambda: schedules.cosine_schedule(0, peak=1.0, total=2), ValueError, "step: expected"),
        (lambda: schedules.cosine_schedule(1, peak=-1.0, total=2), ValueError, "peak: expected"),
        (
            lambda: schedules.cosine_schedule(1, peak=1.0, total=2, warmup=2),
            ValueError,
            "warmup: expected fewer steps than total = 2, got 2",
        ),
        (
            lambda: schedules.cosine_schedule(1, peak=1.0, total=2, floor=1.5),
            ValueError,
            "floor: expected 0 ≤ floor ≤ peak = 1.0, got 1.5",
        ),
    ],
)
def test_schedules_say_what_is_wrong(call: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        call()


@pytest.mark.parametrize("peak", [0.1, 3e-4, 6e-4])
@pytest.mark.parametrize("warmup", [3, 12, 41])
def test_cosine_schedule_meets_its_peak_exactly(peak: float, warmup: int) -> None:
    assert schedules.cosine_schedule(warmup, peak=peak, total=200, warmup=warmup) == peak


@pytest.mark.parametrize("max_norm", [0.01, 0.003])
def test_clipping_of_float16_by_a_small_factor(lib: Any, max_norm: float) -> None:
    """The factor itself, 1.7e-7 or 2.5e-8, is no number of float16; the clipped gradients are."""
    grads = to(lib.wing, {"w": np.full(4, 60_000, np.float16)})
    clipped, _ = lib.clip_by_global_norm(grads, max_norm)
    assert back(clipped)["w"].dtype == np.float16
    assert float(lib.global_norm(clipped)) == pytest.approx(max_norm, rel=2**-10)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_in_float16_asks_for_an_eps_that_is_not_0(lib: Any, name: str) -> None:
    params, grads = {"w": np.ones(2, np.float16)}, {"w": np.array([0, 1], np.float16)}
    step = partial(getattr(lib, name), to(lib.wing, params), to(lib.wing, grads), None)
    with pytest.raises(ValueError, match=r"^eps: expected at least 6.1e-05, .* float16 .* 1e-08"):
        step(learning_rate=0.5)
    new = back(step(learning_rate=0.5, eps=1e-4, **({"weight_decay": 0.0}))[0])["w"]
    np.testing.assert_allclose(new, [1, 0.5], rtol=1e-3)
