"""The built pages as files: complete, light, from one origin, with links that lead somewhere."""

import gzip
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import builder
import pages
import pytest

pytestmark = pytest.mark.slow

PERMALINKS = Path(__file__).with_name("permalinks.txt").read_text(encoding="utf-8").split()
CHAPTERS = [path.relative_to(pages.BOOK).with_suffix(".html").as_posix() for path in pages.toc()]
MOST_KB = 600  # compressed, of a chapter page with all that it loads
LOADING = {
    "script": "src", "img": "src", "audio": "src", "video": "src", "source": "src",
    "iframe": "src", "embed": "src", "object": "data", "track": "src", "input": "src",
}  # fmt: skip
LOADING_LINKS = {"stylesheet", "preload", "icon", "modulepreload", "manifest", "shortcut"}
DATA = {"application/json", "application/ld+json"}  # types of script that no browser runs
WRITTEN = {"pre", "code", "script", "style", "textarea"}  # shown as it is written
VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
}  # fmt: skip
MARKUP = re.compile(r"\$\$|:::|```|\{(?:ref|doc|term|cite:\w|eq|numref|py:\w+)\}`|\[\]\(")


@pytest.fixture(scope="session", autouse=True)
def site():
    assert builder.build() == 0, "the book does not build"
    return builder.HTML


class Page(HTMLParser):
    """What the tests ask of a page, read in one pass."""

    def __init__(self, name):
        super().__init__()
        self.tags, self.headings, self.texts, self.scripts, self.styles = [], [], [], [], []
        self.open = []  # (tag, whether text inside it is not prose)
        self.feed((builder.HTML / name).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag in VOID:
            return
        inside = bool(self.open) and self.open[-1][1]
        maths = "math" in (attributes.get("class") or "").split()
        self.open.append((tag, inside or tag in WRITTEN or maths))
        if re.fullmatch("h[1-6]", tag) and any(outer == "main" for outer, _ in self.open):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        if any(outer == tag for outer, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        last, written = self.open[-1] if self.open else ("", False)
        if last == "script":
            self.scripts.append((self.tags[-1][1], data))
        elif last == "style":
            self.styles.append(data)
        elif not written and any(outer == "article" for outer, _ in self.open):
            self.texts.append(data)


@cache
def read(name):
    return Page(name)


def all_of(name, tag):
    return [attributes for found, attributes in read(name).tags if found == tag]


def loaded(name):
    """Each address that a page asks for by itself, as written, with the tag that asks."""
    for tag, attributes in read(name).tags:
        address = attributes.get(LOADING.get(tag, ""))
        if address:
            yield address, tag
        if tag == "link" and LOADING_LINKS & set(attributes.get("rel", "").split()):
            yield attributes["href"], tag
        yield from ((url, tag) for url in in_style(attributes.get("style") or ""))
        if attributes.get("srcset"):
            yield from ((part.split()[0], tag) for part in attributes["srcset"].split(","))
    for style in read(name).styles:
        yield from ((url, "style") for url in in_style(style))


def in_style(css):
    urls = re.findall(r"url\(\s*[\"']?([^\"')]+)[\"']?\s*\)", css)
    return [url for url in urls + re.findall(r"@import\s+[\"']([^\"']+)", css)]


def target(name, address):
    """The file that an address on a page means."""
    path = unquote(urlsplit(address).path)
    return (builder.HTML / name).parent / path if path else builder.HTML / name


def built():
    found = (path.relative_to(builder.HTML) for path in builder.HTML.rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in ("_static", "_sources"))


def here(address):
    """Whether an address has neither a scheme nor a host: it works from any folder."""
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc and not address.startswith("/")


def test_every_listed_page_is_built_and_no_other():
    extra = {"genindex.html", "search.html", "py-modindex.html"}
    assert set(CHAPTERS) <= set(built())
    assert set(built()) - set(CHAPTERS) <= extra


def test_permalinks_keep_existing():
    missing = [name for name in PERMALINKS if not (builder.HTML / name).is_file()]
    assert not missing, "readers have linked to these pages"
    assert set(CHAPTERS) <= set(PERMALINKS), "add new pages to tests/permalinks.txt"


def test_no_page_loads_anything_from_elsewhere():
    away = {(n, url[:90]) for n in built() for url, _ in loaded(n)
            if not here(url) and not url.startswith("data:image/")}  # fmt: skip
    assert not away


def test_no_style_sheet_loads_anything_from_elsewhere():
    sheets = list((builder.HTML / "_static").rglob("*.css"))
    assert len(sheets) > 5
    for sheet in sheets:
        for url in in_style(sheet.read_text(encoding="utf-8")):
            assert here(url) or url.startswith("data:image/"), f"{sheet.name}: {url[:90]}"
            if here(url):
                found = sheet.parent / unquote(urlsplit(url).path)
                assert found.is_file(), f"{sheet.name}: {url}"


def test_no_script_stands_in_a_page():
    """So that the policy of the README needs no exception for scripts."""
    for name in built():
        for attributes, body in read(name).scripts:
            assert attributes.get("type") in DATA, f"{name}: {body[:90]}"
        for tag, attributes in read(name).tags:
            assert not [a for a in attributes if a.startswith("on")], f"{name}: {tag}"
            assert not (attributes.get("href") or "").startswith("javascript:"), name


def test_every_page_says_what_it_is_about():
    said = {}
    for name in CHAPTERS:
        tags = {a.get("name") or a.get("property"): a.get("content") for a in all_of(name, "meta")}
        about = tags["description"]
        assert 20 < len(about) <= 200, f"{name}: {about}"
        assert not re.search(r"[\\{}<>$]|\s\s", about), f"{name}: {about}"
        assert tags["og:title"], name
        assert tags["og:description"] == about, name
        said.setdefault(about, name)
    assert len(said) == len(CHAPTERS), "two pages say the same of themselves"


def test_pages_with_code_are_taken_along_as_they_were_executed():
    with_code = 0
    for name in CHAPTERS:
        twin = pages.BOOK / Path(name).with_suffix(".ipynb")
        taken = builder.HTML / "_sources" / Path(name).with_suffix(".ipynb")
        assert taken.read_bytes() == twin.read_bytes(), name
        links = [a for a in all_of(name, "a") if "download" in a]
        files = {target(name, a["href"]).resolve() for a in links}
        assert taken.resolve() in files, name
        if '"cell_type": "code"' in twin.read_text(encoding="utf-8"):
            with_code += 1
            assert taken.with_suffix(".md").resolve() in files, name
            command = f".venv/bin/jupyter lab book/{twin.relative_to(pages.BOOK).as_posix()}"
            assert command in (builder.HTML / name).read_text(encoding="utf-8"), name
    assert with_code > 60


def test_everything_that_a_page_loads_is_there():
    missing = {(n, url) for n in built() for url, _ in loaded(n)
               if here(url) and not target(n, url).is_file()}  # fmt: skip
    assert not missing


def test_every_internal_link_leads_to_a_page_and_a_place_on_it():
    broken = set()
    for name in built():
        for attributes in all_of(name, "a"):
            address, anchor = urldefrag(attributes.get("href") or "")
            if urlsplit(address).scheme:
                continue
            file = target(name, address).resolve()
            lost = anchor and file.suffix == ".html" and file.is_file() and (
                unquote(anchor) not in anchors(file.relative_to(builder.HTML.resolve()).as_posix())
            )  # fmt: skip
            if lost or not file.is_file():
                broken.add((name, attributes["href"]))
    assert not broken


@cache
def anchors(name):
    return {attributes.get("id") for _, attributes in read(name).tags} | {"top"}


def test_every_picture_says_what_it_shows_and_how_large_it_is():
    for name in built():
        for image in all_of(name, "img"):
            source = image["src"]
            assert (image.get("alt") or "").strip(), f"{name}: {source}"
            assert "width" in image or not source.endswith(".png"), f"{name}: {source}"


def test_headings_start_with_one_title_and_skip_no_level():
    for name in built():
        levels = read(name).headings
        assert levels.count(1) == 1, f"{name}: {levels}"
        skips = [(a, b) for a, b in pairwise(levels) if b > a + 1]
        assert not skips, f"{name}: {levels}"


def test_no_raw_markup_is_left():
    for name in CHAPTERS:
        found = [text.strip()[:90] for text in read(name).texts if MARKUP.search(text)]
        assert not found, f"{name}: {found}"
        assert read(name).texts, name


@cache
def size(file):
    """Bytes over the wire: pictures and fonts are compressed already, the rest is by the server."""
    content = file.read_bytes()
    packed = file.suffix in (".png", ".woff", ".woff2", ".jpg")
    return len(content) if packed else len(gzip.compress(content, 6, mtime=0))


def weight(name):
    """A page, the files it names (sounds and late pictures included), and the usual fonts."""
    files = {target(name, url) for url, tag in loaded(name) if here(url) and tag != "audio"}
    fonts = (builder.HTML / "_static").rglob("fa-*.woff")
    if any("mathjax/" in str(file) for file in files):
        folder = builder.HTML / "_static/mathjax/output/chtml/fonts/woff-v2"
        usual = ("Main-Regular", "Math-Italic", "Size1-Regular", "Size2-Regular", "Zero")
        files |= {folder / f"MathJax_{font}.woff" for font in usual}
    return sum(map(size, {builder.HTML / name, *files, *fonts}))


def test_chapter_pages_are_light(record_property):
    weights = {name: weight(name) / 1000 for name in CHAPTERS}
    heaviest = max(weights, key=weights.get)
    record_property("site", f"heaviest page {heaviest}: {weights[heaviest]:.0f} kB compressed")
    heavy = {name: f"{kb:.0f} kB" for name, kb in weights.items() if kb > MOST_KB}
    assert not heavy
    assert min(weights.values()) > 50, "a page without its style sheets would be light too"


def test_the_walks_find_what_they_look_for(tmp_path, monkeypatch):
    """Guards the tests above: a page with one of each fault is found guilty of each."""
    monkeypatch.setattr(builder, "HTML", tmp_path)
    (tmp_path / "bad.html").write_text(
        '<script src="https://a.example/x.js"></script><img srcset="//b.example/y.png 2x">'
        '<p style="background: url(http://c.example/z.png)">$$x$$ and {ref}`y`</p>'
        '<link rel="stylesheet" href="gone.css"><a href="#nowhere">x</a>'
    )
    read.cache_clear()
    anchors.cache_clear()
    addresses = [url for url, _ in loaded("bad.html")]
    assert [here(url) for url in addresses] == [False, False, False, True]
    assert not target("bad.html", "gone.css").is_file()
    assert "nowhere" not in anchors("bad.html")
    assert len(MARKUP.findall("$$x$$ and {ref}`y` and :::{note}")) == 4
    read.cache_clear()
    anchors.cache_clear()
