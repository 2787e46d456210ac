"""Figures of the book: made for reading, in light and dark, by the colour-blind too.

Needs matplotlib (extra `book`); nothing else in the package imports this file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

# Okabe & Ito 2008: eight colours that the common kinds of colour blindness keep apart; the order
# puts the strongest contrasts first and leaves out the yellow that is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

STYLE: Any = {
    "figure.figsize": (6.4, 3.4),
    "figure.dpi": 144,
    "figure.facecolor": "white",  # a white card reads well on a light and on a dark page
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINES),
    "font.size": 11,
    "image.cmap": "cividis",
    "legend.frameon": False,
}


@contextmanager
def figure(columns: int = 1, *, width: float = 6.4, height: float = 3.4) -> Iterator[Any]:
    """Open a figure in the book's style, hand over its axes, and show it at the end.

    columns number of panels side by side   width, height of the whole figure in inches
    Yields one Axes, or an array of `columns` Axes.
    """
    with plt.rc_context(STYLE):
        opened, axes = plt.subplots(1, columns, figsize=(width, height))
        try:
            yield axes
            plt.show()
        finally:
            plt.close(opened)


def heatmap(
    ax: Axes,
    weights: ArrayLike,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    title: str = "",
    digits: int = 2,
) -> None:
    """Draw a matrix of weights or scores, each number written into its cell.

    weights (T, S)   queries T labels of the rows   keys S labels of the columns
    limits of the colour scale, None for those of the data   digits shown in each cell, 0 for none

    Raises ValueError if the labels do not fit the matrix.
    """
    matrix = np.asarray(weights)
    if matrix.shape != (len(queries), len(keys)):
        raise ValueError(
            f"weights: expected shape {(len(queries), len(keys))} = (queries, keys), "
            f"got {matrix.shape}"
        )
    low, high = limits if limits is not None else (float(matrix.min()), float(matrix.max()))
    ax.imshow(matrix, vmin=low, vmax=high, aspect="auto")
    ax.set_xticks(range(len(keys)), keys)
    ax.set_yticks(range(len(queries)), queries)
    ax.set(xlabel="key (looked at)", ylabel="query (looks)", title=title)
    ax.spines[:].set_visible(False)
    if digits:
        dark = low + 0.35 * (high - low)  # up to here white on cividis reads better than black
        for (row, column), number in np.ndenumerate(matrix):
            colour = "black" if number > dark else "white"
            ax.text(column, row, f"{number:.{digits}f}", ha="center", va="center", color=colour)
