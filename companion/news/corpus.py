"""The corpus: hand-written invented articles with summary, importance and marked sentences."""

import json
from importlib import resources
from typing import Any

from companion.news.dataset import LANGUAGES

SPLITS = ("train", "validation", "test")


def load_articles(language: str | None = None, split: str | None = None) -> list[dict[str, Any]]:
    """The hand-written articles of the course, as fresh dictionaries, in the order of their ids.

    language "en", "zh", or None for both   split "train", "validation", "test", or None for all
    Returns records with the fields of `companion/news/data/written/README.md` (CC BY 4.0). Nothing
    in them happened. No name is in two articles, and no eight consecutive words are shared.

    Raises ValueError for another language or split.
    """
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"language: expected 'en', 'zh' or None, got {language!r}")
    if split is not None and split not in SPLITS:
        raise ValueError(f"split: expected 'train', 'validation', 'test' or None, got {split!r}")
    folder = resources.files("companion.news").joinpath("data/written")
    files = [file for file in folder.iterdir() if file.name.endswith(".jsonl")]
    records = [
        json.loads(line)
        for file in sorted(files, key=lambda file: file.name)
        if language is None or file.name.startswith(language)
        for line in file.read_text("utf-8").split("\n")  # see `load_news`
        if line.strip()
    ]
    return [record for record in records if split in (None, record["split"])]
