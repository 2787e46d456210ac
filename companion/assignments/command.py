"""`companion check`: submissions graded on the command line, for instructors and for CI."""

import argparse
import csv
import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from companion import _atomic
from companion.assignments import assignment, report
from companion.assignments.examine import Result, examine
from companion.assignments.executors import LOADING_S, Sandbox
from companion.assignments.task import Assignment

KINDS = (".py", ".ipynb")
MOST_BYTES = 20_000_000
Graded = tuple[str, list[Result], list[str]]


class BadInputError(Exception):
    """Something the user can put right; its text is the message."""


class NoSubmissionError(BadInputError):
    """There is no file to examine, or none that can be read."""


def check_submissions(options: argparse.Namespace) -> tuple[str, int]:
    """What `companion check` prints, and its exit status."""
    if not options.timeout > 0 or not options.loading > 0 or options.memory < 256:
        raise BadInputError(
            "--timeout, --loading: expected more than 0 s; --memory: expected at least 256 MB"
        )
    chosen = assignment(options.assignment)
    weights = _weights(options.weights, chosen)
    try:
        paths = _submissions(options.submission)
        if options.format == "gradescope" and len(paths) > 1:
            raise NoSubmissionError(
                f"--format gradescope: expected one submission, got {len(paths)}"
            )
        found = [_one_of(path, chosen, options, weights) for path in paths]
        shown = _shown(found, options)
        status = 0 if all(result for _, results, _ in found for result in results) else 1
    except NoSubmissionError as error:
        if options.format != "gradescope":
            raise
        # a student has to be told too: without the file Gradescope blames the autograder
        found, status = [], 2
        shown = report.nothing_to_grade(chosen, weights, str(error))
    if options.output is not None:
        try:
            _atomic.write(options.output, (shown + "\n").encode())
        except OSError as error:
            raise BadInputError(f"{options.output}: cannot be written: {error.strerror}") from None
        shown = f"{options.output}: {len(found)} submission{'' if len(found) == 1 else 's'}"
    return shown, status


def _one_of(
    path: Path, chosen: Assignment, options: argparse.Namespace, weights: dict[str, float]
) -> Graded:
    """Grade a file; in a folder one that cannot be read counts as empty and stops no other."""
    limits = (options.timeout, options.memory, weights, options.loading)
    try:
        return _graded(path, _read(path), chosen, *limits)
    except BadInputError as error:
        if not options.submission.is_dir():
            raise
        _, results, problems = _graded(path.with_suffix(".py"), "", chosen, *limits)
        return path.name, results, [str(error), *problems]


def grade(
    path: Path, chosen: Assignment, *, timeout_s: float = 10.0, memory_mb: int = 4096,
    weights: dict[str, float] | None = None, loading_s: float = LOADING_S,
) -> Graded:  # fmt: skip
    """Examine one submission: its name, the result of each task, what went wrong in loading it.

    Raises BadInputError if the file cannot be read or is no submission.
    """
    return _graded(path, _read(path), chosen, timeout_s, memory_mb, weights, loading_s)


def _graded(
    path: Path, source: str, chosen: Assignment, timeout_s: float, memory_mb: int,
    weights: dict[str, float] | None, loading_s: float,
) -> Graded:  # fmt: skip
    box = Sandbox(
        path.name,
        source,
        allowed=chosen.allowed,
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        loading_s=loading_s,
    )
    try:
        results = [_weighted(examine(task, box), weights or {}) for task in chosen.tasks]
    finally:
        box.close()
    return path.name, results, box.problems


def _weighted(result: Result, weights: dict[str, float]) -> Result:
    points = weights.get(result.task.id)
    if points is None:
        return result
    share = result.earned / result.task.points
    return replace(result, task=replace(result.task, points=points), earned=points * share)


def _weights(path: Path | None, chosen: Assignment) -> dict[str, float]:
    if path is None:
        return {}
    try:
        weights = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInputError(f"{path}: cannot be read as JSON: {error}") from None
    known = {task.id for task in chosen.tasks}
    if not isinstance(weights, dict) or not set(weights) <= known:
        raise BadInputError(f"{path}: expected an object with keys among {sorted(known)}")
    for id, points in weights.items():
        if isinstance(points, bool) or not isinstance(points, int | float) or not points >= 0:
            raise BadInputError(f"{path}: {id}: expected points of at least 0, got {points!r}")
    return weights


def _submissions(path: Path) -> list[Path]:
    if not path.exists():
        raise NoSubmissionError(f"{path}: no such file or folder")
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix in KINDS and file.is_file())
        if not found:
            raise NoSubmissionError(f"{path}: expected .py or .ipynb files in it, got none")
        return found
    if path.suffix not in KINDS:
        raise NoSubmissionError(
            f"{path}: expected a .py or .ipynb file, got {path.suffix or 'no ending'}"
        )
    return [path]


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NoSubmissionError(f"{path}: larger than {MOST_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSubmissionError(f"{path}: cannot be read as UTF-8: {error}") from None
    if path.suffix == ".ipynb":
        try:
            cells = json.loads(text)["cells"]
            _ = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
        except (ValueError, KeyError, TypeError) as error:
            raise NoSubmissionError(f"{path}: not a notebook (version 4): {error!r}") from None
    return text


def _shown(found: list[Graded], options: argparse.Namespace) -> str:
    if options.format == "csv":
        return _table(found)
    one = {"json": report.as_json, "junit": report.as_junit, "gradescope": report.as_gradescope}
    if options.format in one and len(found) == 1:
        return one[options.format](*found[0], options.language)
    if options.format == "json":
        body = {
            "submissions": [report.summary(*graded, options.language) for graded in found],
            "mistakes": dict(_counted(found)),
        }
        return json.dumps(body, ensure_ascii=False, indent=2)
    if options.format in one:
        raise BadInputError(f"--format {options.format}: expected one submission, got {len(found)}")
    return "\n\n".join(_text(*graded, options.language) for graded in found)


def _text(name: str, results: list[Result], problems: list[str], language: str) -> str:
    earned, points = sum(r.earned for r in results), sum(r.task.points for r in results)
    blocks = [f"{name}: {earned:g} / {points:g}"]
    blocks += [f"! {problem}" for problem in problems]
    blocks += [report.text(result, language=language, points=True) for result in results]
    return "\n\n".join(blocks)


def _counted(found: list[Graded]) -> list[tuple[str, int]]:
    return Counter(
        id
        for _, results, _ in found
        for id in sorted({result.mistake.id for result in results if result.mistake})
    ).most_common()


def _table(found: list[Graded]) -> str:
    """One row for each submission, then one for each mistake with how often it was made."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    tasks = [result.task.id for result in found[0][1]]
    table.writerow(["submission", "earned", "points", *tasks, "mistakes", "problems"])
    for name, results, problems in found:
        mistakes = [result.mistake.id for result in results if result.mistake]
        table.writerow([
            _safe(name), f"{sum(r.earned for r in results):g}",
            f"{sum(r.task.points for r in results):g}", *(f"{r.earned:g}" for r in results),
            " ".join(mistakes), _safe(" | ".join(problems)),
        ])  # fmt: skip
    table.writerow([])
    table.writerow(["mistake", "submissions"])
    table.writerows(_counted(found))
    return out.getvalue().rstrip("\n")


def _safe(cell: str) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
