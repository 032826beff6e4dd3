"""The page and the viewer in a real Chromium: what is marked is what was quoted, and nothing is loaded from elsewhere."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from index.blocks.block import Block, Kind
from index.library import Library
from index.records import Document, Page
from service.answering.answerer import AnswerReady, PassagesFound, SentenceReady
from service.answering.service import Service
from service.composition.http import create_app
from service.progress import Stages
from service.records import Answer, Question, Sentence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import PHONE, Visits, ask, expect, fits, launched, visiting

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"
TRICKY = (
    "# 🦜 Parrots\r\n\r\nA 👩‍👩‍👧‍👦 family; e\u0301tude; مرحبا. "
    "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\"> "
    "𝔗he parrot said “nevermore” 17 times. Then it slept.\n\x0cPage two 𐍈 begins.\n"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any) -> Iterator[Visits]:
    with visiting(browser) as visits:
        yield visits


def test_a_marker_opens_the_document_with_exactly_the_quote_marked(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, ATTACKS)
    answer = httpx.get(f"{served}/v1/conversations/{page.url.split('?c=')[1]}").json()["answers"][0]["answer"]
    citation = answer["citations"][0]
    page.click(".marker >> nth=0")
    page.wait_for_selector("#panel mark:visible")
    assert "".join(page.locator("#panel mark").all_text_contents()) == citation["quote"]
    begin, end = (at - citation["start"] for at in citation["highlight"])
    assert "".join(page.locator("#panel mark.span").all_text_contents()) == citation["quote"][begin:end]
    expect(page.locator(".card .quote-text").first).to_have_text(citation["quote"])
    with page.context.expect_page() as opened:
        page.click("#panel a >> nth=0")
    viewer = opened.value
    viewer.wait_for_selector("mark")
    assert "".join(viewer.locator("mark").all_text_contents()) == citation["quote"]
    expect(viewer.locator("mark.span").first).to_be_visible()


def test_a_refusal_shows_the_nearest_passages_and_each_opens(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, UNRELATED)
    expect(page.locator(".refused .prose")).to_have_text("The documents do not say.")
    page.click(".refused .card >> nth=0")
    page.wait_for_selector("#panel mark:visible")
    expect(page.locator("#panel mark:visible").first).to_be_visible()


def test_a_conversation_goes_on_and_survives_a_reload(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, ATTACKS)
    first = page.url
    ask(page, "And since when?")
    assert page.url == first
    answers = page.locator(".prose").all_text_contents()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".asked")).to_have_text([ATTACKS, "And since when?"])
    expect(page.locator(".prose")).to_have_text(answers)
    page.click("#fresh")
    expect(page.locator(".turn")).to_have_count(0)
    assert page.url == f"{served}/"


def test_everything_can_be_done_with_the_keyboard(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, ATTACKS)
    page.keyboard.press("1")  # the focus has left the box for the answer
    page.wait_for_selector("#panel mark:visible")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".marker:focus")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    assert page.input_value("#question") == ""
    page.keyboard.press("Escape")
    page.keyboard.type("Who?")  # whoever types, asks
    assert page.input_value("#question") == "Who?"


def test_every_control_has_a_name_and_the_answer_is_announced(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, ATTACKS)
    page.click(".marker >> nth=0")
    page.wait_for_selector("#panel mark:visible")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, select, textarea, input")].filter((control) =>
            !(control.getAttribute("aria-label") || control.textContent.trim() || control.labels?.length)).length"""
    )
    assert nameless == 0
    assert page.locator(".turn > [aria-live]").get_attribute("aria-live") == "polite"
    assert page.locator("#status").text_content().startswith("Answered")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Visits, served: str, scheme: str) -> None:
    page = visit(served, color_scheme=scheme)
    ask(page, ATTACKS)
    for selector in (
        ".prose",
        ".card-place",
        ".closing",
        "#send",
        ".marker",
        ".quiet >> nth=0",
        "mark.span",
        ".hero, .asked",
    ):
        ink, ground = page.locator(selector).first.evaluate(
            """(element) => {
                const ink = getComputedStyle(element).color;
                let at = element;
                while (at && getComputedStyle(at).backgroundColor === "rgba(0, 0, 0, 0)") at = at.parentElement;
                return [ink, getComputedStyle(at).backgroundColor];
            }"""
        )
        assert contrast(ink, ground) >= 4.5, selector  # WCAG 2.2 AA, 1.4.3


def test_the_chosen_theme_is_kept(visit: Visits, served: str) -> None:
    page = visit(served, color_scheme="light")
    light = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.click("#menu-toggle")
    page.click("#theme")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert luminance(dark) < 0.05 < luminance(light)
    page.reload()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark


def test_it_fits_a_phone(visit: Visits, served: str) -> None:
    page = visit(served, **PHONE)
    ask(page, ATTACKS)
    page.tap(".marker >> nth=0")
    page.wait_for_selector("#panel mark:visible")
    assert fits(page)
    expect(page.locator("#panel mark:visible").first).to_be_visible()
    address = page.locator("#panel a").first.get_attribute("href")
    page.goto(f"{served}{address}")
    page.wait_for_selector("mark")
    assert fits(page)


def test_what_the_server_refuses_is_said_and_can_be_asked_again(visit: Visits, served: str) -> None:
    page = visit(served)
    page.fill("#question", "?!")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problem")
    assert "no letter or digit" in page.locator(".problem").text_content()
    page.click(".problem button")
    page.wait_for_selector(".problem")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_question_that_is_too_long_goes_back_into_its_field(visit: Visits, served: str) -> None:
    page = visit(served)
    question = ("Why? " * 1000).strip()
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.locator(".problem", has_text="has 4,999 characters").wait_for()
    assert page.input_value("#question") == question


@pytest.fixture
def tricky(service: Service, tmp_path: Path) -> Service:
    """The service over a collection with one document that is hard to show."""
    library = Library(tmp_path, service.library.encoder)
    two = TRICKY.index("Page two")
    pages = (Page(1, 0, two), Page(2, two, len(TRICKY)))
    document = Document(
        "d1", "v1", "file:///p.pdf", "Parrots <b>", "application/pdf", TRICKY, pages,
        (Block(Kind.HEADING, 0, TRICKY.index("\r"), level=1),),
    )  # fmt: skip
    library.open_or_create("default").add(document)
    return replace(service, library=library, settings=Settings(home=tmp_path))


@pytest.mark.parametrize(
    "words", ["𝔗he parrot said “nevermore” 17 times.", "👩‍👩‍👧‍👦 family; e\u0301tude", "Page two 𐍈 begins", "<script>"]
)
def test_the_viewer_marks_by_code_points_and_shows_markup_as_text(
    visit: Visits, loopback: Any, tricky: Service, store: ConversationStore, words: str
) -> None:
    start = TRICKY.index(words)
    query = urlencode({"document": "d1", "version": "v1", "start": start, "end": start + len(words)})
    with loopback(create_app(tricky, store)) as address:
        page = visit(f"{address}/view?{query}")
        assert "".join(page.locator("mark").all_text_contents()) == words
        expect(page).to_have_title("Parrots <b> · Quoth")
        assert page.locator("#text img, #text script, #title b").count() == 0
        expect(page.locator("#text")).to_contain_text("<img src=x onerror=")
        expect(page.locator(".page-break")).to_have_text(["Page 1", "Page 2"])
        assert page.locator(".b-heading").last.text_content().strip() == "# 🦜 Parrots"


def test_a_link_to_what_is_not_there_says_so(visit: Visits, served: str) -> None:
    page = visit(f"{served}/view?document=x&version=y&start=1&end=2")
    expect(page.locator("#place.problem")).to_be_visible()


def test_an_empty_home_says_how_to_begin_and_the_page_notices_the_first_documents(
    visit: Visits, loopback: Any, service: Service, store: ConversationStore, tmp_path: Path
) -> None:
    library = Library(tmp_path, service.library.encoder)
    empty = replace(service, library=library, settings=Settings(home=tmp_path))
    with loopback(create_app(empty, store)) as address:
        page = visit(address)
        expect(page.locator("#command")).to_have_text("quoth index FOLDER")
        expect(page.locator("#question")).to_be_hidden()
        document = Document("d1", "v1", "file:///a.txt", "A", "text/plain", "The bridge opened in 1932.")
        library.open_or_create("default").add(document)
        page.wait_for_selector("#question:visible")
        expect(page.locator("#onboarding")).to_be_hidden()
        expect(page.locator("#browse")).to_have_text("1 document")


class Slow:
    """An answerer that gives one sentence, and the rest when the test allows."""

    def __init__(self) -> None:
        self.go = False
        self.stopped = False

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        sentence = Sentence("The first sentence stands already.", (), True, 1.0)
        try:
            yield PassagesFound(())
            yield SentenceReady(sentence, ())
            while not self.go:
                time.sleep(0.02)
                yield PassagesFound(())
        except GeneratorExit:
            self.stopped = True
            raise
        yield AnswerReady(
            Answer(
                "a1", "k1", question.text, question.text, sentence.text, False, 0.9, (sentence,), (), (), "slow", None
            )
        )


def test_sentences_show_while_the_answer_is_still_being_made(
    visit: Visits, loopback: Any, service: Service, tmp_path: Path
) -> None:
    slow = Slow()
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    with loopback(create_app(replace(service, answerer=slow), store)) as address:  # type: ignore[arg-type]
        page = visit(address)
        page.fill("#question", "What is taking so long?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".sentence")
        expect(page.locator(".closing")).to_have_count(0)
        expect(page.locator("#send")).to_have_text("Stop")
        slow.go = True
        page.wait_for_selector(".closing")
        expect(page.locator("#send")).to_have_text("Ask")
    store.close()


def test_stop_stops_the_work_too(visit: Visits, loopback: Any, service: Service, store: ConversationStore) -> None:
    slow = Slow()
    with loopback(create_app(replace(service, answerer=slow), store)) as address:  # type: ignore[arg-type]
        page = visit(address)
        page.fill("#question", "What is taking so long?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".sentence")
        page.click("#send")
        page.locator(".cut-off", has_text="Stopped here. What stands above is checked.").wait_for()
        deadline = time.monotonic() + 10
        while not slow.stopped:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour `rgb(r, g, b)` (WCAG 2.2)."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
