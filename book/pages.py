"""The pages of the book: which there are, what they cover, which are stale. `make notebooks`.

A page is a MyST text `name.md`, the source that is reviewed, and its executed twin `name.ipynb`,
which is what readers open, what nbval compares and what the book is built from. A twin is stale in
its prose when the text cells differ; it is stale in its code when the code cells differ or when a
file that the code imports from this project has changed since it ran.
"""

import ast
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm import tqdm

from companion.assignments import build

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
SECTIONS = frozenset(f"S{number:02d}" for number in range(51))  # rows of the section map
CORRECTIONS = frozenset(f"E{number:03d}" for number in range(1, 116))  # the errata ledger
CORRECTION_NOTE = re.compile(r"^:{3,}\{admonition\} Corrections? ((?:E\d+(?:, | and )?)+)", re.M)
CELL_TIMEOUT_S = 600


def toc() -> list[Path]:
    """The .md sources of the table of contents, in reading order."""
    contents = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))
    return [(BOOK / name).with_suffix(".md") for name in _names(contents)]


def sources() -> list[Path]:
    """Every .md below book/, listed or not."""
    return sorted(path for path in BOOK.rglob("*.md") if ".ipynb_checkpoints" not in path.parts)


def read(page: Path) -> NotebookNode:
    """The page's text as a notebook without outputs."""
    notebook = jupytext.read(page, fmt="md:myst")
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index}"  # random ids would change the file at every run
    return notebook


def twin(page: Path) -> NotebookNode | None:
    """The page's executed notebook, if there is one."""
    path = page.with_suffix(".ipynb")
    return nbformat.read(path, as_version=4) if path.exists() else None


def code(notebook: NotebookNode) -> list[str]:
    """The sources of the code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def cells(notebook: NotebookNode) -> list[tuple[str, str, dict[str, Any]]]:
    """What of the cells both files must agree on: kind, source, metadata but for run times."""
    return [
        (
            cell.cell_type,
            cell.source,
            {key: value for key, value in cell.metadata.items() if key != "execution"},
        )
        for cell in notebook.cells
    ]


def digest(notebook: NotebookNode, page: Path) -> str:
    """A fingerprint of the code cells and of every file of this project that they reach."""
    fingerprint = hashlib.sha256("\n".join(code(notebook)).encode())
    patterns = notebook.metadata.get("reads", [])
    read_files = {path for pattern in patterns for path in page.parent.glob(pattern)}
    for path in sorted(imported(code(notebook)) | read_files - {page.with_suffix(".ipynb")}):
        fingerprint.update(path.relative_to(ROOT).as_posix().encode())
        fingerprint.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return fingerprint.hexdigest()


def imported(sources: Iterable[str]) -> set[Path]:
    """The files of this project that the code imports, and those that these import, and so on.

    A package that is reached brings its data files (anything but Python) with it.
    """
    tree = ast.parse("\n".join(sources))
    statements = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    found = {path for statement in statements for path in _reached(statement, ROOT, BOOK)}
    packages = {path.parent for path in found if path.name == "__init__.py"}
    return found | {data for package in packages for data in _data_files(package)}


def staleness(page: Path) -> str:
    """'fresh', 'prose' (only text cells differ) or 'code' (must be executed)."""
    notebook, executed = read(page), twin(page)
    if executed is None or code(notebook) != code(executed):
        return "code"
    if executed.metadata.get("digest") != digest(notebook, page):
        return "code"
    return "fresh" if _same(notebook, executed) else "prose"


def refresh(page: Path) -> None:
    """Write the page's .ipynb anew: execute it if its code is stale, else keep its outputs."""
    notebook, executed = read(page), twin(page)
    if staleness(page) == "prose" and executed is not None:
        ran = [cell for cell in executed.cells if cell.cell_type == "code"]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                old = ran.pop(0)
                cell.outputs, cell.execution_count = old.outputs, old.execution_count
                cell.metadata["execution"] = old.metadata.get("execution", {})
        notebook.metadata["language_info"] = executed.metadata.get("language_info", {})
    else:
        NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(page.parent)}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        ).execute()
    notebook.metadata["digest"] = digest(notebook, page)
    _write(page.with_suffix(".ipynb"), notebook)


def seconds(page: Path) -> float:
    """How long the page's cells ran, in seconds, from the times that its notebook recorded."""
    executed = twin(page)
    if executed is None:
        raise FileNotFoundError(f"{page.with_suffix('.ipynb')}: run `make notebooks` first")
    return sum(_cell_seconds(cell.metadata.get("execution", {})) for cell in executed.cells)


def mirrors(page: Path) -> list[str]:
    """The rows of the section map that the page makes work, from its front matter."""
    return list(read(page).metadata.get("mirrors", []))


def corrections(page: Path) -> list[str]:
    """The ids of the corrections that stand in the page, from the titles of their notes."""
    titles = CORRECTION_NOTE.findall(page.read_text(encoding="utf-8"))
    return [found for title in titles for found in re.findall(r"E\d+", title)]


def write_assignments() -> None:
    """Write the learners' page of each assignment anew from its source, where they differ."""
    for file in sorted((ROOT / "companion" / "assignments").glob("*/source.md")):
        page = BOOK / "assignments" / f"{file.parent.name}.md"
        text = build.page(file.read_text(encoding="utf-8"))
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text, encoding="utf-8")


def main() -> int:
    """Bring every stale page up to date; pages that read other pages come last."""
    write_assignments()
    pages = sorted(toc(), key=_reads_others)
    written = 0
    for page in tqdm(pages, desc="pages", unit="page", disable=None):
        state = staleness(page)
        if state == "fresh":
            continue
        written += 1
        tqdm.write(f"{page.relative_to(ROOT)}: {'execute' if state == 'code' else 'prose only'}")
        try:
            refresh(page)
        except CellExecutionError as error:
            print(f"\n{page.relative_to(ROOT)} stopped:\n{error}", file=sys.stderr)
            return 1
    print(f"{written} of {len(pages)} notebooks were stale; all are up to date.")
    return 0


@cache
def _reached(statement: str, *folders: Path) -> frozenset[Path]:
    """The files below `folders` that one import statement brings in. Pages share most of them."""
    found: set[Path] = set()
    ahead = set(_targets(ast.parse(statement), folders))
    while ahead:
        found |= ahead
        ahead = set().union(*(_next(path, *folders) for path in ahead)) - found
    return frozenset(found)


@cache
def _next(path: Path, *folders: Path) -> frozenset[Path]:
    """The files of this project that one of its files names in an import, wherever in it."""
    return frozenset(_targets(ast.parse(path.read_bytes()), folders))


def _targets(tree: ast.AST, folders: Iterable[Path]) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None or node.names[0].name == "*":
                raise ValueError(f"expected whole names, got: {ast.unparse(node)}")
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            for folder in folders:
                yield from _files(folder, name.split("."))


def _files(folder: Path, parts: list[str]) -> Iterator[Path]:
    """The packages on the way to a.b.c, and the module at its end; a name inside it is no file."""
    for depth in range(1, len(parts) + 1):
        place = folder.joinpath(*parts[:depth])
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
            continue
        if place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
        return


def _reads_others(page: Path) -> bool:
    _, front, _ = page.read_text(encoding="utf-8").split("---\n", 2)
    return "reads" in yaml.safe_load(front)


def _names(entry: dict[str, Any] | list[Any]) -> Iterator[str]:
    if isinstance(entry, list):
        for item in entry:
            yield from _names(item)
        return
    for key in ("root", "file"):
        if key in entry:
            yield entry[key]
    for key in ("parts", "chapters", "sections"):
        yield from _names(entry.get(key, []))


@cache
def _data_files(package: Path) -> frozenset[Path]:
    found = set()
    for path in package.rglob("*"):
        if path.suffix in (".py", ".pyc") or not path.is_file():
            continue
        inner = [folder for folder in path.parents if package in folder.parents]
        if not any((folder / "__init__.py").exists() for folder in inner):
            found.add(path)
    return frozenset(found)


def _same(notebook: NotebookNode, executed: NotebookNode) -> bool:
    def front(node: NotebookNode) -> dict[str, Any]:
        return {key: node.metadata.get(key) for key in ("mirrors", "reads", "jupytext")}

    return cells(notebook) == cells(executed) and front(notebook) == front(executed)


def _cell_seconds(times: dict[str, str]) -> float:
    started, ended = times.get("iopub.execute_input"), times.get("shell.execute_reply")
    if not started or not ended:
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _write(path: Path, notebook: NotebookNode) -> None:
    temporary = path.with_suffix(".ipynb.part")
    nbformat.write(notebook, temporary)
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
