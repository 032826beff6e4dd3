"""A real Chromium for the tests of the web page. Importing this skips the test file where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("chromium is not installed; with apt: apt-get install chromium", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
expect = playwright.expect
expect.set_options(timeout=60_000)


class Visits:
    """Pages of one browser, each in a profile of its own. `faults` are scripts that failed and requests to other hosts."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: list[Any] = []
        self.faults: list[str] = []

    def __call__(self, address: str, **options: Any) -> Any:
        """Open an address in a fresh profile, and wait until the page is ready."""
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        return self.open(context, address)

    def open(self, context: Any, address: str) -> Any:
        """Open an address in a further tab of a profile."""
        page = context.new_page()
        page.set_default_timeout(60_000)
        host = urlsplit(address).netloc
        page.on(
            "request",
            lambda request: (
                urlsplit(request.url).netloc == host
                or request.url.startswith("blob:")
                or self.faults.append(request.url)
            ),
        )
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page


@contextmanager
def launched() -> Iterator[Any]:
    """A browser, until the block ends."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Any) -> Iterator[Visits]:
    """Visits, closed at the end of the block; by then no script may have failed and no other host been requested."""
    visits = Visits(browser)
    yield visits
    for context in visits.contexts:
        context.close()
    assert visits.faults == []


def ask(page: Any, question: str) -> None:
    """Ask a question and wait for the whole answer."""
    before = page.locator(".closing").count()
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.locator(".closing").nth(before).wait_for()


def fits(page: Any) -> bool:
    """Whether nothing of the page lies beyond its right edge."""
    return bool(page.evaluate("document.documentElement.scrollWidth === innerWidth"))


def swipe(page: Any, selector: str, by: tuple[int, int]) -> None:
    """Draw a finger over the upper part of an element, so many pixels to the right and down."""
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 30
    touches = page.context.new_cdp_session(page)
    points = [(x, y), (x + by[0] / 2, y + by[1] / 2), (x + by[0], y + by[1])]
    for kind, (at_x, at_y) in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at_x, "y": at_y}]})
    touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
