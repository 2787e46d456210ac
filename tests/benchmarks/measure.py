"""How we measure: side by side in one process, checked before they are timed, ratios not times.

A busy machine slows everything that runs in the same second by about the same factor, so each
contender is divided by the baseline of its own round; the rounds give a median and quartiles.
"""

import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

PACKAGES = ("numpy", "torch", "threadpoolctl", "transformers", "tokenizers", "x-transformers")


@dataclass(frozen=True)
class Contender:
    """What is timed, what it has to give in float64, and how far it may be from that."""

    run: Callable[[], Any]
    truth: Callable[[], np.ndarray]
    tolerance: float


Contenders = dict[str, Contender | str]  # a text says why there is none


def compare(contenders: Contenders, baseline: str, rounds: int) -> dict[str, Any]:
    """Check each, then time all in turn, in another order each round; name → what was found.

    Where the baseline cannot run, the first that can takes its place, and the result says so.
    """
    able = {name: c for name, c in contenders.items() if isinstance(c, Contender)}
    found = {name: {"left_out": c} for name, c in contenders.items() if isinstance(c, str)}
    baseline = baseline if baseline in able else next(iter(able))
    errors = {name: checked(name, contender) for name, contender in able.items()}
    seconds: dict[str, list[float]] = {name: [] for name in able}
    order, shuffle = list(able), random.Random(0).shuffle
    for _ in range(rounds + 1):
        shuffle(order)
        for name in order:
            start = time.perf_counter()
            able[name].run()
            seconds[name].append(time.perf_counter() - start)
    for name, taken in seconds.items():
        taken = taken[1:]  # the first round warms up
        pairs = zip(taken, seconds[baseline][1:], strict=True)
        found[name] = {
            "ratio": quartiles([mine / base for mine, base in pairs]),
            "seconds": quartiles(taken),
            "error": errors[name],
        }
    return {"baseline": baseline, "rounds": rounds, "contenders": found}


def checked(name: str, contender: Contender) -> float:
    """The largest error, over the larger of 1 and the largest true number; raises if too large."""
    ours, truth = np.asarray(contender.run(), np.float64), contender.truth()
    if ours.shape != truth.shape:
        raise AssertionError(f"{name}: expected shape {truth.shape}, got {ours.shape}")
    error = float(np.abs(ours - truth).max() / max(1.0, np.abs(truth).max()))
    if not error <= contender.tolerance:
        raise AssertionError(f"{name}: error {error:.1e}, allowed {contender.tolerance:.1e}")
    return error


def quartiles(numbers: list[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high}


def extra_memory(run: Callable[[], Any]) -> float:
    """MiB that one call needs beyond what is there and what it returns; in a process of its own."""
    before = high_water(reset=True)
    out = run()
    after = high_water()
    parts = out if isinstance(out, tuple) else (out,)
    returned = sum(getattr(part, "nbytes", 0) for part in parts)
    return (after - before - returned) / 2**20


def high_water(*, reset: bool = False) -> int:
    """The largest resident memory so far, in bytes; on Linux it can begin anew."""
    try:
        if reset:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        with open("/proc/self/status") as file:
            (line,) = [line for line in file if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    except OSError:  # elsewhere what came before may hide a small need
        unit = 1 if platform.system() == "Darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def surroundings() -> dict[str, Any]:
    """Machine and versions, to stand beside the numbers."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()},
        "versions": versions,
    }


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = {line.split(":")[1].strip() for line in file if line.startswith("model name")}
        return ", ".join(sorted(names)) or platform.machine()
    except OSError:
        return platform.processor() or platform.machine()
