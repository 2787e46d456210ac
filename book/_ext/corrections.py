"""Sphinx extension: every correction note can be linked to, and one page lists them all.

A note is an admonition whose title is "Correction E012: ..." or "Corrections E012 and E013: ...".
It gets the anchors `correction-e012`, and the directive `corrections` becomes a table with a row
for each id: what was corrected, and the page and section where it is shown.
"""

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

TITLE = re.compile(r"^Corrections? ((?:E\d+(?:, | and )?)+):\s*(.*)$", re.S)


class CorrectionList(nodes.General, nodes.Element):
    """Where the table goes."""


class Corrections(Directive):
    """The directive `corrections`, without arguments."""

    def run(self) -> list[nodes.Node]:
        return [CorrectionList()]


def notes(document: nodes.document) -> list[tuple[str, str, nodes.Element]]:
    """(id, what is right, the note) for each correction in a document."""
    found = []
    for note in document.findall(nodes.admonition):
        match = TITLE.match(note.next_node(nodes.title).astext()) if len(note) else None
        if match and "correction" in note["classes"]:
            found += [(own, match[2].strip(), note) for own in re.findall(r"E\d+", match[1])]
    return found


def collect(app: Any, document: nodes.document) -> None:
    """Give each note its anchors, and remember where it is."""
    kept = _kept(app.env)
    page = app.env.docname
    for own, title, note in notes(document):
        anchor = f"correction-{own.lower()}"
        note["ids"].append(anchor)
        kept.setdefault(own, {})[page] = (anchor, title, _section(note))


def forget(app: Any, env: Any, page: str) -> None:
    """A page that is read again starts anew."""
    for places in _kept(env).values():
        places.pop(page, None)


def merge(app: Any, env: Any, pages: Any, other: Any) -> None:
    """What was read in another process."""
    for own, places in _kept(other).items():
        _kept(env).setdefault(own, {}).update({p: v for p, v in places.items() if p in pages})


def again(app: Any, env: Any) -> list[str]:
    """The page with the table depends on all others."""
    return ["corrections"] if "corrections" in env.found_docs else []


def show(app: Any, document: nodes.document, page: str) -> None:
    """Put the table in its place."""
    for place in list(document.findall(CorrectionList)):
        place.replace_self(_table(app, page))


def _table(app: Any, page: str) -> nodes.table:
    body = nodes.tbody()
    for own, places in sorted(_kept(app.env).items()):
        for where, (anchor, title, section) in sorted(places.items()):
            uri = app.builder.get_relative_uri(page, where) + f"#{anchor}"
            heading = app.env.titles[where].astext()
            link = nodes.reference("", f"{heading}: {section}" if section else heading, refuri=uri)
            body += _row(nodes.Text(own), nodes.Text(title), link)
    head = nodes.thead("", _row(*map(nodes.Text, ("Id", "What is right", "Shown in"))))
    group = nodes.tgroup("", *(nodes.colspec(colwidth=w) for w in (8, 52, 40)), head, body, cols=3)
    return nodes.table("", group, classes=["corrections"])


def _row(*contents: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", c)) for c in contents))


def _section(note: nodes.Element) -> str:
    """The heading that the note stands under, unless it is the page's own."""
    sections = []
    node: Any = note.parent
    while node is not None:
        if isinstance(node, nodes.section):
            sections.append(node.next_node(nodes.title).astext())
        node = node.parent
    return sections[0] if len(sections) > 1 else ""


def _kept(env: Any) -> dict[str, dict[str, tuple[str, str, str]]]:
    if not hasattr(env, "companion_corrections"):
        env.companion_corrections = {}
    return env.companion_corrections


def setup(app: Any) -> dict[str, Any]:
    app.add_node(CorrectionList)
    app.add_directive("corrections", Corrections)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", again)
    app.connect("doctree-resolved", show)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
