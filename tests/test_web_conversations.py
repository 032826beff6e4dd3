"""The page's list of earlier conversations and the thumbs at each sentence, in a real Chromium, by mouse and by keyboard."""

from collections.abc import Iterator
from functools import partial
from itertools import count
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
from service.records import Answer, Citation, Question, Sentence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import expect, launched, visiting

QUOTES = ("It was in 1904.", "So 🦜 they say.")


class Saying:
    """An answerer that gives the same two sentences to every question."""

    def __init__(self) -> None:
        self._numbers = count()

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        number = next(self._numbers)
        citations = tuple(
            Citation(place, "d", "v", "D", "file:///d.md", None, 0, len(quote), quote, "k", 0.9)
            for place, quote in enumerate(QUOTES, 1)
        )
        sentences = tuple(Sentence(one.quote, (one.number,), True, 1.0) for one in citations)
        text = " ".join(f"{one.quote} [{one.number}]" for one in citations)
        conversation = question.conversation_id or f"c{number}"
        yield PassagesFound(())
        yield AnswerReady(
            Answer(
                f"a{number}",
                conversation,
                question.text,
                question.text,
                text,
                False,
                0.9,
                sentences,
                citations,
                (),
                "x",
                None,
            )
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def address(tmp_path: Path, loopback: Any) -> Iterator[str]:
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("default").add(Document("d", "v", "file:///d.md", "D", "text/markdown", "Some text."))
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    service = Service(Settings(home=tmp_path), library, None, None, None, Saying())  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url:
        yield url
    store.close()
    library.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    with visiting(browser) as visits:
        yield partial(visits, address)


def ask(page: Any, question: str) -> None:
    before = page.locator(".closing").count()
    page.fill("#question", question)
    page.click("#send")
    page.locator(".closing").nth(before).wait_for()


def titles(page: Any) -> list[str]:
    found: list[str] = page.locator(".earlier-open").all_text_contents()
    return found


def test_earlier_conversations_are_opened_renamed_and_deleted(visit: Any, address: str) -> None:
    page = visit()
    ask(page, "First <b>one</b>?")
    page.click("#fresh")
    ask(page, "Second one?")
    toggle = page.get_by_role("button", name="Earlier conversations")
    assert toggle.get_attribute("aria-expanded") == "false"
    toggle.click()
    page.get_by_role("button", name="Second one?", exact=True).wait_for()
    assert titles(page) == ["Second one?", "First <b>one</b>?"]
    expect(page.locator(".earlier-open[aria-current]")).to_have_text("Second one?")

    page.get_by_role("button", name="First <b>one</b>?", exact=True).click()
    page.locator(".asked", has_text="First <b>one</b>?").wait_for()
    expect(page.locator(".turn")).to_have_count(1)
    assert page.url == f"{address}/?c=c0"
    ask(page, "And then?")
    page.locator(".earlier-open[aria-current]", has_text="First").wait_for()
    assert httpx.get(f"{address}/v1/conversations/c0").json()["answers"][1]["answer"]["question"] == "And then?"

    rename = page.get_by_role("button", name="Rename “First <b>one</b>?”")
    rename.focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="New title").fill("Nineteen-four")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Nineteen-four", exact=True).wait_for()
    assert httpx.get(f"{address}/v1/conversations/c0").json()["title"] == "Nineteen-four"

    page.get_by_role("button", name="Delete “Nineteen-four”").click()
    page.get_by_role("button", name="Keep").click()
    assert len(titles(page)) == 2
    page.get_by_role("button", name="Delete “Nineteen-four”").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".earlier-open")).to_have_count(1)
    assert httpx.get(f"{address}/v1/conversations/c0").status_code == 404
    page.wait_for_url(f"{address}/")
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="Second one?", exact=True).wait_for()  # the list stays open


def test_on_a_phone_the_list_lies_over_the_page_and_closes_when_one_is_opened(visit: Any) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ask(page, "First one?")
    page.click("#fresh")
    page.click("#earlier-toggle")
    page.locator(".earlier-open").tap()
    page.locator(".asked", has_text="First one?").wait_for()
    expect(page.locator("#earlier")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("#earlier-toggle")
    page.locator(".earlier-open").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#earlier")).to_be_hidden()


def test_a_list_that_is_fetched_anew_leaves_the_reader_and_an_open_form_where_they_are(visit: Any) -> None:
    page = visit()
    ask(page, "First one?")
    page.click("#earlier-toggle")
    page.locator(".earlier-open").wait_for()
    held: list[Any] = []
    page.route("**/v1/conversations?*", lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request("**/v1/conversations?*"):
        page.click("#earlier-toggle")
        page.click("#earlier-toggle")
    page.locator(".earlier-open").focus()
    page.evaluate("document.activeElement.dataset.old = 'yes'")
    held[0].continue_()
    page.locator(".earlier-open:not([data-old])").wait_for()
    expect(page.locator(".earlier-open")).to_be_focused()
    page.unroute("**/v1/conversations?*")

    page.get_by_role("button", name="Rename “First one?”").click()
    page.get_by_role("textbox", name="New title").fill("Half a ti")
    ask(page, "And then?")
    page.locator("#question").wait_for()
    expect(page.get_by_role("textbox", name="New title")).to_have_value("Half a ti")
    page.get_by_role("textbox", name="New title").press("Enter")
    page.get_by_role("button", name="Half a ti", exact=True).wait_for()


def test_what_goes_wrong_with_the_list_is_said(visit: Any) -> None:
    page = visit()
    page.route("**/v1/conversations**", lambda route: route.fulfill(status=503, json={"detail": "The disk is full."}))
    page.click("#earlier-toggle")
    page.get_by_text("The disk is full.").wait_for()


def test_each_sentence_can_be_rated_by_mouse_and_by_keyboard(visit: Any, address: str) -> None:
    page = visit()
    ask(page, "When was it?")
    expect(page.locator(".prose")).to_have_text("It was in 1904.1 So 🦜 they say.2")
    tools = page.get_by_role("group", name="Rate this sentence").nth(1)
    expect(tools).to_have_css("opacity", "0")
    page.locator(".sentence").nth(1).hover()
    expect(tools).to_have_css("opacity", "1")
    page.get_by_role("button", name="Bad sentence 2").click()
    box = page.get_by_role("textbox", name="What is wrong with sentence 2?")
    box.fill("Who says?")
    box.press("Enter")
    box.wait_for(state="hidden")

    page.locator(".marker").first.focus()
    page.keyboard.press("ArrowRight")  # the controls of a sentence are one stop of the Tab key
    expect(page.get_by_role("button", name="Good sentence 1")).to_be_focused()
    first = page.get_by_role("group", name="Rate this sentence").first
    expect(first).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-label='Good sentence 1'][aria-pressed=true]")
    found = httpx.get(f"{address}/v1/feedback").json()["feedback"]
    assert [(one["rating"], one["sentence"], one["comment"]) for one in found] == [
        ("down", 1, ""),
        ("down", 1, "Who says?"),
        ("up", 0, ""),
    ]
