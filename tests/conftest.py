"""Hypothesis profiles, the two wings as one fixture, and what the summary says at the end."""

import os
from typing import Any

import hypothesis
import pytest
from wings import Wing

# The ordinary run draws the same examples each time: a red build then means that the change broke
# something, and anybody can repeat it. `HYPOTHESIS_PROFILE=thorough` looks for new examples; run
# it now and then. No deadline in either: a busy machine is not a failing test.
hypothesis.settings.register_profile(
    "default", max_examples=25, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile(  # `make check`: the same tests, a fifth of the examples
    "fast", max_examples=5, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile("thorough", max_examples=500, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(params=["numpy", "torch"], scope="session")
def wing(request: pytest.FixtureRequest) -> Wing:
    if request.param == "numpy":
        import companion.with_numpy as lib
    else:
        import companion.with_torch as lib
    return Wing(request.param, lib)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How far the wings are apart and how much of the article is covered, as tests recorded it."""
    recorded: dict[str, list[tuple[float, str]]] = {}
    for report in terminalreporter.stats.get("passed", []):
        for key, value in getattr(report, "user_properties", []):
            if key.startswith("parity "):
                recorded.setdefault(key, []).append(tuple(value))
            if key == "covered":
                terminalreporter.section("the article, covered")
                terminalreporter.write_line(value)
            if key == "site":
                terminalreporter.section("the built pages")
                terminalreporter.write_line(value)
    if recorded:
        terminalreporter.section("parity of the two wings")
    for key in sorted(recorded):
        error, name = max(recorded[key])
        names = len({name for _, name in recorded[key]})
        terminalreporter.write_line(f"{key}: {names} names, worst error {error:.1e} ({name})")
