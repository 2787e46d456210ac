"""What readers operate, by keyboard; the pages from a folder, and without scripts."""

import re

import builder
import faults
import pages
import pytest
from tab import EXPLORED, PATIENCE_S, TEXTS, Tab, until

pytestmark = pytest.mark.slow


def holds(page, condition):
    assert page.evaluate(condition), condition


def test_self_test_opens_by_keyboard(tab):
    page = tab.open("attention/four-steps.html")
    for kind, verdict in (("right", "Right."), ("wrong", "No.")):
        choice = page.locator(f".selftest details.{kind}").first
        feedback = choice.get_by_text(verdict, exact=True)
        assert not feedback.is_visible()
        choice.locator("summary").focus()
        page.keyboard.press("Enter")
        feedback.wait_for(state="visible")
        page.keyboard.press("Enter")
        feedback.wait_for(state="hidden")
    assert tab.wrong == []


def test_what_is_folded_opens_by_keyboard(tab):
    page = tab.open("attention/formulas.html")
    solution = page.locator(".toggle-hidden").first
    assert not solution.locator(".cell_input").first.is_visible()
    handle = page.locator(f"[id='{solution.get_attribute('id')}']")
    handle.locator(".toggle-button").focus()
    page.keyboard.press("Enter")
    handle.locator(".cell_input").first.wait_for(state="visible")
    page = tab.open("glossary.html")
    cell = page.locator("article details:has(.cell_input)").first
    assert not cell.locator(".cell_input").is_visible()
    cell.locator("summary").focus()
    page.keyboard.press("Enter")
    cell.locator(".cell_input").wait_for(state="visible")
    assert tab.wrong == []


def test_tabs_change_by_keyboard(tab):
    page = tab.open("attention/formulas.html")
    tabs = page.locator(".sd-tab-set").first
    assert tabs.locator("> .sd-tab-content:visible").count() == 1
    first = tabs.locator("> .sd-tab-content:visible").inner_text()
    tabs.locator("> input").first.focus()
    page.keyboard.press("ArrowRight")
    tabs.locator("> .sd-tab-content").nth(1).wait_for(state="visible")
    assert tabs.locator("> .sd-tab-content:visible").inner_text() != first
    assert tab.wrong == []


def test_copy_button_copies_the_code(tab):
    page = tab.open("attention/four-steps.html")
    codes = pages.code(pages.read(pages.BOOK / "attention" / "four-steps.md"))
    block = page.locator(".cell_input .highlight").first
    button = block.locator("button.copybtn")
    assert button.evaluate("(button) => getComputedStyle(button).opacity") == "0"
    page.keyboard.press("Tab")  # from now on the browser shows what has the focus
    button.focus()
    assert button.evaluate("(button) => getComputedStyle(button).opacity") == "1"
    page.keyboard.press("Enter")
    until(lambda: copied(page, codes))
    assert tab.wrong == []


def copied(page, codes):
    assert page.evaluate("navigator.clipboard.readText()").strip() == codes[0].strip()


def test_theme_changes_by_keyboard(tab):
    page = tab.open("notation.html")
    button = page.locator("button.theme-switch-button:visible").first
    modes = []
    for _ in range(3):
        button.focus()
        page.keyboard.press("Enter")
        modes.append(page.evaluate("document.documentElement.dataset.mode"))
        chosen = "dark" if modes[-1] == "dark" else "light"  # the system is light
        assert page.evaluate("document.documentElement.dataset.theme") == chosen
        page = tab.open("notation.html")  # it is kept
        assert page.evaluate("document.documentElement.dataset.mode") == modes[-1]
    assert sorted(modes) == ["auto", "dark", "light"]
    assert tab.wrong == []


def test_sidebars_open_by_keyboard(tab):
    tab.page.set_viewport_size({"width": 360, "height": 800})
    page = tab.open("attention/formulas.html")
    for kind, link in (("primary", "Glossary"), ("secondary", "Exercises")):
        wanted = page.get_by_role("link", name=link, exact=True).locator("visible=true")
        inside = page.locator(f"dialog[open], .bd-sidebar-{kind}").filter(has=wanted)
        assert inside.count() == 0
        page.locator(f".{kind}-toggle:visible").first.focus()
        page.keyboard.press("Enter")
        inside.first.wait_for(state="visible")
        page.keyboard.press("Escape")
        until(lambda: gone(inside))  # noqa: B023
    assert tab.wrong == []


def gone(place):
    assert place.count() == 0


def test_downloads_open_by_keyboard(tab):
    page = tab.open("attention/formulas.html")
    link = page.locator(".dropdown-download-buttons a[href$='.ipynb']")
    assert not link.is_visible()
    page.locator(".dropdown-download-buttons .dropdown-toggle").focus()
    page.keyboard.press("Enter")
    link.wait_for(state="visible")
    with page.expect_download() as download:
        link.focus()
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("formulas.ipynb")
    assert tab.wrong == []


def test_print_and_full_screen(tab):
    page = tab.open("attention/formulas.html")
    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".btn-fullscreen-button:visible").first.focus()
    page.keyboard.press("Enter")
    until(lambda: holds(page, "document.fullscreenElement !== null"))
    page.keyboard.press("Enter")
    until(lambda: holds(page, "document.fullscreenElement === null"))
    page.locator(".dropdown-download-buttons .dropdown-toggle").focus()
    page.keyboard.press("Enter")
    page.locator("[data-click=print]").first.focus()
    page.keyboard.press("Enter")
    until(lambda: holds(page, "window.printed"))
    assert tab.wrong == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("softmax", "attention/formulas.html"),
        ("causal mask", "attention/numerics-and-masks.html"),
        ("注意力", "glossary.html#term-attention"),
        ("残差连接", "glossary.html#term-residual-connection"),
        ("激活函数 φ", "glossary.html"),
        ("掩码", "glossary.html#term-mask"),
    ],
)
def test_search_finds(tab, words, found):
    search(tab, "search.html", words, found)


def search(tab, page_opened, words, found):
    """Ask on a page, and follow what is found, by keyboard."""
    page = tab.open(page_opened)
    page.locator("input[name=q]:visible").first.fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"search\.html\?.*q="))
    link = page.locator(f"#search-results li a[href*='{found}']").first
    link.wait_for(state="visible")
    assert tab.wrong == []
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(found.partition("#")[0])))


def test_search_finds_a_chinese_word_within_a_sentence(tab):
    text = TEXTS["applications/text.html"].read_text(encoding="utf-8")
    words = re.search("[一-鿿]{8,}", text)[0][2:6]
    page = tab.open(f"search.html?q={words}")
    found = page.locator("#search-results li:has(a[href*='applications/text.html'])").first
    found.locator(".highlighted").first.wait_for(state="visible")
    assert found.locator(".highlighted").first.inner_text() == words
    assert tab.wrong == []


def test_search_opens_by_keyboard_on_any_page(tab):
    page = tab.open("notation.html")
    page.keyboard.press("ControlOrMeta+k")
    page.locator("dialog input[name=q], .search-button__search-container input[name=q]").first.fill(
        "mask"
    )
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"search\.html\?.*q=mask"))
    page.locator("#search-results li a").first.wait_for(state="visible")
    assert tab.wrong == []


def test_pages_open_from_a_folder(context):
    tab = Tab(context, builder.HTML.as_uri() + "/")
    page = tab.open("attention/formulas.html")
    assert page.locator("mjx-container").count() > 5
    assert faults.loading(tab) == []
    search(tab, "search.html", "残差连接", "glossary.html#term-residual-connection")
    assert tab.wrong == []
    page.close()


# In a page without scripts of its own this still runs.
STILLS = """async () => {
  const shown = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 200;
  const wrong = [];
  for (const root of document.querySelectorAll("div.explore")) {
    const still = root.closest(".cell_output").querySelector("img");
    still.loading = "eager";
    await still.decode().catch(() => wrong.push(still.src));
    if (!shown(still)) wrong.push(`no still: ${still.alt}`);
    if (!shown(root.querySelector(".explore-note"))) wrong.push("no note");
    if (root.querySelector("svg, input, select")) wrong.push("a script ran");
  }
  return wrong;
}"""


def test_without_scripts_the_stills_are_there(browser, address):
    context = browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    for name in EXPLORED:
        page.goto(address + name, wait_until="domcontentloaded")
        assert page.locator("div.explore").count() > 0, name
        assert page.evaluate(STILLS) == [], name
    context.close()
