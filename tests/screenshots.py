"""`python -m tests.screenshots FOLDER`: a picture of each state of the web page, on a phone and wide, light and dark.

A real server answers over the documents of the harbour with the models that ship; `STATES` lists the states.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.sync.sync import sync
from service.composition.http import create_app
from service.composition.service import assemble
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import ask, launched
from tests.conftest import Loopback
from tests.harbour_documents import write_harbour

SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}
THEMES = ("light", "dark")
UPLOADS = {"tides.txt": b"The tide turns twice a day.", "empty.txt": b""}
FERRIES = "How many ferries arrived in 2025?"


def empty(page: Any) -> None:
    """The page as it opens."""


def table(page: Any) -> None:
    """An answer that is a row of a table."""
    ask(page, FERRIES)


def several(page: Any) -> None:
    """A list, code, a definition."""
    for question in (
        "What do I need to rent a berth?",
        "How do I start the relay of the north gate?",
        "What is a fender?",
    ):
        ask(page, question)
    page.locator(".turn").first.scroll_into_view_if_needed()


def refusal(page: Any) -> None:
    """A question that the documents do not answer."""
    ask(page, "Who commands the harbour police?")


def source_as_page(page: Any) -> None:
    """The panel with the page of a PDF."""
    ask(page, FERRIES)
    page.locator(".marker").first.click()
    page.locator("#panel [data-view=page]").click()
    page.wait_for_selector("#panel .page-sheet img")
    page.wait_for_selector("#panel .word-box.answer")


def source_as_text(page: Any) -> None:
    """The panel with the text of a PDF."""
    source_as_page(page)
    page.locator("#panel [data-view=text]").click()
    page.wait_for_selector("#panel mark.span")


def scan(page: Any) -> None:
    """The panel with a page that was recognised."""
    ask(page, "When is the east quay closed?")
    page.locator(".marker").first.click()
    page.locator("#panel [data-view=page]").click()
    page.wait_for_selector("#panel .page-sheet img")


def quote_beside_marker(page: Any) -> None:
    """The quote that hovering over a marker shows."""
    ask(page, "How much did the new breakwater cost?")
    page.locator(".marker").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")


def viewer_pages(page: Any) -> None:
    """The viewer with pages."""
    source_as_page(page)
    address = page.locator("#panel a").first.evaluate("link => link.href")
    page.goto(address)
    page.wait_for_selector(".page-sheet img")
    page.wait_for_selector(".word-box")


def viewer_text(page: Any) -> None:
    """The viewer with text."""
    viewer_pages(page)
    page.click("[data-view=text]")


def menu(page: Any) -> None:
    """The menu, beside an answer that can be saved."""
    ask(page, FERRIES)
    page.click("#menu-toggle")


def sources(page: Any) -> None:
    """The panel of sources, with one document chosen and another about to be deleted."""
    page.click("#sources")
    page.locator(".library-list input").first.check()
    page.locator(".library-list .icon").nth(1).click()
    page.locator(".library-actions button").last.click()


def upload(page: Any) -> None:
    """A file on its way, and one that holds nothing."""
    page.click("#sources")
    files = [{"name": name, "mimeType": "text/plain", "buffer": text} for name, text in UPLOADS.items()]
    page.set_input_files("#library input[type=file] >> nth=0", files)
    page.locator(".upload.problem").wait_for()


def edited(page: Any) -> None:
    """A question that is being changed."""
    ask(page, FERRIES)
    page.locator(".pencil").first.click()


def earlier(page: Any) -> None:
    """Earlier conversations by day."""
    page.click("#earlier-toggle")
    page.wait_for_selector(".earlier-open, .earlier-said:not(:empty)")


def missing(page: Any) -> None:
    """A link to an answer that is not there."""
    page.goto(f"{page.url}a/none")
    page.wait_for_selector("#missing:visible")


def gaps(page: Any) -> None:
    """What the documents do not say."""
    page.goto(f"{page.url}gaps")
    page.wait_for_selector("body[data-ready]")


STATES: tuple[Callable[[Any], None], ...] = (
    empty, table, several, refusal, source_as_page, source_as_text, scan, quote_beside_marker, viewer_pages, viewer_text,
    menu, sources, upload, edited, earlier, missing, gaps,
)  # fmt: skip


@contextmanager
def harbour() -> Iterator[str]:
    """The address of a server over the documents of the harbour, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="quoth-screenshots-") as folder:
        home = Path(folder)
        service = assemble(Settings(home=home))
        sync(service.library.open_or_create("default"), sorted(write_harbour(home / "files").iterdir()))
        store = ConversationStore(Database(f"sqlite:///{home / 'c.sqlite'}"))
        with Loopback(create_app(service, store)) as url:
            yield url
        store.close()
        service.library.close()


def take(folder: Path, names: list[str]) -> None:
    """Write the pictures of the states with these names, of all without any, as STATE-SIZE-THEME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with harbour() as url, launched() as browser:
        for state in STATES:
            if names and state.__name__ not in names:
                continue
            for size, options in SIZES.items():
                for theme in THEMES:
                    context = browser.new_context(color_scheme=theme, reduced_motion="reduce", **options)
                    page = context.new_page()
                    page.set_default_timeout(60_000)
                    page.goto(url)
                    page.wait_for_selector("body[data-ready]")
                    state(page)
                    page.wait_for_timeout(500)  # for pictures that are still coming
                    page.screenshot(path=folder / f"{state.__name__}-{size}-{theme}.png")
                    context.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]), sys.argv[2:])
