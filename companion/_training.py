"""What the training loops of both wings share: the record of a step, what is saved, the bar."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Generic, TypeVar

from companion._optional import optional

A = TypeVar("A")


@dataclass(frozen=True)
class Record:
    """What one step left behind; the history of a training is a list of these.

    step from 1   epoch from 0   loss before the step, in training mode   learning_rate of the step
    grad_norm before clipping   validation_loss after the last step of an epoch, else None
    """

    step: int
    epoch: int
    loss: float
    learning_rate: float
    grad_norm: float
    validation_loss: float | None = None


@dataclass(frozen=True)
class Run(Generic[A]):
    """Where training stands: all that it needs to go on, and all that a checkpoint keeps.

    No generator is among it: each seed is derived from the one seed and the place (`derive`), so
    that randomness, like the learning rate, is a function of the step.
    """

    params: Mapping[str, A]
    state: Mapping[str, A] | None = None
    epoch: int = 0
    batch: int = 0  # done in this epoch
    history: tuple[Record, ...] = ()
    saved: int | None = None  # the step after which a checkpoint was written

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.history)

    def metadata(self, seed: int) -> dict[str, Any]:
        """What the checkpoint keeps beside the arrays."""
        history = [list(astuple(record)) for record in self.history]
        return {"seed": int(seed), "epoch": self.epoch, "batch": self.batch, "history": history}

    def validated(self, loss: float) -> "Run[A]":
        """The same, with the validation loss written into the last record."""
        if not isfinite(loss):
            raise ValueError(f"validation loss: expected a finite number, got {loss}")
        last = replace(self.history[-1], validation_loss=loss)
        return replace(self, history=(*self.history[:-1], last))


def resumed(params: Mapping[str, A], state: Mapping[str, A] | None, kept: Any, seed: int) -> Run[A]:
    """The run that a checkpoint's metadata tells of."""
    try:
        history = tuple(Record(*record) for record in kept["history"])
        epoch, batch, was = kept["epoch"], kept["batch"], kept["seed"]
    except (LookupError, TypeError) as error:
        raise ValueError("checkpoint: expected one that `train` wrote, got another") from error
    if was != seed:
        raise ValueError(f"seed: expected {was} as in the checkpoint, got {seed}")
    return Run(params, state, epoch, batch, history, saved=len(history))


def can_save(checkpoint: str | os.PathLike[str] | None) -> None:
    """Refuse before the first step what would stop the first save, when hours may be lost."""
    if checkpoint is None:
        return
    optional("safetensors", "train")
    path = Path(checkpoint)
    if path.is_dir():
        raise IsADirectoryError(f"checkpoint: expected a file, got the folder {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"checkpoint: expected a folder that is there, got {path.parent}; make it first"
        )


@contextmanager
def explained(place: str, run: Run[Any], path: Any) -> Iterator[None]:
    """Let a ValueError say also where training stood and what is left of it."""
    try:
        yield
    except ValueError as error:
        good = "none" if path is None or run.saved is None else f"{path}, after step {run.saved}"
        raise ValueError(f"{place}: {error}; last good checkpoint: {good}") from error


@contextmanager
def progress_bar(
    show: bool, label: str, total: int | None, done: int
) -> Iterator[Callable[[float], None]]:
    """A bar over one epoch; call what it yields with the loss after each step."""
    if not show:
        yield lambda loss: None
        return
    with optional("tqdm", "train").tqdm(total=total, initial=done, desc=label) as bar:

        def advance(loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            bar.update()

        yield advance
