"""One browser for each file of tests, and one tab in it for each test.

Without a browser the tests are skipped and say so; where CI is set they fail. Nothing here waits
for a time to pass, only for a state to be reached.
"""

import threading
from pathlib import Path

import builder
import pytest
import tab as browsing

LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def axe(browser):
    """The script of axe-core."""
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")


# A browser ends with its file: while it runs, its event loop is in the way of those of notebooks.
@pytest.fixture(scope="module")
def browser():
    try:
        import axe_playwright_python  # noqa: F401
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        browsing.without(f'no package: {error}; install the extra "test"')
    with sync_playwright() as playwright:
        started = browsing.launch(playwright)
        assert builder.build() == 0, "the book does not build"
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(browser):
    server = browsing.pages_here()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{browsing.UNDER}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def context(browser):
    opened = browser.new_context(
        color_scheme="light",
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
        viewport=browsing.WIDE,
    )
    opened.add_init_script(LOOK)
    opened.set_default_timeout(1000 * browsing.PATIENCE_S)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def one_tab(context, address):
    return browsing.Tab(context, address)


@pytest.fixture
def tab(one_tab):
    yield one_tab
    one_tab.leave()
