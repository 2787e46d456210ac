"""The built pages, served as the README says, and a browser's tab that notes what goes wrong."""

import os
import re
import shutil
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import builder
import pages
import pytest

README = (pages.ROOT / "README.md").read_text(encoding="utf-8")
POLICY = re.search(r"^Content-Security-Policy: (.+)$", README, re.M)[1]
TEXTS = {path.relative_to(pages.BOOK).with_suffix(".html").as_posix(): path for path in pages.toc()}
BUILT = [*TEXTS, "genindex.html", "py-modindex.html", "search.html"]
EXPLORED = [
    name
    for name, path in TEXTS.items()
    if re.search(r"^explore_\w+\(", path.read_text(encoding="utf-8"), re.M)
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNDER = "/some/path/"
PATIENCE_S = 60  # until a state is reached, on the slowest machine
WIDE = {"width": 1280, "height": 900}


def without(reason):
    """Skip, saying why; never where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def executable(playwright):
    """The browser of the system, else the one that `playwright install chromium` has brought."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    brought = Path(playwright.chromium.executable_path)
    return found or (str(brought) if brought.exists() else None)


def launch(playwright):
    """A running browser; a test without one is skipped or fails."""
    path = executable(playwright)
    if path is None:
        without(
            f"no browser: none of {', '.join(BROWSERS)} is on the PATH. Install one (Debian: "
            "apt install chromium; elsewhere: playwright install chromium)"
        )
    try:
        return playwright.chromium.launch(
            executable_path=path,
            args=["--disable-gpu", "--disable-gpu-rasterization"],  # Debian turns it on
            timeout=1000 * PATIENCE_S,
        )
    except Exception as error:
        without(f"no browser: {path} does not start: {error}")


class Handler(SimpleHTTPRequestHandler):
    """The built pages under a path, with the policy of the README."""

    protocol_version = "HTTP/1.1"  # one connection for many files

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


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A page that is closed hangs up; nothing to say."""


def pages_here():
    """A server of the built pages on a free port of this machine."""
    return Server(("127.0.0.1", 0), lambda *args: Handler(*args, directory=str(builder.HTML)))


class Tab:
    """A tab that notes what goes wrong in it."""

    def __init__(self, context, address):
        self.address, self.page, self.wrong = address, context.new_page(), []
        self.page.on("console", lambda m: m.type == "error" and self.wrong.append(m.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self.failed)
        self.page.on("response", self.answered)
        self.page.on("request", self.asked)

    def failed(self, request):
        # A page that is left gives up what it still waits for; what is not there says so.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.url}")

    def answered(self, response):
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")

    def asked(self, request):
        own = urlsplit(request.url)[:2] == urlsplit(self.address)[:2]
        if not own and not request.url.startswith("data:image/"):
            self.wrong.append(f"elsewhere: {request.url[:90]}")

    def open(self, name):
        """The page when it has loaded and its formulas are set."""
        self.page.goto(self.address + name, wait_until="load")
        self.page.evaluate("() => window.MathJax?.startup?.promise?.then(() => 0)")
        return self.page

    def leave(self):
        """Forget the page and what it stored; the tab itself can be used again, which is faster."""
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        self.page.goto("about:blank")
        self.page.set_viewport_size(WIDE)
        self.wrong.clear()


def until(check):
    """Wait until a check passes, else let it fail."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            return check()
        except AssertionError:
            time.sleep(0.02)
    return check()
