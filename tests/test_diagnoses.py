"""Every mistake of the catalogue is told by its name; every right answer, in any style, passes."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from companion.assignments import ASSIGNMENTS, assignment, general
from companion.assignments.examine import examine
from companion.assignments.executors import Local
from companion.assignments.names import CHINESE, PATTERNS

pytestmark = pytest.mark.slow  # every answer is tried on several draws

FOLDER = Path(__file__).parent / "submissions"
LEAST_MISTAKES, LEAST_RIGHT = 60, 40  # over the six assignments


def _loaded(name):
    spec = importlib.util.spec_from_file_location(f"submissions_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = [name for name in ASSIGNMENTS if (FOLDER / f"{name}.py").exists()]
ANSWERS = [
    _loaded(name + kind)
    for name in NAMES
    for kind in ("", "_unseen")
    if (FOLDER / f"{name}{kind}.py").exists()
]
TASKS = {task.id: task for name in NAMES for task in assignment(name).tasks}
RIGHT = [row for module in ANSWERS for row in module.RIGHT]
WRONG = [row for module in ANSWERS for row in module.WRONG]
CATALOGUE = {mistake.id for task in TASKS.values() for mistake in task.mistakes}


def tried(id, function, seed=20170612):
    task = TASKS[id]
    given = {name: own for name, own in task.reference.items() if name != task.function}
    return examine(task, Local({**given, task.function: function}, 20.0), seed=seed)


@pytest.mark.parametrize(
    ("id", "mistake", "function"), WRONG, ids=[f"{row[1]}-{row[2].__name__}" for row in WRONG]
)
def test_wrong_answer_gets_its_own_diagnosis(id, mistake, function):
    for seed in (20170612, 1):
        result = tried(id, function, seed)
        assert not result, "a wrong answer passed"
        assert result.mistake.id == mistake
        assert result.earned < result.task.points


@pytest.mark.parametrize(
    ("id", "function"), RIGHT, ids=[f"{row[0]}-{row[1].__name__}" for row in RIGHT]
)
def test_right_answer_passes_in_any_style(id, function):
    for seed in (20170612, 1, 2):
        result = tried(id, function, seed)
        assert result, (result.failed, result.mistake, result.failure)
        assert result.earned == pytest.approx(result.task.points)


def test_every_mistake_of_the_catalogue_has_a_wrong_answer():
    assert {mistake for _, mistake, _ in WRONG} >= CATALOGUE
    assert {id for id, _ in RIGHT} >= set(TASKS)


def test_catalogue_is_as_large_as_promised():
    assert len(CATALOGUE) >= LEAST_MISTAKES
    assert len(RIGHT) >= LEAST_RIGHT


def test_ids_are_unique_and_texts_are_in_both_languages():
    seen = [mistake.id for task in TASKS.values() for mistake in task.mistakes]
    assert len(seen) == len(set(seen))
    for task in TASKS.values():
        assert sum(task.parts.values()) == pytest.approx(1)
        texts = [task.goal, *task.hints]
        texts += [text for mistake in task.mistakes for text in (mistake.title, mistake.text)]
        for text in (*texts, *(text for one in general.ALL for text in (one.title, one.text))):
            assert text.en
            assert any("一" <= letter <= "鿿" for letter in text.zh), text.en
        for mistake in task.mistakes:
            assert mistake.id.startswith(f"{task.id}.")
            assert mistake.variants or mistake.only or mistake.error or mistake.instead


def test_parts_and_cases_have_chinese_names():
    for task in TASKS.values():
        for seed in (20170612, 1):
            names = [one.name for one in task.cases(np.random.default_rng(seed))]
            assert len(names) == len(set(names))
            for name in (*task.parts, *names):
                known = name in CHINESE or any(re.fullmatch(one, name) for one, _ in PATTERNS)
                assert known, name


def test_places_to_reread_are_pages():
    import pages

    for task in TASKS.values():
        for place in (task.reread, *(mistake.reread for mistake in task.mistakes)):
            assert not place or (pages.BOOK / f"{place}.md").exists(), place
