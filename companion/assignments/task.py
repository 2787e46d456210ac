"""What an assignment is made of: tasks, the calls that try them, and the mistakes they know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from companion.assignments.runner import Given, Ref

__all__ = ["Assignment", "Call", "Case", "Given", "Mistake", "Ref", "Task", "Text", "case"]

TOLERANCE = 1e-5
Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Text:
    """The same sentence in English and Chinese."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """The sentence in "en" or "zh"."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Call:
    """One call: the function's name, arguments (a `Ref` is an earlier result), what to compare.

    look the part of the result that is compared: () all of it, (0,) its first item, None nothing
    (a cache has a form of its own)
    """

    function: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    look: tuple[int | str, ...] | None = ()


@dataclass(frozen=True)
class Case:
    """Calls made one after another, and compared with what the reference returns.

    name says what is tried   part names the share of the points that it belongs to
    tolerance relative and absolute; float32 results get 1e-4 at least, and float64 ones enough
    for what was computed in single precision and stored in double
    zeros whether a number has to be exactly 0 where the reference's is
    least the share of entries that have to agree; below 1 it is a measured target, not an equality
    """

    name: str
    calls: tuple[Call, ...]
    part: str = "values"
    tolerance: float = TOLERANCE
    least: float = 1.0
    zeros: bool = False


def case(
    name: str, function: str, *arguments: Any, part: str = "values",
    tolerance: float = TOLERANCE, look: tuple[int | str, ...] | None = (), least: float = 1.0,
    zeros: bool = False, **keywords: Any,
) -> Case:  # fmt: skip
    """A case of a single call."""
    return Case(name, (Call(function, arguments, keywords, look),), part, tolerance, least, zeros)


@dataclass(frozen=True)
class Mistake:
    """A misconception with a name, and how it is recognised.

    variants functions that make this mistake, each standing for the task's function: a submission
    that returns what one of them returns, right or wrong, case by case, has made it
    only names of cases: a submission that fails in some of these and in no other has made it; it
    is asked after the variants of all mistakes
    error (exception name, part of its message): a submission that stops with it has made it
    instead whether a wrong result is not even of the kind asked for, but of this one
    text what is wrong and why, in plain words   reread the section that explains it
    """

    id: str
    title: Text
    text: Text
    reread: str = ""
    variants: tuple[Callable[..., Any], ...] = ()
    only: frozenset[str] = frozenset()
    error: tuple[str, str] | None = None
    instead: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Task:
    """One function to write.

    id as `check` takes it, "attention.softmax"   function its name in a submission
    cases rng → cases, small ones first; the same rng gives the same cases
    reference the functions that give the expected results; the task's own is one of them
    mistakes asked in order   hints two, the first vaguer   reread the section that teaches it
    needs other tasks' functions that a submission may use and the reference provides
    points, shared out over the parts by `parts`, {part: share}, shares add up to 1
    """

    id: str
    function: str
    signature: str
    goal: Text
    cases: Callable[[np.random.Generator], list[Case]]
    reference: Functions
    mistakes: tuple[Mistake, ...]
    hints: tuple[Text, Text]
    reread: str
    parts: Mapping[str, float]
    points: float = 10.0


@dataclass(frozen=True)
class Assignment:
    """Tasks that are handed in together.

    id "attention"   title   tasks in order   minutes to work   level "easy", "medium" or "hard"
    allowed modules of companion that a submission may import
    """

    id: str
    title: Text
    tasks: tuple[Task, ...]
    minutes: int
    level: str
    allowed: tuple[str, ...] = ()
