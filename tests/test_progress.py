"""Reading marks and paper, operated in a browser on two pages built as the book is built."""

import os

import pdf
import pytest
from playwright.sync_api import sync_playwright
from test_carried import small_book

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("progress"))


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        try:
            path = pdf.browser_path(playwright.chromium.executable_path)
        except pdf.MissingError as missing:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(missing))
        opened = playwright.chromium.launch(executable_path=path, args=pdf.FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, request):
    context = browser.new_context(**getattr(request, "param", {}))
    yield context.new_page()
    context.close()


def marks(page):
    return page.locator(".bd-links a.read").evaluate_all("all => all.map((a) => a.textContent)")


def test_a_mark_set_by_hand_is_seen_on_other_pages_until_it_is_forgotten(page, site):
    scores, index = (site / name for name in ("part/scores.html", "index.html"))
    page.goto(scores.as_uri())
    assert marks(page) == []
    assert page.locator(".reading-forget").is_hidden()
    page.get_by_label("I have read this page").check()
    assert page.locator(".reading-count").text_content() == "1 of 2 pages read"
    assert [mark.split()[-1] for mark in marks(page)] == ["(read)"]
    page.goto(index.as_uri())
    assert len(marks(page)) == 1
    assert not page.get_by_label("I have read this page").is_checked()
    page.get_by_role("button", name="Forget all marks").click()
    assert marks(page) == []
    assert page.evaluate("localStorage.getItem('neurons-to-transformers:read')") is None
    page.goto(scores.as_uri())
    assert not page.get_by_label("I have read this page").is_checked()


def test_a_page_is_read_at_its_end_and_not_before_its_time(page, site):
    page.clock.install()
    page.goto((site / "part" / "scores.html").as_uri())
    box = page.get_by_label("I have read this page")
    page.evaluate("document.querySelector('article p').style.paddingBottom = '5000px'")
    page.clock.run_for(60_000)
    assert not box.is_checked(), "the end was never in view"
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.clock.run_for(2_000)
    assert box.is_checked()
    box.uncheck()
    page.clock.run_for(60_000)
    assert not box.is_checked(), "who removes the mark by hand is not overruled"
    page.reload()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.clock.run_for(15_000)
    assert not box.is_checked(), "flown over"


def test_the_line_follows_the_page(page, site):
    page.goto((site / "part" / "scores.html").as_uri())
    page.evaluate("document.querySelector('article p').style.paddingBottom = '5000px'")
    line = page.locator(".reading-line")
    for place, expected in ((0, 0), ("document.body.scrollHeight", 1)):
        page.evaluate(f"window.scrollTo(0, {place})")
        page.wait_for_timeout(200)
        shown = line.evaluate("line => line.getBoundingClientRect().width / innerWidth")
        assert shown == pytest.approx(expected, abs=0.02)
    assert line.evaluate("line => getComputedStyle(line).transitionDuration") == "0s"


def test_damaged_marks_do_no_harm(page, site):
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto((site / "index.html").as_uri())
    for kept in ('{"a": 1}', "no json", '[1, "gone.html", "part/scores.html"]'):
        page.evaluate("kept => localStorage.setItem('neurons-to-transformers:read', kept)", kept)
        page.reload()
        assert page.locator(".reading-count").count() == 1
    assert page.locator(".reading-count").text_content() == "1 of 2 pages read"
    assert not errors


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_nothing_is_shown_that_would_need_it(page, site):
    page.goto((site / "part" / "scores.html").as_uri())
    assert page.locator(".reading, .reading-line").count() == 0
    assert page.locator(".run-page").is_visible()


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_paper_is_light_and_open_and_the_screen_is_as_before(page, site):
    page.goto((site / "part" / "scores.html").as_uri())
    page.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend',"
        " '<details class=probe><summary>a</summary><p>b</p></details>')"
    )
    theme, probe = "document.documentElement.dataset.theme", page.locator("details.probe")
    assert page.evaluate(theme) == "dark"
    page.emulate_media(media="print")
    page.wait_for_function(f"{theme} === 'light'")
    assert probe.get_attribute("open") is not None
    assert page.locator("h1").is_visible()
    for hidden in (".bd-sidebar-primary", ".bd-header-article", ".reading", ".run-page"):
        assert page.locator(hidden).is_hidden(), hidden
    page.emulate_media(media="screen", color_scheme="dark")
    page.wait_for_function(f"{theme} === 'dark'")
    assert probe.get_attribute("open") is None
