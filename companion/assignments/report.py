"""What an examination found, in words for the learner and in the formats that graders read."""

import contextlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.assignments import compare
from companion.assignments.compare import printable
from companion.assignments.examine import Failure, Result
from companion.assignments.names import named
from companion.assignments.task import Assignment

WORDS = {
    "en": {
        "passed": "passed", "failed": "failed", "checks": "{good} of {all} checks passed",
        "mistake": "Mistake", "call": "Counter-example, the smallest that shows it",
        "expected": "expected", "got": "got", "reread": "Reread", "error": "stopped with",
        "more": "A hint: check({id!r}, ..., hint=1), and a second one with hint=2.",
        "hint": "Hint", "points": "{earned:g} of {points:g} points", "result": "result",
        "kind": "a value that is not numbers: {what}", "model": "a model of {n} tokens",
    },
    "zh": {
        "passed": "通过", "failed": "未通过", "checks": "{all} 项检查通过 {good} 项",
        "mistake": "错误", "call": "最小的反例", "expected": "预期", "got": "得到",
        "reread": "重读", "error": "报错", "more": "需要提示：check({id!r}, ..., hint=1)，"
        "第二条提示用 hint=2。", "hint": "提示", "points": "得分 {earned:g} / {points:g}",
        "result": "结果", "kind": "不是数值的返回值：{what}",
        "model": "含 {n} 个词元的模型",
    },
}  # fmt: skip
MOST_SHOWN = 40  # items of a list


def text(result: Result, *, language: str = "en", hint: int = 0, points: bool = False) -> str:
    """The report of one task, as printed.

    language "en" or "zh"   hint 0 none, 1 the first, 2 both   points shown or not
    """
    say = WORDS[language]
    task, total = result.task, len(result.passed) + len(result.failed)
    good = len(result.passed)
    lines = [f"{task.id}: " + say["checks"].format(good=good, all=total)]
    if points:
        lines[0] += "; " + say["points"].format(earned=result.earned, points=task.points)
    for part, fine in result.parts.items():
        lines.append(f"  {'✓' if fine else '✗'} {named(part, language)}")
    if result.mistake is not None:
        mistake = result.mistake
        lines += ["", f"{say['mistake']}: {mistake.title.of(language)}", mistake.text.of(language)]
        if result.failure is not None and not mistake.id.endswith((".missing", ".unwritten")):
            lines += ["", *_counter_example(result.failure, language)]
        lines += ["", f"{say['reread']}: {mistake.reread or task.reread}"]
        lines += [
            f"{say['hint']} {n}: {task.hints[n - 1].of(language)}" for n in range(1, hint + 1)
        ]
        if not hint:
            lines.append(say["more"].format(id=task.id))
    return "\n".join(lines)


def _counter_example(failure: Failure, language: str) -> list[str]:
    say = WORDS[language]
    call = failure.case.calls[failure.call]
    lines = [f"{say['call']} ({named(failure.case.name, language)}):", f"  {call.function}("]
    for value in call.arguments:
        lines.append(f"    {_shown(value, 4, language)},")
    for name, value in call.keywords.items():
        lines.append(f"    {name}={_shown(value, 5 + len(name), language)},")
    lines.append("  )")
    expected = _part(failure.expected, call.look, language)
    got = failure.got
    if "error" in got:
        lines.append(f"  {say['expected']} {expected}")
        where = f" ({got['line']})" if got.get("line") else ""
        said = printable(f"{got['error']}: {got['message']}{where}").replace("\n", "\n    ")
        lines.append(f"  {say['error']} {said}")
        return lines
    came = _part(got["value"], call.look, language)
    if came == expected:  # they differ in later digits
        expected = _part(failure.expected, call.look, language, fine=True)
        came = _part(got["value"], call.look, language, fine=True)
    return [*lines, f"  {say['expected']} {expected}", f"  {say['got']} {came}"]


def _part(value: Any, look: Any, language: str, fine: bool = False) -> str:
    with contextlib.suppress(LookupError, TypeError):
        value = compare.at(value, look)
    if isinstance(value, dict) and set(value) == {"opaque"}:
        return WORDS[language]["kind"].format(what=value["opaque"])
    return f"{compare.shape(value, language)}: {_shown(value, 6, language, fine)}"


def _shown(value: Any, indent: int, language: str = "en", fine: bool = False) -> str:
    if isinstance(value, np.ndarray):
        shown = np.array2string(
            value, precision=10 if fine else 4, suppress_small=not fine, threshold=60,
            edgeitems=3, separator=", ", max_line_width=88,
        )  # fmt: skip
        return shown.replace("\n", "\n" + " " * indent)
    if isinstance(value, list | tuple):
        inner = ", ".join(_shown(item, indent, language, fine) for item in value[:MOST_SHOWN])
        inner += f", … {len(value)}" if len(value) > MOST_SHOWN else ""
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        inner = ", ".join(
            f"{repr(key)[:60]}: {_shown(item, indent, language, fine)}"
            for key, item in list(value.items())[:MOST_SHOWN]
        )
        return f"{{{inner}}}"
    if isinstance(value, float):
        return f"{value:.10g}" if fine else f"{value:.4g}"
    if isinstance(getattr(value, "table", None), np.ndarray):
        return WORDS[language]["model"].format(n=len(value.table))
    return repr(value)[:300]


def record(result: Result, language: str = "en") -> dict[str, Any]:
    """One task's result as plain data, for JSON and tables."""
    return {
        "task": result.task.id,
        "earned": round(result.earned, 4),
        "points": result.task.points,
        "passed": list(result.passed),
        "failed": list(result.failed),
        "parts": dict(result.parts),
        "mistake": None if result.mistake is None else result.mistake.id,
        "message": text(result, language=language),
    }


def as_json(
    submission: str, results: Sequence[Result], problems: Sequence[str], language: str = "en"
) -> str:
    """Everything about one submission."""
    return json.dumps(
        summary(submission, results, problems, language), ensure_ascii=False, indent=2
    )


def summary(
    submission: str, results: Sequence[Result], problems: Sequence[str], language: str = "en"
) -> dict[str, Any]:
    """Everything about one submission, as plain data."""
    return {
        "submission": submission,
        "earned": round(sum(result.earned for result in results), 4),
        "points": sum(result.task.points for result in results),
        "problems": list(problems),
        "tasks": [record(result, language) for result in results],
    }


def as_junit(
    submission: str, results: Sequence[Result], problems: Sequence[str], language: str = "en"
) -> str:
    """JUnit XML: one test case for each task."""
    suite = ET.Element(
        "testsuite", name=submission, tests=str(len(results)),
        failures=str(sum(not result for result in results)),
    )  # fmt: skip
    for result in results:
        found = ET.SubElement(suite, "testcase", name=result.task.id, classname=submission)
        if not result:
            id = result.mistake.id if result.mistake else "failed"
            ET.SubElement(found, "failure", message=id).text = printable(
                text(result, language=language)
            )
    if problems:
        ET.SubElement(suite, "system-err").text = printable("\n".join(problems))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def as_gradescope(
    submission: str, results: Sequence[Result], problems: Sequence[str], language: str = "en"
) -> str:
    """Gradescope's results.json: a score and an output for each task."""
    tests = [
        {
            "name": result.task.id,
            "score": round(result.earned, 4),
            "max_score": result.task.points,
            "status": "passed" if result else "failed",
            "output": text(result, language=language),
            "visibility": "visible",
        }
        for result in results
    ]
    output = "\n".join(problems)
    score = round(sum(result.earned for result in results), 4)
    body = {"score": score, "output": output, "visibility": "visible", "tests": tests}
    return json.dumps(body, ensure_ascii=False, indent=2)


def nothing_to_grade(chosen: Assignment, weights: dict[str, float], why: str) -> str:
    """Gradescope's results.json where no submission could be read: 0 for each task, and why."""
    tests = [
        {
            "name": task.id, "score": 0.0, "max_score": weights.get(task.id, task.points),
            "status": "failed", "output": printable(why), "visibility": "visible",
        }
        for task in chosen.tasks
    ]  # fmt: skip
    body = {"score": 0.0, "output": printable(why), "visibility": "visible", "tests": tests}
    return json.dumps(body, ensure_ascii=False, indent=2)
