"""News from files and from Hugging Face datasets, as the records that `NewsDataset` takes.

load_records("news.jsonl")                      one JSON object a line
load_records("news.csv")                        a header, then one item a row
from_columns(dataset, "cnn_dailymail")          any rows with the columns of a known dataset
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from companion.news.dataset import RUBRIC

# Column names as on the Hugging Face hub: cnn_dailymail 3.0.0, EdinburghNLP/xsum, LCSTS.
LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "companion": {"content": "content", "summary": "summary"},
    "cnn_dailymail": {"content": "article", "summary": "highlights", "id": "id"},
    "xsum": {"content": "document", "summary": "summary", "id": "id"},
    "lcsts": {"content": "text", "summary": "summary"},
}
_NUMBERS = ("importance",)
_OPTIONAL = (
    "title",
    "id",
    "language",
    "topic",
    "importance",
    "carries",
    "rubric",
    "split",
    "names",
)


def load_records(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read news items from a JSONL or a CSV file.

    path ending in .jsonl or .csv, UTF-8; each item has at least content, and summary where it has
    one; in CSV `carries` and `names` are JSON lists and the rubric is four columns of its names
    Returns records with the fields that are there; blank lines are passed over.

    Raises FileNotFoundError; ValueError naming file and line for what is no JSON object, lacks
    content, or has a row of another length than the header.
    """
    path = Path(path)
    if path.suffix not in (".jsonl", ".csv"):
        raise ValueError(f"path: expected a name that ends in .jsonl or .csv, got {path.name}")
    if not path.is_file():
        raise FileNotFoundError(f"path: expected a file, got none at {path}")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected UTF-8, got byte {error.start}: {error.reason}"
        ) from error
    rows = _json_lines(path, text) if path.suffix == ".jsonl" else _csv_rows(path, text)
    return [_record(row, LAYOUTS["companion"], where) for where, row in rows]


def from_columns(rows: Iterable[Mapping[str, Any]], layout: str) -> list[dict[str, Any]]:
    """Items of a known dataset under the names of this package.

    rows mappings, such as a `datasets.Dataset` gives one by one
    layout "cnn_dailymail" (article, highlights), "xsum" (document, summary), "lcsts" (text,
    summary) or "companion"
    Returns records with content and summary, and id where there is one. The bullet points of
    CNN/DailyMail are joined into one text.

    Raises ValueError for an unknown layout or a row without the layout's columns.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout: expected one of {', '.join(LAYOUTS)}, got {layout!r}")
    return [_record(row, LAYOUTS[layout], f"rows[{n}]") for n, row in enumerate(rows)]


def _record(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, column in columns.items():
        if column not in row:
            if name == "content":
                got = sorted(map(str, row))
                raise ValueError(f"{where}: expected the column {column!r}, got {got}")
            continue
        found[name] = row[column]
    for name in _OPTIONAL:
        if name not in found and row.get(name) not in (None, ""):
            found[name] = row[name]
    if not isinstance(found["content"], str) or not found["content"].strip():
        raise ValueError(f"{where}: expected text as content, got {found['content']!r}")
    if isinstance(found.get("summary"), str):
        found["summary"] = " ".join(found["summary"].split("\n")).strip()
    return found


def _json_lines(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{where}: expected a JSON object, got {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"{where}: expected a JSON object, got {type(row).__name__}")
        yield where, row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            line = f"{path}, line {reader.line_num}"
            raise ValueError(f"{line}: expected CSV, got {error}") from error
        where = f"{path}, line {reader.line_num}"  # the last one of a row
        if row is None:
            return
        if None in row or None in row.values():
            raise ValueError(
                f"{where}: expected {len(reader.fieldnames or ())} columns, got others"
            )
        yield where, _typed(row, where)


def _typed(row: dict[str, str], where: str) -> dict[str, Any]:
    """Numbers and lists, which CSV holds as text."""
    found: dict[str, Any] = dict(row)
    try:
        for name in _NUMBERS:
            if row.get(name):
                found[name] = int(row[name])
        for name in ("carries", "names"):
            if row.get(name):
                found[name] = json.loads(row[name])
        if all(row.get(name) for name in RUBRIC):
            found["rubric"] = {name: int(found.pop(name)) for name in RUBRIC}
    except ValueError as error:
        raise ValueError(f"{where}: expected a number or a JSON list, got {error}") from error
    return found
