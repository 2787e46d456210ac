"""The measuring tools of tests/benchmarks, on numbers worked out by hand; nothing is timed here."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "benchmarks"
HELPERS = {"measure", "run", "twins"}


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rows are no package: they find one another as they do when run.py is called."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for path in FOLDER.glob("*.py"):
        if path.stem not in before:
            sys.modules.pop(path.stem, None)


@pytest.fixture
def measure() -> ModuleType:
    return importlib.import_module("measure")


@pytest.fixture
def run() -> ModuleType:
    return importlib.import_module("run")


class Clock:
    """A clock that goes only when somebody works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, measure: ModuleType) -> None:
        self.now = 0.0
        monkeypatch.setattr(measure.time, "perf_counter", lambda: self.now)

    def worker(self, seconds: list[float]) -> Callable[[], np.ndarray]:
        """The first call is the check, the second warms up; then one for each round."""
        each = iter([100.0, 100.0, *seconds])

        def work() -> np.ndarray:
            self.now += next(each)
            return np.zeros(2)

        return work


def contender(measure: ModuleType, run: Callable[[], Any], truth: Any = (0.0, 0.0)) -> Any:
    return measure.Contender(run, lambda: np.array(truth), 0.25)


def test_quartiles(measure: ModuleType) -> None:
    found = measure.quartiles([5.0, 1.0, 2.0, 4.0, 3.0])
    assert found == {"median": 3.0, "low": 2.0, "high": 4.0}
    found = measure.quartiles([1.0, 2.0])  # a quarter of the way from 1 to 2
    assert found == {"median": 1.5, "low": 1.25, "high": 1.75}


def test_ratios_are_those_of_one_round(
    measure: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second round the machine is ten times as slow for both: that is no difference."""
    clock = Clock(monkeypatch, measure)
    ours, theirs = clock.worker([1.0, 20.0, 3.0]), clock.worker([2.0, 20.0, 2.0])
    pair = {"ours": contender(measure, ours), "theirs": contender(measure, theirs)}
    found = measure.compare(pair, "theirs", 3)
    # 1/2, 20/20, 3/2: the median is 1, the quartiles halfway to the others
    assert found["contenders"]["ours"]["ratio"] == {"median": 1.0, "low": 0.75, "high": 1.25}
    assert found["contenders"]["theirs"]["ratio"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert found["contenders"]["ours"]["seconds"]["median"] == 3.0
    assert (found["baseline"], found["rounds"]) == ("theirs", 3)


def test_what_is_missing_is_told(measure: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, measure)
    able = contender(measure, clock.worker([2.0, 4.0]))
    found = measure.compare({"ours": able, "theirs": "not installed: them"}, "theirs", 2)
    assert found["contenders"]["theirs"] == {"left_out": "not installed: them"}
    assert found["baseline"] == "ours"
    assert found["contenders"]["ours"]["ratio"]["median"] == 1.0


@pytest.mark.parametrize(
    ("came", "message"),
    [
        ([0.0, 0.5], "error 5.0e-01, allowed 2.5e-01"),
        ([0.0, np.nan], "error nan"),
        ([0.0], r"expected shape \(2,\), got \(1,\)"),
    ],
)
def test_a_wrong_result_is_refused(measure: ModuleType, came: Any, message: str) -> None:
    wrong = contender(measure, lambda: np.array(came))
    with pytest.raises(AssertionError, match=f"name: {message}"):
        measure.checked("name", wrong)
    with pytest.raises(AssertionError, match=message):  # before anything is timed
        measure.compare({"name": wrong}, "name", 2)


def test_the_error_is_relative_to_large_numbers(measure: ModuleType) -> None:
    near = contender(measure, lambda: np.array([0.0, 10.0]), (0.0, 8.0))
    assert measure.checked("near", near) == 0.25
    small = contender(measure, lambda: np.array([0.0, 0.125]))
    assert measure.checked("small", small) == 0.125


NEEDY = """
import numpy as np
from measure import extra_memory

def work():
    np.ones(64 * 2**20, np.uint8)  # needed, not returned
    return np.ones(32 * 2**20, np.uint8)

print(extra_memory(work))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets the high-water mark sink")
def test_memory_is_what_a_call_needs_beyond_its_result() -> None:
    """In a process of its own, as run.py does: what lies free in an old one would hide a need."""
    told = subprocess.run(
        [sys.executable, "-c", NEEDY],
        env={**os.environ, "PYTHONPATH": str(FOLDER), "MALLOC_MMAP_THRESHOLD_": "65536"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 24 <= float(told.stdout) <= 48  # 64 at most at once, of which 32 are returned


def test_every_file_is_a_row_or_a_helper(run: ModuleType) -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*run.ROWS, *HELPERS}


@pytest.mark.parametrize("row", [path.stem for path in sorted(FOLDER.glob("*.py"))])
def test_rows_say_what_they_measure(row: str) -> None:
    if row in HELPERS:
        return
    without_torch = "torch" not in sys.modules
    module = importlib.import_module(row)
    assert module.__doc__
    assert module.SETUPS
    if hasattr(module, "seconds"):
        return
    assert module.QUICK
    assert isinstance(module.BASELINE, str)
    assert callable(module.contenders)
    assert hasattr(module, "UNIT") == hasattr(module, "amount")
    if without_torch:  # its threads are fixed first
        assert "torch" not in sys.modules


def test_byte_pairs_agree(measure: ModuleType) -> None:
    """The textbook's, ours and, if installed, theirs, to the last id; and a wrong one does not."""
    bpe = importlib.import_module("bpe")
    for work in ("train", "encode"):
        found = bpe.contenders(work, 0.002, 270)
        able = [name for name, one in found.items() if isinstance(one, measure.Contender)]
        assert len(able) >= 2
        for name in able:
            assert measure.checked(name, found[name]) == 0
    one = found["companion"]
    wrong = measure.Contender(lambda: one.run() + 1, one.truth, one.tolerance)
    with pytest.raises(AssertionError, match="wrong: error"):
        measure.checked("wrong", wrong)


def test_the_report_shows_ratio_memory_speed_and_who_is_missing(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    def in_child(row: str, setup: dict, name: str, options: Namespace) -> Any:
        if name:
            return 7.5
        ratio = {"median": 0.5, "low": 0.25, "high": 0.75}
        timed = {"ratio": ratio, "seconds": ratio, "error": 0.0}
        module = Namespace(UNIT="words", amount=lambda **_: 10)
        found = {"baseline": "ours", "contenders": {"ours": timed, "theirs": {"left_out": "gone"}}}
        return run.with_speed(found, module, setup)

    output = tmp_path / "found.json"
    monkeypatch.setattr(run, "in_child", in_child)
    monkeypatch.setattr(sys, "argv", ["run.py", "bpe", "--quick", "--output", str(output)])
    assert run.main() == 0
    report = json.loads(output.read_text())
    assert {"machine", "versions", "threads"} <= report.keys()
    assert report["quick"]
    assert {"date", "load"} <= report["rows"]["bpe"].keys()
    first = report["rows"]["bpe"]["found"][0]
    assert first["contenders"]["theirs"] == {"left_out": "gone"}
    assert first["contenders"]["ours"]["extra_mib"] == 7.5
    assert first["contenders"]["ours"]["per_second"] == 20  # 10 words in half a second
    printed = capsys.readouterr().out
    assert "0.500 (0.250 to 0.750)" in printed
    assert "7.5 MiB" in printed
    assert "20 words/s" in printed
    assert "gone" in printed


@pytest.mark.parametrize(("cores", "kept"), [(2, ["attention", "bpe"]), (4, ["bpe"])])
def test_rows_of_the_same_machine_are_kept(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, kept: list[str]
) -> None:
    """Numbers of two machines or two versions must not stand in one table."""
    measure, output = importlib.import_module("measure"), tmp_path / "found.json"
    monkeypatch.setattr(run, "measured", lambda row, setup, options: {"setup": setup})
    monkeypatch.setattr(measure.os, "cpu_count", lambda: 2)
    command = ["run.py", "--quick", "--threads", "1", "--output", str(output)]
    monkeypatch.setattr(sys, "argv", [*command, "attention"])
    assert run.main() == 0
    monkeypatch.setattr(measure.os, "cpu_count", lambda: cores)
    monkeypatch.setattr(sys, "argv", [*command, "bpe"])
    assert run.main() == 0
    assert sorted(json.loads(output.read_text())["rows"]) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_a_command_that_fails_is_not_timed(tmp_path: Path) -> None:
    book = importlib.import_module("book")
    (tmp_path / "good.py").write_text("import time; time.sleep(0.01)")
    (tmp_path / "bad.py").write_text("raise SystemExit('no page')")
    assert book.timed(tmp_path, "good.py") >= 0.01
    with pytest.raises(RuntimeError, match=r"bad.py failed:\nno page"):
        book.timed(tmp_path, "bad.py")


def test_an_unknown_row_is_refused(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "everything"])
    with pytest.raises(SystemExit):
        run.main()
    assert "unknown row everything; there are ablation, attention, book" in capsys.readouterr().err
