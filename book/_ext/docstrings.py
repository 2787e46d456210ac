"""Sphinx extension: show the package's docstrings as they are written.

They are laid out by hand (equation, shapes, errors in aligned lines), to be read in an editor; as
reStructuredText the lines would run together. Each becomes one literal block.
"""

from typing import Any


def as_written(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the first sentence as text, and the rest as a literal block."""
    text = [line.rstrip() for line in lines]
    end = text.index("") if "" in text else len(text)
    rest = [f"   {line}" for line in text[end + 1 :]]
    lines[:] = text[:end]
    if any(line.strip() for line in rest):
        lines += ["", ".. code-block:: text", "   :class: docstring", "", *rest, ""]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", as_written)
    return {"parallel_read_safe": True}
