"""How an answer is laid out on the page: parts, what they lack, what Quoth worked out, long answers, many sources."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from index.blocks.block import Kind
from service.answering.answerer import AnswerReady, PassagesFound, SentenceReady
from service.progress import Stages
from service.records import (
    Answer,
    Cell,
    Citation,
    Derivation,
    Excerpt,
    Operand,
    Part,
    Question,
    QuotedUnit,
    QuotedValue,
    Sentence,
)
from tests.chromium import PHONE, Visits, ask, expect, fits, launched, visiting
from tests.served_app import ServedApp

WEIGHTS = "Which is heavier, the Tern or the Auk, and who built the Auk?"
TERN, AUK = "The Tern weighs 12.5 kg.", "The Auk weighs 7.8 kg."
MANY = "Tell me everything."
PLANS = "Which plans, and at what price?"
WORDED = "Say it in your own words."
HOSTILE = "<img src=x onerror=alert(1)> **9** euros"
CODE = "if x:\n    go\n</code><b>"


def cite(number: int, quote: str, document: str) -> Citation:
    place = f"file:///{document}.md"
    return Citation(number, document, "v", document.title(), place, None, 0, len(quote), quote, "k", 0.9)


def weights() -> tuple[tuple[Sentence, ...], tuple[Citation, ...], tuple[Part, ...]]:
    """Two parts that are answered, one that is not, and a line that is worked out."""
    operands = (Operand(1, 16, 23, "12.5 kg", "Tern"), Operand(2, 15, 21, "7.8 kg", "Auk"))
    sentences = (
        Sentence(TERN, (1,), True, 1.0, "units"),
        Sentence(AUK, (2,), True, 1.0, "units"),
        Sentence("The documents do not say who built the Auk.", (), True, 1.0, kind="missing"),
        Sentence(
            "The Tern is heavier, by 4.7 kg.", (1, 2), True, 1.0, kind="derived",
            derivation=Derivation("compare", operands, "4.7 kg"),
        ),
    )  # fmt: skip
    parts = (
        Part("How heavy is the Tern?", (0,), (), False, 0.9),
        Part("How heavy is the Auk?", (1,), (), False, 0.9),
        Part("Who built the Auk?", (2,), (), True, 0.1),
    )
    return sentences, (cite(1, TERN, "tern"), cite(2, AUK, "auk")), parts


def many() -> tuple[tuple[Sentence, ...], tuple[Citation, ...], tuple[Part, ...]]:
    """A list in the words of a language model, and twelve quotes of two documents, one of them without support."""
    citations = tuple(
        cite(number, f"Gull {number} sits on the mast of the ship and looks out over the sea towards the islands, where "
             "the others are, until the evening comes and the light on the pier is lit again.", "tern" if number % 2 else "auk")
        for number in range(1, 13)
    )  # fmt: skip
    sentences = tuple(
        Sentence(one.quote, (one.number,), one.number != 3, 1.0, "item" if one.number > 9 else "prose")
        for one in citations
    )
    return sentences, citations, ()


def plans() -> tuple[tuple[Sentence, ...], tuple[Citation, ...], tuple[Part, ...]]:
    """Two rows of a table, each a sentence; a second part of the question is answered by the same row."""
    header = (Excerpt(0, 4, "Plan"), Excerpt(7, 12, "Price"))
    citations = []
    for number, row in enumerate(("| Small | 9 euros |", "| Large | 99 euros |"), 1):
        start = 100 * number
        plan, price = (start + row.index(text) for text in row.strip("| ").split(" | "))
        values = (
            QuotedValue(((plan, plan + 5),), ((0, 4),)),
            QuotedValue(((price, start + len(row) - 2),), ((7, 12),)),
        )
        unit = QuotedUnit(Kind.ROW, start, start + len(row), values)
        citations.append(
            replace(cite(number, row, "plans"), start=start, end=start + len(row), context=header, units=(unit,))
        )
    sentences = tuple(Sentence("Plan and price.", (one.number,), True, 1.0, "units") for one in citations)
    parts = (Part("Which plans?", (0, 1), (), False, 0.9), Part("At what price?", (1,), (), False, 0.9))
    return sentences, tuple(citations), parts


def worded() -> tuple[tuple[Sentence, ...], tuple[Citation, ...], tuple[Part, ...]]:
    """What a language model wrote: rows of two tables, numbered items, code; one row and one item without support."""

    def row(plan: str, price: str, *, supported: bool = True, label: str = "") -> Sentence:
        cells = (Cell("", plan), Cell("Price", price))
        return Sentence(f"{plan}: Price: {price}", (1,), supported, 1.0, "row", label=label, cells=cells)

    sentences = (
        row("Small", HOSTILE),
        row("Large", "99 euros", supported=False),
        row("Huge", "199 euros", label="From 2026"),
        Sentence("A passport", (1,), True, 1.0, "item", ordinal=1),
        Sentence("A deposit", (2,), False, 1.0, "item", ordinal=3),
        Sentence("if x: go", (2,), True, 1.0, "code", code=CODE),
        Sentence("That is all.", (1,), True, 1.0),
    )
    return sentences, (cite(1, TERN, "tern"), cite(2, AUK, "auk")), ()


class Shaped:
    """An answerer of four fixed answers. A question that is asked as typed has no parts."""

    def __init__(self) -> None:
        self._numbers = count()

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        sentences, citations, parts = {WEIGHTS: weights, PLANS: plans, WORDED: worded}.get(question.text, many)()
        yield PassagesFound(())
        for sentence in sentences:
            yield SentenceReady(sentence, tuple(one for one in citations if one.number in sentence.citations[:1]))
        text = " ".join(sentence.text for sentence in sentences)
        parts = () if question.as_typed else parts
        yield AnswerReady(
            Answer(
                f"a{next(self._numbers)}", f"c{next(self._numbers)}", question.text, question.text, text, False, 0.9,
                sentences, citations, (), "x", None,
                notes=("The sources differ: [1] Tern and [2] Auk do not say the same.",), parts=parts,
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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[str]:
    app = ServedApp(Path(tmp_path_factory.mktemp("shaped")), loopback)
    app.service.answerer.stream = Shaped().stream  # type: ignore[method-assign]
    with app:
        yield app.url


def test_parts_stand_under_their_questions_and_a_missing_one_is_said_to_be_missing(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, WEIGHTS)
    assert page.locator(".part-question").all_inner_texts() == [
        "How heavy is the Tern?", "How heavy is the Auk?", "Who built the Auk?",
    ]  # fmt: skip
    assert page.locator(".part .sentence").all_inner_texts() == [TERN, AUK]
    missing = page.locator(".part.refused-part")
    expect(missing.locator(".missing-part")).to_have_text("The documents do not say who built the Auk.")
    expect(missing.locator(".marker")).to_have_count(0)
    assert "do not say the same" in page.locator(".note").inner_text()


def test_a_question_that_was_split_says_so_and_can_be_asked_as_typed(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, WEIGHTS)
    line = page.locator(".rewritten")
    expect(line).to_contain_text("Read as 3 questions.")
    line.get_by_role("button", name="Ask as typed").click()
    page.locator(".closing").nth(1).wait_for()
    again = page.locator(".turn").last
    expect(again.locator(".asked")).to_have_text(WEIGHTS)
    expect(again.locator(".rewritten, .part")).to_have_count(0)


def test_what_quoth_worked_out_is_named_so_and_cites_its_operands(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, WEIGHTS)
    derived = page.locator(".derived")
    expect(derived.locator(".derived-name")).to_have_text("Worked out by Quoth")
    expect(derived.locator(".sentence")).to_have_text("The Tern is heavier, by 4.7 kg.")
    assert derived.locator(".operand").all_inner_texts() == ["12.5 kg", "7.8 kg", "4.7 kg"]
    derived.locator(".operands .marker").last.hover()
    expect(page.locator("#peek")).to_contain_text(AUK)
    derived.locator(".operands .marker").last.click()
    expect(page.locator("#panel h2")).to_contain_text("Auk")


def test_rows_under_the_same_header_are_one_table_with_the_sources_beside_each(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, PLANS)
    first, second = page.locator(".part").all()
    assert first.locator("th").all_inner_texts() == ["Plan", "Price"]
    assert first.locator("tbody td:not(.row-controls)").all_inner_texts() == ["Small", "9 euros", "Large", "99 euros"]
    assert first.locator("tbody tr .marker").all_inner_texts() == ["1", "2"]
    assert second.locator(".answered-above").inner_text().startswith("Answered above")
    assert second.locator(".marker").all_inner_texts() == ["2"]


def test_tables_lists_and_code_of_a_language_model_are_drawn_with_the_sources_of_each_row(
    visit: Visits, served: str
) -> None:
    page = visit(served)
    ask(page, WORDED)
    first, second = page.locator(".prose .b-table").all()
    assert first.locator("th[scope=col]").all_inner_texts() == ["", "Price"]
    assert [row.locator("td").first.inner_text() for row in first.locator("tbody tr").all()] == [
        "Small", "Large\n(The cited passages do not support this sentence.)",
    ]  # fmt: skip
    assert HOSTILE in first.locator("tbody tr").first.inner_text()
    assert first.locator("tbody tr .marker").all_inner_texts() == ["1", "1"]
    expect(first.locator(".unsupported")).to_have_count(2)
    assert second.locator("tbody td").first.inner_text() == "Huge"
    expect(page.locator(".prose .units-lead")).to_have_text("From 2026")
    assert page.locator(".prose ol > li").evaluate_all("items => items.map((item) => item.value)") == [1, 3]
    assert page.locator(".prose pre").text_content() == CODE
    expect(page.locator(".prose img, .prose b")).to_have_count(0)
    expect(page.locator(".said.drawn .marker")).to_have_text("2")
    assert fits(page)


def test_a_long_answer_and_many_sources_are_folded_and_sources_stand_by_document(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, MANY)
    assert page.locator(".source-title:visible").all_inner_texts() == ["Tern"]
    expect(page.locator(".card:visible")).to_have_count(6)
    page.get_by_role("button", name="All 12 quotes").click()
    assert page.locator(".source-title").all_inner_texts() == ["Tern", "Auk"]
    assert page.locator(".card .number").all_inner_texts() == [
        str(number) for number in (*range(1, 13, 2), *range(2, 13, 2))
    ]
    before = page.locator(".prose").bounding_box()["height"]
    page.get_by_role("button", name="Show the whole answer").click()
    assert page.locator(".prose").bounding_box()["height"] > before
    expect(page.locator(".said-list li")).to_have_count(3)
    expect(page.locator(".unsupported")).to_have_count(1)
    assert "do not support" in page.locator(".unsupported").get_attribute("title")


def test_the_focus_unfolds_a_long_answer(visit: Visits, served: str) -> None:
    page = visit(served)
    ask(page, MANY)
    page.locator(".marker").nth(8).focus()
    expect(page.locator(".folded")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 360, 390, 768, 1280])
def test_parts_and_long_answers_fit(visit: Visits, served: str, width: int) -> None:
    options = {**PHONE, "viewport": {"width": width, "height": 740}} if width < 700 else {}
    page = visit(served, **options)
    page.set_viewport_size({"width": width, "height": 740})
    for question in (WEIGHTS, MANY, PLANS, WORDED):
        ask(page, question)
        assert fits(page)
