"""Figures with controls: the page holds the frames that were computed, in order."""

import json
import re

import matplotlib
import numpy as np
import pytest

from companion.explore import explore_bars, explore_heatmap, explore_lines
from companion.with_numpy import softmax

matplotlib.use("Agg")
CONTROLS = {"temperature": [0.5, 1, 4], "kind": ["flat", "steep"]}
START = {"temperature": 4, "kind": "flat"}


def weights(temperature, kind):
    return softmax(np.array([1.0, 2.0, 3.0]) * (1 if kind == "flat" else 2) / temperature)


def stored(exploration):
    """What the page's script reads."""
    text = re.search(r"<script[^>]*>(.*)</script>", exploration._repr_html_())[1]
    return json.loads(text)


def bars(**changes):
    settings = {"start": START, "ylabel": "weight"} | changes
    return explore_bars(["a", "b", "c"], weights, CONTROLS, **settings)


def test_frames_stand_in_the_order_of_the_controls_last_fastest():
    data = stored(bars())
    assert [control["values"] for control in data["controls"]] == list(CONTROLS.values())
    assert len(data["frames"]) == 6
    for number, (temperature, kind) in enumerate(
        (t, k) for t in CONTROLS["temperature"] for k in CONTROLS["kind"]
    ):
        expected = [float(f"{weight:.3g}") for weight in weights(temperature, kind)]
        assert data["frames"][number] == {"": expected}
    assert data["start"] == 4  # temperature is the third of three, kind the first of two


def test_bars_start_at_zero_and_limits_hold_every_frame():
    low, high = stored(bars())["limits"]
    assert low <= 0
    assert high >= weights(0.5, "steep").max()


def test_lines_keep_their_names_and_places():
    x = np.linspace(0, 2, 5)
    shown = explore_lines(
        x, lambda slope: {"line": slope * x, "square": slope * x * x}, {"slope": [1, 2]},
        start={"slope": 2}, xlabel="time (ms)", ylabel="voltage (mV)", limits=(-1, 9),
    )  # fmt: skip
    data = stored(shown)
    assert data["x"] == [0, 0.5, 1, 1.5, 2]
    assert data["frames"][1] == {"line": [0, 1, 2, 3, 4], "square": [0, 0.5, 2, 4.5, 8]}
    assert data["limits"] == [-1, 9]
    assert repr(shown) == "<2 frames over slope>"


def test_heatmap_frames_may_differ_in_size():
    def draw(size):
        words = [f"w{i}" for i in range(size)]
        return np.eye(size), words, [*words[:-1], "</script>"]

    shown = explore_heatmap(draw, {"size": [2, 3]}, start={"size": 2}, exact=False)
    data = stored(shown)
    assert data["frames"][1]["cells"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert data["frames"][0]["columns"] == ["w0", "</script>"]
    html = shown._repr_html_()
    assert html.count("</script>") == 1, "a label cannot end the script element"
    assert 'data-exact="no"' in html
    assert 'data-exact="yes"' in bars()._repr_html_()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bars(start={"temperature": 3, "kind": "flat"}), "start: expected temperature"),
        (lambda: bars(start={"kind": "flat"}), "start: expected a value for each of"),
        (
            lambda: explore_bars(["a"], weights, CONTROLS, start=START, ylabel="w"),
            r"draw: expected 1 finite numbers for '', as many as categories, got shape \(3,\)",
        ),
        (
            lambda: explore_bars(["a"], lambda n: [np.nan], {"n": [1]}, start={"n": 1}, ylabel="w"),
            "draw: expected 1 finite numbers",
        ),
        (
            lambda: explore_bars("a", lambda n: [n], {"n": range(401)}, start={"n": 1}, ylabel="w"),
            "controls: expected at most 400 frames, got 401",
        ),
        (
            lambda: explore_bars(["a"], lambda: [1], {}, start={}, ylabel="w"),
            "controls: expected one name or more",
        ),
        (
            lambda: explore_heatmap(lambda n: (np.eye(2), "ab", "abc"), {"n": [1]}, start={"n": 1}),
            r"draw: expected finite numbers of shape \(2, 3\)",
        ),
        (
            lambda: explore_lines(
                np.eye(2), weights, CONTROLS, start=START, xlabel="x", ylabel="y"
            ),
            r"x: expected shape \(N,\), got \(2, 2\)",
        ),
    ],
)  # fmt: skip
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
