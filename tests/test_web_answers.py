"""What becomes of an answer on the page: cut off, asked again, linked, exported, rated, in another language."""

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.records import Document
from service.access.caller import Scope
from service.answering.answerer import AnswerReady, PassagesFound, SentenceReady
from service.phrases.table import LANGUAGES, page_phrases, texts
from service.progress import Stages
from service.records import Answer, Citation, Question, Sentence
from tests.chromium import PHONE, Visits, ask, expect, launched, visiting
from tests.cut_proxy import CutProxy
from tests.served_app import ServedApp

QUOTES = ("It was in 1904.", "So they say.")


class Halting:
    """An answerer of two sentences that halts after the first until the test lets it go on. It keeps the questions."""

    def __init__(self) -> None:
        self.go = True
        self.questions: list[Question] = []
        self._numbers = count()

    def read(self, question: Question) -> str:
        """A follow-up is read with the topic of what was asked before, unless it is to be read as typed."""
        return question.text if question.as_typed or not question.history else f"{question.text} (the loom)"

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        self.questions.append(question)
        number = next(self._numbers)
        citations = tuple(
            Citation(place, "d", "v", "D", "file:///d.md", None, 0, len(quote), quote, "k", 0.9)
            for place, quote in enumerate(QUOTES, 1)
        )
        sentences = tuple(Sentence(one.quote, (one.number,), True, 1.0) for one in citations)
        yield PassagesFound(())
        yield SentenceReady(sentences[0], citations[:1])
        while not self.go:
            time.sleep(0.02)
            yield PassagesFound(())
        yield SentenceReady(sentences[1], citations[1:])
        text = " ".join(f"{one.quote} [{one.number}]" for one in citations)
        yield AnswerReady(
            Answer(
                f"a{number}", question.conversation_id or f"c{number}", question.text, self.read(question), text, False, 0.9,
                sentences, citations, (), "x", None,
            )
        )  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any) -> Iterator[Visits]:
    with visiting(browser) as visits:
        yield visits


@pytest.fixture
def answerer() -> Halting:
    return Halting()


@pytest.fixture
def served(tmp_path: Path, loopback: Any, answerer: Halting) -> Iterator[ServedApp]:
    app = ServedApp(tmp_path, loopback)
    app.service.answerer.stream = answerer.stream  # type: ignore[method-assign]
    with app:
        yield app


def sentences(page: Any) -> list[str]:
    found: list[str] = page.locator(".sentence").all_text_contents()
    return found


def halted(page: Any, answerer: Halting, question: str) -> None:
    """Ask, and wait until the first sentence of the answer is there and no more."""
    answerer.go = False
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".sentence")


def test_a_stopped_answer_keeps_its_sentences_also_over_a_reload_and_goes_on(
    visit: Visits, served: ServedApp, answerer: Halting
) -> None:
    page = visit(served.url)
    halted(page, answerer, "When was it?")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped here. What stands above is checked.").wait_for()
    assert sentences(page) == [QUOTES[0]]
    page.reload()
    page.get_by_text("Stopped here. What stands above is checked.").wait_for()
    assert (page.locator(".asked").text_content(), sentences(page)) == ("When was it?", [QUOTES[0]])
    answerer.go = True
    page.get_by_role("button", name="Continue").click()
    page.locator(".closing").wait_for()
    assert (page.locator(".turn").count(), sentences(page)) == (1, list(QUOTES))
    expect(page.locator(".cut-off")).to_have_count(0)
    page.reload()
    page.locator(".closing").wait_for()
    assert (page.locator(".turn").count(), sentences(page)) == (1, list(QUOTES))


def test_the_next_question_may_come_while_the_stream_of_a_whole_answer_is_still_open(
    visit: Visits, served: ServedApp
) -> None:
    page = visit(served.url)
    page.evaluate("""() => {
        const real = window.fetch;
        window.fetch = async (...given) => {
            const response = await real(...given);
            if (!String(given[0]).endsWith("/v1/chat")) return response;
            const open = new TransformStream({ flush: () => new Promise(() => {}) });
            return new Response(response.body.pipeThrough(open), { status: response.status, headers: response.headers });
        };
    }""")
    ask(page, "When was it?")
    expect(page.locator("#send")).to_have_text("Ask")
    ask(page, "And where?")
    assert (page.locator(".turn").count(), page.locator(".problem").count()) == (2, 0)


def test_when_the_server_dies_the_sentences_stay_and_the_question_can_be_asked_again(
    visit: Visits, served: ServedApp, answerer: Halting
) -> None:
    with CutProxy(served.url) as proxy:
        page = visit(proxy.url)
        halted(page, answerer, "When was it?")
        proxy.cut()
        page.get_by_text("The answer broke off here.").wait_for()
        assert sentences(page) == [QUOTES[0]]
        page.get_by_role("button", name="Ask again").click()
        page.locator(".problem", has_text="The server does not answer.").wait_for()
        expect(page.locator(".asked")).to_have_text("When was it?")
        answerer.go = True


def test_a_question_is_changed_with_the_pencil_and_asked_again(
    visit: Visits, served: ServedApp, answerer: Halting
) -> None:
    page = visit(served.url)
    ask(page, "When was it?")
    ask(page, "Who says so?")
    page.get_by_role("button", name="Edit the question").nth(1).click()
    field = page.get_by_role("textbox", name="Edit the question")
    expect(field).to_have_value("Who says so?")
    page.keyboard.press("Escape")
    expect(page.locator(".asked")).to_have_count(2)
    page.get_by_role("button", name="Edit the question").first.click()
    field.fill("When did it begin?")
    page.keyboard.press("Enter")
    page.locator(".closing").nth(2).wait_for()
    assert [asked.text for asked in answerer.questions] == ["When was it?", "Who says so?", "When did it begin?"]
    assert answerer.questions[2].conversation_id == "c0"


def test_a_follow_up_that_was_read_with_a_topic_is_asked_again_as_typed(
    visit: Visits, served: ServedApp, answerer: Halting
) -> None:
    page = visit(served.url)
    ask(page, "When was the loom built?")
    ask(page, "Who owns the mill?")
    line = page.locator(".rewritten")
    assert "Who owns the mill? (the loom)" in line.text_content()
    line.get_by_role("button", name="Ask as typed").click()
    page.locator(".closing").nth(2).wait_for()
    assert (answerer.questions[2].text, answerer.questions[2].as_typed) == ("Who owns the mill?", True)
    expect(page.locator(".turn").nth(2).locator(".rewritten")).to_have_count(0)


def test_back_and_forward_lead_through_conversations_and_the_title_is_the_question(
    visit: Visits, served: ServedApp
) -> None:
    page = visit(served.url)
    expect(page).to_have_title("Quoth")
    ask(page, "When was <b>it</b>?")
    expect(page).to_have_title("When was <b>it</b>? · Quoth")
    page.click("#fresh")
    page.wait_for_url(f"{served.url}/")
    ask(page, "Who says so?")
    page.go_back()
    expect(page.locator(".turn")).to_have_count(0)
    page.go_back()
    expect(page.locator(".asked")).to_have_text(["When was <b>it</b>?"])
    assert page.url == f"{served.url}/?c=c0"
    page.go_forward()
    page.go_forward()
    expect(page.locator(".asked")).to_have_text(["Who says so?"])


def test_every_answer_has_an_address_for_those_who_may_read_it(visit: Visits, served: ServedApp) -> None:
    _, mine = served.keys.create("mine", [Scope.ASK])
    _, other = served.keys.create("other", [Scope.ASK])
    keyed = {"Authorization": f"Bearer {mine}"}
    for question in ("When was it?", "Who says so?"):
        body = {"question": question, "conversation_id": "c0"} if question.startswith("Who") else {"question": question}
        httpx.post(f"{served.url}/v1/chat", json=body, headers=keyed).raise_for_status()
    page = visit.browser.new_context().new_page()
    page.goto(f"{served.url}/a/a1")
    page.get_by_label("API key").fill(other)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Not there, or not for you").wait_for()
    page.get_by_role("button", name="Use another key").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="Not there, or not for you").wait_for()
    page.get_by_role("button", name="Use another key").click()
    page.get_by_label("API key").fill(mine)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".asked")).to_have_text(["When was it?", "Who says so?"])
    assert page.locator("#a-a1").evaluate("turn => turn.getBoundingClientRect().top") < 200
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").nth(1).click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"{served.url}/a/a1"
    page.context.close()


def test_ratings_are_shown_again_after_a_reload(visit: Visits, served: ServedApp) -> None:
    page = visit(served.url)
    ask(page, "When was it?")
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_role("button", name="Bad answer", pressed=True).wait_for()
    page.get_by_role("button", name="Good answer").click()
    page.get_by_role("button", name="Good answer", pressed=True).wait_for()
    page.reload()
    page.get_by_role("button", name="Good answer", pressed=True).wait_for()
    expect(page.get_by_role("button", name="Bad answer", pressed=True)).to_have_count(0)


def test_a_conversation_is_saved_as_markdown_and_json(visit: Visits, served: ServedApp) -> None:
    page = visit(served.url)
    ask(page, "When was it?")
    page.click("#menu-toggle")
    with page.expect_download() as download:
        page.get_by_role("button", name="With notes (Markdown)").click()
    assert "It was in 1904." in Path(download.value.path()).read_text("utf-8")
    assert download.value.suggested_filename.endswith(".md")
    page.click("#menu-toggle")
    with page.expect_download() as download:
        page.get_by_role("button", name="Complete (JSON)").click()
    assert json.loads(Path(download.value.path()).read_text("utf-8"))["answer"]["question"] == "When was it?"


def test_earlier_questions_are_found_by_their_words(visit: Visits, served: ServedApp) -> None:
    page = visit(served.url)
    for question in ("When was the loom built?", "Who owns the mill?"):
        ask(page, question)
        page.click("#fresh")
        page.wait_for_url(f"{served.url}/")
    page.click("#earlier-toggle")
    expect(page.locator(".earlier-open")).to_have_count(2)
    expect(page.locator(".earlier-day")).to_have_text(["Today"])
    page.get_by_label("Find a question").fill("LOOM built")
    expect(page.locator(".earlier-open")).to_have_text(["When was the loom built?"])
    page.get_by_label("Find a question").fill("zeppelin")
    page.get_by_text("No question holds these words.").wait_for()


def test_what_is_typed_before_the_page_is_ready_stays_in_its_field(visit: Visits, served: ServedApp) -> None:
    page = visit(served.url)
    held: list[Any] = []
    page.route("**/v1/caller", lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request("**/v1/caller"):
        page.goto(served.url)
    page.fill("#question", "When was it?")
    page.keyboard.press("Enter")
    expect(page.locator("#send")).to_be_disabled()
    held[0].continue_()
    page.wait_for_selector("body[data-ready]")
    assert page.input_value("#question").strip() == "When was it?"
    page.click("#send")
    page.locator(".closing").wait_for()


def test_two_tabs_do_not_disturb_each_other(visit: Visits, served: ServedApp, answerer: Halting) -> None:
    page = visit(served.url)
    other = visit.open(page.context, served.url)
    halted(page, answerer, "When was it?")
    answerer.go = True
    ask(other, "Who says so?")
    page.locator(".closing").wait_for()
    assert (page.locator(".asked").all_text_contents(), other.locator(".asked").all_text_contents()) == (
        ["When was it?"], ["Who says so?"],
    )  # fmt: skip


def test_the_page_speaks_the_language_of_the_browser_or_the_chosen_one(visit: Visits, served: ServedApp) -> None:
    page = visit(served.url, locale="de-AT", **PHONE)
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.get_by_role("heading", name="Fragen Sie Ihre Dokumente.")).to_be_visible()
    expect(page.locator("#send")).to_have_text("Fragen")
    page.click("#menu-toggle")
    page.get_by_label("Sprache").select_option("English")
    page.get_by_role("heading", name="Ask your documents.").wait_for()
    page.reload()
    page.get_by_role("heading", name="Ask your documents.").wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_no_word_is_cut_in_any_language(visit: Visits, served: ServedApp, language: str, width: int) -> None:
    said = texts(language, "both") | {name: str(phrase) for name, phrase in page_phrases(language).items()}
    served.library.open("open").add(Document("x", "v", "file:///x.md", "Mill", "text/markdown", "Text."))
    _, key = served.keys.create("everything", [Scope.ADMIN], principals=None)
    context = visit.browser.new_context(locale=language, viewport={"width": width, "height": 740})
    context.add_init_script(f"sessionStorage.setItem('quoth-key', '{key}')")
    visit.contexts.append(context)
    page = visit.open(context, served.url)
    assert page.evaluate("document.documentElement.lang") == language
    expect(page.get_by_role("heading", name=said["title"])).to_be_visible()
    ask(page, "When was it?")
    assert cut_words(page) == []
    page.click("#menu-toggle")
    assert cut_words(page) == []
    page.click("#sources")
    page.locator(".library-list input").first.check()
    page.locator(".library-list .icon").first.click()
    page.get_by_role("button", name=said["delete_collection"]).click()
    assert cut_words(page) == []
    page.keyboard.press("Escape")
    page.click("#earlier-toggle")
    page.locator(".earlier-open").first.wait_for()
    assert cut_words(page) == []


def cut_words(page: Any) -> list[str]:
    """What is wider than its box or lies beyond the edge of the page, among the controls, headings and hints that are shown."""
    hints: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("[placeholder]")].filter((field) => field.checkVisibility()).filter((field) => {
          const { font, paddingLeft, paddingRight } = getComputedStyle(field);
          const pen = document.createElement("canvas").getContext("2d");
          pen.font = font;
          const around = parseFloat(paddingLeft) + parseFloat(paddingRight);
          return pen.measureText(field.placeholder).width + around > field.clientWidth;
        }).map((field) => field.placeholder)"""
    )
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, a, label, h1, h2, h3, summary, .muted, .chooser")]
          .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".visually-hidden, .skip"))
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
            || one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1)
          .map((one) => `${one.tagName} ${one.textContent}`)"""
    )
    return hints + found


def test_titles_that_look_like_markup_stay_text_everywhere(visit: Visits, served: ServedApp) -> None:
    title = "<script>document.title = 1</script> &amp; {count}"
    served.library.open("open").add(Document("x", "v", "file:///x.md", title, "text/markdown", "Text."))
    page = visit(served.url)
    page.click("#sources")
    page.get_by_label(f"Ask only {title}").check()
    page.get_by_role("button", name="Ask this one").click()
    expect(page.locator("#browse")).to_have_text(f"Only {title}")
    expect(page).to_have_title("Quoth")
