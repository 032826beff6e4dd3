"""Suggested questions: drawn from what documents say, answered by them, and never from what only some may read."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from index.library import Library
from index.records import Document
from service.answering.service import Service
from service.settings import Settings
from service.suggestions.candidates import candidates
from service.suggestions.suggester import Suggester, Suggestions
from tests.growth import assert_linear
from tests.test_units import read

PLANS = """# Plans

| Plan | Monthly price | Seats |
| --- | --- | --- |
| Small | 9 euros | 3 |
| Medium | 29 euros | 20 |

## How do I cancel my plan?

Write to the front desk before the twentieth of the month.
"""
MILL = "The paper mill at Aldcliffe was built in 1932. Many people came to see it on that day."
SECRET = "The old weir at Halton was built in 1987. Nobody came to see it on that day."
PRICE = "What is the monthly price of the plan Small?"


def test_candidates_come_from_headings_tables_definitions_and_sentences() -> None:
    found = {candidate.question: candidate for candidate in candidates(read("plans.md", PLANS))}
    assert list(found) == [
        "How do I cancel my plan?", PRICE, "How many seats does the plan Small have?",
        "What is the monthly price of the plan Medium?",
        "How many seats does the plan Medium have?",
    ]  # fmt: skip
    assert PLANS[slice(*found[PRICE].span)].strip() == "9 euros"
    [mill] = candidates(read("mill.md", MILL))
    assert (mill.question, mill.source) == ("When was the paper mill at Aldcliffe built?", "sentence")
    glossary = (
        "<p>Ein Glossar der Seefahrt, in dem alle Wörter erklärt werden.</p>"
        "<dl><dt>Anker</dt><dd>Ein Gewicht, das ein Schiff an seinem Platz hält, auch bei Sturm und Strömung.</dd></dl>"
    )
    [anchor] = candidates(read("glossar.html", glossary))
    assert (anchor.question, anchor.source) == ("Was ist Anker?", "definition")


def test_a_long_table_has_its_candidates_in_linear_time() -> None:
    def document(count: int) -> Document:
        rows = "".join(f"| Item {chr(97 + place % 26)} | {place} |\n" for place in range(count))
        table = f"| Name | Amount |\n| --- | --- |\n{rows}"
        return read("long.md", f"# Stock\n\nThis is what lies in the store.\n\n{table}")

    assert len(list(candidates(document(100)))) == 100
    assert_linear(lambda given: list(candidates(given)), document, 100)


@pytest.fixture
def suggester(service: Service, tmp_path: Path) -> Suggester:
    """A suggester over three documents, one of them only for Ann."""
    library = Library(tmp_path, service.library.encoder)
    own = replace(
        service, library=library, settings=Settings(home=tmp_path), answerer=replace(service.answerer, library=library)
    )
    for name, text, readers in (("plans", PLANS, ()), ("mill", MILL, ()), ("weir", SECRET, ("ann",))):
        document = replace(read(f"{name}.md", text), principals=frozenset(readers))
        library.open_or_create("default").add(document)
    return Suggester(own)


def complete(suggester: Suggester) -> Suggestions:
    deadline = time.monotonic() + 120
    while not (found := suggester.suggest("default")).is_complete:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_only_questions_that_documents_for_everybody_answer_are_suggested_and_they_are_kept(
    suggester: Suggester, service: Service
) -> None:
    first = suggester.suggest("default")
    assert first == Suggestions((), is_complete=False)  # it does not wait
    found = complete(suggester).questions
    assert found
    assert "When was the paper mill at Aldcliffe built?" in found
    assert not any("weir" in question for question in found)
    assert Suggester(suggester.service).suggest("default") == Suggestions(found, is_complete=True)  # of another process
    library = suggester.service.library.open("default")
    [mill] = [one.id for one in library.documents.list() if one.uri.endswith("mill.md")]
    library.remove(mill)
    left = suggester.suggest("default")
    assert (left.is_complete, "When was the paper mill at Aldcliffe built?" in left.questions) == (False, False)
    suggester.close()


def test_nothing_is_tried_while_people_ask_and_closing_does_not_wait(suggester: Suggester) -> None:
    busy = Suggester(suggester.service, lambda: True)
    busy.suggest("default")
    time.sleep(1)
    assert busy.suggest("default") == Suggestions((), is_complete=False)
    begin = time.monotonic()
    busy.close()
    assert time.monotonic() - begin < 20
    assert busy.suggest("default") == Suggestions((), is_complete=False)
