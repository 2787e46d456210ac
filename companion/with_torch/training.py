"""Training: show a batch, measure the loss, step against its gradient; again, until the last epoch.

    for batch in batches:
        loss, grads = loss_and_grad(params, batch, seed)
        grads, norm = clip_by_global_norm(grads, clip_norm)
        params, state = optimizer(params, grads, state, learning_rate=schedule(step))

The rest of the file keeps this loop honest: validation apart from training, one seed, checkpoints
from which it goes on bit by bit as if never stopped, an error where a number is none. For an
nn.Module, `module_loss_and_grad` makes the first line.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import replace
from functools import partial
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from companion import _check
from companion._check_params import arrays, callables
from companion._training import Record, can_save, explained, progress_bar, resumed
from companion._training import Run as _Run
from companion.params import derive
from companion.with_torch.checkpoints import load_checkpoint, save_checkpoint
from companion.with_torch.clipping import clip_by_global_norm, global_norm

__all__ = ["Record", "train", "validation_loss"]

Params: TypeAlias = Mapping[str, Tensor]
LossAndGrad: TypeAlias = Callable[[Params, Any, int | None], tuple[Any, Params]]
Run: TypeAlias = _Run[Tensor]


def train(
    params: Params,
    loss_and_grad: LossAndGrad,
    batches: Callable[[int, int], Iterable[Any]],
    *,
    optimizer: Callable[..., tuple[Params, Params]],
    schedule: Callable[[int], float],
    epochs: int,
    seed: int,
    clip_norm: float | None = None,
    validate: Callable[[Params], float] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> tuple[dict[str, Tensor], list[Record]]:
    """Train parameters.

    params name → tensor (...), the start; never written to
    loss_and_grad (params, batch, seed) → (loss, grads). An integer seed means training: dropout on,
      drawn from it. None means evaluation: dropout off, and grads may be left empty
    batches (epoch, seed) → the batches of that epoch, in an order that depends on these two alone
    optimizer (params, grads, state, learning_rate=...) → (params, state): `sgd`, `adam`, `adamw`
    schedule step, from 1 → learning rate   clip_norm of all gradients together, None: no clipping
    validate params → loss, asked after each epoch; see `validation_loss`
    checkpoint file written after each epoch and, if given, every `checkpoint_every` steps; without
      resume a new training replaces one that is there
    resume go on from that file if it is there: same seed, then the same result to the last bit
    progress show a bar (needs the extra `train`, as the checkpoint does)
    Returns the trained parameters and the history, one `Record` a step.

    Raises TypeError or ValueError naming the argument; ValueError naming the step and the last good
    checkpoint if the loss, a gradient or a parameter is NaN or infinite, or an epoch has no batch;
    before the first step, OSError or ModuleNotFoundError if the checkpoint could not be written.
    """
    callables(loss_and_grad=loss_and_grad, batches=batches, optimizer=optimizer, schedule=schedule)
    _check_arguments(params, epochs, seed, clip_norm, checkpoint, checkpoint_every, resume)
    update = partial(_update, loss_and_grad, optimizer, schedule, clip_norm, seed)
    run = _start(params, checkpoint, seed, resume)
    for epoch in range(run.epoch, epochs):
        todo = batches(epoch, derive(seed, f"batches/{epoch}"))
        total = len(todo) if isinstance(todo, Sized) else None
        with progress_bar(progress, f"epoch {epoch + 1}/{epochs}", total, run.batch) as advance:
            for batch in islice(todo, run.batch, None):
                with explained(f"step {run.step + 1}", run, checkpoint):
                    run = update(run, batch)
                advance(run.history[-1].loss)
                if checkpoint_every and run.step % checkpoint_every == 0:
                    run = _save(run, checkpoint, seed)
        with explained(f"epoch {epoch}", run, checkpoint):
            run = _end_epoch(run, validate)
        run = _save(run, checkpoint, seed)
    return dict(run.params), list(run.history)


def validation_loss(params: Params, loss_and_grad: LossAndGrad, batches: Iterable[Any]) -> float:
    """The mean loss over batches in evaluation mode: no dropout, no step.

    params name → tensor (...)   loss_and_grad as in `train`, called with the seed None
    batches held out from training; each counts the same, however many tokens it has
    Returns the mean, in the unit of the loss.

    Raises TypeError naming the parameter that does not fit, ValueError if there is no batch.
    """
    arrays(torch.Tensor, "params", params)
    losses = [float(loss_and_grad(params, batch, None)[0]) for batch in batches]
    if not losses:
        raise ValueError("batches: expected at least one batch, got none")
    return sum(losses) / len(losses)


def _update(
    loss_and_grad: LossAndGrad,
    optimizer: Callable[..., tuple[Params, Params]],
    schedule: Callable[[int], float],
    clip_norm: float | None,
    seed: int,
    run: Run,
    batch: Any,
) -> Run:
    """One step."""
    step = run.step + 1
    loss, grads = loss_and_grad(run.params, batch, derive(seed, f"step/{step}"))
    if not isfinite(float(loss)):
        raise ValueError(f"loss: expected a finite number, got {float(loss)}")
    if clip_norm is None:
        norm = global_norm(grads)
    else:
        grads, norm = clip_by_global_norm(grads, clip_norm)
    rate = float(schedule(step))
    params, state = optimizer(run.params, grads, run.state, learning_rate=rate)
    record = Record(step, run.epoch, float(loss), rate, float(norm))
    history = (*run.history, record)
    return replace(run, params=params, state=state, batch=run.batch + 1, history=history)


def _end_epoch(run: Run, validate: Callable[[Params], float] | None) -> Run:
    if run.batch == 0:
        raise ValueError("batches: expected at least one batch an epoch, got none")
    if validate is not None:
        run = run.validated(float(validate(run.params)))
    return replace(run, epoch=run.epoch + 1, batch=0)


def _save(run: Run, checkpoint: str | os.PathLike[str] | None, seed: int) -> Run:
    if checkpoint is None:
        return run
    save_checkpoint(checkpoint, run.params, state=run.state, metadata=run.metadata(seed))
    return replace(run, saved=run.step)


def _start(
    params: Params, checkpoint: str | os.PathLike[str] | None, seed: int, resume: bool
) -> Run:
    if not resume or checkpoint is None or not Path(checkpoint).exists():
        return Run(params)
    device = next(iter(params.values())).device if params else None
    kept = load_checkpoint(checkpoint, expected=params, device=device)
    return resumed(kept.params, kept.state or None, kept.metadata, seed)


def _check_arguments(
    params: Params,
    epochs: int,
    seed: int,
    clip_norm: float | None,
    checkpoint: Any,
    checkpoint_every: int | None,
    resume: bool,
) -> None:
    arrays(torch.Tensor, "params", params)
    _check.length(1, epochs=epochs)
    _check.length(seed=seed)
    if clip_norm is not None:
        _check.positive(clip_norm=clip_norm)
    if checkpoint_every is not None:
        _check.length(1, checkpoint_every=checkpoint_every)
    if checkpoint is None and (resume or checkpoint_every is not None):
        raise ValueError("checkpoint: expected a path with resume or checkpoint_every, got None")
    can_save(checkpoint)
