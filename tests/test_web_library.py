"""The panel of sources in a real Chromium, on a real server with real models and a worker."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.formats.limits import Limits
from index.library import Library
from index.records import Document
from service.access.caller import Scope
from service.composition.http import create_app
from service.composition.service import assemble
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from tests.chromium import PHONE, Visits, ask, expect, fits, launched, swipe, visiting
from tests.served_app import ServedApp

BRIDGE = "The bridge over the Wenning was opened to traffic in 1932."
MILL = "The paper mill at Aldcliffe employs 240 people."
HOSTILE = '<img src=x onerror="document.title = 1"> مرحبا {title}'
WIDTHS = (320, 360, 390, 768, 1280)


def put(library: Library, collection: str, name: str, title: str, text: str, **facts: Any) -> None:
    library.open_or_create(collection).add(
        Document(name, f"v-{name}", f"file:///papers/{name}.md", title, "text/markdown", text, **facts)
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def address(home: Path, loopback: Any, own_environment: None, store: ConversationStore) -> Iterator[str]:
    service = assemble(Settings(home=home))
    put(service.library, "default", "bridge", "The bridge", BRIDGE)
    put(service.library, "default", "mill", "Aldcliffe mill", MILL, principals=frozenset({"ann"}))
    put(service.library, "default", "hostile", HOSTILE, "Nothing of interest stands here.")
    stop, database, originals = threading.Event(), open_jobs(home / "jobs.sqlite"), Originals(home / "uploads")
    presence = Presence(home / "workers")
    leases = Leases(database, originals, presence.is_gone)
    indexer = Indexer(service.library, originals, leases, Limits())

    def work() -> None:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, lambda: None).run()

    worker = threading.Thread(target=work)
    worker.start()
    with loopback(create_app(service, store)) as url:
        yield url
    stop.set()
    worker.join(60)
    indexer.interrupt()
    service.library.close()
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any) -> Iterator[Visits]:
    with visiting(browser) as visits:
        yield visits


def open_sources(page: Any) -> Any:
    page.click("#sources")
    page.locator("#library li").first.wait_for()
    return page.locator("#library")


def titles(page: Any) -> list[str]:
    found: list[str] = page.locator(".library-title").all_text_contents()
    return found


def test_documents_are_listed_with_what_is_known_of_them_and_found_by_name(visit: Visits, address: str) -> None:
    page = visit(address)
    sources = open_sources(page)
    assert titles(page) == [HOSTILE, "Aldcliffe mill", "The bridge"]
    expect(page.locator("#library img")).to_have_count(0)
    mill = sources.locator("li", has_text="Aldcliffe mill")
    assert mill.locator("p").first.text_content().startswith("Text · ")
    assert mill.locator("p").first.text_content().endswith(" · mill.md")
    mill.get_by_text("Only for ann").wait_for()
    sources.get_by_placeholder("Find a document").fill("mill")
    assert titles(page) == ["Aldcliffe mill"]
    sources.get_by_placeholder("Find a document").fill("nowhere")
    sources.get_by_text("No document is called that.").wait_for()
    sources.get_by_placeholder("Find a document").fill("")
    sources.get_by_label("Order").select_option("Newest first")
    assert titles(page) == [HOSTILE, "Aldcliffe mill", "The bridge"]


def test_the_first_visit_loads_less_than_100_kilobytes(visit: Visits, address: str) -> None:
    page = visit(address)
    sent = page.evaluate("performance.getEntries().reduce((sum, one) => sum + (one.transferSize ?? 0), 0)")
    assert 20_000 < sent < 100_000


def test_only_the_chosen_documents_answer(visit: Visits, address: str) -> None:
    page = visit(address)
    sources = open_sources(page)
    sources.get_by_label("Ask only The bridge").check()
    sources.get_by_role("button", name="Ask this one").click()
    expect(page.locator("#browse")).to_have_text("Only The bridge")
    ask(page, "How many people does the paper mill at Aldcliffe employ?")
    expect(page.locator(".refused")).to_have_count(1)
    expect(page.locator(".asked-of")).to_have_text("Asked of 1 document")
    page.get_by_role("button", name="Ask all documents again").click()
    expect(page.locator("#browse")).to_have_text("3 documents")
    ask(page, "How many people does the paper mill at Aldcliffe employ?")
    expect(page.locator(".prose").nth(1)).to_contain_text("240")


def test_a_collection_is_made_filled_and_deleted(visit: Visits, address: str) -> None:
    page = visit(address)
    sources = open_sources(page)
    sources.get_by_role("button", name="New collection").click()
    sources.get_by_label("Name of the collection").fill("Field nötes?")
    page.keyboard.press("Enter")
    chooser = sources.get_by_label("Collection", exact=True)
    expect(chooser).to_have_value("field-notes")
    expect(chooser.locator("option:checked")).to_have_text("Field nötes?")
    sources.get_by_role("button", name="Rename this collection").click()
    sources.get_by_label("Name of the collection").fill("Notes")
    page.keyboard.press("Enter")
    expect(chooser.locator("option:checked")).to_have_text("Notes")
    expect(chooser).to_have_value("field-notes")
    expect(page.locator("#collection option:checked")).to_have_text("Notes")
    sources.get_by_text("No documents yet.").wait_for()

    page.set_input_files("input[type=file] >> nth=0", [
        {"name": "owls.txt", "mimeType": "text/plain", "buffer": b"Owls turn their heads."},
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""},
    ])  # fmt: skip
    sources.locator(".library-title", has_text="owls").wait_for()
    sources.locator(".upload", has_text="The file is empty.").wait_for()
    page.set_viewport_size({"width": 1280, "height": 300})  # however little room there is, no file is cut off
    page.wait_for_function("() => (tray => tray.scrollHeight <= tray.clientHeight)(document.querySelector('.uploads'))")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.set_input_files(
        "input[type=file] >> nth=0", {"name": "copy.txt", "mimeType": "text/plain", "buffer": b"Owls turn their heads."}
    )
    twin = sources.locator(".upload", has_text="Already here as owls")
    twin.get_by_role("button", name="Add it all the same").click()
    sources.locator(".library-title", has_text="copy").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#uploads-said")).to_have_text("1 file was not read")

    page.click("#sources")
    row = sources.locator("li", has=page.get_by_role("link", name="owls"))
    row.get_by_role("button", name="More for owls").click()
    with page.expect_file_chooser() as chooser:
        row.get_by_role("button", name="Replace").click()
    chooser.value.set_files({"name": "owls.txt", "mimeType": "text/plain", "buffer": b"Owls fly without a sound."})
    sources.locator(".upload", has_text="in place of the earlier version").wait_for()
    documents = httpx.get(f"{address}/v1/documents", params={"collection": "field-notes"}).json()["documents"]
    assert sorted(document["bytes"] for document in documents) == [22, 25]

    row.get_by_role("button", name="More for owls").click()
    row.get_by_role("button", name="Delete").click()
    row.get_by_text("Delete owls? It answers no more questions.").wait_for()
    row.get_by_role("button", name="Delete").click()
    expect(sources.locator(".library-title")).to_have_text(["copy"])
    sources.get_by_role("button", name="Delete this collection").click()
    sources.get_by_text("Delete Notes with its 1 document, for everybody and for good?").wait_for()
    sources.get_by_role("button", name="Delete", exact=True).click()
    expect(sources.get_by_label("Collection", exact=True)).to_have_value("default")
    assert [one["name"] for one in httpx.get(f"{address}/v1/collections").json()["collections"]] == ["default"]


def test_a_document_is_renamed_and_its_earlier_answers_keep_its_title(visit: Visits, address: str) -> None:
    page = visit(address)
    question = "When was the bridge over the Wenning opened to traffic?"
    ask(page, question)
    earlier = page.url
    sources = open_sources(page)

    def rename(title: str, to: str) -> None:
        sources.get_by_role("button", name=f"More for {title}").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")  # the focus is on the first action
        expect(sources.get_by_label("New title")).to_be_focused()
        page.keyboard.type(to)
        page.keyboard.press("Enter")
        sources.get_by_role("link", name=to).wait_for()

    rename("The bridge", "Crossing of 1932")
    sources.get_by_role("button", name="More for Aldcliffe mill").click()
    sources.get_by_role("button", name="Rename", exact=True).click()
    page.keyboard.press("Escape")  # leaves the field, and the panel stays
    expect(sources.get_by_role("button", name="More for Aldcliffe mill")).to_be_focused()
    page.keyboard.press("Escape")
    ask(page, question)
    expect(page.locator(".source-title")).to_have_text(["The bridge", "Crossing of 1932"])
    page.goto(earlier)
    expect(page.locator(".source-title").first).to_have_text("The bridge")
    page.locator(".card-open").first.click()
    page.locator("#panel mark").first.wait_for()
    page.keyboard.press("Escape")
    open_sources(page)
    rename("Crossing of 1932", "The bridge")


def test_a_folder_is_added_and_files_of_one_name_stay_apart(visit: Visits, address: str, tmp_path: Path) -> None:
    for folder, text in (("north", "It snows."), ("south", "It rains.")):
        (tmp_path / "weather" / folder).mkdir(parents=True)
        (tmp_path / "weather" / folder / "readme.txt").write_text(text)
    (tmp_path / "weather" / ".hidden").write_text("no")
    page = visit(address)
    sources = open_sources(page)
    with page.expect_file_chooser() as chooser:
        sources.get_by_role("button", name="Add a folder").click()
    chooser.value.set_files(tmp_path / "weather")
    expect(sources.locator(".library-title", has_text="readme")).to_have_count(2)
    names = [upload["filename"] for upload in httpx.get(f"{address}/v1/jobs?limit=2").json()["jobs"]]
    assert names == ["readme.txt", "readme.txt"]


@pytest.mark.parametrize("way", ["swipe", "back", "beside", "escape", "button"])
def test_on_a_phone_the_panel_closes_in_every_way(visit: Visits, address: str, way: str) -> None:
    page = visit(address, **PHONE)
    open_sources(page)
    if way == "swipe":
        swipe(page, "#library", (0, 200))
    elif way == "back":
        page.go_back()
    elif way == "beside":
        page.touchscreen.tap(180, 20)
    elif way == "escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Close").click()
    page.locator("#library").wait_for(state="hidden")
    assert page.url == f"{address}/"
    page.click("#menu-toggle")  # and what is opened next has an entry in the history of its own
    page.go_back()
    page.locator("#menu").wait_for(state="hidden")
    assert page.url == f"{address}/"


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_lies_beyond_the_edge_at_any_width(visit: Visits, tmp_path: Path, loopback: Any, width: int) -> None:
    with ServedApp(tmp_path, loopback) as served:
        _, key = served.keys.create("everything", [Scope.ADMIN], principals=None)
        page = visit.browser.new_context(viewport={"width": width, "height": 740}, locale="de-DE").new_page()
        page.add_init_script(f"sessionStorage.setItem('quoth-key', '{key}')")
        page.goto(served.url)
        page.wait_for_selector("body[data-ready]")
        assert fits(page)
        ask(page, "Why does Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrikant not break?")
        assert fits(page)
        page.click("#menu-toggle")
        for name in ("#sign-out", "#theme", "#gaps", "#language", "#print"):
            expect(page.locator(name)).to_be_visible()
        assert fits(page)
        page.keyboard.press("Escape")
        page.click("#sources")
        page.locator(".library-list input").first.check()
        page.locator(".library-list .icon").first.click()
        page.get_by_role("button", name="Diese Sammlung löschen").click()
        assert fits(page)
        assert page.evaluate(
            "document.querySelector('#library').scrollWidth === document.querySelector('#library').clientWidth"
        )
        page.keyboard.press("Escape")
        page.click("#earlier-toggle")
        page.locator(".earlier-open").wait_for()
        assert fits(page)
        expect(page.locator("#fresh")).to_be_visible()
        page.context.close()


def test_only_what_the_key_allows_is_shown(visit: Visits, tmp_path: Path, loopback: Any) -> None:
    with ServedApp(tmp_path, loopback) as served:
        reader, loader = (served.keys.create(name, scopes)[1] for name, scopes in (
            ("reader", [Scope.ASK]), ("loader", [Scope.ASK, Scope.INGEST]),
        ))  # fmt: skip
        page = visit.browser.new_context(viewport={"width": 1280, "height": 740}).new_page()
        page.goto(served.url)
        page.get_by_label("API key").fill(reader)
        page.keyboard.press("Enter")
        page.wait_for_selector("body[data-ready]")
        page.click("#sources")
        page.locator(".library-title").wait_for()
        for name in ("Add files", "Add a folder", "New collection", "Delete this collection", "More for D"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        page.keyboard.press("Escape")
        page.click("#menu-toggle")
        expect(page.locator("#signed-in")).to_have_text("Signed in as reader")
        expect(page.locator("#gaps")).to_be_hidden()
        page.click("#sign-out")
        page.get_by_label("API key").fill(loader)
        page.get_by_label("Stay signed in on this device").check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("body[data-ready]")
        other = page.context.new_page()  # another tab of the same profile needs no key
        other.goto(served.url)
        other.wait_for_selector("body[data-ready]")
        other.click("#sources")
        other.get_by_role("button", name="Add files").wait_for()
        expect(other.get_by_role("button", name="Delete this collection")).to_have_count(0)
        page.context.close()
