"""Whom the package names, the book lists: each "Author YEAR" has a record in references.bib.

Docstrings name papers as `Vaswani et al. 2017`, `Press & Wolf 2017` or `Lin 2004`; comments too.
A record fits if its first author's surname and its year are those named.
"""

import ast
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from pybtex.database import parse_file

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "book" / "references.bib"
FILES = sorted((ROOT / "companion").rglob("*.py"))

NAME = r"[A-Z][^\W\d_]+(?:[-'][^\W\d_]+)*"
CITED = re.compile(rf"({NAME})(?: et al\.| & {NAME})? \(?((?:18|19|20)\d\d)\b")

Source = tuple[str, str]  # surname of the first author, year


def cited(text: str) -> set[Source]:
    """The papers named in a text, whatever its line breaks."""
    return set(CITED.findall(" ".join(text.split())))


@cache
def prose(path: Path) -> str:
    """Every docstring of a file, private ones included, and its comments."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    parts = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, documented)]
    with tokenize.open(path) as lines:
        tokens = list(tokenize.generate_tokens(lines.readline))
    comments = [token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT]
    return "\n\n".join([*parts, " ".join(comments)])


def people(entry) -> list:
    """The authors of a record, or, of a collection, its editors."""
    return entry.persons.get("author") or entry.persons.get("editor") or []


@cache
def listed() -> set[Source]:
    """First author's surname and year of each record; accents as letters, not as LaTeX."""
    firsts = [
        (people(entry)[0], entry.fields["year"]) for entry in parse_file(RECORDS).entries.values()
    ]
    return {(" ".join(map(str, who.rich_last_names)), year) for who, year in firsts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eq. 1 of Vaswani et al. 2017, there", {("Vaswani", "2017")}),
        ("Press & Wolf\n    2017; Shazeer 2019.", {("Press", "2017"), ("Shazeer", "2019")}),
        ("McCulloch & Pitts (1943), Pérez et al. 2021", {("McCulloch", "1943"), ("Pérez", "2021")}),
        ("the block of 2017 with 2048 units; E17-2025", set()),
    ],
)
def test_reads_the_forms_in_which_papers_are_named(text: str, expected: set[Source]) -> None:
    assert cited(text) == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_paper_has_a_record(path: Path) -> None:
    missing = cited(prose(path)) - listed()
    assert not missing, f"no record in {RECORDS.name} for {sorted(missing)}"


def test_the_package_names_its_sources() -> None:
    """Guards the test above: a pattern that finds nothing would find nothing missing."""
    everywhere = set().union(*(cited(prose(path)) for path in FILES))
    assert len(everywhere) >= 50
    assert {("Vaswani", "2017"), ("Hodgkin", "1952"), ("Press", "2022")} <= everywhere


def test_no_two_records_share_a_key() -> None:
    """Read from the text: case aside, since BibTeX and Sphinx do not tell A2017 from a2017."""
    keys = re.findall(r"^\s*@\w+\s*\{\s*([^,\s]+)", RECORDS.read_text(encoding="utf-8"), re.M)
    twice = [key for key, count in Counter(map(str.lower, keys)).items() if count > 1]
    assert not twice
    assert len(keys) == len(parse_file(RECORDS).entries)


def test_each_record_has_author_title_and_year() -> None:
    for key, entry in parse_file(RECORDS).entries.items():
        assert people(entry), f"{key}: no author and no editor"
        assert entry.fields.get("title", "").strip(), f"{key}: no title"
        assert re.fullmatch(r"\d{4}", entry.fields.get("year", "")), f"{key}: no year"


def test_every_record_is_cited_and_every_citation_has_a_record() -> None:
    book = RECORDS.parent
    pages = [*book.glob("*.md"), *book.glob("*/*.md")]
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    keys = {k for found in re.findall(r"\{cite:\w+\}`([^`]+)`", text) for k in found.split(",")}
    records = set(parse_file(RECORDS).entries)
    assert keys - records == set(), "cited without a record"
    assert records - keys == set(), "recorded and never cited"


def test_no_work_is_recorded_twice() -> None:
    works = Counter(
        (re.sub(r"\W", "", entry.fields["title"]).lower(), tuple(map(str, people(entry))))
        for entry in parse_file(RECORDS).entries.values()
    )
    assert [work for work, count in works.items() if count > 1] == []
