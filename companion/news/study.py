"""Several trainings side by side: `python -m companion.news.study FILES... --output study.json`.

Each file is a reader that `companion.news.fit` wrote, with its plan and what was measured on it.
`make study` trains them all: three seeds and one ablation each of copying and slots, a language.
"""

import argparse
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from companion import _atomic
from companion.with_numpy import load_checkpoint

KEPT = ("language", "seed", "steps", "copying", "slots")


class Spread(NamedTuple):
    """Mean, least and greatest of n measurements, n ≥ 1."""

    mean: float
    least: float
    most: float


def collect(paths: Iterable[str | os.PathLike[str]]) -> list[dict[str, Any]]:
    """What was measured on each reader, with what of its plan tells them apart.

    paths of files that `companion.news.fit` wrote
    Returns one record each: language, seed, steps, copying, slots, threshold, metrics; ordered by
    them.

    Raises ValueError for a file without plan or metrics, and if two are of one plan; else as
    `load_checkpoint`.
    """
    runs = []
    for path in paths:
        metadata = load_checkpoint(path).metadata
        try:
            plan, metrics = metadata["plan"], metadata["card"]["metrics"]
            run = {name: plan[name] for name in KEPT}
            run |= {"threshold": metadata["reader"]["threshold"], "metrics": metrics}
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"paths: expected a measured news reader in {path}, got none: {error!r}"
            ) from None
        runs.append(run)
    runs.sort(key=_plan)
    for one, other in pairwise(runs):
        if _plan(one) == _plan(other):
            raise ValueError(f"paths: expected plans that differ, got two of {_plan(one)}")
    return runs


def spread(
    runs: Iterable[Mapping[str, Any]],
    *keys: str,
    language: str,
    copying: bool = True,
    slots: bool = True,
) -> Spread:
    """One metric over the seeds of one setting.

    runs as `collect` returns them   keys the way to the metric: spread(runs, "written",
    "summaries", "answer", "rougeL", language="en")   language, copying, slots the setting
    Returns `Spread`.

    Raises KeyError for an unknown metric, ValueError if no run has the setting.
    """
    setting = {"language": language, "copying": copying, "slots": slots}
    found = []
    for run in runs:
        if all(run[name] == value for name, value in setting.items()):
            value: Any = run["metrics"]
            for key in keys:
                value = value[key]
            found.append(float(value))
    if not found:
        raise ValueError(f"runs: expected one with {setting}, got none")
    return Spread(float(np.mean(found)), min(found), max(found))


def _plan(run: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(run[name] for name in KEPT)


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect, write."""
    parser = argparse.ArgumentParser(
        prog="python -m companion.news.study", description="Put trained news readers side by side."
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--output", required=True, type=Path)
    options = parser.parse_args(arguments)
    runs = collect(options.files)
    text = json.dumps(runs, indent=1, ensure_ascii=False) + "\n"
    _atomic.write(options.output, text.encode())
    print(f"{options.output}: {len(runs)} runs")


if __name__ == "__main__":
    main()
