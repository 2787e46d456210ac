"""Sphinx extension: the directive `{news-reader}`, the shipped news reader at work in the page.

    :::{news-reader}
    :::

The own scripts lie in book/reader, and not in book/_static, whose scripts every page loads. What
they load when the reader of the page asks for it is packed here, from files that have their home
elsewhere: the engine from book/reader/engine, the models from companion/news/data/models,
unchanged, beside graphs that point into them (`news_graphs`). Packed means: gzip, base64, and cut
into scripts. A page opened from a folder may load scripts, but may not fetch files, so this one
way serves both a web server and a USB stick.
"""

import base64
import gzip
import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from news_graphs import read_graph, step_graph

from companion.news import _words, faithful, generate, load_articles, load_reader, read, units
from companion.news.dataset import LANGUAGES, RUBRIC
from companion.news.windows import WINDOW
from companion.text import sentences

HOME = Path(__file__).resolve().parents[1] / "reader"
ENGINE = HOME / "engine"
MODELS = Path(str(resources.files("companion.news").joinpath("data/models")))
SCRIPTS = (
    "unicode.js", "packed/lists.js", "sentences.js", "units.js", "summary.js", "engine.js",
    "widget.js",
)  # fmt: skip
EXAMPLES = {"en": 6, "zh": 4}  # of the test articles, the ones that the page offers
PART = 3 << 17  # bytes of a part before base64, which makes four of three
MARK = "news-reader"


class NewsReader(Directive):
    """The directive: an empty place that widget.js fills."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        text = (
            f'<div class="{MARK}"><p>The reader works where scripts may run. '
            "Below stands what it finds in two articles.</p></div>"
        )
        return [nodes.raw("", text, format="html", classes=[MARK])]


def lists() -> dict[str, Any]:
    """The sizes and closed lists of the Python modules that the scripts are a port of."""
    slots = {
        kind: {"first": units.slot(kind, 0), "size": size} for kind, size in units.SLOTS.items()
    }
    return {
        "start": units.START, "end": units.END, "article": units.ARTICLE,
        "sentence": units.SENTENCE, "firstSlot": units.FIRST_SLOT, "firstWord": units.FIRST_WORD,
        "slots": slots, "window": WINDOW, "chosen": read.CHOSEN, "leastWords": read.LEAST_WORDS,
        "least": generate.LEAST, "maxUnits": generate.write_summary.__kwdefaults__["max_units"],
        "rubric": RUBRIC,
    }  # fmt: skip


def sets() -> dict[str, Any]:
    """Those that the scripts ask whether something is in."""
    return {
        "numberWords": _words.NUMBER_WORDS,
        "numerals": _words.NUMERALS,
        "neverWritten": faithful.NEVER_WRITTEN,
        "neverLast": sentences._NEVER_LAST,
        "sometimesLast": sentences._SOMETIMES_LAST,
        "openers": sentences._OPENERS,
    }


def lists_script(packed: dict[str, list[int]]) -> str:
    """What the page knows from the start."""
    lines = [f"newsReader.lists = {_json(lists())};"]
    lines += [
        f"newsReader.lists.{name} = new Set({_json(sorted(words))});"
        for name, words in sets().items()
    ]
    function = ", ".join(f"{k}: new Set({_json(sorted(v))})" for k, v in _words.FUNCTION.items())
    lines.append(f"newsReader.lists.functionWords = {{{function}}};")
    texts = {k: load_articles(k, "test")[n]["content"] for k, n in EXAMPLES.items()}
    lines += [f"newsReader.examples = {_json(texts)};", f"newsReader.packed = {_json(packed)};"]
    return '"use strict";\n' + "\n".join(lines) + "\n"


def engine_script() -> str:
    """The engine's module as a plain script, since from a folder no module can be loaded."""
    module = (ENGINE / "ort.wasm.bundle.min.mjs").read_text(encoding="utf-8")
    body, exports = module.split("export{", 1)
    names = (pair.strip().split(" as ") for pair in exports.split("}", 1)[0].split(","))
    kept = ", ".join(f"{outer}: {inner}" for inner, outer in names if outer != "default")
    head, rest = body.split("*/", 1)
    code = rest.replace("import.meta.url", "here")
    return (
        f'{head}*/\n(() => {{ "use strict"; const here = document.currentScript.src;\n{code}\n'
        f"window.ort = {{{kept}}}; }})();\n"
    )


def contents() -> dict[str, bytes]:
    """Name → gzip of all that is loaded on demand."""
    found = {"engine": (ENGINE / "ort-wasm-simd-threaded.wasm.gz").read_bytes()}
    for language in LANGUAGES:
        path, config = MODELS / f"{language}.safetensors", load_reader(language).config
        found[language] = _gzip(path.read_bytes())
        found[f"{language}-read"] = _gzip(read_graph(path, config))
        found[f"{language}-step"] = _gzip(step_graph(path, config))
    return found


def pack(folder: Path) -> None:
    """Write the scripts that the page loads."""
    folder.mkdir(parents=True, exist_ok=True)
    packed: dict[str, list[int]] = {}
    written = {"ort.js": engine_script()}
    for name, content in contents().items():
        for number, start in enumerate(range(0, len(content), PART)):
            text = base64.b64encode(content[start : start + PART]).decode()
            script = f'newsReader.part("{name}", {number}, "{text}");\n'
            written[f"{name}-{number}.js"] = script
            packed.setdefault(name, []).append(len(script))
    written["lists.js"] = lists_script(packed)
    for old in folder.glob("*.js"):
        if old.name not in written:
            old.unlink()
    for name, script in written.items():
        (folder / name).write_text(script, encoding="utf-8", newline="\n")


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def prepare(app: Any) -> None:
    """Before the pages are written, so that they may name the files."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "reader"
    pack(folder / "packed")
    for own in (*HOME.glob("*.js"), *HOME.glob("*.css")):
        shutil.copyfile(own, folder / own.name)


def add_scripts(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    """Only to pages that have the directive."""
    if doctree is None or not any(MARK in raw["classes"] for raw in doctree.findall(nodes.raw)):
        return
    app.add_css_file("reader/reader.css")
    for place, script in enumerate(SCRIPTS):
        app.add_js_file(f"reader/{script}", loading_method="defer", priority=800 + place)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive(MARK, NewsReader)
    app.connect("builder-inited", prepare)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
