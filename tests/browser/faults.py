"""What must not be found on a page, in the words of the browser that shows it."""

import re

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]  # what a theme can break
NARROW_RULES = ["scrollable-region-focusable"]  # what a small window can break
MARKUP = re.compile(r"\$\$|\\[([]|:::|```|\{(?:ref|doc|term|cite:\w|eq|numref|py:\w+)\}|\[\]\(")
MOST_PX = 320  # WCAG 1.4.10: what a window of 1280 px shows at 400 %


def loading(tab):
    """What failed to load, what the console says, markup that nothing turned to text."""
    missing = tab.page.evaluate("look.missing()")
    broken = [f"formula {n}" for n in range(tab.page.locator("mjx-merror").count())]
    raw = [text[:90] for text in tab.page.evaluate("look.texts()") if MARKUP.search(text)]
    return [*tab.wrong, *missing, *broken, *raw]


def unfold(page):
    assert page.evaluate("look.unfold()") == 0, "something stays folded"


def narrow(page, axe):
    """What is too wide for a window of 320 px, or cannot be scrolled to by keyboard there."""
    wide = page.viewport_size
    page.set_viewport_size({"width": MOST_PX, "height": 800})
    page.evaluate("look.drawn()")
    found = page.evaluate("look.narrow()")
    page.evaluate("look.thin()")
    found += run(page, axe, {"type": "rule", "values": NARROW_RULES})
    page.set_viewport_size(wide)
    page.evaluate("look.drawn()")
    return [f"at {MOST_PX} px: {line}" for line in found]


def run(page, axe, only, rules=None, include="[['html']]"):
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    options = {"runOnly": only, "rules": rules or {}}
    return page.evaluate(f"(options) => look.axe(options, {include})", options)


def violations(page, axe, seen):
    """What axe finds: every rule of WCAG 2.2 A and AA, and those about colours in both themes.

    `seen`: for each theme the looks that axe has found nothing wrong with; grows.
    """
    page.evaluate("look.thin()")
    without_colours = {rule: {"enabled": False} for rule in COLOUR_RULES}
    found = run(page, axe, {"type": "tag", "values": LEVELS}, without_colours)
    for theme in ("light", "dark"):
        assert page.evaluate("(theme) => look.theme(theme)", theme), f"the theme is not {theme}"
        fresh = page.evaluate("(seen) => look.looks(seen)", seen[theme])
        lines = run(page, axe, {"type": "rule", "values": COLOUR_RULES}, include="look.fresh")
        if not lines:
            seen[theme] += fresh
        found += [f"{theme}: {line}" for line in lines]
    return found
