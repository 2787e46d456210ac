"""Operate a figure with controls by keyboard; what it draws and says are the numbers of the page.

Oracle: the frame that the page's data give for the places of the controls; NumPy counts the frames,
matplotlib knows the colours, and a height is read where the drawn axis has its numbers.
"""

import json
import re

import numpy as np
from tab import until


def operate(page, root):
    """Every control of a figure to both ends and a step back; the matrix down and to the right."""
    data = json.loads(root.locator("script").text_content())
    sizes = [len(control["values"]) for control in data["controls"]]
    places = [int(place) for place in np.unravel_index(data["start"], sizes)]
    until(lambda: agree(root, data, sizes, places))
    for i, control in enumerate(data["controls"]):
        root.get_by_label(control["name"], exact=True).focus()
        last = sizes[i] - 1
        for key, place in (("Home", 0), ("End", last), ("ArrowLeft", max(0, last - 1))):
            page.keyboard.press(key)
            places[i] = place
            until(lambda: agree(root, data, sizes, places))
    if data["kind"] == "heatmap":
        root.locator(".explore-stage").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        until(lambda: agree(root, data, sizes, places, (1, 1)))


def agree(root, data, sizes, places, chosen=(0, 0)):
    """What is drawn and said is the frame of these places."""
    frame = data["frames"][int(np.ravel_multi_index(places, sizes))]
    drawn = root.evaluate("(root) => look.figure(root)")
    assert drawn["label"].endswith(f"Now: {drawn['status']}.")
    values = [c["values"][place] for c, place in zip(data["controls"], places, strict=True)]
    shown = [value for value, c in zip(values, data["controls"], strict=True)
             if all(type(v) in (int, float) for v in c["values"])]  # fmt: skip
    assert [[float(beside), float(heard)] for beside, heard in drawn["said"]] == [
        [value, value] for value in shown
    ]
    if data["kind"] == "heatmap":
        agree_matrix(data, frame, drawn, chosen)
    else:
        agree_curves(data, frame, drawn)


def agree_matrix(data, frame, drawn, chosen):
    import matplotlib

    cells, digits = np.array(frame["cells"]) + 0.0, data["digits"]  # no -0
    row, column = (min(place, size - 1) for place, size in zip(chosen, cells.shape, strict=True))
    query, key, value = re.fullmatch(r"(.*) looks at (.*): (\S+)", drawn["status"], re.S).groups()
    assert (query, key) == (frame["rows"][row], frame["columns"][column])
    assert value == f"{cells[row, column]:.{digits}f}"
    places = [(cell["data-row"], cell["data-column"]) for cell in drawn["cells"]]
    assert places == list(np.ndindex(cells.shape))
    low, high = data["limits"]
    inks = matplotlib.colormaps["cividis"](np.clip((cells - low) / ((high - low) or 1), 0, 1))
    fills = [re.findall(r"\d+", cell["fill"]) for cell in drawn["cells"]]
    assert np.abs(np.array(fills, int) - 255 * inks[..., :3].reshape(-1, 3)).max() < 12
    assert drawn["numbers"] in ([], [f"{cell:.{digits}f}" for cell in cells.ravel()])
    marked = drawn["cells"][row * cells.shape[1] + column]
    assert drawn["cursor"] == [{"x": marked["x"], "y": marked["y"]}]


def agree_curves(data, frame, drawn):
    """Every height is where the axis has its number; what is said is the largest of each line."""
    along = data["x"] if data["kind"] == "lines" else data["categories"]
    said = []
    for name, row in frame.items():
        match = re.search(rf"(?:^|; ){re.escape(name)}:? ?largest (\S+) at ", drawn["status"])
        said.append(float((match or re.search(r"largest (\S+) at ", drawn["status"]))[1]))
        assert str(along[row.index(max(row))]).removesuffix(".0") in drawn["status"]
    assert said == [max(row) for row in frame.values()]
    ticks = [(tick["y"] - 4, float(tick["text"])) for tick in drawn["ticks"]]
    (y0, v0), (y1, v1) = ticks[0], ticks[-1]
    assert v1 > v0
    assert np.allclose([y for y, _ in ticks], drawn["lines"])
    rows = np.clip(list(frame.values()), *data["limits"])
    wanted = y0 + (rows - v0) / (v1 - v0) * (y1 - y0)
    if data["kind"] == "lines":
        points = [np.array(re.findall(r"-?[\d.]+", path), float) for path in drawn["paths"]]
        points = np.array(points).reshape(len(rows), -1, 2)
        assert np.abs(points[..., 1] - wanted).max() < 0.06
        across = (np.array(along) - along[0]) / ((along[-1] - along[0]) or 1)
        first, last = points[0, 0, 0], points[0, -1, 0]
        assert np.abs(points[..., 0] - first - across * (last - first)).max() < 0.2
    else:
        zero = y0 + (np.clip(0, *data["limits"]) - v0) / (v1 - v0) * (y1 - y0)
        tall = np.array([bar["height"] for bar in drawn["bars"]]).reshape(rows.shape)
        assert np.abs(tall - np.abs(wanted - zero)).max() < 0.01
