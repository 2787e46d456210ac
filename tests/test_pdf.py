"""Four pages printed: the sheets, the bookmarks, the links, what is read and by whom.

pypdf reads what pikepdf wrote and Chromium drew.
"""

import os
import re

import builder
import pdf
import pypdf
import pytest

PAGES = ("index", "attention/scores", "glossary", "references")


@pytest.fixture(scope="module")
def names():
    return [entry for entry in pdf.order() if entry[1] in PAGES]


@pytest.fixture(scope="module")
def printed(names, tmp_path_factory):
    assert builder.build() == 0, "the book does not build"
    output = tmp_path_factory.mktemp("pdf") / "four.pdf"
    try:
        sheets = pdf.make(names, output)
    except pdf.MissingError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    reader = pypdf.PdfReader(output)
    assert sheets == len(reader.pages)
    return reader


@pytest.fixture(scope="module")
def texts(printed):
    return [page.extract_text() for page in printed.pages]


@pytest.mark.slow
def test_sheets_are_numbered_from_the_contents(printed, texts):
    assert 30 < len(texts) < 70
    assert {tuple(map(round, page.mediabox[2:])) for page in printed.pages} == {(595, 842)}
    assert "Contents" in texts[1]
    begins = [
        next(n for n, text in enumerate(texts[2:], 3) if f"\n{title}" in text)
        for title in (
            "Neurons to Transformers\n",
            "Scores: how to compare\n",
            "Glossary\n",
            "References\n",
        )
    ]
    assert begins[0] == 3
    assert texts[1].split()[-4:] == list(map(str, begins))


@pytest.mark.slow
def test_bookmarks_are_the_table_of_contents(printed):
    outline = printed.outline
    parts = [entry.title for entry in outline if not isinstance(entry, list)]
    assert parts == ["Neurons to Transformers", "Glossary", "References"]
    (inside,) = [entries for entries in outline if isinstance(entries, list)][:1]
    titles = [entry.title for entry in inside if not isinstance(entry, list)]
    assert {"An article, corrected in the open", "Scores: how to compare"} <= set(titles)
    below = next(entries for entries in inside if isinstance(entries, list))
    assert "Why 1/√D" in [entry.title for entry in below]
    assert "scores" in printed.pages[printed.get_destination_page_number(below[0])].extract_text()


@pytest.mark.slow
def test_formulas_are_set_and_chinese_is_readable(texts):
    everything = "\n".join(texts)
    assert "注意力" in everything
    assert "�" not in everything
    for raw in (r"\sqrt", r"\(", r"\)", r"\frac", "$$"):
        assert raw not in everything, raw


@pytest.mark.slow
def test_solutions_are_unfolded_and_controls_are_gone(texts):
    everything = "\n".join(texts)
    assert "Solution to" in everything
    assert "Those made of lengths and angles" in everything, "the text of a solution"
    assert "It takes two vectors and gives one number" in everything, "why a choice is right"
    assert everything.count("def scaled_dot_score") == 2, "both tabs"
    for screen in ("Show code cell", "Run this page", "Copy", "Back to top", "I have read"):
        assert screen not in everything, screen


@pytest.mark.slow
def test_links_lead_into_the_book_or_to_the_web(printed):
    places = set(printed.named_destinations)
    inside = outside = 0
    for page in printed.pages:
        for link in (reference.get_object() for reference in page.get("/Annots", [])):
            if "/Dest" in link:
                assert link["/Dest"] in places
                inside += 1
            else:
                assert re.match("https?://", link["/A"]["/URI"]), link["/A"]["/URI"]
                outside += 1
    assert inside > 20
    assert outside > 0


@pytest.mark.slow
def test_the_file_is_tagged_and_says_what_it_is(printed):
    root = printed.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert printed.metadata.title == "Neurons to Transformers"
    assert printed.metadata.author == pdf.settings()["author"]


def test_without_a_browser_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(pdf.MissingError, match="install chromium"):
        pdf.browser_path(str(tmp_path / "none"))
    own = tmp_path / "chrome"
    own.touch()
    assert pdf.browser_path(str(own)) == str(own)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "gone"))
    with pytest.raises(pdf.MissingError, match="CHROMIUM"):
        pdf.browser_path(str(own))


def test_an_unknown_page_is_refused(capsys):
    assert pdf.main(["--pages", "index", "attention/nowhere"]) == 1
    assert "no such pages in _toc.yml: attention/nowhere" in capsys.readouterr().err


def test_headings_become_plain_bookmarks():
    assert pdf.plain(r'Why <span class="math">\(1/\sqrt D\)</span> &amp; <em>not</em>') == (
        "Why 1/√D & not"
    )


def test_ids_and_links_of_pages_do_not_meet(monkeypatch, tmp_path):
    monkeypatch.setattr(builder, "HTML", tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.html").write_text(
        '<article class="bd-article"><h2 id="x">X</h2><a href="#x">1</a>'
        ' <a href="two.html#y">2</a>'
        ' <a href="../three.html">3</a> <a href="https://a.example/#z">4</a>'
        ' <img src="../_images/p.png" loading="lazy"><script>5</script>'
        ' <label for="x" aria-labelledby="x y"></label></article>'
    )
    text = pdf.article("a/one", {"a/one", "a/two"})
    for part in (
        'id="a/one:x"',
        'href="#a/one:x"',
        'href="#a/two:y"',
        'src="../html/_images/p.png"',
        'href="https://a.example/#z"',
        'for="a/one:x"',
        "<a >3</a>",
        'aria-labelledby="a/one:x a/one:y"',
    ):
        assert part in text, part
    assert "lazy" not in text
    assert "script" not in text
