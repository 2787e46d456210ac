"""Print the whole book into one PDF file: `make pdf`, or `python book/pdf.py --pages NAME ...`.

The articles of all built pages are joined into one page, which a Chromium without network typesets
and prints. Then bookmarks are added, and to the contents on which sheet each page begins.
"""

import argparse
import html
import json
import os
import posixpath
import re
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import builder
import pikepdf
import yaml
from playwright.sync_api import Error, Page, sync_playwright
from tqdm import tqdm

OUTPUT = builder.ROOT / "_build" / "neurons-to-transformers.pdf"
ARTICLE = re.compile(r'<article class="bd-article">(.*)</article>', re.S)
TITLE = re.compile(r"<h1>(.*?)<a class=\"headerlink\"", re.S)
HEADING = re.compile(
    r'<section[^>]*? id="([^"]*)"[^>]*>\s*(?:<span[^>]*></span>)*<h2>(.*?)<a class="h', re.S
)
NAMED = re.compile(r'(?<=\s)(id|for|name|aria-controls|aria-labelledby|aria-describedby)="([^"]*)"')
TAG = re.compile(r"<[a-z][^>]*>")
MATHJAX = {"options": {"processHtmlClass": "math", "enableMenu": False}}
ADDRESS = re.compile(r'\b(href|src)="([^"]*)"')
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
STYLES = ("styles/theme", "pydata-sphinx-theme", "pygments", "sphinx-book-theme", "mystnb",
          "exercise", "sphinx-design", "course", "print")  # fmt: skip
PRINTING_S = 1800  # measured: six minutes on two busy cores
MARGIN_PT = 16 / 25.4 * 72  # as in print.css
HELVETICA_DIGIT = 0.556  # width of a digit, in font sizes
LAYOUT = """
@page { size: A4; @bottom-center { content: counter(page); font: 9px sans-serif; } }
@page :first { @bottom-center { content: none; } }
.sheet, .sheets { break-before: page; }
.cover { padding-top: 30%; text-align: center; }
.bd-main .bd-content .bd-article .cover h1:first-of-type { font-size: 3rem; text-align: center; }
.sheets p { margin: 0.15rem 0; }
.sheets p.depth-0 { font-weight: 600; margin-top: 0.5rem; }
.sheets p.depth-1 { padding-left: 1.5rem; }
"""


class PdfError(Exception):
    """A reason why there is no PDF that the user can act upon."""


class MissingError(PdfError):
    """What has to be installed first."""


def settings() -> dict[str, Any]:
    return yaml.safe_load((builder.ROOT / "_config.yml").read_text(encoding="utf-8"))


def order() -> list[tuple[int, str]]:
    """(depth, name) of each page in reading order; the first pages of parts have depth 0."""
    contents = yaml.safe_load((builder.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    found = [(0, contents["root"])]

    def walk(entries: list[dict[str, Any]], depth: int) -> None:
        for entry in entries:
            found.append((depth, entry["file"]))
            walk(entry.get("sections", []), depth + 1)

    walk(contents["chapters"], 0)
    return found


def article(name: str, chosen: set[str]) -> str:
    """What is read on a page, with ids that are its own and links that stay in this book."""
    body = ARTICLE.search((builder.HTML / f"{name}.html").read_text(encoding="utf-8"))
    if body is None:
        raise PdfError(f"{name}.html has no article: build the book anew")

    def own(match: re.Match[str]) -> str:
        values = " ".join(f"{name}:{value}" for value in match[2].split())
        return f'{match[1]}="{values}"'

    def address(match: re.Match[str]) -> str:
        kind, url = match[1], html.unescape(match[2])
        if urlsplit(url).scheme:
            return match[0]
        path, anchor = urldefrag(url)
        place = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(path)))
        if kind == "src":
            return f'src="../html/{html.escape(place)}"'
        other = place.removesuffix(".html") if path else name
        if other not in chosen:
            return ""  # a download, or a page that is only on the screen
        return f'href="#{html.escape(f"{other}:{unquote(anchor)}")}"'

    text = TAG.sub(lambda tag: ADDRESS.sub(address, NAMED.sub(own, tag[0])), body[1])
    text = re.sub(r"<(audio|script)\b.*?</\1>", "", text, flags=re.S)
    return text.replace(' loading="lazy"', "")


def sections(name: str) -> Iterator[tuple[str, str]]:
    """(id, text) of each heading of a page below its title."""
    text = (builder.HTML / f"{name}.html").read_text(encoding="utf-8")
    for anchor, heading in HEADING.findall(text):
        yield f"{name}:{anchor}", plain(heading)


def title(name: str) -> str:
    match = TITLE.search((builder.HTML / f"{name}.html").read_text(encoding="utf-8"))
    return plain(match[1]) if match else name


def plain(markup: str) -> str:
    """The words of a heading; its formulas as near as letters come."""
    text = html.unescape(re.sub(r"<[^>]*>", "", markup))
    text = re.sub(r"\\sqrt\s*\{?(\w)\}?", r"√\1", text)
    return " ".join(re.sub(r"\\[()]|\\(?=\w)|[{}]", "", text).split())


def compose(names: Sequence[tuple[int, str]]) -> str:
    """The one page that is printed."""
    config = settings()
    first = (builder.HTML / "index.html").read_text(encoding="utf-8")
    sheets = re.findall(r'<link[^>]*?href="(_static/[^"?]*\.css)', first)
    styles = "".join(
        f'<link rel="stylesheet" href="../html/{sheet}">'
        for sheet in sheets
        if any(word in sheet for word in STYLES)
    )
    entries = "".join(
        f'<p class="depth-{depth}"><a href="#{name}:">{html.escape(title(name))}</a></p>'
        for depth, name in names
    )
    chosen = {name for _, name in names}
    body = "".join(
        f'<div class="sheet" id="{name}:">{article(name, chosen)}</div>' for _, name in names
    )
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{html.escape(config['title'])}</title>{styles}<style>{LAYOUT}</style></head>"
        f'<body><main class="bd-main"><div class="bd-content"><article class="bd-article">'
        f'<div class="cover"><h1>{html.escape(config["title"])}</h1>'
        f"<p>{html.escape(config['author'])}</p><p>© {html.escape(config['copyright'])}</p></div>"
        f'<nav class="sheets"><h1>Contents</h1>{entries}</nav>{body}</article></div></main>'
        f"<script>window.MathJax = {json.dumps(MATHJAX)}</script>"
        '<script src="../html/_static/mathjax/tex-chtml.js"></script></body></html>'
    )


# Formulas wider than a sheet shrink; what a browser without the font would draw as a box is told.
READY = """async () => {
  await MathJax.startup.promise;
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  const box = (sign) => {
    const paper = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
    const pen = paper.getContext("2d");
    pen.font = "30px sans-serif";
    pen.fillText(sign, 4, 32);
    return paper.toDataURL();
  };
  for (const formula of document.querySelectorAll("mjx-container[display]")) {
    const room = formula.parentElement.clientWidth, wide = formula.scrollWidth;
    if (wide > room) formula.style.fontSize = `${Math.floor(100 * room / wide)}%`;
  }
  const formulas = [...document.querySelectorAll(".math")];
  return {
    chinese: box("学") !== box("\\u{10FFFD}"),
    raw: formulas.filter((formula) => !formula.querySelector("mjx-container")).length,
    wrong: document.querySelectorAll("mjx-merror").length,
    lost: [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src),
  };
}"""


def typeset(page: Page, file: Path) -> None:
    """Open the joined page, and wait until formulas and pictures stand."""
    page.set_viewport_size({"width": 672, "height": 980})  # A4 without its margins
    page.emulate_media(media="print")
    page.goto(file.as_uri(), wait_until="load", timeout=300_000)
    state = page.evaluate(READY)
    if state["raw"] or state["wrong"]:
        raise PdfError(f"{state['raw']} formulas were not typeset, {state['wrong']} are wrong")
    if state["lost"]:
        raise PdfError(f"pictures are missing: {state['lost'][:5]}")
    if not state["chinese"]:
        raise MissingError(
            "no font has Chinese characters: on Debian or Ubuntu install fonts-noto-cjk"
        )


def beginnings(pdf: pikepdf.Pdf) -> dict[str, tuple[int, float]]:
    """(sheet from 0, height on it) for each place that something links to."""
    sheets = {page.obj.objgen: number for number, page in enumerate(pdf.pages)}
    places = {}
    for name, place in pdf.Root.get("/Dests", {}).items():
        places[unquote(name[1:])] = (sheets[place[0].objgen], float(place[3]))
    return places


def finish(pdf: pikepdf.Pdf, names: Sequence[tuple[int, str]], output: Path) -> int:
    """Add bookmarks and what the file says of itself; return the number of sheets."""
    config = settings()
    places = beginnings(pdf)
    with pdf.open_outline() as outline:
        levels = {-1: outline.root}  # depth: where bookmarks below it go
        for depth, name in names:
            sheet, top = places[f"{name}:"]
            item = pikepdf.OutlineItem(title(name), sheet, "XYZ", top=top)
            item.is_closed = True
            levels = {above: place for above, place in levels.items() if above < depth}
            levels[max(levels)].append(item)
            levels[depth] = item.children
            for anchor, heading in sections(name):
                if anchor in places:
                    sheet, top = places[anchor]
                    item.children.append(pikepdf.OutlineItem(heading, sheet, "XYZ", top=top))
    number_contents(pdf, places, range(1, places[f"{names[0][1]}:"][0]))
    with pdf.open_metadata(set_pikepdf_as_editor=False) as about:
        about["dc:title"] = config["title"]
        about["dc:creator"] = [config["author"]]
        about["dc:rights"] = config["copyright"]
        about["dc:language"] = ["en"]
    pdf.Root.PageMode = pikepdf.Name.UseOutlines
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
    part = output.with_suffix(".part")
    pdf.save(part, object_stream_mode=pikepdf.ObjectStreamMode.generate, recompress_flate=True)
    part.replace(output)
    return len(pdf.pages)


def number_contents(
    pdf: pikepdf.Pdf, places: dict[str, tuple[int, float]], contents: Iterable[int]
) -> None:
    """Write beside each link of the contents on which sheet it ends."""
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    for sheet in contents:
        page = pdf.pages[sheet]
        page.Resources.Font["/Numbers"] = font
        right = float(page.MediaBox[2]) - MARGIN_PT
        marks = []
        for link in page.get("/Annots", []):
            number = str(places[unquote(str(link.Dest)[1:])][0] + 1)
            x = right - len(number) * 9 * HELVETICA_DIGIT
            marks.append(f"1 0 0 1 {x:.1f} {float(link.Rect[1]) + 4:.1f} Tm ({number}) Tj")
        # An artifact: who hears the page hears the link, and needs no number.
        text = "Q q /Artifact BMC BT 0.13 g /Numbers 9 Tf\n{}\nET EMC Q".format("\n".join(marks))
        page.contents_add(b"q", prepend=True)  # what Chromium draws upside down stays inside
        page.contents_add(text.encode())


def browser_path(own: str) -> str:
    """A Chromium: the one that CHROMIUM names, Playwright's own, or one of the system."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else [own, *map(shutil.which, BROWSERS)]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    raise MissingError(
        "no Chromium was found: install one (Debian: apt install chromium; everywhere: python -m"
        " playwright install chromium), or set CHROMIUM to the path of yours"
    )


# Debian's Chromium starts a GPU process to paint with, which without a GPU is slow and may hang.
FLAGS = ("--disable-gpu", "--disable-gpu-rasterization")


def give_up() -> None:
    """End this process, and with it the browser that no longer answers."""
    print(f"\npdf.py: Chromium did not print within {PRINTING_S / 60:.0f} minutes", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


def make(names: Sequence[tuple[int, str]], output: Path) -> int:
    """Print these pages; return the number of sheets."""
    with (
        TemporaryDirectory(prefix="pdf-", dir=builder.HTML.parent) as work,
        sync_playwright() as playwright,
        tqdm(total=3, unit="step") as steps,
    ):
        file, draft = Path(work) / "book.html", Path(work) / "draft.pdf"
        try:
            browser = playwright.chromium.launch(
                executable_path=browser_path(playwright.chromium.executable_path),
                args=FLAGS,  # no sandbox, which Ubuntu and root refuse: these are our own files
            )
        except Error as error:
            raise PdfError(f"Chromium does not start: {error}") from error
        page = browser.new_context(offline=True).new_page()
        steps.set_description("joining the pages, setting the formulas")
        file.write_text(compose(names), encoding="utf-8")
        watch = threading.Timer(PRINTING_S, give_up)  # Playwright has no time limit for these
        watch.daemon = True
        watch.start()
        try:
            typeset(page, file)
            steps.update()
            steps.set_description("printing")
            page.pdf(path=draft, prefer_css_page_size=True, print_background=True, tagged=True)
        except Error as error:  # it crashed, most likely for want of memory
            raise PdfError(f"Chromium gave up: {str(error).splitlines()[0]}") from error
        finally:
            watch.cancel()
        browser.close()
        steps.update()
        steps.set_description("adding bookmarks and page numbers")
        with pikepdf.open(draft) as pdf:
            sheets = finish(pdf, names, output)
        steps.update()
    return sheets


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pdf.py", description="Print the book into a PDF file.")
    parser.add_argument("--pages", nargs="+", metavar="NAME", help="these only, as in _toc.yml")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the file to write")
    options = parser.parse_args(arguments)
    names = [entry for entry in order() if not options.pages or entry[1] in options.pages]
    unknown = set(options.pages or ()) - {name for _, name in names}
    try:
        if unknown:
            raise PdfError(f"no such pages in _toc.yml: {', '.join(sorted(unknown))}")
        if builder.build():
            raise PdfError("the book did not build: the warnings above say where")
        sheets = make(names, options.output)
    except PdfError as stop:
        print(f"pdf.py: {stop}", file=sys.stderr)
        return 1
    print(f"{options.output}: {sheets} pages, {options.output.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
