"""What leaves the book: descriptions, cards, launch buttons, the sitemap, workflows and the PDF.

A book of two pages is built with our settings, with and without addresses.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import builder
import nbformat
import pytest
import yaml
from docutils import nodes
from PIL import Image
from sphinx.errors import ConfigError

ROOT = builder.ROOT
SITE, REPOSITORY = "https://site.example/course", "https://github.com/somebody/course"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
sys.path.append(str(builder.BOOK / "_ext"))
import published  # noqa: E402


def small_book(folder, **addresses):
    """Build two pages as the book is built; return the folder of the result."""
    source = folder / "book"
    if not source.exists():
        shutil.copytree(builder.BOOK / "_static", source / "_static")
        (source / "references.bib").touch()
        (source / "_toc.yml").write_text(
            "format: jb-book\nroot: index\nchapters:\n  - file: part/scores\n"
        )
        (source / "part").mkdir()
        for name, text in (
            ("index", "# The start\n\nWhat this <b>book</b> is about: $\\sqrt D$ & more."),
            ("part/scores", '# Scores: "how" to compare\n\nThe *first* paragraph.\n\nThe second.'),
        ):
            new = nbformat.v4
            cells = [new.new_markdown_cell(text), new.new_code_cell("1 + 1")]
            kernel = {
                "kernelspec": {"name": "python3", "display_name": "Python 3"},
                "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            }
            (source / f"{name}.md").write_text(text)
            nbformat.write(new.new_notebook(cells=cells, metadata=kernel), source / f"{name}.ipynb")
    out = folder / ("with" if addresses else "without")
    command = [*builder.COMMAND]
    for flag, value in (("build", source), ("--toc", source / "_toc.yml"), ("--path-output", out)):
        command[command.index(flag) + 1] = str(value)
    environment = {k: v for k, v in os.environ.items() if k not in builder.ADDRESSES} | addresses
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    return small_book(folder, SITE_ADDRESS=f"{SITE}/", REPOSITORY_ADDRESS=REPOSITORY)


@pytest.fixture(scope="module")
def unknown(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("unknown"))


def meta(page):
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', text)
    return {name: html.unescape(content) for name, content in found}


@pytest.mark.slow
def test_pages_say_what_they_are_about(known, unknown):
    for site in (known, unknown):
        tags = meta(site / "part" / "scores.html")
        assert tags["description"] == tags["og:description"] == "The first paragraph."
        assert tags["og:title"].startswith("Scores: ")
        assert tags["og:type"] == "article"
        assert tags["og:site_name"] == "Neurons to Transformers"
        assert meta(site / "index.html")["og:type"] == "website"
        assert "√D & more" in meta(site / "index.html")["description"]


@pytest.mark.slow
def test_addresses_appear_when_they_are_known(known):
    page = (known / "part" / "scores.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{SITE}/part/scores.html"' in page
    tags = meta(known / "part" / "scores.html")
    assert tags["og:url"] == f"{SITE}/part/scores.html"
    assert tags["twitter:card"] == "summary_large_image"
    picture = known / tags["og:image"].removeprefix(f"{SITE}/")
    with Image.open(picture) as image:
        assert image.size == published.CARD
        assert len(image.convert("RGB").getcolors()) > 10, "an empty card"
    assert picture.stat().st_size < 60_000
    facts = json.loads(re.search(r"ld\+json\">(.*?)</script>", page)[1])
    assert facts["url"] == tags["og:url"]
    assert facts["isPartOf"]["url"] == f"{SITE}/"
    places = ElementTree.parse(known / "sitemap.xml").findall(".//{*}loc")
    assert {place.text for place in places} == {f"{SITE}/index.html", f"{SITE}/part/scores.html"}
    assert f"Sitemap: {SITE}/sitemap.xml" in (known / "robots.txt").read_text()


@pytest.mark.slow
def test_launch_and_edit_buttons_appear_when_the_repository_is_known(known):
    page = (known / "part" / "scores.html").read_text(encoding="utf-8")
    inside = "somebody/course"
    for address in (
        f"https://mybinder.org/v2/gh/{inside}/main?urlpath=lab/tree/book/part/scores.ipynb",
        f"https://colab.research.google.com/github/{inside}/blob/main/book/part/scores.ipynb",
        f"{REPOSITORY}/edit/main/book/part/scores.md",
    ):
        assert f'href="{html.escape(address)}"' in page, address
    assert f'href="{REPOSITORY}"' in page
    sources = re.findall(r'src="([^"]+)"', page)
    assert all((known / "part" / source.partition("?")[0]).is_file() for source in sources)
    assert f"git+{REPOSITORY}" in page


@pytest.mark.slow
def test_nothing_hints_at_addresses_that_are_not_known(unknown):
    for name in ("index.html", "part/scores.html"):
        page = (unknown / name).read_text(encoding="utf-8")
        assert not re.search(
            r"canonical|og:url|og:image|ld\+json|mybinder|colab|/edit/", page, re.I
        )
        assert not re.search(r'(?:href|src|content)="(?:https?:)?//', page.split("<article")[0])
    for name in ("sitemap.xml", "robots.txt", "_static/cards"):
        assert not (unknown / name).exists(), name
    assert (unknown / ".nojekyll").exists()


@pytest.mark.slow
def test_a_page_with_code_is_taken_along_and_run(unknown):
    page = (unknown / "part" / "scores.html").read_text(encoding="utf-8")
    assert ".venv/bin/jupyter lab book/part/scores.ipynb" in page
    for ending in ("ipynb", "md"):
        assert f'<a href="../_sources/part/scores.{ending}" download' in page
        original = unknown.parents[2] / "book" / "part" / f"scores.{ending}"
        assert (
            unknown / "_sources" / "part" / f"scores.{ending}"
        ).read_bytes() == original.read_bytes()
    menu = page.split("<article")[0]
    assert re.search(r'<a href="../_sources/part/scores.ipynb" download\s', menu)


def test_an_address_is_an_address(monkeypatch):
    monkeypatch.delenv("SITE_ADDRESS", raising=False)
    assert published.address("SITE_ADDRESS", "https://a.example/b/ ") == "https://a.example/b"
    assert published.address("SITE_ADDRESS", "") == published.address("SITE_ADDRESS", None) == ""
    monkeypatch.setenv("SITE_ADDRESS", "http://c.example")
    assert published.address("SITE_ADDRESS", "https://a.example") == "http://c.example"
    for wrong in ("a.example/b", "ftp://a.example", "https:/a.example"):
        monkeypatch.setenv("SITE_ADDRESS", wrong)
        with pytest.raises(ConfigError, match=r"SITE_ADDRESS.*expected https://"):
            published.address("SITE_ADDRESS", "")


def test_descriptions_are_plain_and_short():
    long = nodes.paragraph("", "", nodes.Text("Divide by "), nodes.math("", r"\sqrt{D}"))
    long += nodes.Text(", \n" + "and so on " * 40)
    text = published.description(nodes.section("", long))
    assert text.startswith("Divide by √D, and so on")
    assert text.endswith(" …")
    assert len(text) <= published.LONGEST
    assert published.description(None) == published.description(nodes.section("")) == ""


MAY = {
    "pages": {
        "build": {"contents": "read", "pages": "read"},
        "deploy": {"pages": "write", "id-token": "write"},
    },
    "weekly": {"newest": {"contents": "read"}, "report": {"issues": "write"}},
}


def test_workflows_call_commands_that_exist_and_may_do_little():
    assert [path.stem for path in WORKFLOWS] == ["pages", "weekly"]
    commands = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    called = set()
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}, path.name
        assert workflow["concurrency"]
        jobs = workflow["jobs"]
        assert {name: job["permissions"] for name, job in jobs.items()} == MAY[path.stem]
        for job in jobs.values():
            runs = [step.get("run", "") for step in job["steps"]]
            if any("make " in run for run in runs):  # printing needs Chinese letters
                assert any("fonts-noto-cjk" in run for run in runs)
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 180
            for step in job["steps"]:
                assert ("uses" in step) != ("run" in step)
                assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1"))
                called |= set(re.findall(r"\bmake ([a-z]+)", step.get("run", "")))
    assert called == {"test", "book", "pdf", "newest"}
    assert called <= set(commands)
    listed = subprocess.run(
        [sys.executable, "make.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = re.findall(r"^    ([a-z]+)\b", listed, re.M)
    assert set(commands) - {"help"} == set(named)


def test_workflows_know_no_address_but_their_own():
    for path in WORKFLOWS:
        assert "://" not in path.read_text(encoding="utf-8"), path.name


def test_drift_names_what_moved(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    make = __import__("make")
    installed = "neurons-to-transformers==0.1.0\n"
    installed += "numpy==3.0\ntorch==2.13.0+cpu\nJinja2==3.1.6\nnew_one==1\nours @ file:///x\n"
    pinned = "# text with a==b\nnumpy==2.4.6\ntorch==2.13.0\njinja2==3.1.6\nnew-two==1\n"
    assert make.drift(installed, pinned) == ["new-one  (new) -> 1", "numpy    2.4.6 -> 3.0"]
    assert make.drift(pinned, pinned) == ["nothing"]


@pytest.mark.parametrize("broken", ["", "tests", "notebooks", "book"])
def test_newest_installs_without_pins_and_reports(monkeypatch, tmp_path, broken, capsys):
    monkeypatch.syspath_prepend(str(ROOT))
    make = __import__("make")
    folder = tmp_path / "_build" / "newest"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    installed = []
    monkeypatch.setenv("BOOK_OUTPUT", "restored afterwards")
    monkeypatch.setattr(make, "VENV", make.VENV)
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "install", installed.append)
    monkeypatch.setattr(make, "suitable_python", lambda: sys.executable)
    monkeypatch.setattr(make.subprocess, "check_output", lambda *_, **__: b"numpy==99.0\n")
    monkeypatch.setattr(make, "run", lambda title, *_: int(title == broken))
    assert make.newest() == (1 if broken else 0)
    assert (f"Failed: {broken}" in capsys.readouterr().err) == bool(broken)
    assert not [command for command in installed if "constraints.txt" in command]
    assert [".[dev]" in command for command in installed].count(True) == 1
    assert re.fullmatch(r"numpy  \S+ -> 99\.0\n", (folder / "drift.txt").read_text())
    assert os.environ["BOOK_OUTPUT"] == str(folder / "site")


def test_the_reading_marks_stay_where_they_are():
    script = (builder.BOOK / "_static" / "progress.js").read_text(encoding="utf-8")
    assert "localStorage" in script
    assert not re.search(r"fetch|XMLHttp|sendBeacon|WebSocket|innerHTML|cookie", script)
