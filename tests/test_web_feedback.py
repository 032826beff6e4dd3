"""The thumbs of the page, in a real Chromium: the rating that is clicked is stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.answering.answerer import AnswerReady, PassagesFound
from service.answering.service import Service
from service.composition.http import create_app
from service.progress import Stages
from service.records import Answer, Question
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import expect, launched


class Refusing:
    """An answerer that refuses everything."""

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        yield PassagesFound(())
        yield AnswerReady(
            Answer(
                "a1", "c1", question.text, question.text, "The documents do not say.", True, 0.1, (), (), (), "x", None
            )
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(tmp_path: Path, browser: Any, loopback: Any) -> Iterator[Any]:
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("default").add(Document("d", "v", "file:///d.md", "D", "text/markdown", "Some text."))
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    service = Service(Settings(home=tmp_path), library, None, None, None, Refusing())  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        page.fill("#question", "Why?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".closing")
        yield page
        page.context.close()
    store.close()
    library.close()


def kept(page: Any) -> list[tuple[str, str]]:
    found = httpx.get(f"{page.url.partition('/?')[0]}/v1/feedback").json()["feedback"]
    return [(one["rating"], one["comment"]) for one in found]


def test_a_thumb_down_is_kept_at_once_and_then_its_comment(page: Any) -> None:
    form = page.locator(".thumbs-comment")
    assert form.is_hidden()
    page.get_by_role("button", name="Bad answer").click()
    form.wait_for()
    assert kept(page) == [("down", "")]
    box = page.get_by_role("textbox", name="What is wrong with this answer?")
    box.fill("It is <b>1904</b>.")
    box.press("Enter")
    form.wait_for(state="hidden")
    assert kept(page)[1:] == [("down", "It is <b>1904</b>.")]
    assert page.get_by_role("button", name="Bad answer").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Good answer").click()
    page.wait_for_selector(".thumb[aria-label='Good answer'][aria-pressed=true]")
    assert kept(page)[2:] == [("up", "")]
    assert page.get_by_role("button", name="Bad answer").get_attribute("aria-pressed") == "false"
    expect(page.get_by_role("status").filter(has_text="Thank you.")).to_have_count(1)


def test_what_cannot_be_kept_is_said(page: Any) -> None:
    page.route("**/v1/feedback", lambda route: route.fulfill(status=503, json={"detail": "The disk is full."}))
    page.get_by_role("button", name="Good answer").click()
    page.get_by_text("The disk is full.").wait_for()
    assert page.get_by_role("button", name="Good answer").get_attribute("aria-pressed") == "false"
