"""Guards for what nbval lets pass: a page never run, skipped, unlisted, unlike its source.

nbval itself (run by `make test`) compares the outputs; these tests make sure there is something to
compare, and that it belongs to the text that is reviewed.
"""

import importlib
import re
from collections import Counter

import nbformat
import pages
import pytest
import yaml

LISTED = pages.toc()
NAMES = [path.relative_to(pages.BOOK).as_posix() for path in LISTED]
SKIPS = ("NBVAL_SKIP", "NBVAL_IGNORE_OUTPUT", "nbval-skip")
EQUATION = re.compile(r"\$\$ \((eq-[\w-]+)\)\s*\n\s*(.*)")  # its label, what follows it
CODE_WIDTH = 100  # characters, as everywhere in the project


@pytest.fixture(params=LISTED, ids=NAMES)
def page(request):
    return request.param


def executed(page):
    notebook = pages.twin(page)
    assert notebook is not None, f"{page}: no executed notebook; run `make notebooks`"
    return notebook


def code_cells(page):
    return [cell for cell in executed(page).cells if cell.cell_type == "code"]


def test_contents_list_every_page_once():
    repeated = [path for path, count in Counter(LISTED).items() if count > 1]
    assert not repeated
    assert set(LISTED) == set(pages.sources()), "pages and _toc.yml differ"


def test_every_notebook_is_a_listed_page():
    notebooks = {
        path.with_suffix(".md")
        for path in pages.BOOK.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    }
    assert notebooks == set(LISTED)


def test_notebook_is_valid_and_was_run_top_to_bottom(page):
    nbformat.validate(executed(page))
    counts = [cell.execution_count for cell in code_cells(page)]
    assert counts, f"{page}: a page has at least one code cell"
    assert counts == list(range(1, len(counts) + 1))


def test_notebook_belongs_to_its_source(page):
    assert pages.staleness(page) == "fresh", "run `make notebooks`, look at the result, commit it"


def test_no_cell_is_skipped(page):
    for cell in code_cells(page):
        found = [mark for mark in SKIPS if mark.lower() in cell.source.lower()]
        assert not found, f"{found} in\n{cell.source}"
        assert not {"nbval-skip", "skip-execution"} & set(cell.metadata.get("tags", []))


def test_uncompared_output_has_an_assertion(page):
    for cell in code_cells(page):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            assert re.search(r"^\s*assert ", cell.source, re.M), cell.source


def test_exception_tag_if_and_only_if_an_error_is_stored(page):
    for cell in code_cells(page):
        tagged = "raises-exception" in cell.metadata.get("tags", [])
        stored = any(output.output_type == "error" for output in cell.outputs)
        assert tagged == stored, cell.source


def test_no_warning_is_stored(page):
    for cell in code_cells(page):
        streams = [output for output in cell.outputs if output.get("name") == "stderr"]
        assert not streams, cell.source


def test_every_figure_has_alt_text(page):
    for cell in code_cells(page):
        pictures = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert len(pictures) <= 1, "one figure a cell, so that its alt text is its own"
        assert not pictures or len(alt.split()) >= 6, f"alt text says what is seen:\n{cell.source}"


def test_code_lines_are_short(page):
    for cell in code_cells(page):
        long = [line for line in cell.source.splitlines() if len(line) > CODE_WIDTH]
        assert not long, long


def test_coverage_names_known_ids_only(page):
    assert set(pages.mirrors(page)) <= pages.SECTIONS
    assert set(pages.corrections(page)) <= pages.CORRECTIONS


def test_how_much_of_the_article_is_covered(record_property):
    rows = {row for page in LISTED for row in pages.mirrors(page)}
    notes = {note for page in LISTED for note in pages.corrections(page)}
    record_property(
        "covered",
        f"rows {len(rows)} of {len(pages.SECTIONS)}, "
        f"corrections {len(notes)} of {len(pages.CORRECTIONS)}",
    )
    assert rows
    assert notes


def test_every_correction_note_carries_an_id(page):
    text = page.read_text(encoding="utf-8")
    notes = re.findall(r"^(:{3,})\{admonition\}.*\n(?:.*\n)??:class:.*\bcorrection\b", text, re.M)
    titled = pages.CORRECTION_NOTE.findall(text)
    assert len(notes) == len(titled), "a correction is titled 'Correction E012: ...'"


def test_unknown_ids_are_found_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(":::{admonition} Corrections E001 and E999: x\n:class: correction\n:::\n")
    assert set(pages.corrections(page)) - pages.CORRECTIONS == {"E999"}


def test_every_numbered_equation_names_its_function_or_says_why_not(page):
    for label, following in EQUATION.findall(page.read_text(encoding="utf-8")):
        assert following.startswith(("Code: ", "No code: ")), f"{label}: followed by {following!r}"
        if following.startswith("No code: "):
            assert len(following.split()) >= 5, f"{label}: a reason, not {following!r}"
            continue
        names = re.findall(r"\{py:(?:func|class|meth|data)\}`~?([\w.]+)`", following)
        assert names, f"{label}: no function in {following!r}"
        for name in names:
            module, _, attribute = name.rpartition(".")
            assert callable(getattr(importlib.import_module(module), attribute)), name


def test_the_walk_over_equations_finds_them():
    found = EQUATION.findall("$$\na = b\n$$ (eq-x)\n\nCode: y\n$$ c $$ (eq-z)\nwords\n")
    assert found == [("eq-x", "Code: y"), ("eq-z", "words")]
    assert sum(len(EQUATION.findall(page.read_text(encoding="utf-8"))) for page in LISTED) >= 1


def test_self_tests_explain_every_choice(page):
    text = page.read_text(encoding="utf-8")
    questions = re.findall(r"^:::\{selftest\} (.+)\n((?:(?!:::).*\n)+):::", text, re.M)
    assert len(questions) == text.count("{selftest}")
    for question, body in questions:
        marks = re.findall(r"^- \[([ x])\] \S.*\n  \S", body, re.M)
        assert len(marks) == len(re.findall(r"^- ", body, re.M)) >= 3, question
        assert 1 <= marks.count("x") < len(marks), question
    assert not questions or len(questions) >= 5, "a self-test has five questions or more"


@pytest.mark.parametrize(
    ("chapter", "least"),
    [("background", 3), ("brain", 3), ("network", 3), ("attention", 4), ("transformer", 4)],
)
def test_chapter_pages_have_exercises_with_solutions_and_a_self_test(chapter, least):
    for page in LISTED:
        maps = page.name == "index.md" and chapter in ("attention", "transformer")
        if page.parent.name != chapter or maps:  # a map of a chapter teaches nothing itself
            continue
        text = page.read_text(encoding="utf-8")
        exercises = re.findall(r"^```\{exercise-start\}.*\n:label: (\S+)", text, re.M)
        solutions = re.findall(r"^```\{solution-start\} (\S+)\n:class: dropdown", text, re.M)
        assert len(exercises) >= least, page
        assert exercises == solutions, page
        assert text.count(":::{selftest}") >= 5, page
        assert ":class: goals" in text, page


def test_trained_figure_with_controls_has_an_assertion(page):
    for cell in code_cells(page):
        stored = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        if 'data-exact="no"' in stored:
            assert re.search(r"^\s*assert ", cell.source, re.M), cell.source


def test_settings_keep_notebooks_as_the_only_source_of_the_book():
    config = yaml.safe_load((pages.ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"
    assert {"*.md", "**/*.md"} <= set(config["exclude_patterns"])


@pytest.mark.slow
def test_a_change_of_code_prose_or_imported_file_makes_a_page_stale(tmp_path, monkeypatch):
    package = tmp_path / "room"
    package.mkdir()
    (package / "__init__.py").write_text("from room.table import NUMBER\n")
    (package / "table.py").write_text("NUMBER = 1\n")
    (package / "other.py").write_text("unrelated = 1\n")
    (package / "data.txt").write_text("1\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "BOOK", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    page = tmp_path / "page.md"
    head = "---\nkernelspec: {display_name: Python 3, language: python, name: python3}\n---\n"
    cell = "```{code-cell} ipython3\nimport room\nprint(room.NUMBER)\n```\n"
    page.write_text(f"{head}\n# One\n\n{cell}")
    assert pages.staleness(page) == "code"
    pages.refresh(page)
    assert pages.staleness(page) == "fresh"
    assert pages.seconds(page) > 0

    page.write_text(f"{head}\n# Another\n\n{cell}")
    assert pages.staleness(page) == "prose"
    before = pages.twin(page).cells[1]
    pages.refresh(page)
    assert pages.staleness(page) == "fresh"
    assert pages.twin(page).cells[1] == before, "a prose edit keeps the outputs"
    assert "Another" in pages.twin(page).cells[0].source

    (package / "other.py").write_text("unrelated = 2\n")
    assert pages.staleness(page) == "fresh", "a file that the page does not import"
    for name, text in (("table.py", "NUMBER = 2\n"), ("data.txt", "2\n")):
        (package / name).write_text(text)
        assert pages.staleness(page) == "code", name
        pages.refresh(page)
    assert pages.twin(page).cells[1].outputs[0].text == "2\n"
