"""Every built page in a browser, one visit each: nothing fails, all can use it."""

import faults
import figures
import pytest
from tab import BUILT, EXPLORED

pytestmark = pytest.mark.slow

# Whatever can be operated on some page, and the test that operates it.
OPERATED = {
    ".explore input, .explore select": "figures.operate, here",
    ".selftest summary": "test_self_test_opens_by_keyboard",
    "article summary": "test_what_is_folded_opens_by_keyboard",
    ".toggle-button": "test_what_is_folded_opens_by_keyboard",
    ".sd-tab-set > input": "test_tabs_change_by_keyboard",
    ".copybtn": "test_copy_button_copies_the_code",
    ".theme-switch-button": "test_theme_changes_by_keyboard",
    ".search-button, .search-button-field, input[name=q], #pst-search-dialog": "test_search_*",
    ".sidebar-toggle, .pst-sidebar-toggle, dialog": "test_sidebars_open_by_keyboard",
    ".bd-sidebar-primary summary": "test_sidebars_open_by_keyboard",
    ".dropdown-toggle": "test_downloads_open_by_keyboard",
    "[data-click=print], .btn-fullscreen-button": "test_print_and_full_screen",
    "#pst-back-to-top": "the theme's; not operated yet",
    ".reading input, .reading button": "tests/test_progress.py",
    ".news-reader *": "tests/test_browser_reader.py",
    "audio": "look.missing, here: its metadata load",
}


@pytest.fixture(scope="module")
def seen():
    """The looks that axe has found nothing wrong with, for each theme."""
    return {"light": [], "dark": []}


@pytest.mark.parametrize("name", BUILT)
def test_page(tab, axe, seen, name):
    page = tab.open(name)
    assert faults.loading(tab) == []
    assert page.evaluate("look.moving()") == []
    assert page.evaluate("(known) => look.unknown(known)", ",".join(OPERATED)) == []
    explored = page.locator("div.explore")
    assert (explored.count() > 0) == (name in EXPLORED)
    for number in range(explored.count()):
        figures.operate(page, explored.nth(number))
    faults.unfold(page)
    found = [*faults.narrow(page, axe), *faults.violations(page, axe, seen)]
    assert not found, "\n".join(found)
    assert tab.wrong == [], "after everything was operated and unfolded"
