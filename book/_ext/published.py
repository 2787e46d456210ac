"""Sphinx extension: what a page says of itself elsewhere, and what its reader takes along.

Every page gets a description, and cards for those who link to it; a page with code ends with how to
run it. What needs an address appears when there is one, and not before:

- the site's, html.baseurl in _config.yml or SITE_ADDRESS: canonical links, pictures on cards,
  structured data, sitemap.xml and robots.txt;
- the repository's, repository_url in _config.yml or REPOSITORY_ADDRESS: the buttons for Binder,
  Colab, the source and corrections to it.
"""

import html
import json
import os
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import matplotlib
from docutils import nodes
from PIL import Image, ImageDraw, ImageFont
from sphinx.errors import ConfigError

LONGEST = 200  # letters of a description: about what search engines show
CARD = (1200, 630)
INKS = (
    "#00224e",
    "#35456c",
    "#666970",
    "#948e77",
    "#c8b866",
    "#fee838",
)  # cividis, as figures have
LAUNCH = ("binderhub_url", "colab_url")
BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def configure(app: Any, config: Any) -> None:
    """Take the two addresses from the settings or the environment."""
    site = address("SITE_ADDRESS", config.html_baseurl)
    config.html_baseurl = f"{site}/" if site else ""
    theme = dict(config.html_theme_options)
    theme["repository_url"] = address("REPOSITORY_ADDRESS", theme.get("repository_url"))
    known = bool(theme["repository_url"])
    theme |= dict.fromkeys(BUTTONS, known)
    if not known:
        launch = theme.get("launch_buttons", {})
        theme["launch_buttons"] = {key: launch[key] for key in launch if key not in LAUNCH}
    config.html_theme_options = theme


def address(variable: str, setting: str | None) -> str:
    """An address without the slash at its end, or nothing."""
    found = (os.environ.get(variable) or setting or "").strip().rstrip("/")
    parts = urlsplit(found)
    if found and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise ConfigError(f"{variable} or _config.yml: expected https://..., got {found!r}")
    return found


def describe(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Put into a page's head what it is about."""
    site, book = app.config.html_baseurl, app.config.html_title
    title = re.sub("<[^>]*>", "", html.unescape(context.get("title") or book))
    about = description(tree) or f"{title}: a page of the open course {book}."
    tags = {
        "description": about,
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": book,
        "og:title": title,
        "og:description": about,
        "og:locale": "en_GB",
        "twitter:card": "summary_large_image" if site else "summary",
    }
    if site and tree is not None:
        picture = card(title, book, Path(app.outdir), page)
        tags |= {
            "og:url": f"{site}{page}.html",
            "og:image": f"{site}{picture}",
            "og:image:width": str(CARD[0]),
            "og:image:height": str(CARD[1]),
            "og:image:alt": f"{title}: {book}",
        }
    lines = [
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}"'
        f' content="{html.escape(content)}" />'
        for name, content in tags.items()
    ]
    if site and tree is not None:
        facts = {
            "@context": "https://schema.org",
            "@type": "LearningResource",
            "name": title,
            "description": about,
            "url": f"{site}{page}.html",
            "inLanguage": "en",
            "isAccessibleForFree": True,
            "license": LICENCE,
            "isPartOf": {"@type": "Course", "name": book, "url": site},
        }
        text = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
        lines.append(f'<script type="application/ld+json">{text}</script>')
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def description(tree: nodes.document | None) -> str:
    """The first paragraph of a page, up to the end of a sentence or word that still fits."""
    first = next(iter(tree.findall(nodes.paragraph)), None) if tree else None
    text = " ".join(words(first).split()) if first is not None else ""
    if len(text) > LONGEST:
        text = textwrap.shorten(text, LONGEST, placeholder=" …")
    return text


def words(node: nodes.Node) -> str:
    """The text of a node; its formulas as near as plain letters come."""
    if isinstance(node, nodes.math):
        text = re.sub(r"\\sqrt\s*\{?(\w+)\}?", r"√\1", node.astext())
        return re.sub(r"\\(?:text|mathrm|mathbf|operatorname)|\\(?=\w)|[{}]|\\[,;! ]", "", text)
    if isinstance(node, nodes.Text):
        return node.astext()
    return "".join(map(words, node.children))


def card(title: str, book: str, out: Path, page: str) -> str:
    """Draw the picture that stands beside a link to a page; return its place in the site."""
    name = f"_static/cards/{page.replace('/', '-')}.png"
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    picture = Image.new("RGB", CARD, "white")
    pen = ImageDraw.Draw(picture)
    large = ImageFont.truetype(str(fonts / "DejaVuSans-Bold.ttf"), 72)
    small = ImageFont.truetype(str(fonts / "DejaVuSans.ttf"), 40)
    pen.text((80, 80), book, font=small, fill="#48566b")
    lines = textwrap.wrap(title, 24, max_lines=4, placeholder=" …")
    pen.multiline_text((80, 190), "\n".join(lines), font=large, fill="#222832", spacing=20)
    for place in range(24):  # a row of weights, dark to light
        left = place * CARD[0] // 24
        pen.rectangle((left, 590, left + 50, 630), fill=INKS[place * 7 % len(INKS)])
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(32).save(path, "PNG", optimize=True)
    return name


def offer(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Say under a page with code how to run it, and lead corrections to the text, not its twin."""
    for button in [
        b for group in context.get("header_buttons", []) for b in group.get("buttons", [group])
    ]:
        if button.get("label") == "source-edit-button":
            button["url"] = re.sub(r"\.ipynb$", ".md", button["url"])
    if tree is None or not any("cell" in box["classes"] for box in tree.findall(nodes.container)):
        return
    up = "../" * page.count("/") + "_sources/"
    repository = app.config.html_theme_options["repository_url"]
    colab = (
        "<p>On Colab, run this first:</p>"
        + lines(f'%pip install "neurons-to-transformers[book] @ git+{repository}"')
        if repository
        else ""
    )
    context["body"] += (
        '<div class="run-page"><p><strong>Run this page.</strong> Download the '
        f'<a href="{up}{page}.ipynb" download>executed notebook</a> or its '
        f'<a href="{up}{page}.md" download>text</a>; or, after <code>make book</code> in the folder'
        " of the course:</p>"
        + lines(
            ".venv/bin/python -m pip install jupyterlab",
            f".venv/bin/jupyter lab book/{page}.ipynb",
        )
        + f"{colab}</div>"
    )


def lines(*commands: str) -> str:
    """Commands in a box that can be copied."""
    text = html.escape("\n".join(commands), quote=False)
    box = f'<div class="highlight"><pre>{text}</pre></div>'
    return f'<div class="highlight-sh notranslate">{box}</div>'


def accompany(app: Any, error: Exception | None) -> None:
    """Write the files that stand beside the pages."""
    if error or app.builder.format != "html":
        return
    out, site = Path(app.outdir), app.config.html_baseurl
    (out / ".nojekyll").touch()  # else GitHub Pages would leave out folders with an underscore
    for page in app.env.found_docs:
        text = Path(app.srcdir) / f"{page}.md"
        if text.is_file():
            copy = out / "_sources" / f"{page}.md"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, copy)
    sitemap, robots = out / "sitemap.xml", out / "robots.txt"
    if not site:
        for left in (sitemap, robots):
            left.unlink(missing_ok=True)
        return
    places = "".join(f"<url><loc>{html.escape(site + p)}.html</loc></url>\n"
                     for p in sorted(app.env.found_docs))  # fmt: skip
    sitemap.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n',
        encoding="utf-8",
    )
    robots.write_text(f"User-agent: *\nAllow: /\nSitemap: {site}sitemap.xml\n", encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", configure)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", offer, priority=900)
    app.connect("build-finished", accompany)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
