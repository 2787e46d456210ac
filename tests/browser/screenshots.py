"""Pictures of pages as readers see them, on a phone, a tablet and a screen, light and dark.

    .venv/bin/python tests/browser/screenshots.py                     # one page of each kind
    .venv/bin/python tests/browser/screenshots.py news/model.html ... # these

They are written into _build/screenshots; `make test` makes those of one page of each kind.
"""

import sys
import threading
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "book"))
import builder
import tab as browsing

FOLDER = builder.ROOT / "_build" / "screenshots"
WIDTHS_PX = (360, 768, 1440)
TALLEST_PX = 6000  # of a long page its beginning
KINDS = {
    "index.html": "the front page",
    "attention/index.html": "a chapter's first page",
    "attention/formulas.html": "formulas, exercises, tabs",
    "attention/scores.html": "figures with controls",
    "applications/music.html": "sounds",
    "news/judging.html": "drop-downs",
    "news/live.html": "the reader",
    "transformer/positions.html": "a matrix with controls",
    "glossary.html": "terms",
    "corrections.html": "a long table",
    "references.html": "the bibliography",
    "reference/with-numpy.html": "docstrings",
    "search.html?q=softmax": "the search",
}


def shoot(context, address, name):
    """Write the pictures of one page; return their paths."""
    opened = browsing.Tab(context, address)
    opened.page.set_viewport_size({"width": WIDTHS_PX[0], "height": 800})
    page = opened.open(name)
    if "?" in name:
        page.locator("#search-results li p").first.wait_for(state="visible")
    page.evaluate("look.missing()")
    written = []
    for width in WIDTHS_PX:
        page.set_viewport_size({"width": width, "height": 800})
        tall = page.evaluate("document.documentElement.scrollHeight")
        for theme in ("light", "dark"):
            page.evaluate("(theme) => look.theme(theme)", theme)
            page.evaluate("look.drawn()")
            path = FOLDER / f"{name.partition('.html')[0].replace('/', '-')}-{width}-{theme}.png"
            area = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST_PX)}
            page.screenshot(path=path, full_page=True, clip=area, animations="disabled")
            written.append(path)
    opened.leave()
    page.close()
    return written


def main(names):
    from playwright.sync_api import sync_playwright

    server = browsing.pages_here()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}{browsing.UNDER}"
    with sync_playwright() as playwright:
        browser = browsing.launch(playwright)
        context = browser.new_context(color_scheme="light", reduced_motion="reduce")
        context.add_init_script(path=Path(__file__).with_name("look.js"))
        for name in names:
            for path in shoot(context, address, name):
                print(path.relative_to(builder.ROOT))
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:] or KINDS)
