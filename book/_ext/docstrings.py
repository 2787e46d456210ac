"""Sphinx extension: show docstrings as they are written, and find them by their public names.

They are laid out by hand (equation, shapes, errors in aligned lines), to be read in an editor; as
reStructuredText the lines would run together. Each becomes one literal block.
"""

import importlib
from typing import Any


def as_written(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the first sentence as text, and the rest as a literal block."""
    text = [line.rstrip() for line in lines]
    end = text.index("") if "" in text else len(text)
    rest = [f"   {line}" for line in text[end + 1 :]]
    lines[:] = text[:end]
    if any(line.strip() for line in rest):
        lines += ["", ".. code-block:: text", "   :class: docstring", "", *rest, ""]


def public_name(app: Any, env: Any, node: Any, contnode: Any) -> Any:
    """Link `companion.brain.oja_step`, as users import it, to where its docstring is shown.

    The reference lists each function under the file it is written in.
    """
    module, _, name = node.get("reftarget", "").rpartition(".")
    if node.get("refdomain") != "py" or not module.startswith("companion"):
        return None
    found = getattr(importlib.import_module(module), name, None)
    own = f"{getattr(found, '__module__', module)}.{name}"
    domain = env.get_domain("py")
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], own, node, contnode
    )


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", as_written)
    app.connect("missing-reference", public_name)
    return {"parallel_read_safe": True}
