"""The news reader in the page, in a browser: it says what `read_news` says, and can be used.

The pages are served under a sub-path with the policy that the README states. Without a browser the
tests are skipped and say so; where CI is set they fail.
"""

import gzip
import hashlib
import os
import random
import re
import shutil
import sys
import threading
import unicodedata
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import builder
import pages
import pytest

from companion.news import encode_text, load_articles, load_reader, read_news
from companion.news.units import SlotsFullError, language_of, split_units
from companion.news.windows import windows
from companion.text import split_sentences

pytestmark = pytest.mark.slow

EXT = pages.BOOK / "_ext"
ENGINE = pages.BOOK / "reader" / "engine"
VERSION = "1.30.0"
DIGESTS = {  # of the npm package's files, the second unpacked
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm.gz": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb7"
    "8842dee2",
}
README = (pages.ROOT / "README.md").read_text(encoding="utf-8")
POLICY = re.search(r"^Content-Security-Policy: (.+)$", README, re.M)[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNDER = "/some/path/"
PAGE = "news/live.html"
PATIENCE_S = 120  # until a state is reached, on the slowest machine
ARTICLES = 40  # of each language
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = """async (levels) => {
  const still = document.createElement('style');
  still.textContent = '* { animation: none !important; transition: none !important; }';
  document.head.append(still);
  const found = await axe.run(document.querySelector('div.news-reader'),
    {runOnly: {type: 'tag', values: levels}, resultTypes: ['violations'], preload: false});
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(' ')}: ${node.html.slice(0, 160)}`));
}"""


def without(reason):
    """Skip, saying why; never where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        if not path.startswith(UNDER):
            return str(Path(self.directory) / "no such file")
        return super().translate_path("/" + path.removeprefix(UNDER))

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        without(f'no package: {error}; install the extra "test"')
    with sync_playwright() as playwright:
        executable = executable or playwright.chromium.executable_path
        if not Path(executable).exists():
            without(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
        assert builder.build() == 0, "the book does not build"
        started = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(browser):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(builder.HTML)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{UNDER}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def context(browser):
    opened = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(1000 * PATIENCE_S)
    yield opened
    opened.close()


@pytest.fixture
def page(context, address):
    """The page, freshly loaded; whatever goes wrong in it fails the test."""
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda m: m.type in ("error", "warning") and wrong.append(m.text))
    opened.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status}: {r.url}"))
    opened.on("request", lambda r: r.url.startswith((address, "data:")) or wrong.append(r.url[:90]))
    opened.goto(address + PAGE)
    opened.wrong = wrong
    yield opened
    opened.close()
    assert not opened.wrong


@pytest.fixture(scope="module")
def loaded(context, address):
    """The page with both models in it, for the many comparisons."""
    opened = context.new_page()
    opened.goto(address + PAGE)
    opened.evaluate("async () => { for (const l of ['en', 'zh']) await newsReader.load(l); }")
    yield opened
    opened.close()


def test_engine_is_the_npm_packages():
    for name, wanted in DIGESTS.items():
        content = (ENGINE / name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content
        assert hashlib.sha256(content).hexdigest() == wanted, name
    assert VERSION in (ENGINE / "README").read_text(encoding="utf-8")
    assert f"v{VERSION}" in (ENGINE / "ort.wasm.bundle.min.mjs").read_text(encoding="utf-8")[:200]
    assert "MIT License" in (ENGINE / "LICENSE").read_text(encoding="utf-8")


UNPACK = """async (name) => {
  const bytes = await newsReader.unpack(name);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}"""


def test_models_arrive_as_the_package_ships_them(loaded, monkeypatch):
    monkeypatch.syspath_prepend(str(EXT))
    import news_graphs
    import news_reader

    for language in ("en", "zh"):
        path, config = news_reader.MODELS / f"{language}.safetensors", load_reader(language).config
        files = {
            language: path.read_bytes(),
            f"{language}-read": news_graphs.read_graph(path, config),
            f"{language}-step": news_graphs.step_graph(path, config),
        }
        for name, content in files.items():
            found = loaded.evaluate(UNPACK, name)
            assert found == hashlib.sha256(content).hexdigest(), name


def test_graphs_refuse_another_kind_of_model(monkeypatch):
    monkeypatch.syspath_prepend(str(EXT))
    import news_graphs
    import news_reader

    config = load_reader("en").config.but(positions="rotary")
    with pytest.raises(ValueError, match="positions"):
        news_graphs.read_graph(news_reader.MODELS / "en.safetensors", config)


# For each question, what the page says of every character of Unicode: one string of 0 and 1.
CHARACTERS = r"""() => {
  const { unicode } = newsReader, letter = /^\p{L}/u;
  const all = {space: unicode.isSpace, digit: unicode.isDigits, alnum: unicode.hasAlphanumeric,
    upper: unicode.startsUpper, lower: unicode.startsLower, alpha: (c) => letter.test(c)};
  const out = Object.fromEntries(Object.keys(all).map((name) => [name, []]));
  out.small = [];
  for (let point = 0; point < 0x110000; point += 1) {
    const c = String.fromCodePoint(point);
    for (const [name, test] of Object.entries(all)) out[name].push(test(c) ? '1' : '0');
    if (c.toLowerCase() !== c) out.small.push([point, c.toLowerCase()]);
  }
  for (const name of Object.keys(all)) out[name] = out[name].join('');
  return out;
}"""


# Letters that Unicode has made caseless or lower case since 14.0, which Python 3.11 knows. Another
# difference is either a mistake in unicode.js or one more of these.
CHANGED = {0x295, 0x10FC, 0xA7F2, 0xA7F3, 0xA7F4, 0xAB69}


def test_every_character_is_of_the_same_kind_as_in_python(loaded):
    found = loaded.evaluate(CHARACTERS)
    known = [  # to this Python: the browser's Unicode may be newer
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) not in ("Cn", "Cs") and point not in CHANGED
    ]
    assert len(known) > 280_000
    tests = {
        "space": str.isspace, "digit": str.isdigit, "alnum": str.isalnum, "alpha": str.isalpha,
        "upper": str.isupper, "lower": str.islower,
    }  # fmt: skip
    for name, test in tests.items():
        other = [hex(p) for p in known if test(chr(p)) != (found[name][p] == "1")]
        assert not other, f"{name}: {other[:9]}"
    small = dict(found["small"])
    other = [hex(p) for p in known if chr(p).lower() != small.get(p, chr(p))]
    assert not other, f"lower: {other[:9]}"


# Pieces that rules are about, in no sensible order.
WORDS = """
The mayor of Tovin Ibar-Sall Mr. Dr. U.S. p.m. Inc. No. no J. R. I don’t sea-wall twenty-one Three
3.5 $1,200.50 １２ 5th 1990s 50% 3–4 e.g. … ... ?! . . . , “ ” ‘ ’ " ' ( ) / _ - : ; & é İ Σ ΑΣ ﬁ ǅ
² ½ Ⅷ ① 🙂 👩‍👩‍👧 𝔸 𠮷 said asked 他说 “停！”他说 问题 市长 青山大桥 三百 二〇二四年 1200元
的 ， 。 ； ： ！ ？ 《 》 （ ） ひらがな カ 한국 русский Москва français
http://example.org/a?b=1 a@b.c A.B. 1. 12.
"""
PIECES = WORDS.split()
PIECES += ["Ana Tovin", "J. R. Moss", "Mr. ", "12. ", "e\u0301", "\ufeff", "\u200b", "\u2060"]
PIECES += [" ", "  ", "\n", "\n\n", "\r\n", "\n \n", "\u3000", "\n\u3000\u3000", "\t", "\xa0"]
PIECES += ["\u2003", "\x0b", "\x1c", "\x85", "\u2028", ". ", ".\n", "\n.", "a\n. ", "…\n", "。\n"]
CUT = """async ({ language, text }) => {
  const { lexicon } = await newsReader.load(language);
  const sentences = newsReader.splitSentences(text);
  const whole = newsReader.encode(sentences, lexicon);
  return {
    language: newsReader.languageOf(text), sentences,
    units: newsReader.splitUnits(text, lexicon).map((u) => [u.before, u.text, u.kind, u.key]),
    ids: whole && whole.ids, surfaces: whole && [...whole.surfaces],
    windows: newsReader.windows(sentences.filter((s) => newsReader.unicode.strip(s)), lexicon)
      .map((piece) => [piece.article.ids, piece.parts.map((part) => part.number)]),
  };
}"""


def cut(language, text):
    reader = load_reader(language)
    sentences = split_sentences(text)
    try:
        whole = encode_text(sentences, reader.lexicon)
    except SlotsFullError:
        whole = None
    pieces = windows([s for s in sentences if s.strip()], reader)
    return {
        "language": language_of(text),
        "sentences": sentences,
        "units": [list(unit) for unit in split_units(text, reader.lexicon)],
        "ids": whole and whole.ids.tolist(),
        "surfaces": whole and [list(item) for item in whole.surfaces.items()],
        "windows": [[p.article.ids.tolist(), list(p.numbers)] for p in pieces],
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_texts_of_chance_are_cut_alike(loaded, language):
    draw = random.Random(20 + len(language))
    words = " ".join(a["content"] for a in load_articles(language, "train")[:40])
    for n in range(300):
        parts = draw.choices(PIECES, k=draw.randint(0, 40))
        for _ in range(draw.randint(0, 6)):
            at = draw.randrange(len(words))
            parts.insert(draw.randint(0, len(parts)), words[at : at + draw.randint(1, 60)])
        text = draw.choice(["", " "]).join(parts) * (1 if n % 50 else 12)
        found = loaded.evaluate(CUT, {"language": language, "text": text})
        assert found == cut(language, text), repr(text)


READ = "(text) => newsReader.read(text)"
SAME = ("language", "method", "summary", "written", "extracted", "windows")


def agree(found, text):
    wanted = read_news(text, explain=True)
    reader = load_reader(wanted.language)
    assert found["sentences"] == list(wanted.sentences)
    sentences = [s for s in split_sentences(text) if s.strip()]
    assert found["ids"] == [p.article.ids.tolist() for p in windows(sentences, reader)]
    assert found["weights"] == pytest.approx(wanted.weights.tolist(), abs=1e-4)
    assert found["rubric"] == pytest.approx(wanted.rubric, abs=1e-4)
    assert found["importance"] == pytest.approx(wanted.importance, abs=4e-4)
    assert {name: found[name] for name in SAME} == {name: getattr(wanted, name) for name in SAME}
    assert found["confidence"] == pytest.approx(wanted.confidence, abs=1e-3)
    assert found["threshold"] == reader.threshold
    sources = [(source["text"], source["sentence"]) for source in found["sources"]]
    assert sources == [source[:2] for source in wanted.sources]
    shares = [source["copied"] for source in found["sources"]]
    assert shares == pytest.approx([source[2] for source in wanted.sources], abs=1e-3)
    return wanted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_articles_are_read_as_by_python(loaded, language):
    articles = load_articles(language, "test")[:ARTICLES]
    assert len(articles) == ARTICLES
    methods = {agree(loaded.evaluate(READ, a["content"]), a["content"]).method for a in articles}
    assert "extracted" in methods
    assert language == "zh" or "written" in methods, "both answers must occur"


def several(language, count):
    return "\n\n".join(a["content"] for a in load_articles(language, "test")[-count:])


AWKWARD = {
    "one sentence": "The mayor of Tovin closed three bridges on Monday.",
    "one word": "Yes",
    "one mark": "!",
    "several windows": several("en", 9),
    "several Chinese windows": several("zh", 9),
    "many names": " ".join(f"Ana{chr(97 + n % 26)}{chr(97 + n // 26)} met us." for n in range(120)),
    "a sentence of 400 units": "rain and wind " * 134,
    "Chinese without marks": "市长关闭三座大桥" * 60,
    "full-width digits": "２０２４年，市长关闭了３座大桥，影响１２００户居民。修复需要３．５亿元。",
    "both languages": "The 青山 bridge closed. 市长 Ana Tovin 关闭了 3 座大桥。It reopens in 2027.",
    "quotations": "“Close them!” said Mayor Ana Tovin. ‘Why?’ asked Dr. J. R. Moss. “停！”他说。",
    "French": "Le maire de la ville a fermé trois ponts mardi après une longue enquête publique.",
    "Russian": "Мэр города закрыл три моста во вторник. Никто не пострадал.",
    "emoji": "🙂 Mayor Tovin 👩‍👩‍👧 closed 3 bridges 🎉🎉. It rained 𝔸 lot.",
    "white space": "\n\n\t  The mayor\u00a0closed\u2003three bridges.\r\n\r\n\u3000It rained. \n ",
    "HTML": "<div class='teaser'><a href='/x'>more</a><span>share</span></div>" * 4,
    "table": "Oda 3 Tovin 1\nMarek 0 Sall 0\nIbar 2 Oda 2\nTovin 4 Sall 1",
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_texts_are_read_as_by_python(loaded, kind):
    wanted = agree(loaded.evaluate(READ, AWKWARD[kind]), AWKWARD[kind])
    assert wanted.windows > 1 or "windows" not in kind


@pytest.fixture(scope="module")
def axe():
    folder = pytest.importorskip("axe_playwright_python") if not os.environ.get("CI") else None
    if folder is None:
        import axe_playwright_python as folder
    return Path(folder.__file__).with_name("axe.min.js").read_text(encoding="utf-8")


def status(page):
    return page.locator(".news-status").text_content()


def until(page, words):
    page.wait_for_function(
        "(w) => document.querySelector('.news-status').textContent.includes(w)", arg=words
    )


@pytest.mark.parametrize(("language", "name"), [("en", "English"), ("zh", "Chinese")])
def test_reader_is_operated_by_keyboard_and_shows_the_numbers(page, axe, language, name):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    root = page.locator("div.news-reader")
    root.get_by_role("button", name=f"{name} example").press("Enter")
    text = root.get_by_label("An article, in English or Chinese").input_value()
    assert text in {a["content"] for a in load_articles(language, "test")}
    assert text == pages_example(language), "the page computes its still from the same article"
    assert not any("/packed/" in url for url in asked), "loaded before it was asked for"
    root.get_by_role("button", name="Read", exact=True).press("Enter")
    until(page, "Read in")
    assert any("engine-0.js" in url for url in asked)
    wanted = read_news(text, explain=True)
    assert f"importance {wanted.importance:.1f} of 5" in status(page)
    assert root.locator(".news-summary").text_content() == wanted.summary
    numbers = [float(cell) for cell in root.locator("td.news-number").all_text_contents()]
    assert numbers == pytest.approx(list(wanted.rubric.values()), abs=0.0051)
    weights = [float(item) for item in root.locator("li .news-number").all_text_contents()]
    assert weights == pytest.approx(wanted.weights.tolist(), abs=0.0051)
    widths = "(bars) => bars.map((b) => b.offsetWidth / b.parentNode.clientWidth)"
    bars = root.locator("td .news-bar-part").evaluate_all(widths)
    assert bars == pytest.approx(list(wanted.rubric.values()), abs=0.03), "bars are as long"
    said = f"Confidence of the draft {wanted.confidence:.2f}"
    assert root.get_by_text(said).is_visible()
    pieces = root.locator(".news-pieces button")
    assert pieces.count() == len(wanted.sources)
    for number in (0, 3):
        pieces.nth(number).focus()
        assert pieces.nth(number).get_attribute("aria-pressed") == "true"
        at = wanted.sources[number][1]
        assert f"It stands in sentence {at + 1}." in root.locator(".news-source").text_content()
    pieces.nth(1).hover()
    assert root.locator("ol mark").count() >= 1
    assert root.locator("ol .news-sentence").all_text_contents() == list(wanted.sentences)
    page.evaluate(axe)
    found = page.evaluate(AXE, LEVELS)
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    found += page.evaluate(AXE, LEVELS)
    page.set_viewport_size({"width": 320, "height": 800})
    found += page.evaluate(AXE, LEVELS)
    assert not found, "\n".join(found)
    wide = """() => [...document.querySelectorAll('div.news-reader *')]
      .filter((node) => node.getBoundingClientRect().right > 320).map((node) => node.outerHTML)"""
    assert not page.evaluate(wide)


def pages_example(language):
    source = (pages.BOOK / "news" / "live.md").read_text(encoding="utf-8")
    number = int(re.search(rf'chosen = {{.*"{language}": (\d+)', source)[1])
    return load_articles(language, "test")[number]["content"]


def test_blank_text_is_refused_in_words(page):
    page.get_by_label("An article, in English or Chinese").fill("  \n\u3000")
    page.get_by_role("button", name="Read", exact=True).click()
    until(page, "only white space")


def test_lost_part_is_named_and_can_be_had_again(page):
    page.route("**/packed/engine-3.js", lambda route: route.abort())
    page.get_by_role("button", name="English example").click()
    page.get_by_role("button", name="Read", exact=True).click()
    until(page, "engine-3.js could not be loaded")
    page.wrong.clear()
    page.unroute("**/packed/engine-3.js")
    page.get_by_role("button", name="Read", exact=True).click()
    until(page, "Read in")


def test_reader_says_where_it_cannot_work(browser, address):
    context = browser.new_context()
    context.add_init_script("delete window.WebAssembly;")
    page = context.new_page()
    page.goto(address + PAGE)
    assert "no WebAssembly" in status(page)
    assert page.get_by_role("button", name="Read", exact=True).is_disabled()
    context.close()


def test_reader_works_from_a_folder(browser):
    context = browser.new_context()
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    page.goto((builder.HTML / PAGE).as_uri())
    page.get_by_role("button", name="Chinese example").click()
    page.get_by_role("button", name="Read", exact=True).click()
    until(page, "Read in")
    wanted = read_news(pages_example("zh"))
    assert page.locator(".news-summary").text_content() == wanted.summary
    context.close()


def test_without_scripts_the_page_says_so_and_shows_the_still(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + PAGE)
    assert page.get_by_text("The reader works where scripts may run").is_visible()
    assert page.locator(".cell_output img").first.is_visible()
    assert page.get_by_text("importance 3.6 of 5").first.is_visible()
    context.close()


def test_only_its_page_loads_the_reader():
    assert builder.build() == 0
    named = [
        path.relative_to(builder.HTML).as_posix()
        for path in builder.HTML.rglob("*.html")
        if "_static/reader/" in path.read_text(encoding="utf-8")
    ]
    assert named == [PAGE]
