"""Stale answers and gaps on the page, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from evaluation.datasets import golden
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.answering.answerer import AnswerReady, Event, PassagesFound
from service.answering.service import Service
from service.composition.http import create_app
from service.records import Answer, Citation, Question, Sentence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.chromium import expect, launched

OLD, NEW = "The loom was built in 1911.", "The loom was built in 1912."


class LoomAnswerer:
    """Quotes the document for a question about the loom, and refuses every other."""

    def stream(self, question: Question, stages: Any = None) -> Iterator[Event]:
        yield PassagesFound(())
        asked = (f"a-{question.text[:8]}", question.conversation_id or "c1", question.text, question.text)
        if "loom" not in question.text:
            yield AnswerReady(Answer(*asked, "The documents do not say.", True, 0.1, (), (), (), "extractive", None))
            return
        citation = Citation(1, "d", "v1", "Loom", "file:///loom.md", None, 0, len(OLD), OLD, "c", 1.0)
        sentence = Sentence(OLD, (1,), True, 1.0)
        yield AnswerReady(Answer(*asked, f"{OLD} [1]", False, 0.9, (sentence,), (citation,), (), "extractive", None))


def loom(version: str, text: str) -> Document:
    return Document("d", version, "file:///loom.md", "Loom", "text/markdown", text)


@pytest.fixture
def site(tmp_path: Path, loopback: Any) -> Iterator[tuple[str, Library]]:
    library = Library(tmp_path, HashedEncoder())
    library.open_or_create("default").add(loom("v1", OLD))
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    service = Service(
        Settings(home=tmp_path, reports_folder=tmp_path / "runs"), library, None, None, None, LoomAnswerer()
    )  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url:
        yield url, library
    store.close()
    library.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    yield page
    page.context.close()


def test_the_history_and_the_answer_say_that_a_source_changed_and_lead_to_the_new_text(
    site: tuple[str, Library], page: Any
) -> None:
    url, library = site
    answer = httpx.post(f"{url}/v1/chat", json={"question": "When was the loom built?"}).json()
    library.open("default").add(loom("v2", NEW))
    page.goto(f"{url}/?c={answer['conversation_id']}")
    page.wait_for_selector(".stale li")
    assert page.inner_text(".prose").startswith(OLD)  # the answer stays as it was given
    assert "The new version says:" in page.inner_text(".stale")
    assert page.inner_text(".stale a") == NEW
    page.click("#earlier-toggle")
    page.wait_for_selector(".earlier-stale")
    page.click(".stale a")
    page.wait_for_selector("#text mark")
    assert NEW in page.inner_text("#text")


def test_the_page_of_gaps_lists_the_refused_questions_with_their_counts(
    site: tuple[str, Library], page: Any, tmp_path: Path
) -> None:
    url, library = site
    library.open("default").rename("Mills & weirs")
    page.goto(f"{url}/gaps")
    page.get_by_text("No question was refused or rated down.").wait_for()
    for question in ("Who wove the carpet?", "Where is the mill?"):
        httpx.post(f"{url}/v1/chat", json={"question": question})
    page.reload()
    page.wait_for_selector("#topics li")
    headings = page.locator("#topics h2").all_inner_texts()
    assert sorted(headings) == ["Where is the mill?", "Who wove the carpet?"]
    facts = page.locator("#topics p").first.inner_text()
    assert (facts[:17], facts[-13:]) == ("once · refused · ", "Mills & weirs")
    page.get_by_label("Where is the mill?").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save 1 as a test set").click()
    download.value.save_as(tmp_path / "test-set.jsonl")
    [case] = golden.read(tmp_path / "test-set.jsonl", tmp_path, collection=True).cases
    assert (case.question, case.tags["source"], case.answerable) == ("Where is the mill?", "gaps", None)
    with page.expect_download() as download:
        page.click("#save")
    assert "Who wove the carpet?" in Path(download.value.path()).read_text("utf-8")


REPORT = """# Runs

## default <b>

seeds · task answer · 3 cases

| metric | value |
| --- | ---: |
| correct | 0.9 |

Look first at: `q7` (wrong).
"""


def test_a_report_of_an_evaluation_is_opened_in_place(site: tuple[str, Library], page: Any, tmp_path: Path) -> None:
    url, _ = site
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "report.md").write_text(REPORT)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "report.md").write_text("no")
    page.goto(f"{url}/gaps")
    page.locator("summary", has_text="first").click()
    page.get_by_role("heading", name="default <b>").wait_for()
    assert page.locator("#reports td").all_inner_texts() == ["correct", "0.9"]
    expect(page.get_by_text("Look first at: q7 (wrong).")).to_be_visible()
    for name in ("nowhere", "..%2Fsecret", ".."):
        assert httpx.get(f"{url}/v1/reports/{name}").status_code == 404
