"""News items with the labels a task needs, in a form that any data loader takes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from typing import Any

TEXT_KEYS = ("title", "content", "summary")
KEYS = ("title", "content", "importance", "summary")
LANGUAGES = ("en", "zh")
IMPORTANCE = range(1, 6)
RUBRIC = ("reach", "severity", "novelty", "urgency")


def load_news(language: str | None = None) -> list[dict[str, Any]]:
    """The sixteen invented items that come with the course, as fresh dictionaries.

    language "en", "zh", or None for both
    Returns records with the fields of `companion/news/data/README.md`, where the rubric for
    importance and the licence (CC BY 4.0) are written too. Nothing in them happened.

    Raises ValueError for another language.
    """
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"language: expected 'en', 'zh' or None, got {language!r}")
    lines = resources.files("companion.news").joinpath("data/items.jsonl").read_text("utf-8")
    # Not splitlines(): it would also cut at U+2028 and other characters a string may hold.
    records = [json.loads(line) for line in lines.split("\n") if line.strip()]
    return [record for record in records if language in (None, record["language"])]


class NewsDataset:
    """News items by number: a list that has checked what it holds.

    items records with at least title, content, summary (text, not blank) and importance (an
    integer from 1, least, to 5, most); further keys are allowed and left out
    `dataset[n]` is a new dictionary with these four keys, so that no reader can change the data.

    `len(dataset)` and `dataset[n]` are all that torch.utils.data.DataLoader asks of a map-style
    dataset, so this class needs no torch.

    Raises KeyError for a missing key, TypeError or ValueError for a value that does not fit or
    an item that occurs twice (same title and content), each naming the item by its number.
    """

    __slots__ = ("_items",)
    _items: tuple[tuple[str, str, int, str], ...]

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        checked: list[tuple[str, str, int, str]] = []
        seen: dict[tuple[str, str], int] = {}
        for number, item in enumerate(items):
            _check_item(number, item)
            first = seen.setdefault((item["title"], item["content"]), number)
            if first != number:
                raise ValueError(
                    f"items[{number}]: expected items that differ, got the title and content "
                    f"of items[{first}] again"
                )
            checked.append((item["title"], item["content"], item["importance"], item["summary"]))
        object.__setattr__(self, "_items", tuple(checked))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: a NewsDataset cannot be changed; build another")

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Item `index`, counted from 0. Negative numbers are refused: they hide off-by-one errors.

        Raises TypeError if index is not an integer, IndexError outside 0 to len - 1.
        """
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"index: expected an integer, got {type(index).__name__}")
        if not 0 <= index < len(self):
            raise IndexError(f"index: expected 0 to {len(self) - 1}, got {index}")
        return dict(zip(KEYS, self._items[index], strict=True))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"NewsDataset of {len(self)} items"


def _check_item(number: int, item: Mapping[str, Any]) -> None:
    where = f"items[{number}]"
    if not isinstance(item, Mapping):
        raise TypeError(f"{where}: expected a mapping, got {type(item).__name__}")
    missing = [key for key in KEYS if key not in item]
    if missing:
        raise KeyError(f"{where}: expected the key {missing[0]!r}, got {sorted(map(str, item))}")
    for key in TEXT_KEYS:
        if not isinstance(item[key], str):
            raise TypeError(f"{where}[{key!r}]: expected str, got {type(item[key]).__name__}")
        if not item[key].strip():
            raise ValueError(f"{where}[{key!r}]: expected text, got {item[key]!r}")
    importance = item["importance"]
    if isinstance(importance, bool) or not isinstance(importance, int):
        raise TypeError(
            f"{where}['importance']: expected an integer, got {type(importance).__name__}"
        )
    if importance not in IMPORTANCE:
        raise ValueError(f"{where}['importance']: expected 1 to 5, got {importance}")
