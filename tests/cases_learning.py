"""Parity cases of losses, optimisers, schedules, clipping, checkpoints and training."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cases import SINGLE_WING, Arguments, Case, add, normal, sizes

SINGLE_WING["module_loss_and_grad"] = "it wraps an nn.Module, which NumPy has not"
SINGLE_WING["module_params"] = "it reads an nn.Module, which NumPy has not"

Lead = tuple[int, ...]


def _some(lead: Lead) -> Lead:
    """The same number of axes, none of them empty: a mean of nothing is refused."""
    return tuple(max(n, 1) for n in lead)


# -------------------------------------------------------------------------------- losses


def _cross_entropy(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    T, V = sizes(rng, "TV")
    lead = _some(lead)
    targets = rng.integers(0, V, size=(*lead, T))
    padding = rng.random(targets.shape) < 0.3
    padding.flat[rng.integers(padding.size)] = False  # at least one real token
    return {
        "logits": 3 * normal(rng, dtype, *lead, T, V),
        "targets": np.where(padding, -100, targets),
        "label_smoothing": float(rng.choice([0, 0.1, 0.5])),
    }


def _answers(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    shape = (*_some(lead), *sizes(rng, "T"))
    return {
        "logits": 3 * normal(rng, dtype, *shape),
        "targets": rng.uniform(0.01, 0.99, size=shape).astype(dtype),  # room for a difference step
    }


def _pair(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    shape = (*_some(lead), *sizes(rng, "TD"))
    return {"prediction": normal(rng, dtype, *shape), "target": normal(rng, dtype, *shape)}


add(Case("cross_entropy", _cross_entropy, ("loss",), ("logits",)))
add(Case("binary_cross_entropy", _answers, ("loss",), ("logits", "targets")))
add(Case("mean_squared_error", _pair, ("loss",), ("prediction", "target")))


# ------------------------------------------------------------------- optimisers, clipping


def _dict(rng: np.random.Generator, dtype: Any, lead: Lead) -> dict[str, Any]:
    C, D = sizes(rng, "CD")
    return {
        "weight": normal(rng, dtype, *lead, C, D),
        "bias": normal(rng, dtype, C),
        "scale": np.asarray(rng.standard_normal(), dtype),
    }


def _step(rng: np.random.Generator, dtype: Any, lead: Lead, slots: tuple[str, ...]) -> Arguments:
    params = _dict(rng, dtype, lead)
    grads = {key: normal(rng, dtype, *array.shape) for key, array in params.items()}
    grads = {key: np.asarray(grad) for key, grad in grads.items()}
    state = None
    if rng.random() < 0.5:
        moments = {f"{s}.{k}": np.asarray(abs(g)) for s in slots for k, g in grads.items()}
        state = {"step": np.array(rng.integers(1, 9)), **moments}
    decay = float(rng.choice([0, 0.1]))
    return {
        "params": params,
        "grads": grads,
        "state": state,
        "learning_rate": rng.uniform(0, 0.1),
        "weight_decay": decay,
    }


def _sgd(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    nesterov = bool(rng.integers(2))
    return {**_step(rng, dtype, lead, ("velocity",)), "momentum": 0.9, "nesterov": nesterov}


_adam = partial(_step, slots=("mean", "mean_square"))


def _clip(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    return {"grads": _dict(rng, dtype, lead), "max_norm": rng.uniform(0.5, 4)}


def _norm(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    return {"grads": _dict(rng, dtype, lead)}


add(Case("sgd", _sgd, ("params", "state")))
add(Case("adam", _adam, ("params", "state")))
add(Case("adamw", _adam, ("params", "state")))
add(Case("clip_by_global_norm", _clip, ("grads", "norm")))
add(Case("global_norm", _norm, ("norm",)))


# ----------------------------------------------------------------------------- schedules


def _warmup(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    step, width, warmup = (int(n) for n in rng.integers(1, 50, size=3))
    return {"step": step, "width": width, "warmup": warmup}


def _cosine(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    step, warmup, more = (int(n) for n in rng.integers(1, 50, size=3))
    return {"step": step, "peak": 1.0, "total": warmup + more, "warmup": warmup, "floor": 0.1}


add(Case("inverse_sqrt_warmup", _warmup, ("rate",)))
add(Case("cosine_schedule", _cosine, ("rate",)))


# ----------------------------------------------------------------- checkpoints, training


def _kept(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    state = {"step": np.array(rng.integers(9))}
    return {"params": _dict(rng, dtype, lead), "state": state, "metadata": {"note": "注意"}}


def _there_and_back(wing: Any, **arguments: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        wing.save_checkpoint(path, **arguments)
        return wing.load_checkpoint(path, arguments["params"])


def _place(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    return {"step": 1, "epoch": 0, "loss": 0.5, "learning_rate": 0.1, "grad_norm": 2.0}


def _line(rng: np.random.Generator, dtype: Any, lead: Lead) -> Arguments:
    """Three batches to fit a straight line to; each a prediction's input and its target."""
    return {
        "params": {"slope": np.asarray(rng.standard_normal(), dtype)},
        "inputs": normal(rng, dtype, 3, 5),
        "targets": normal(rng, dtype, 3, 5),
    }


def _line_loss(params: Any, batch: Any, seed: int | None) -> Any:
    """Mean squared error of slope × input, its gradient by hand: the same in both wings."""
    inputs, targets = batch
    miss = params["slope"] * inputs - targets
    return (miss**2).mean(), {} if seed is None else {"slope": (2 * miss * inputs).mean()[...]}


def _train(wing: Any, params: Any, inputs: Any, targets: Any) -> Any:
    trained, history = wing.train(
        params,
        _line_loss,
        lambda epoch, seed: list(zip(inputs, targets, strict=True)),
        optimizer=wing.adam,
        schedule=partial(wing.cosine_schedule, peak=0.1, total=20),
        epochs=3,
        seed=0,
    )
    assert [record.step for record in history] == list(range(1, 10))
    return trained


def _validate(wing: Any, params: Any, inputs: Any, targets: Any) -> Any:
    losses = wing.validation_loss(params, _line_loss, zip(inputs, targets, strict=True))
    return round(losses, 4)  # a Python float, and so compared exactly


add(Case("save_checkpoint", _kept, ("checkpoint",), call=_there_and_back))
add(Case("load_checkpoint", _kept, ("checkpoint",), call=_there_and_back))
add(
    Case(
        "Checkpoint",
        _kept,
        ("checkpoint",),
        call=lambda wing, **arguments: wing.Checkpoint(**arguments),
    )
)
add(Case("Record", _place, ("record",)))
add(Case("train", _line, ("params",), call=_train))
add(Case("validation_loss", _line, ("loss",), call=_validate))
