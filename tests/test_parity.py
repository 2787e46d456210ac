"""The two wings are one package: same names, same parameters, same numbers, same gradients.

Everything here is made from the wings' `__all__` and from the registry in `cases.py`, so that a
new public name without a twin or without a case fails by itself.

An error is the largest difference divided by the larger of 1 and the result's largest magnitude
(the inputs are of order 1). float64 rounds at 1e-16 and float32 at 6e-8; the results add up a few
dozen products, so 1e-10 and 1e-5 leave room for another order of summation and for nothing else.
"""

import inspect
import zlib
from collections.abc import Iterator
from typing import Any

import cases
import numpy as np
import pytest
import torch
from cases import LEADS, SINGLE_WING, Case, convert, leaves
from hypothesis import settings

import companion.with_numpy
import companion.with_torch

NUMPY, TORCH = companion.with_numpy, companion.with_torch
CASES = cases.collected()
BACKWARD = "_backward"
TWINS = sorted(set(NUMPY.__all__) & set(TORCH.__all__) - set(SINGLE_WING))
BACKWARDS = sorted(name for name in NUMPY.__all__ if name.endswith(BACKWARD))
ALL = [pytest.param(c, id=f"{n}-{i}") for n in sorted(CASES) for i, c in enumerate(CASES[n])]
WITH_BACKWARD = [p for p in ALL if p.values[0].name + BACKWARD in BACKWARDS]
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
REPEATS = settings.default.max_examples // 5  # draws for each choice of leading axes


def drawn(case: Case, dtype: str, leads: Any = LEADS, repeats: int = REPEATS) -> Iterator[Any]:
    """Arguments for every choice of leading axes, the same in each run."""
    for lead in leads:
        for repeat in range(repeats):
            seed = (zlib.crc32(case.name.encode()), *lead, repeat)
            yield case.draw(np.random.default_rng(seed), np.dtype(dtype), lead)


def to_torch(tree: Any) -> Any:
    return convert(tree, lambda end: torch.tensor(end) if isinstance(end, np.ndarray) else end)


def to_numpy(end: Any) -> Any:
    return end.detach().numpy() if isinstance(end, torch.Tensor) else end


def read_only(tree: Any) -> Any:
    """Copies that refuse to be written to."""

    def lock(end: Any) -> Any:
        if not isinstance(end, np.ndarray):
            return end
        end = end.copy()
        end.setflags(write=False)
        return end

    return convert(tree, lock)


def worst_error(ours: Any, theirs: Any) -> float:
    """Compare two nests: kinds, shapes and dtypes exactly, numbers by the worst error."""
    worst = 0.0
    for one, other in zip(leaves(ours), leaves(theirs), strict=True):
        if isinstance(one, np.generic):  # NumPy's sums are scalars, torch's are arrays of rank 0
            one = np.asarray(one)
        assert isinstance(one, np.ndarray) == isinstance(other, torch.Tensor)
        if not isinstance(one, np.ndarray):
            assert one == other
            continue
        other = to_numpy(other)
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        if one.dtype.kind != "f":
            np.testing.assert_array_equal(one, other)
        else:
            finite = np.isfinite(one) & np.isfinite(other)
            np.testing.assert_array_equal(one[~finite], other[~finite])
            scale = np.abs(other[finite]).max(initial=1.0)
            worst = max(worst, np.abs(one[finite] - other[finite]).max(initial=0.0) / scale)
    return float(worst)


# ------------------------------------------------------------------------------- names


def test_every_public_name_has_a_twin() -> None:
    alone = set(NUMPY.__all__) ^ set(TORCH.__all__)
    unexplained = {n for n in alone - set(SINGLE_WING) if n not in BACKWARDS}
    assert not unexplained, f"in one wing only, and not in cases.SINGLE_WING: {unexplained}"
    for name, reason in SINGLE_WING.items():
        assert name in alone, f"cases.SINGLE_WING names {name}, which is not in one wing only"
        assert reason


def test_every_backward_has_its_forward_in_both_wings() -> None:
    assert [n for n in BACKWARDS if n.removesuffix(BACKWARD) not in TWINS] == []
    assert [n for n in TORCH.__all__ if n.endswith(BACKWARD)] == []


def test_every_public_name_has_a_case() -> None:
    missing = set(TWINS) - set(CASES)
    assert not missing, f"no case in tests/cases*.py for {sorted(missing)}"
    unknown = set(CASES) - set(TWINS)
    assert not unknown, f"tests/cases*.py has cases for what is no public twin: {sorted(unknown)}"


def test_every_backward_has_a_case_with_gradients() -> None:
    for name in BACKWARDS:
        for case in CASES[name.removesuffix(BACKWARD)]:
            assert case.gradients, f"{name} exists, but its case names no gradients"


# -------------------------------------------------------------------------- parameters


def parameters(function: Any, extras: set[str]) -> list[tuple[Any, ...]]:
    """Name, kind and default of each; `rng` and `generator` are the same argument."""
    found = []
    for p in inspect.signature(function).parameters.values():
        if p.name in extras and p.kind is p.KEYWORD_ONLY:
            continue
        default = p.default
        if callable(default) and default is not p.empty:
            default = default.__name__  # the twins of one function
        elif isinstance(default, torch.dtype):
            default = str(default).removeprefix("torch.")
        found.append(("generator" if p.name == "rng" else p.name, p.kind, default))
    return found


def assert_same_parameters(ours: Any, theirs: Any) -> None:
    has_rng = "rng" in inspect.signature(ours).parameters
    extras = {"device"} if has_rng else {"device", "generator"}
    assert parameters(ours, set()) == parameters(theirs, extras)


@pytest.mark.parametrize("name", TWINS)
def test_parameters_are_the_same(name: str) -> None:
    ours, theirs = getattr(NUMPY, name), getattr(TORCH, name)
    assert inspect.isclass(ours) == inspect.isclass(theirs)
    assert_same_parameters(ours, theirs)
    if inspect.isclass(ours):
        methods = [n for n, m in vars(ours).items() if inspect.isfunction(m) and n[0] != "_"]
        methods = [n for n in methods if not n.endswith("backward")]  # autograd is torch's
        for method in methods:
            assert_same_parameters(getattr(ours, method), getattr(theirs, method))


@pytest.mark.parametrize("name", BACKWARDS)
def test_backward_takes_gradients_first_then_what_the_forward_took_or_returned(name: str) -> None:
    case = CASES[name.removesuffix(BACKWARD)][0]
    names = list(inspect.signature(getattr(NUMPY, name)).parameters)
    grads = [n for n in names if n.startswith("grad_")]
    assert grads
    assert names[: len(grads)] == grads
    assert {n.removeprefix("grad_") for n in grads} <= set(case.returns)
    forward = inspect.signature(getattr(NUMPY, case.name)).parameters
    taken = [n for n in names[len(grads) :] if n in forward]
    assert taken == [n for n in forward if n in taken]  # in the forward's order
    assert set(names) - set(grads) - set(taken) <= set(case.returns)


# ------------------------------------------------------------------------------ values


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", ALL)
def test_values(case: Case, dtype: str, record_property: Any) -> None:
    worst = 0.0
    for arguments in drawn(case, dtype):
        ours = case.run(NUMPY, read_only(arguments))
        theirs = case.run(TORCH, to_torch(arguments))
        worst = max(worst, worst_error(ours, theirs))
    assert worst <= TOLERANCE[dtype]
    record_property(f"parity values {dtype}", (worst, case.name))


@pytest.mark.parametrize("case", ALL)
def test_arguments_stay_as_they_were_and_results_repeat(case: Case) -> None:
    for arguments in drawn(case, "float32", repeats=1):
        for wing, given in ((NUMPY, read_only(arguments)), (TORCH, to_torch(arguments))):
            versions = [getattr(end, "_version", 0) for end in leaves(given)]
            first, second = case.run(wing, given), case.run(wing, given)
            # a torch version counts writes, also those that leave the value as it was
            assert [getattr(end, "_version", 0) for end in leaves(given)] == versions
            for was, now in zip(leaves(arguments), leaves(given), strict=True):
                np.testing.assert_array_equal(was, to_numpy(now))
            for one, other in zip(leaves(first), leaves(second), strict=True):
                np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


# --------------------------------------------------------------------------- gradients


def backward_arguments(case: Case, arguments: Any, outputs: Any, grads: Any) -> Any:
    """What `name_backward` asks for, by the names of its parameters."""
    known = {**arguments, **outputs, **{f"grad_{n}": g for n, g in grads.items()}}
    names = inspect.signature(getattr(NUMPY, case.name + BACKWARD)).parameters
    return {n: known[n] for n in names if n in known}


def random_grads(case: Case, outputs: Any) -> dict[str, Any]:
    """A gradient for each output that the backward takes one for."""
    names = inspect.signature(getattr(NUMPY, case.name + BACKWARD)).parameters
    rng = np.random.default_rng(5)
    return {
        n: np.asarray(rng.standard_normal(out.shape), dtype=out.dtype)
        for n, out in outputs.items()
        if f"grad_{n}" in names
    }


def numpy_backward(case: Case, arguments: Any) -> tuple[Any, Any]:
    outputs = case.outputs(case.run(NUMPY, arguments))
    grads = random_grads(case, outputs)
    given = backward_arguments(case, arguments, read_only(outputs), read_only(grads))
    result = getattr(NUMPY, case.name + BACKWARD)(**given)
    return grads, (result if len(case.gradients) > 1 else (result,))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", WITH_BACKWARD)
def test_gradients_are_those_of_autograd(case: Case, dtype: str, record_property: Any) -> None:
    worst = 0.0
    for arguments in drawn(case, dtype):
        grads, ours = numpy_backward(case, read_only(arguments))
        given = to_torch(arguments)
        wanted = [given[n] for n in case.gradients]
        for end in leaves(wanted):
            end.requires_grad_()
        outputs = case.outputs(case.run(TORCH, given))
        loss = sum((outputs[n] * torch.tensor(g)).sum() for n, g in grads.items())
        theirs = torch.autograd.grad(loss, leaves(wanted), materialize_grads=True)
        worst = max(worst, worst_error(leaves(list(ours)), list(theirs)))
    assert worst <= TOLERANCE[dtype]
    record_property(f"parity gradients {dtype}", (worst, case.name))


STEP = 6e-6  # the cube root of float64's 2.2e-16, where cutting and rounding errors meet
NEAR = 1e-8  # both are then about STEP² = 4e-11 times third derivatives of order 10


@pytest.mark.slow
@pytest.mark.parametrize("case", WITH_BACKWARD)
def test_gradients_are_those_of_finite_differences(case: Case) -> None:
    for arguments in drawn(case, "float64", leads=((), (2,), (1, 2)), repeats=2):
        grads, ours = numpy_backward(case, read_only(arguments))

        def loss(given: Any, grads: Any = grads) -> float:
            outputs = case.outputs(case.run(NUMPY, given))
            return float(sum((outputs[n] * g).sum() for n, g in grads.items()))

        for name, gradient in zip(case.gradients, ours, strict=True):
            moved = convert(arguments, lambda e: e.copy() if isinstance(e, np.ndarray) else e)
            for end, slope in zip(leaves(moved[name]), leaves(gradient), strict=True):
                measured = np.empty_like(end)
                for place in np.ndindex(end.shape):
                    at = end[place]
                    end[place] = at + STEP
                    above = loss(moved)
                    end[place] = at - STEP
                    below = loss(moved)
                    end[place] = at
                    measured[place] = (above - below) / (2 * STEP)
                assert slope.shape == end.shape
                scale = max(1.0, float(np.abs(measured).max()))
                np.testing.assert_allclose(slope, measured, rtol=0, atol=NEAR * scale)
