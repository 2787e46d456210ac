"""One source for each assignment: from it the page, the starter and the solution are made.

The source, `companion/assignments/NAME/source.md`, is a page of the book (MyST) whose code cells
hold the solution between two marks:

    ### BEGIN SOLUTION
    ...
    ### END SOLUTION

For learners the lines between them become `raise NotImplementedError`; instructors get them
without the marks. A cell with the tag `notebook-only` (a call of `check`) is left out of the .py.
"""

import json
import re
from importlib import resources
from typing import Any

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CELL = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", re.M | re.S)
FRONT = re.compile(r"\A---\n.*?^---\n", re.M | re.S)
OPTIONS = re.compile(r"\A---\n(.*?)^---\n", re.M | re.S)


def source(id: str) -> str:
    """The source of the assignment `id`, solution included."""
    return resources.files(f"companion.assignments.{id}").joinpath("source.md").read_text("utf-8")


def page(text: str) -> str:
    """The learner's page: the source without its solutions."""
    return CELL.sub(lambda cell: f"```{{code-cell}} ipython3\n{stubbed(cell[1])}```", text)


def script(text: str, *, solved: bool = False) -> str:
    """The starter, or the solution, as a Python file: the code cells, titles as comments."""
    blocks = []
    for kind, body, tags in cells(text, solved=solved):
        if kind == "markdown":
            blocks += [f"# {title}" for title in re.findall(r"^#+ (.+)$", body, re.M)]
        elif "notebook-only" not in tags:
            blocks.append(body)
    return "\n\n\n".join(blocks) + "\n"


def notebook(text: str, *, solved: bool = False) -> str:
    """The starter, or the solution, as a Jupyter notebook without outputs."""
    made: list[dict[str, Any]] = []
    for number, (kind, body, tags) in enumerate(cells(text, solved=solved)):
        metadata = {"tags": tags} if tags else {}
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": metadata}
        cell["source"] = body.splitlines(keepends=True)
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made_of = {"cells": made, "metadata": {"kernelspec": kernel}}
    return (
        json.dumps(made_of | {"nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1)
        + "\n"
    )


def cells(text: str, *, solved: bool) -> list[tuple[str, str, list[str]]]:
    """(kind, text, tags) of every cell of a source, in order."""
    found: list[tuple[str, str, list[str]]] = []
    text, at = FRONT.sub("", text, count=1), 0
    for match in CELL.finditer(text):
        found.append(("markdown", text[at : match.start()].strip(), []))
        body, tags = match[1], []
        options = OPTIONS.match(body)
        if options:
            body = body[options.end() :]
            tags = re.findall(r"[\w-]+", options[1].partition("tags:")[2])
        done = re.sub(rf"^ *({BEGIN}|{END})\n", "", body, flags=re.M)
        found.append(("code", (done if solved else stubbed(body)).strip(), tags))
        at = match.end()
    found.append(("markdown", text[at:].strip(), []))
    return [cell for cell in found if cell[1]]


def stubbed(code: str) -> str:
    """The code with each solution replaced by NotImplementedError.

    Raises ValueError if a mark stands without the other.
    """
    if code.count(BEGIN) != code.count(END):
        raise ValueError(f"code: expected as many {BEGIN!r} as {END!r} in\n{code}")
    return re.sub(
        rf"^( *){BEGIN}\n.*?^ *{END}\n", r"\1raise NotImplementedError\n", code, flags=re.M | re.S
    )
