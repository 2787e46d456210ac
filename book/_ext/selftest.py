"""Sphinx extension: a self-test question whose choices explain themselves, without a script.

    :::{selftest} 1. What does a forward pass change?
    - [ ] The weights
      Tempting, but only the optimiser step writes weights.
    - [x] Nothing that outlives it
      It computes activations and returns them.
    :::

Each choice becomes a `<details>`: the reader opens the one he believes in and reads whether it is
right and why. A question has two choices or more, at least one of them right, each explained.
"""

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

CHOICE = re.compile(r"^- \[(?P<mark>[ x])\] (?P<choice>\S.*)$")


class SelfTest(Directive):
    """The directive `selftest`: the question is the title, the content a list of choices."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        choices = self._choices()
        if len(choices) < 2 or not any(right for right, _, _ in choices):
            raise self.error("selftest: expected two choices or more, one of them '- [x]'")
        question = nodes.container(classes=["selftest"])
        question += self._parsed([self.arguments[0]], classes=["selftest-question"])
        for right, choice, why in choices:
            if not any(line.strip() for line in why):
                raise self.error(f"selftest: expected an explanation under {choice!r}, got none")
            verdict = "Right." if right else "No."
            question += _html(f'<details class="{"right" if right else "wrong"}"><summary>')
            question += _html('<span class="visually-hidden">Choice: </span>')  # some are a formula
            question += self._parsed([choice])
            question += _html(f"</summary><p><strong>{verdict}</strong></p>")
            question += self._parsed([line.removeprefix("  ") for line in why])
            question += _html("</details>")
        return [question]

    def _choices(self) -> list[tuple[bool, str, list[str]]]:
        """(right, choice, lines of the explanation) for each choice."""
        found: list[tuple[bool, str, list[str]]] = []
        for line in self.content:
            match = CHOICE.match(line)
            if match:
                found.append((match["mark"] == "x", match["choice"], []))
            elif found:
                found[-1][2].append(line)
            elif line.strip():
                raise self.error(f"selftest: expected '- [ ] choice' or '- [x] choice', got {line}")
        return found

    def _parsed(self, lines: list[str], classes: list[str] | None = None) -> nodes.Node:
        box = nodes.container(classes=classes or [])
        # A leading "1." is the question's number, not a list of one.
        text = [re.sub(r"^(\d+)\. ", r"\1\\. ", lines[0]), *lines[1:]]
        self.state.nested_parse(StringList(text, source=""), self.content_offset, box)
        return box


def _html(text: str) -> nodes.Node:
    return nodes.raw("", text, format="html")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("selftest", SelfTest)
    return {"parallel_read_safe": True}
