"""Files dropped on the page, in a real Chromium with a real worker: what was dropped can be found."""

import io
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image, ImageDraw, ImageFont

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.library import Library
from service.answering.service import Service
from service.composition.http import create_app
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from tests.chromium import expect, launched

DROP = """([name, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    if (kind === "dragenter") window.sawTarget = getComputedStyle(document.querySelector(".drop-here")).display;
  }
}"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path, HashedEncoder())
    yield library
    library.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(tmp_path: Path, library: Library, store: ConversationStore, browser: Any, loopback: Any) -> Iterator[Any]:
    nobody = cast(Any, None)
    service = Service(Settings(home=tmp_path), library, nobody, nobody, nobody, nobody)
    with loopback(create_app(service, store)) as url:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        yield page
        page.context.close()
    assert faults == []


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[None]:
    stop, database, originals = threading.Event(), open_jobs(tmp_path / "jobs.sqlite"), Originals(tmp_path / "uploads")
    presence, library = Presence(tmp_path / "workers"), Library(tmp_path, HashedEncoder())
    leases = Leases(database, originals, presence.is_gone)
    indexer = Indexer(library, originals, leases, Limits())

    def run() -> None:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, lambda: None).run()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    indexer.interrupt()
    library.close()
    database.close()


def test_files_that_are_dropped_or_chosen_can_be_asked(page: Any, worker: None, library: Library) -> None:
    expect(page.locator("#onboarding")).to_be_visible()
    page.evaluate(DROP, ["parrots.md", "# Parrots\n\nParrots talk."])
    assert page.evaluate("window.sawTarget") == "grid"
    expect(page.locator(".drop-here")).to_be_hidden()
    page.wait_for_selector(".upload.done:has-text('Can be asked')")
    page.wait_for_selector("#browse:has-text('1 document')")
    expect(page.locator("#onboarding")).to_be_hidden()
    assert [document.title for document in library.open("default").documents.list()] == ["Parrots"]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    chooser.value.set_files([{"name": "crows.txt", "mimeType": "text/plain", "buffer": b"Crows count."}])
    page.wait_for_selector("#browse:has-text('2 documents')")


def test_what_cannot_be_read_says_why_and_is_taken_off_the_list(page: Any, worker: None) -> None:
    page.evaluate(DROP, ["photo.gif", "no text"])
    page.wait_for_selector(".upload.problem")
    expect(page.locator(".upload-said")).to_have_text("Files of this kind are not read.")
    assert "gif files hold no text" in page.locator(".upload-said").get_attribute("title")
    page.evaluate(DROP, ["<img src=x onerror=alert(1)>.pdf", "%PDF-1.7 broken"])
    page.wait_for_selector(".upload.problem:nth-child(2)")
    expect(page.locator(".upload-name >> nth=1")).to_have_text("<img src=x onerror=alert(1)>.pdf")
    for _ in range(2):
        page.locator(".upload .icon").first.click()
    page.locator(".uploads").wait_for(state="hidden")


def test_a_picture_is_a_document_if_it_shows_words(page: Any, worker: None, library: Library) -> None:
    page.click("#sources")
    for name, text in (("plain.png", ""), ("quay.png", "The quay closes at ten.")):
        picture, buffer = Image.new("L", (640, 120), 255), io.BytesIO()
        ImageDraw.Draw(picture).text((40, 40), text, font=ImageFont.load_default(size=32), fill=0)
        picture.save(buffer, "PNG")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Add files").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()})
        row = page.locator(".upload", has_text=name)
        if shutil.which("tesseract") is None:
            row.get_by_text("Tesseract is not installed on it.").wait_for()
        elif not text:
            row.get_by_text("No text is found in the picture.").wait_for()
        else:
            page.locator(".library-title", has_text="quay").wait_for()
            assert [hit.chunk.text for hit in library.open("default").search("quay")] == [text]


def test_a_waiting_file_is_cancelled(page: Any, library: Library) -> None:
    page.evaluate(DROP, ["later.txt", "Later."])
    page.wait_for_selector(".upload-said:has-text('Waiting')")
    page.click("button[aria-label='Cancel later.txt']")
    page.wait_for_selector(".upload.done:has-text('Cancelled')")
    assert library.names() == []
