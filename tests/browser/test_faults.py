"""Guards the other tests: a page with one of each fault is found guilty of each."""

import faults
import pytest
from tab import Tab, until

pytestmark = pytest.mark.slow

CONTRASTS = {
    "light: color-contrast": '<p style="color: #999; background: #fff">pale</p>',
    "dark: color-contrast": '<p class="only-in-dark" style="color: #222">dark</p>',
}
OTHERS = {
    "image-alt": '<img src="favicon.svg">',
    "target-size": '<button style="width: 9px; height: 9px" aria-label="a"></button>'
    '<button style="width: 9px; height: 9px" aria-label="b"></button>',
}
HEAD = """<style>
  body { background: #fff; margin: 0 } html[data-theme="dark"] body { background: #111 }
  .moves { transition: color 1s } .far { width: 900px }
</style>"""
BROKEN = """<img alt="" src="gone.png"><script>throw new Error("oh")</script>
<script>console.error("ah")</script><img alt="" src="http://other.test/x.png">
<p>See {doc}`there` and $$x^2$$.</p><p class="moves">Slowly</p><textarea></textarea>"""
WIDE = """<div style="width: 500px">wide</div>
<div style="overflow: hidden; width: 100px"><div class="cut" style="width: 200px">cut</div></div>
<div class="box" style="overflow: auto; width: 300px; height: 30px"><p class="far">x</p></div>"""


@pytest.fixture
def faulty(context):
    """A page made of these parts, which other pages on other hosts are not."""
    tab = Tab(context, "http://course.test/")

    def shown(*parts):
        body = f"<main>{''.join(parts)}</main>"
        html = f'<!doctype html><html lang="en"><title>Faults</title>{HEAD}{body}</html>'

        def answer(route):
            if route.request.url == tab.address:
                route.fulfill(body=html, content_type="text/html")
            elif "other.test" in route.request.url:
                route.abort("addressunreachable")
            else:
                route.fulfill(status=404, body="")

        tab.page.route("**/*", answer)
        tab.open("")
        return tab

    yield shown
    tab.page.close()


def test_what_fails_to_load_is_found(faulty):
    tab = faulty(BROKEN)
    found = faults.loading(tab)
    assert {"gone.png", "http://other.test/x.png"} <= set(found)
    assert {"See {doc}`there` and $$x^2$$."} <= set(found)
    wanted = {"oh", "ah", "404: http://course.test/gone.png", "elsewhere: http://other.test/x.png",
              "failed: http://other.test/x.png"}  # fmt: skip
    until(lambda: told(tab, wanted))
    assert tab.page.evaluate("look.moving()") == ["p.moves"]
    assert tab.page.evaluate("look.unknown('button')") == ["<textarea></textarea>"]


def told(tab, wanted):
    tab.page.evaluate("0")  # lets what has happened be told
    assert wanted <= set(tab.wrong)


def test_what_axe_looks_for_is_found(faulty, axe):
    page = faulty(*CONTRASTS.values(), *OTHERS.values()).page
    seen = {"light": [], "dark": []}
    found = faults.violations(page, axe, seen)
    for rule in (*CONTRASTS, *OTHERS):
        assert any(line.startswith(rule) for line in found), found
    assert seen == {"light": [], "dark": []}


def test_what_is_too_wide_is_found(faulty, axe):
    page = faulty(WIDE).page
    found = "\n".join(faults.narrow(page, axe))
    assert "the page is 500 px wide" in found
    assert 'over the edge: div.: <div style="width: 500px">' in found
    assert 'cut off: div.: <div style="overflow: hidden' in found
    assert "scrollable-region-focusable: .box" in found
    assert page.viewport_size["width"] == 1280
