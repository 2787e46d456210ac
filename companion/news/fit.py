"""Train a news reader: `python -m companion.news.fit en --output en.safetensors`; `make model`.

The same command runs on several processes: `torchrun --nproc-per-node 2 -m companion.news.fit en`.
Each takes its share of every batch; sums and counts are added up before a mean is taken, so that
the gradient is the one that a single process would have computed.
"""

import argparse
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from companion import schedules
from companion.config import TransformerConfig
from companion.news.batches import Batch, Example, collate_fn, encode_item, length_buckets
from companion.news.corpus import load_articles
from companion.news.distributed import Group, from_environment, loss_and_grad
from companion.news.evaluate import ALWAYS_EXTRACT, choose_threshold, evaluate, evaluation_sets
from companion.news.events import generate_articles
from companion.news.lexicon import build_lexicon
from companion.news.model import NewsReader
from companion.news.reader import init_reader, reader_config
from companion.news.units import Lexicon
from companion.with_numpy import save_checkpoint
from companion.with_torch import adamw, train

WEIGHTS = (1.0, 1.0, 0.5)  # of summary, sentence and rubric in the loss
POOL = 10  # batches whose articles are sorted by length together


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a training run is: data, sizes, steps. Any two runs of one plan give one result.

    language "en" or "zh"   seed of first weights, order, slots and dropout
    steps of `batch_size` B articles, of which the share `written` comes from the hand-written
    corpus, the rest from `generated` articles made with `data_seed`
    least training articles a word must be in to be of the lexicon   hide the largest share of
    known words shown as rare (drawn anew for each batch)   drop share of articles that lose
    sentences which carry nothing   width C of the model   copying, slots False for the ablations:
    nothing points into the source; all names look alike   rate the highest learning rate
    """

    language: str
    seed: int = 0
    steps: int = 800
    batch_size: int = 16
    written: float = 0.4
    generated: int = 3000
    data_seed: int = 1
    least: int = 4
    hide: float = 0.3
    drop: float = 0.5
    rate: float = 2e-3
    width: int = 96
    copying: bool = True
    slots: bool = True


@dataclass(frozen=True)
class Fitted:
    """A trained reader: the plan, its lexicon and config, params, and the history of losses."""

    plan: Plan
    lexicon: Lexicon
    config: TransformerConfig
    params: dict[str, Tensor]
    history: list[Any]


def fit(
    plan: Plan,
    *,
    group: Group | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Fitted:
    """Train a reader as the plan says.

    group of processes that share each batch, None: this one alone
    checkpoint, resume, progress as in `train`; only the group's first process writes
    Returns `Fitted`. The same plan gives the same parameters; among several processes they agree up
    to the order in which floating-point numbers are added.

    Raises as `train`, and ValueError if batch_size is not a multiple of the group's size.
    """
    group = Group() if group is None else group
    if plan.batch_size % group.size:
        raise ValueError(
            f"batch_size: expected a multiple of {group.size} processes, got {plan.batch_size}"
        )
    written = load_articles(plan.language, "train")
    made = generate_articles(
        plan.generated, language=plan.language, split="train", seed=plan.data_seed
    )
    lexicon = build_lexicon([*written, *made[:600]], plan.language, least=plan.least)
    config = reader_config(lexicon.size, width=plan.width, hidden=2 * plan.width)
    start = init_reader(config, torch.Generator().manual_seed(plan.seed))
    frozen = () if plan.copying else tuple(name for name in start if name.startswith("copy_"))
    for name in frozen:  # the gate is open to writing, and nothing is read from the source
        start[name] = torch.full_like(start[name], 30.0 if name == "copy_gate.bias" else 0.0)
    encode = partial(encode_item, lexicon=lexicon, slots=plan.slots)
    examples = [encode(item) for item in written], [encode(item) for item in made]
    with _own_file(checkpoint, group, resume) as own:
        params, history = train(
            start,
            loss_and_grad(start, config, WEIGHTS, group, frozen),
            partial(_Epoch, plan, *examples, group),
            optimizer=partial(adamw, weight_decay=0.05),
            schedule=_schedule(plan),
            epochs=1,
            seed=plan.seed,
            clip_norm=1.0,
            checkpoint=own,
            checkpoint_every=50 if own else None,
            resume=resume,
            progress=progress and group.rank == 0,
        )
    return Fitted(plan, lexicon, config, params, history)


@contextmanager
def _own_file(checkpoint: Path | None, group: Group, resume: bool) -> Iterator[Path | None]:
    """The first process's checkpoint; the others go on from a copy, which ends with them.

    One file with two writers would be half of each. The copy is whole: the first process can't
    write before all have taken a step.
    """
    if checkpoint is None or group.rank == 0:
        yield checkpoint
        return
    with TemporaryDirectory() as folder:
        own = Path(folder) / checkpoint.name
        if resume and checkpoint.exists():
            shutil.copyfile(checkpoint, own)
        yield own


def as_reader(fitted: Fitted, threshold: float = 0.0) -> NewsReader:
    """The trained parameters as a `NewsReader`, in half precision as they are kept in a file."""
    params = {k: p.numpy().astype(np.float16).astype(np.float32) for k, p in fitted.params.items()}
    return NewsReader(fitted.lexicon, fitted.config, params, threshold, {}, slots=fitted.plan.slots)


class _Epoch:
    """The batches of one epoch, the same for every process, each taking its own rows of them."""

    def __init__(
        self,
        plan: Plan,
        written: list[Example],
        made: list[Example],
        group: Group,
        epoch: int,
        seed: int,
    ) -> None:
        self._plan, self._written, self._made, self._group = plan, written, made, group
        self._seed = seed

    def __len__(self) -> int:
        return self._plan.steps

    def __iter__(self) -> Iterator[Batch]:
        plan, B = self._plan, self._plan.batch_size
        rng = np.random.default_rng(self._seed)
        hand, done = round(plan.written * B), 0
        while True:
            pool = [self._written[i] for i in rng.integers(len(self._written), size=hand * POOL)]
            pool += [self._made[i] for i in rng.integers(len(self._made), size=(B - hand) * POOL)]
            lengths = [len(example.article) for example in pool]
            for rows in length_buckets(lengths, B, seed=int(rng.integers(2**31)), pool=POOL):
                if done == plan.steps:
                    return
                hide = float(rng.uniform(0, plan.hide))
                own = np.random.default_rng([self._seed, done])
                chosen = [pool[row] for row in rows]
                batch = collate_fn(chosen, rng=own, hide=hide, drop=plan.drop)
                yield _rows(batch, self._group)
                done += 1


def _rows(batch: Batch, group: Group) -> Batch:
    """This process's rows: every size-th, so that each gets long and short articles."""
    return Batch(*(field[group.rank :: group.size] for field in batch))


def _schedule(plan: Plan) -> Callable[[int], float]:
    return partial(
        schedules.cosine_schedule,
        warmup=max(1, min(60, plan.steps // 10)),
        total=plan.steps,
        peak=plan.rate,
        floor=plan.rate / 50,
    )


def save_reader(path: Path, fitted: Fitted, *, threshold: float, card: dict[str, Any]) -> None:
    """Write a reader as `load_reader` takes it: weights in half precision, lexicon, card."""
    params = {name: p.numpy().astype(np.float16) for name, p in fitted.params.items()}
    reader = {
        "language": fitted.plan.language,
        "words": list(fitted.lexicon.words),
        "config": asdict(fitted.config),
        "threshold": threshold,
        "slots": fitted.plan.slots,
    }
    metadata = {"reader": reader, "plan": asdict(fitted.plan), "card": card}
    save_checkpoint(path, params, metadata=json.loads(json.dumps(metadata)))


def finish(fitted: Fitted) -> tuple[float, dict[str, Any]]:
    """Choose the threshold on validation articles, measure on test articles, write the card.

    Returns the threshold and the card: data, metrics, limits. No time or date is in it, so that the
    same plan writes the same file, byte for byte.
    """
    language = fitted.plan.language
    reader = as_reader(fitted)
    threshold = choose_threshold(reader, load_articles(language, "validation"))
    reader = as_reader(fitted, threshold)
    names = sorted({name for article in load_articles(language) for name in article["names"]})
    metrics = {
        kind: evaluate(reader, articles, names)
        for kind, articles in evaluation_sets(language).items()
    }
    return threshold, {
        "data": "invented articles of this package: hand-written (split train) and generated",
        "license": "CC-BY-4.0",
        "limits": "made for short invented news; read companion/news/data/models/README.md",
        "metrics": _rounded(metrics),
    }


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    return round(tree, 4) if isinstance(tree, float) else tree


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(
        prog="python -m companion.news.fit", description="Train a news reader."
    )
    parser.add_argument("language", choices=("en", "zh"))
    parser.add_argument("--output", type=Path, help="write the reader to this file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=Plan(language="en").steps)
    parser.add_argument("--no-copying", action="store_true", help="ablation: no pointer")
    parser.add_argument("--no-slots", action="store_true", help="ablation: all names look alike")
    parser.add_argument("--checkpoint", type=Path, help="keep where training is in this file")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    options = parser.parse_args(arguments)
    plan = Plan(
        language=options.language,
        seed=options.seed,
        steps=options.steps,
        copying=not options.no_copying,
        slots=not options.no_slots,
    )
    began = time.perf_counter()
    with from_environment() as group:
        fitted = fit(
            plan, group=group, checkpoint=options.checkpoint, resume=options.resume, progress=True
        )
        if group.rank != 0 or not options.output:
            return
        seconds = time.perf_counter() - began
        print(f"{options.language}: {plan.steps} steps in {seconds:.0f} s", flush=True)
        save_reader(options.output, fitted, threshold=ALWAYS_EXTRACT, card={})
        threshold, card = finish(fitted)
        save_reader(options.output, fitted, threshold=threshold, card=card)
        digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
        print(f"{options.output}: threshold {threshold:.3f}, sha256 {digest}")


if __name__ == "__main__":
    main()
