"""`make bench`: companion against its peers and against the machine, as JSON.

    python tests/benchmarks/run.py [row ...] [--rounds 9] [--threads 2] [--quick] [--output FILE]

Each row is a file beside this one, with SETUPS, QUICK, BASELINE and contenders(**setup), and where
speed is to be told in a UNIT per second, amount(**setup) of one call. A row runs in a process of
its own, with its threads fixed from the start, and so does each measurement of memory. A peer that
is not installed is reported as such.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROWS = (
    "ablation",
    "attention",
    "book",
    "bpe",
    "decoding",
    "imports",
    "multi_head",
    "numpy_training_step",
    "training_step",
)
THREADS = tuple(f"{kind}_NUM_THREADS" for kind in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "RAYON"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 2))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run?")
    parser.add_argument("--output", type=Path, default=ROOT / "_build" / "benchmarks.json")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)  # row, setup, contender or ""
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"unknown row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if options.rounds < 2 or options.threads < 1:
        parser.error("at least 2 rounds and 1 thread are needed")
    if options.child:
        print(json.dumps(child(*options.child, options.rounds, options.threads)))
        return 0
    report = earlier(options) | {"threads": options.threads, "quick": options.quick}
    for row in options.rows or ROWS:
        module = importlib.import_module(row)
        now = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "load": os.getloadavg()[0]}
        setups = module.QUICK if options.quick else module.SETUPS
        found = [measured(row, setup, options) for setup in setups]
        report["rows"][row] = {**now, "found": found}
        write(report, options.output)
    print(f"Written to {options.output}")
    return 0


def earlier(options: argparse.Namespace) -> dict[str, Any]:
    """What to add to: nothing, or the rows of a run on this machine with these versions."""
    from measure import surroundings

    here = surroundings()
    if not options.rows or not options.output.exists():
        return {**here, "rows": {}}
    before = json.loads(options.output.read_text(encoding="utf-8"))
    told = {**here, "threads": options.threads, "quick": options.quick}
    other = [name for name, value in told.items() if before.get(name) != value]
    if other:
        print(f"{options.output} is of another {', '.join(other)}: its rows are dropped")
    return {**here, "rows": {} if other else before["rows"]}


def write(report: dict[str, Any], path: Path) -> None:
    """The whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def measured(row: str, setup: dict, options: argparse.Namespace) -> dict:
    """One setup of one row: times in one process, the memory of each contender in another."""
    print(row, *(f"{name}={value}" for name, value in setup.items()), flush=True)
    module = importlib.import_module(row)
    if hasattr(module, "seconds"):
        taken = module.seconds(**setup)
        print(f"  {taken:.0f} s", flush=True)
        return {"setup": setup, "seconds": taken}
    found = in_child(row, setup, "", options)
    for name, result in found["contenders"].items():
        if "left_out" in result:
            print(f"  {name:40} {result['left_out']}", flush=True)
            continue
        if getattr(module, "MEMORY", True):
            result["extra_mib"] = in_child(row, setup, name, options)
        ratio = result["ratio"]
        spread = f"{ratio['median']:7.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
        memory = f"{result['extra_mib']:8.1f} MiB" if "extra_mib" in result else ""
        speed = f"{result['per_second']:10.3g} {found['unit']}/s" if "unit" in found else ""
        print(f"  {name:40} {spread} {memory} {speed}", flush=True)
    return {"setup": setup, **found}


def in_child(row: str, setup: dict, name: str, options: argparse.Namespace):
    count = str(options.threads)
    # for memory: glibc gives back at once what is freed, so that no later need hides in it
    malloc = {"MALLOC_MMAP_THRESHOLD_": "65536"} if name else {}
    step = [sys.executable, __file__, "--child", row, json.dumps(setup), name]
    done = subprocess.run(
        [*step, "--rounds", str(options.rounds), "--threads", count],
        env={**os.environ, **dict.fromkeys(THREADS, count), **malloc, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def child(row: str, setup: str, name: str, rounds: int, threads: int):
    from measure import Contender, compare, extra_memory

    if "torch" in sys.modules or threads != int(os.environ["OMP_NUM_THREADS"]):
        raise RuntimeError("the number of threads must be fixed before torch is there")
    module = importlib.import_module(row)
    options = json.loads(setup)
    if not name:
        rounds = min(rounds, getattr(module, "ROUNDS", rounds))
        found = compare(module.contenders(**options), module.BASELINE, rounds)
        return with_speed(found, module, options) if hasattr(module, "UNIT") else found
    for small in module.QUICK:  # imports and thread pools are not its memory
        if isinstance(warm := module.contenders(**small).get(name), Contender):
            warm.run()
            break
    return extra_memory(module.contenders(**options)[name].run)


def with_speed(found: dict, module, setup: dict) -> dict:
    """Also what each contender does in a second, by the median of its times."""
    amount = module.amount(**setup)
    for result in found["contenders"].values():
        if "seconds" in result:
            result["per_second"] = amount / result["seconds"]["median"]
    return {**found, "unit": module.UNIT, "amount": amount}


if __name__ == "__main__":
    sys.exit(main())
