"""Homework on attention that says what is wrong and why.

In a notebook:

    from companion.assignments import check
    check("attention.softmax", my_softmax)              hint=1 or 2 for hints, language="zh"

On the command line: `companion check SUBMISSION --assignment attention`. A submission may be
NumPy or PyTorch; what it is tried with is drawn at random, of unequal shapes, by a fixed seed.
"""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from companion.assignments.examine import Result, examine
from companion.assignments.executors import Local
from companion.assignments.report import text
from companion.assignments.task import Assignment, Task

__all__ = ["ASSIGNMENTS", "Result", "assignment", "check", "task"]

ASSIGNMENTS = ("neuron", "attention", "heads", "transformer", "decoding", "news")
TIMEOUT_S = 20.0


def check(id: str, function: Callable[..., Any], *, language: str = "en", hint: int = 0) -> Result:
    """Try a function against a task, print what is wrong and why, and return the `Result`.

    id of the task, "attention.softmax"   function yours, NumPy or PyTorch
    language "en" or "zh"   hint 0 for none, 1 for the first, 2 for both
    Returns a result that is true if everything passed.

    Raises ValueError for an unknown task, language or hint, TypeError if function is not callable.
    """
    if language not in ("en", "zh"):
        raise ValueError(f"language: expected 'en' or 'zh', got {language!r}")
    if hint not in (0, 1, 2) or isinstance(hint, bool):
        raise ValueError(f"hint: expected 0, 1 or 2, got {hint!r}")
    found = task(id)
    if not callable(function):
        raise TypeError(f"function: expected a function, got {type(function).__name__}")
    needed = {name: own for name, own in found.reference.items() if name != found.function}
    result = examine(found, Local({**needed, found.function: function}, TIMEOUT_S))
    print(text(result, language=language, hint=hint))
    return result


def assignment(id: str) -> Assignment:
    """The assignment "neuron", "attention", "heads", "transformer", "decoding" or "news".

    Raises ValueError for any other name.
    """
    if id not in ASSIGNMENTS:
        raise ValueError(f"assignment: expected one of {', '.join(ASSIGNMENTS)}, got {id!r}")
    found: Assignment = import_module(f"companion.assignments.{id}").ASSIGNMENT
    return found


def task(id: str) -> Task:
    """The task "attention.softmax", and so on.

    Raises ValueError for any other id, naming the one that comes closest.
    """
    first = id.partition(".")[0] if isinstance(id, str) else ""
    if first in ASSIGNMENTS:
        tasks = {one.id: one for one in assignment(first).tasks}
        if id in tasks:
            return tasks[id]
        close = get_close_matches(id, tasks, 1, 0) or list(tasks)
        raise ValueError(f"id: expected one of {', '.join(tasks)}, got {id!r}; meant {close[0]!r}?")
    raise ValueError(
        f"id: expected an assignment ({', '.join(ASSIGNMENTS)}), a dot and a task, got {id!r}"
    )
