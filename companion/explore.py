"""Figures with controls that work in a page without a server: every frame is computed beforehand.

Each function draws the frame of `start` as a still and returns an `Exploration`, whose HTML carries
the numbers of all frames; the book's script `book/_static/explore.js` draws them as the reader
moves the controls. Where there is no script (Jupyter, paper), the still is what is seen.

Needs matplotlib (extra `book`); nothing else in the package imports this file.
"""

import html
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from companion.figures import figure, heatmap

MOST_FRAMES = 400  # at 100 numbers a frame about 200 kB before compression
Choice = float | int | str | bool
Controls = Mapping[str, Sequence[Choice]]
Limits = tuple[float, float] | None


@dataclass(frozen=True)
class Exploration:
    """The frames of a figure with controls, as Jupyter and the book show them."""

    data: dict[str, Any]
    exact: bool

    def __repr__(self) -> str:
        names = ", ".join(control["name"] for control in self.data["controls"])
        return f"<{len(self.data['frames'])} frames over {names}>"

    def _repr_html_(self) -> str:
        # "</" would end the script element early
        text = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        text = text.replace("</", "<\\/")
        names = " and ".join(html.escape(control["name"]) for control in self.data["controls"])
        return (
            f'<div class="explore"><p class="explore-note">In the book on the web, with '
            f"JavaScript, this figure has controls: {names}.</p>"
            f'<script type="application/json" data-exact="{"yes" if self.exact else "no"}">'
            f"{text}</script></div>"
        )


def explore_lines(
    x: ArrayLike,
    draw: Callable[..., Mapping[str, ArrayLike]],
    controls: Controls,
    *,
    start: Mapping[str, Choice],
    xlabel: str,
    ylabel: str,
    limits: Limits = None,
    title: str = "",
    digits: int = 3,
    exact: bool = True,
) -> Exploration:
    """Lines over a common x axis, one frame for each combination of the controls.

    x (N,) increasing   draw(**choice) {name of a line: its N numbers}, the same names in each frame
    controls {name: its values}: numbers become a slider, words a menu   start one value for each
    limits of the y axis, None for those of all frames   digits significant digits kept
    exact False if the numbers differ from machine to machine (training): they are not compared

    Raises ValueError if a value of start is not offered, a line does not fit x or is not finite.
    """
    places = np.asarray(x, dtype=float)
    if places.ndim != 1:
        raise ValueError(f"x: expected shape (N,), got {places.shape}")
    frames = _frames(draw, controls)
    lines = [_named_rows(frame, places.size, "x") for frame in frames]
    limits = limits or _limits(lines)
    begin = _begin(controls, start)
    with figure() as ax:
        for name, heights in lines[begin].items():
            ax.plot(places, heights, label=name)
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=limits, title=_titled(title, start))
        if len(lines[begin]) > 1:
            ax.legend()
    data: dict[str, Any] = {"x": _rounded(places, digits + 1), "xlabel": xlabel, "ylabel": ylabel}
    data |= {"limits": [float(f"{limit:.{digits + 1}g}") for limit in limits]}
    rows = [{name: _rounded(row, digits) for name, row in frame.items()} for frame in lines]
    return _exploration("lines", rows, controls, begin, title, digits, exact, data)


def explore_bars(
    categories: Sequence[str],
    draw: Callable[..., ArrayLike | Mapping[str, ArrayLike]],
    controls: Controls,
    *,
    start: Mapping[str, Choice],
    ylabel: str,
    limits: Limits = None,
    title: str = "",
    digits: int = 3,
    exact: bool = True,
) -> Exploration:
    """Bars over categories, one frame for each combination of the controls.

    categories N labels   draw(**choice) the N heights, or {name of a series: its N heights}
    limits of the y axis, None for those of all frames, 0 included   the rest as `explore_lines`

    Raises ValueError if a value of start is not offered, a series does not fit or is not finite.
    """
    frames = [
        frame if isinstance(frame, Mapping) else {"": frame} for frame in _frames(draw, controls)
    ]
    bars = [_named_rows(frame, len(categories), "categories") for frame in frames]
    low, high = limits or _limits(bars)
    limits = limits or (min(low, 0.0), max(high, 0.0))
    begin = _begin(controls, start)
    with figure() as ax:
        count = len(bars[begin])
        for index, (name, heights) in enumerate(bars[begin].items()):
            ax.bar(np.arange(len(categories)) + (index + 0.5) / count * 0.8 - 0.4, heights,
                   width=0.8 / count, label=name)  # fmt: skip
        ax.set_xticks(range(len(categories)), categories)
        ax.set(ylabel=ylabel, ylim=limits, title=_titled(title, start))
        if count > 1:
            ax.legend()
    data: dict[str, Any] = {"categories": list(categories), "ylabel": ylabel}
    data |= {"limits": [float(f"{limit:.{digits + 1}g}") for limit in limits]}
    rows = [{name: _rounded(row, digits) for name, row in frame.items()} for frame in bars]
    return _exploration("bars", rows, controls, begin, title, digits, exact, data)


def explore_heatmap(
    draw: Callable[..., tuple[ArrayLike, Sequence[str], Sequence[str]]],
    controls: Controls,
    *,
    start: Mapping[str, Choice],
    limits: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    digits: int = 2,
    exact: bool = True,
) -> Exploration:
    """A matrix of weights or scores, one frame for each combination of the controls.

    draw(**choice) (matrix (T, S), T labels of the rows, S labels of the columns); sizes may differ
    from frame to frame   limits of the colour scale   digits decimals kept   the rest as
    `explore_lines`

    Raises ValueError if a value of start is not offered, labels do not fit or a number is not
    finite.
    """
    frames = _frames(draw, controls)
    begin = _begin(controls, start)
    rows = []
    for matrix, queries, keys in frames:
        numbers = np.asarray(matrix, dtype=float)
        if numbers.shape != (len(queries), len(keys)) or not np.isfinite(numbers).all():
            raise ValueError(
                f"draw: expected finite numbers of shape {(len(queries), len(keys))} = (rows, "
                f"columns), got shape {numbers.shape}"
            )
        cells = [[round(float(number), digits) for number in row] for row in numbers]
        rows.append({"rows": list(queries), "columns": list(keys), "cells": cells})
    shown = frames[begin]
    with figure(width=1.6 + 0.62 * len(shown[2]), height=1.3 + 0.46 * len(shown[1])) as ax:
        heatmap(ax, shown[0], shown[1], shown[2], limits=limits, title=_titled(title, start))
        if max(map(len, map(str, shown[2]))) > 4:
            ax.tick_params(axis="x", labelrotation=45)
    return _exploration("heatmap", rows, controls, begin, title, digits, exact,
                        {"limits": [float(limit) for limit in limits]})  # fmt: skip


def _frames(draw: Callable[..., Any], controls: Controls) -> list[Any]:
    """draw for each combination of the controls, the last control fastest."""
    if not controls or not all(len(values) for values in controls.values()):
        raise ValueError("controls: expected one name or more, each with values, got none")
    count = int(np.prod([len(values) for values in controls.values()]))
    if count > MOST_FRAMES:
        raise ValueError(f"controls: expected at most {MOST_FRAMES} frames, got {count}")
    names = list(controls)
    return [
        draw(**dict(zip(names, choice, strict=True)))
        for choice in itertools.product(*controls.values())
    ]


def _begin(controls: Controls, start: Mapping[str, Choice]) -> int:
    """The number of the frame that `start` names."""
    if set(start) != set(controls):
        raise ValueError(f"start: expected a value for each of {list(controls)}, got {start!r}")
    for name, values in controls.items():
        if start[name] not in values:
            raise ValueError(f"start: expected {name} among {list(values)}, got {start[name]!r}")
    places = [list(values).index(start[name]) for name, values in controls.items()]
    return int(np.ravel_multi_index(places, [len(values) for values in controls.values()]))


def _named_rows(frame: Mapping[str, ArrayLike], size: int, fits: str) -> dict[str, Any]:
    rows = {name: np.asarray(row, dtype=float) for name, row in frame.items()}
    for name, row in rows.items():
        if row.shape != (size,) or not np.isfinite(row).all():
            raise ValueError(
                f"draw: expected {size} finite numbers for {name!r}, as many as {fits}, "
                f"got shape {row.shape}"
            )
    return rows


def _limits(frames: list[dict[str, Any]]) -> tuple[float, float]:
    numbers = np.concatenate([row for frame in frames for row in frame.values()])
    low, high = float(numbers.min()), float(numbers.max())
    room = 0.05 * ((high - low) or 1.0)
    return low - room, high + room


def _rounded(row: Any, digits: int) -> list[float]:
    return [float(f"{number:.{digits}g}") for number in row]


def _titled(title: str, start: Mapping[str, Choice]) -> str:
    chosen = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in start.items())
    return f"{title}: {chosen}" if title else chosen


def _exploration(
    kind: str, frames: list[Any], controls: Controls, begin: int, title: str, digits: int,
    exact: bool, data: dict[str, Any],
) -> Exploration:  # fmt: skip
    offered = [
        {"name": name.replace("_", " "), "values": list(values)}
        for name, values in controls.items()
    ]
    head = {"kind": kind, "title": title, "digits": digits, "controls": offered, "start": begin}
    return Exploration(head | data | {"frames": frames}, exact)
