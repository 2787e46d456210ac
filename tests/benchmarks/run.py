"""`make bench`: companion against its peers and against the machine, as JSON.

    python tests/benchmarks/run.py [row ...] [--rounds 9] [--threads 2] [--quick] [--output FILE]

Each row is a file beside this one, with SETUPS, QUICK, BASELINE and contenders(**setup). A row runs
in a process of its own, with its threads fixed from the start, and so does each measurement of
memory. A peer that is not installed is reported as such.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROWS = ("attention", "imports", "multi_head")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


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
    from measure import surroundings

    report = {**surroundings(), "threads": options.threads, "rows": {}}
    for row in options.rows or ROWS:
        module = importlib.import_module(row)
        report["rows"][row] = [
            measured(row, setup, options)
            for setup in (module.QUICK if options.quick else module.SETUPS)
        ]
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(f"Written to {options.output}")
    return 0


def measured(row: str, setup: dict, options: argparse.Namespace) -> dict:
    """One setup of one row: times in one process, the memory of each contender in another."""
    print(row, *(f"{name}={value}" for name, value in setup.items()), flush=True)
    found = in_child(row, setup, "", options)
    for name, result in found["contenders"].items():
        if "left_out" in result:
            print(f"  {name:40} {result['left_out']}", flush=True)
            continue
        if getattr(importlib.import_module(row), "MEMORY", True):
            result["extra_mib"] = in_child(row, setup, name, options)
        ratio = result["ratio"]
        spread = f"{ratio['median']:7.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"
        memory = f"{result['extra_mib']:8.1f} MiB" if "extra_mib" in result else ""
        print(f"  {name:40} {spread} {memory}", flush=True)
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
    from measure import compare, extra_memory

    if "torch" in sys.modules or threads != int(os.environ["OMP_NUM_THREADS"]):
        raise RuntimeError("the number of threads must be fixed before torch is there")
    module = importlib.import_module(row)
    if not name:
        return compare(module.contenders(**json.loads(setup)), module.BASELINE, rounds)
    module.contenders(**module.QUICK[0])[name].run()  # imports and thread pools are not its memory
    return extra_memory(module.contenders(**json.loads(setup))[name].run)


if __name__ == "__main__":
    sys.exit(main())
