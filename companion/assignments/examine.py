"""Try a submission against a task: which cases it passes, and which mistake explains the rest."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from companion.assignments import compare, general
from companion.assignments.executors import Local, Outcomes
from companion.assignments.runner import Given
from companion.assignments.task import Call, Case, Mistake, Task

SEED = 20170612
# in the runner's refusal of `import companion...`, and of its files
OWN = ("asks for your own code", "the reference may not be read")
# what torch says where a float32 of its own meets what it was given
MIXED = re.compile(
    r"same dtype|scalar type|dtypes? (?:does not |do not |don't )?match|[Ff]ound dtype|mixed dtype"
    r"|Input type .* and (?:weight|bias) type"
)
SHAPE_ERRORS = ("ValueError", "RuntimeError", "IndexError", "AxisError")
MOST_TELLING = 4  # cases that each known mistake is run on, to find the closest
CONTRACT = 0.2  # share of the points that right numbers lose by a changed argument or kept state


class Executor(Protocol):
    """`Local` or `Sandbox`."""

    def run(self, calls: tuple[Call, ...], *, tensors: bool = False) -> Outcomes:
        """The outcomes of the calls."""
        ...


@dataclass(frozen=True)
class Failure:
    """The smallest case that a submission fails: what went in, was expected and came."""

    case: Case
    call: int
    expected: Any
    got: Any  # the outcome of that call


@dataclass(frozen=True)
class Result:
    """What came of one task.

    passed, failed names of cases   parts {part: whether all its cases passed}
    mistake the explanation, None if all passed   failure the counter-example, None without one
    earned points of task.points   notes remarks that cost nothing
    """

    task: Task
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    parts: dict[str, bool]
    mistake: Mistake | None
    failure: Failure | None
    earned: float
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return not self.failed and self.mistake is None


def examine(task: Task, executor: Executor, *, seed: int = SEED) -> Result:
    """Run all cases of a task on a submission and name the first mistake that explains it.

    executor calls the submission   seed draws the cases; the same seed, the same cases
    Returns a `Result`. Bad submissions raise nothing: whatever they do is a result.
    """
    cases = task.cases(np.random.default_rng(seed))
    expected = [_values(Local(task.reference).run(one.calls)) for one in cases]
    tensors, got = _best(executor, cases, expected)
    wrong = [_first_difference(*row) for row in zip(cases, expected, got, strict=True)]
    failed = [index for index, call in enumerate(wrong) if call is not None]
    contract = None if failed else _contract(executor, cases, got, tensors)
    parts = {part: True for part in task.parts}
    for index in failed:
        parts[cases[index].part] = False
    earned = task.points * sum(share for part, share in task.parts.items() if parts[part])
    mistake = contract
    failure = None
    if failed:
        mistake, shows = diagnose(task, cases, expected, got, failed)
        if mistake is general.MISSING and _own(executor):
            mistake = general.REFERENCE
        smallest = min(shows, key=lambda index: compare.size(cases[index]))
        call = wrong[smallest] or 0
        shown = got[smallest][call] if call < len(got[smallest]) else got[smallest][-1]
        failure = Failure(cases[smallest], call, expected[smallest][call], shown)
    elif contract is not None:
        earned *= 1 - CONTRACT
    return Result(
        task,
        tuple(one.name for index, one in enumerate(cases) if index not in failed),
        tuple(cases[index].name for index in failed),
        parts, mistake, failure, earned,
    )  # fmt: skip


def _run(executor: Executor, cases: list[Case], tensors: bool) -> list[Outcomes]:
    """All outcomes; after one that never came, the others are not waited for."""
    got: list[Outcomes] = []
    for one in cases:
        late = bool(got) and got[-1][-1].get("error") in ("Timeout", "TimeoutError")
        got.append(got[-1] if late else _tried(executor, one.calls, tensors))
    return got


def _tried(executor: Executor, calls: tuple[Call, ...], tensors: bool) -> Outcomes:
    """The outcomes; on float32 if torch refuses to mix: `torch.eye(n)` and `nn.Linear` are float32.

    NumPy mixes precisions, and no task names one, so that this is nobody's mistake.
    """
    outcomes = executor.run(calls, tensors=tensors)
    if tensors and MIXED.search(str(outcomes[-1].get("message", ""))):
        single = tuple(
            replace(one, arguments=_single(one.arguments), keywords=_single(dict(one.keywords)))
            for one in calls
        )
        again = executor.run(single, tensors=True)
        outcomes = outcomes if "error" in again[-1] else again
    return outcomes


def _single(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _single(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_single(item) for item in tree)
    if isinstance(tree, Given):
        return Given(_single(tree.table), tree.memory)
    if isinstance(tree, np.ndarray) and tree.dtype.kind == "f":
        return tree.astype(np.float32)
    return tree


def _own(executor: Executor) -> bool:
    problems = getattr(executor, "problems", ())
    return any(words in problem for problem in problems for words in OWN)


def diagnose(
    task: Task, cases: list[Case], expected: list[Any], got: list[Outcomes], failed: list[int]
) -> tuple[Mistake, list[int]]:
    """The first mistake that explains what came, and the failed cases that show it.

    A mistake's variant has to return what the submission returned in every case, right or wrong;
    if none does, in every case that failed; then `only` is asked; then the variant counts that
    agrees in the most failed cases, which names one of several mistakes. If none does, the
    mistake is one that any task can show, or "unknown".
    """
    for index in failed:
        early = general.before_the_task(got[index][-1])
        if early is not None:
            return early, [index]
    for mistake in task.mistakes:
        stopped = [index for index in failed if _stopped(got[index], mistake)]
        if stopped:
            return mistake, stopped
        other = [index for index in failed if _instead(got[index], mistake)]
        if other:
            return mistake, other
    runs = [
        (mistake, _Runs({**task.reference, task.function: variant}, cases))
        for mistake in task.mistakes
        for variant in mistake.variants
    ]
    for among in (range(len(cases)), failed):
        for mistake, run in runs:
            if _like(run, cases, expected, got, among):
                shows = [at for at in failed if _like(run, cases, expected, got, [at])]
                return mistake, shows or failed
    names = {cases[index].name for index in failed}
    for mistake in task.mistakes:
        if mistake.only and names <= mistake.only:
            return mistake, failed
    closest, shows = _closest(runs, cases, expected, got, failed)
    if closest is not None:
        return closest, shows
    # an error says more than a wrong number of another case
    shows = [index for index in failed if "error" in got[index][-1]] or failed
    index = min(shows, key=lambda index: compare.size(cases[index]))
    return general.after_the_task(got[index], expected[index], cases[index]), [index]


def _closest(
    runs: list[tuple[Mistake, "_Runs"]], cases: list[Case], expected: list[Any],
    got: list[Outcomes], failed: list[int],
) -> tuple[Mistake | None, list[int]]:  # fmt: skip
    """The mistake that explains the most failed cases by numbers that are not NaN or constant."""
    telling = [index for index in failed if _telling(got[index], cases[index])]
    telling = sorted(telling, key=lambda index: compare.size(cases[index]))[:MOST_TELLING]
    best: tuple[Mistake | None, list[int]] = (None, [])
    for mistake, run in runs:
        agreed = [at for at in telling if _like(run, cases, expected, got, [at])]
        if len(agreed) > len(best[1]):
            best = (mistake, agreed)
    return best


def _telling(outcomes: Outcomes, case: Case) -> bool:
    """Whether a result says so much that two functions do not agree on it by chance."""
    if "error" in outcomes[-1]:
        return False
    for call, outcome in zip(case.calls, outcomes, strict=True):
        try:
            found = compare.at(outcome["value"], call.look)
        except (LookupError, TypeError):
            return False
        if call.look is not None and any(map(_says_much, _numbers(found))):
            return True
    return False


def _numbers(tree: Any) -> list[Any]:
    """The arrays of a result, of each of its parts if it has several."""
    found = compare.numbers(tree)
    if found is not None:
        return [found]
    return (
        [leaf for item in tree for leaf in _numbers(item)] if isinstance(tree, list | tuple) else []
    )


def _says_much(found: Any) -> bool:
    if found.size == 1:  # a loss, a score; 0, 1 or 3 come by chance
        return bool(np.isfinite(found).all() and float(found.item()) % 1)
    return bool(found.size and np.isfinite(found).all() and np.ptp(found.astype(float)) > 0)


class _Runs(dict[int, Outcomes]):
    """What a known mistake returns, case by case; a case is run once, when first asked for."""

    def __init__(self, functions: dict[str, Callable[..., Any]], cases: list[Case]) -> None:
        self.local, self.cases = Local(functions), cases

    def __missing__(self, index: int) -> Outcomes:
        found = self[index] = self.local.run(self.cases[index].calls)
        return found


def _like(
    variant: dict[int, Outcomes], cases: list[Case], expected: list[Any], got: list[Outcomes],
    among: Any,
) -> bool:  # fmt: skip
    """Whether the submission and the variant agree in these cases, in one of which they are wrong.

    Two that both stop with an error of one kind agree, but not if errors are all they have in
    common. So do NaN and infinity in the same place.
    """
    alike = 0
    for index in among:
        for at, call in enumerate(cases[index].calls):
            one = variant[index][at] if at < len(variant[index]) else None
            two = got[index][at] if at < len(got[index]) else None
            if one is None or two is None:
                break
            if "error" in one or "error" in two:
                if _kind(one) != _kind(two):
                    return False
                break
            if call.look is None:
                continue
            if not _agree(one, two, call, cases[index], expected[index][at]):
                return False
            alike += 1
    return alike > 0 and any(
        _first_difference(cases[index], expected[index], variant[index]) is not None
        for index in among
    )


def _kind(outcome: dict[str, Any]) -> str:
    """The kind of an error; what NumPy and torch say of shapes that do not fit is one kind."""
    error = str(outcome.get("error", ""))
    return "shape" if error in SHAPE_ERRORS else error


def _agree(
    one: dict[str, Any], two: dict[str, Any], call: Call, case: Case, expected: Any
) -> bool:  # fmt: skip
    try:
        left, right = compare.at(one["value"], call.look), compare.at(two["value"], call.look)
    except (LookupError, TypeError):
        return False
    if not compare.same(left, right, case.tolerance):
        return False
    wanted = compare.at(expected, call.look)
    if not case.zeros or not compare.same(wanted, right, case.tolerance):
        return True
    return compare.zeros_kept(wanted, left) == compare.zeros_kept(wanted, right)


def _values(outcomes: Outcomes) -> list[Any]:
    for outcome in outcomes:
        if "value" not in outcome:
            raise RuntimeError(f"the reference failed: {outcome}")
    return [outcome["value"] for outcome in outcomes]


def _first_difference(case: Case, expected: list[Any], got: Outcomes) -> int | None:
    """The number of the first call whose result is not the expected one; None if all are."""
    for index, call in enumerate(case.calls):
        if index >= len(got) or "error" in got[index]:
            return min(index, len(got) - 1)
        if call.look is None:
            continue
        try:
            one = compare.at(expected[index], call.look)
            two = compare.at(got[index]["value"], call.look)
        except (LookupError, TypeError):
            return index
        if case.least < 1:
            reached = compare.share(one, two) >= case.least
        else:
            reached = compare.same(one, two, case.tolerance) and _finite(one, two)
            reached = reached and (not case.zeros or compare.zeros_kept(one, two))
        if not reached:
            return index
    return None


def _finite(expected: Any, got: Any) -> bool:
    """NaN is never right where the reference has a number (`same` lets NaN meet NaN)."""
    one, two = compare.numbers(expected), compare.numbers(got)
    if one is None or two is None or two.dtype.kind != "f":
        return True
    return bool(np.isnan(two).sum() == np.isnan(one).sum())


def _stopped(outcomes: Outcomes, mistake: Mistake) -> bool:
    kind, part = mistake.error or ("", "")
    last = outcomes[-1]
    return last.get("error") == kind and part in str(last.get("message", ""))


def _instead(outcomes: Outcomes, mistake: Mistake) -> bool:
    return mistake.instead is not None and any(
        "value" in outcome and mistake.instead(outcome["value"]) for outcome in outcomes
    )


def _best(
    executor: Executor, cases: list[Case], expected: list[Any]
) -> tuple[bool, list[Outcomes]]:
    """The outcomes on arrays, or on tensors if those are better: for which is it written?"""
    arrays = _run(executor, cases, False)
    failures = _failures(cases, expected, arrays)
    if not failures[0] or not _may_use_torch(executor) or _late(arrays):
        return False, arrays
    tensors = _run(executor, cases, True)
    return (True, tensors) if _failures(cases, expected, tensors) < failures else (False, arrays)


def _failures(cases: list[Case], expected: list[Any], got: list[Outcomes]) -> tuple[int, int]:
    """How many cases fail, and how many of them by an error."""
    rows = zip(cases, expected, got, strict=True)
    errors = sum("error" in outcomes[-1] for outcomes in got)
    return sum(_first_difference(*row) is not None for row in rows), errors


def _may_use_torch(executor: Executor) -> bool:
    return bool(getattr(executor, "uses_torch", "torch" in sys.modules))


def _late(got: list[Outcomes]) -> bool:
    return got[-1][-1].get("error") in ("Timeout", "TimeoutError", "Ended")


def _contract(
    executor: Executor, cases: list[Case], got: list[Outcomes], tensors: bool
) -> Mistake | None:
    """What right numbers can hide: a changed argument, something kept from one call to the next."""
    if any(outcome.get("changed") for outcomes in got for outcome in outcomes):
        return general.CHANGED
    first = cases[0]
    again = _tried(executor, first.calls, tensors)
    if "error" in again[-1]:
        return general.STATE
    values = [outcome["value"] for outcome in got[0]]
    return None if _first_difference(first, values, again) is None else general.STATE
