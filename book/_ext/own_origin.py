"""Sphinx extension: the finished pages ask nobody but their own folder, and for little.

After the build each page is rewritten once, so that it works from a USB stick, under a sub-path
and under the Content-Security-Policy that the README states (no script inside the page):

- what the theme brings for kernels on other people's servers goes, and what it loads twice;
- scripts inside pages move to files, and so do sounds, which then load when they are played;
- icons come from a font cut down to those in use (of 1.5 MB of script, a few kB are needed);
- pages other than the search page do not load the search index, pages without formulas no MathJax;
- the second title goes, which the theme keeps for paper, above the title that paper shows anyway;
- what is only an icon gets a name for those who hear the page;
- pictures keep their 256 most used colours and load when the reader comes near.

Every step leaves alone what it has done already: a build may rewrite only the changed pages.
"""

import base64
import hashlib
import logging
import re
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

SCRIPT = re.compile(r"[ \t]*<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>\n?", re.S)
SOUND = re.compile(r'src="data:audio/(?P<kind>\w+);base64,(?P<data>[^"]+)"')
THEBE = re.compile(r"[ \t]*<link\b[^>]*sphinx-thebe\.css[^>]*>\n?")
PICTURE = re.compile(r'<img\b[^>]*?\bsrc="(?!data:)([^"]*)"[^>]*>')
PRINTED = re.compile(r'<div id="jb-print-docs-body".*?(?=<div id="searchbox">)', re.S)
OPENER = re.compile(r"((?<=>)([^<>]*)</a><details[^>]*>)<summary>")
VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>')
KERNEL = ("THEBE_JS_URL", "kernelName =", "pagename =")  # words of scripts that nothing here needs
UNUSED = ("sphinx-thebe", "scripts/fontawesome.js")
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
CLICKS = {"toggleFullScreen()": "fullscreen", "window.print()": "print"}  # see page.js
DOWNLOAD = re.compile(
    r'(<a href="[^"]*") target="_blank"(?=\s+class="btn btn-sm btn-download-source)'
)
CODE_POINT = r"\\(f[0-9a-f]{3})\b"


def finish(app: Any, error: Exception | None) -> None:
    """Rewrite all that was built."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = sorted(path for path in out.rglob("*.html") if "_static" not in path.parts)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        rewritten = rewrite(text, path, out)
        if rewritten != text:
            path.write_text(rewritten, encoding="utf-8")
    cut_icons(out, pages)
    for picture in (out / "_images").glob("*.png"):
        fewer_colours(picture)
    for unused in ("sphinx-thebe.js", "sphinx-thebe.css", "scripts/fontawesome.js"):
        (out / "_static" / unused).unlink(missing_ok=True)
    for left in (out / "_static").rglob("*.map"):
        left.unlink()


def rewrite(text: str, path: Path, out: Path) -> str:
    """A page as it is served."""
    up = "../" * (len(path.relative_to(out).parts) - 1)
    seen: set[str] = set()
    maths = 'class="math' in text or "text_latex" in text

    def script(match: re.Match[str]) -> str:
        attributes, body = match["attributes"], match["body"].strip()
        source = re.search(r'\bsrc="([^"]*)"', attributes)
        if "application/json" in attributes or "application/ld+json" in attributes:
            return match[0]  # data, which no browser runs
        if not source:
            if "text/x-thebe" in attributes or any(word in body for word in KERNEL):
                return ""
            name = _kept(body.encode() + b"\n", "js", out)
            key, moved = name, f'    <script src="{up}{name}"></script>\n'
        else:
            key, moved = source[1].partition("?")[0], match[0]
            if any(word in key for word in UNUSED):
                return ""
            if "mathjax/" in key and not maths:
                return ""
            if path.name != "search.html" and key.endswith(SEARCH):
                return ""
        if key in seen:
            return ""
        seen.add(key)
        return moved

    def sound(match: re.Match[str]) -> str:
        name = _kept(base64.b64decode(match["data"]), match["kind"], out)
        return f'src="{up}{name}"'

    text = PRINTED.sub("", SCRIPT.sub(script, text))
    text = SOUND.sub(sound, THEBE.sub("", text))
    text = re.sub(r"<audio(?![^>]*preload)", '<audio preload="none"', text)
    _, *others = VIEWPORT.findall(text) or [""]
    for _ in others:
        place = text.rindex('<meta name="viewport"')
        text = text[:place] + text[text.index(">", place) + 1 :]
    for code, action in CLICKS.items():
        text = text.replace(f'onclick="{code}"', f'data-click="{action}"')
    text = DOWNLOAD.sub(r"\1 download", text)
    # Names for what is only an icon; no roles that the standard for accessibility has given up.
    text = OPENER.sub(r'\1<summary aria-label="Pages under \2">', text)
    text = text.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    text = re.sub(r'(<div class="citation"[^>]*) role="doc-biblioentry"', r"\1", text)
    return PICTURE.sub(Pictures(path.parent), text)


class Pictures:
    """Gives each picture its size, so that nothing jumps; all but the first load late."""

    def __init__(self, folder: Path):
        self.folder, self.count = folder, 0

    def __call__(self, match: re.Match[str]) -> str:
        self.count += 1
        tag, source = match[0], match[1]
        more = "" if "loading=" in tag or self.count == 1 else ' loading="lazy"'
        if "width=" not in tag and source.endswith(".png"):
            with Image.open(self.folder / source) as picture:
                more += ' width="{}" height="{}"'.format(*picture.size)
        return tag.replace("<img", f"<img{more}", 1)


def _kept(content: bytes, kind: str, out: Path) -> str:
    """The name, from the site's root, of a file with this content."""
    name = f"_static/kept/{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
    (out / "_static" / "kept").mkdir(exist_ok=True)
    (out / name).write_bytes(content)
    return name


def cut_icons(out: Path, pages: list[Path]) -> None:
    """Keep of the icon fonts the icons that pages, scripts and style sheets name."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    style = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    css = style.read_text(encoding="utf-8")
    rules = re.findall(r'((?:\.fa-[\w-]+:(?:before|after),?)+)\{content:"\\(f[0-9a-f]{3})"\}', css)
    points = {
        name: int(point, 16)
        for names, point in rules
        for name in re.findall(r"fa-[\w-]+", names)
    }  # fmt: skip
    named = set()
    scripts = [path for path in (out / "_static").rglob("*.js") if "mathjax" not in path.parts]
    for path in [*pages, *scripts]:
        named |= set(re.findall(r"\bfa-[\w-]+", path.read_text(encoding="utf-8")))
    wanted = {points[name] for name in named & set(points)}
    wanted |= {ord(c) for value in re.findall(r'--pst-icon-[\w-]+:"(.)"', css) for c in value}
    for other in (out / "_static").rglob("*.css"):
        if other != style:
            found = re.findall(CODE_POINT, other.read_text(encoding="utf-8"))
            wanted |= {int(point, 16) for point in found}
    folder = out / "_static" / "vendor" / "fontawesome" / "webfonts"
    for full in folder.glob("*.ttf"):
        font = TTFont(full)
        options = subset.Options(notdef_outline=True, layout_features=[])
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted & set(font.getBestCmap()))
        cutter.subset(font)
        font.flavor = "woff"
        font.save(full.with_suffix(".woff"))
        full.unlink()
        full.with_suffix(".woff2").unlink(missing_ok=True)
    font_files = r"url\((\S+?)\.woff2\) format\(\"woff2\"\),url\(\S+?\.ttf\) format\(\"truetype\"\)"
    style.write_text(re.sub(font_files, r'url(\1.woff) format("woff")', css), encoding="utf-8")


def fewer_colours(path: Path) -> None:
    """Store a picture with a palette if that is smaller."""
    with Image.open(path) as picture:
        if picture.mode == "P":
            return
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    small = path.with_suffix(".small")
    flat.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        small, "PNG", optimize=True
    )
    if small.stat().st_size < path.stat().st_size:
        small.replace(path)
    else:
        small.unlink()


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
