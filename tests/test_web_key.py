"""The page on a server with keys, in a real Chromium: the key is asked for once, sent with every request, and forgotten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Chunk, Document, Hit
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.answering.answerer import AnswerReady, PassagesFound
from service.answering.service import Service
from service.composition.http import create_app
from service.records import Answer, Question
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import expect, launched

TEXT = "The bridge opened in 1932."


class Refusing:
    """An answerer that refuses everything, with one passage beside it."""

    def stream(self, question: Question, stages: Any = None) -> Iterator[Any]:
        hit = Hit(Chunk("c", "d", "v", 0, 0, len(TEXT), TEXT), "Bridge", "file:///bridge.md", None, 0.5)
        refusal = "The documents do not say."
        yield PassagesFound((hit,))
        yield AnswerReady(
            Answer("a1", "c1", question.text, question.text, refusal, True, 0.1, (), (), (hit,), "x", None)
        )


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keyring]:
    database = Database(f"sqlite:///{tmp_path / 'c.sqlite'}")
    yield Keyring(database)
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(tmp_path: Path, keys: Keyring, browser: Any, loopback: Any) -> Iterator[Any]:
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("default").add(Document("d", "v", "file:///bridge.md", "Bridge", "text/markdown", TEXT))
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    service = Service(Settings(home=tmp_path), library, None, None, None, Refusing())  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url:
        page = browser.new_page(base_url=url)
        page.set_default_timeout(60_000)
        yield page
        page.context.close()
    store.close()
    library.close()


def sign_in(page: Any, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_the_key_is_asked_for_once_and_let_go_of(page: Any, keys: Keyring) -> None:
    made, key = keys.create("browser", [Scope.ASK])
    page.goto("/")
    sign_in(page, "quoth_wrong")
    page.get_by_text("That key is not good here").wait_for()
    sign_in(page, f" {key}\n")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".key-dialog")).to_have_count(0)
    page.fill("#question", "When did it open?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".closing")
    page.get_by_role("button", name="Good answer").click()
    page.get_by_text("Thank you.").wait_for()
    page.click(".refused .card >> nth=0")
    page.wait_for_selector("#panel mark:visible")
    with page.context.expect_page() as opened:
        page.click("#panel a >> nth=0")
    viewer = opened.value
    viewer.wait_for_selector("mark")  # the new tab has the key, too
    expect(viewer.locator("mark")).to_have_text(TEXT)
    address = viewer.url
    viewer.close()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".asked")).to_have_text("When did it open?")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").wait_for()
    assert page.evaluate("() => sessionStorage.length") == 0
    assert key not in str(page.evaluate("() => JSON.stringify({...localStorage}) + document.cookie + location.href"))
    page.goto(address)
    sign_in(page, key)
    page.wait_for_selector("mark")
    keys.revoke(made.id)
    page.reload()
    page.get_by_text("That key is not good here").wait_for()


def test_a_key_that_may_not_ask_is_told_so(page: Any, keys: Keyring) -> None:
    _, key = keys.create("loader", [Scope.INGEST])
    page.goto("/")
    sign_in(page, key)
    page.locator("#hero-line").get_by_text("does not have the scope 'ask'").wait_for()
    expect(page.locator("#sources")).to_be_hidden()
