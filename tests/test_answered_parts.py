"""Questions of several parts over real documents with the real models: answered, compared, counted, verified, replayed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index.blocks.unit import Unit
from index.chunking.units import document_units
from index.records import Document
from index.sync.sync import sync
from service.answer_json import answer_of
from service.answering.service import Service
from service.audit import cited_units
from service.audit.findings import AnswerFault
from service.audit.replay import replay
from service.audit.verification import Verdict, Verification, verify
from service.audit.versions import Versions
from service.cli.rendering import answer_lines
from service.composition.service import assemble
from service.generators.scripted import ScriptedGenerator
from service.records import Answer, Question
from service.schemas.answers import AnswerOut
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

BOATS = """# Boats for hire

The Otter K2 weighs 31 kg and is 4.9 metres long. It was designed by Ylva Brandberg.

The Heron S1 weighs 24.5 kg. A day with the Heron S1 costs 45 euros.

Hire is run by Marks and Oldroyd.

The hut lends the following things:

- paddles
- dry bags
- life vests
"""
TICKETS = """# Season tickets

| Ticket | Price (EUR) | Valid for |
| --- | --- | --- |
| Bronze | 60 | 3 months |
| Silver | 110 | 6 weeks |
| Gold | 110 | 12 months |

| Ledger | 2019 | 2021 |
| --- | --- | --- |
| Ticket sales | 41.2 | 44.0 |
"""


@pytest.fixture(scope="module")
def hire(tmp_path_factory: pytest.TempPathFactory, own_environment: None) -> Iterator[Service]:
    """The real service over the two documents."""
    folder, home = tmp_path_factory.mktemp("papers"), tmp_path_factory.mktemp("home")
    (folder / "boats.md").write_text(BOATS, "utf-8")
    (folder / "tickets.md").write_text(TICKETS, "utf-8")
    assembled = assemble(Settings(home=home))
    sync(assembled.library.open_or_create("default"), [folder])
    yield assembled
    assembled.library.close()


def ask(service: Service, question: str) -> Answer:
    return service.answerer.answer(Question(question))


def verified(service: Service, answer: Answer) -> Verification:
    def check(pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [1.0 for _ in pairs]  # where a derived sentence is called stated

    return verify(answer, Versions(service.library), check, min_support=0.7)


def derived(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences if sentence.kind == "derived"]


def test_each_part_is_answered_or_named_as_missing(hire: Service) -> None:
    answer = ask(hire, "Who designed the Otter K2 and what does the season ticket of Lade cost?")
    first, second = answer.parts
    assert (first.question, first.refused) == ("Who designed the Otter K2?", False)
    assert (second.question, second.refused) == ("What does the season ticket of Lade cost?", True)
    assert "Ylva Brandberg" in answer.sentences[first.sentences[0]].text
    missing = answer.sentences[second.sentences[0]]
    assert missing.text == "The documents do not say: What does the season ticket of Lade cost?"
    assert (missing.kind, missing.citations) == ("missing", ())
    assert not answer.refused
    assert verified(hire, answer).verdict is Verdict.PROVED


def test_a_question_asked_as_typed_is_not_split(hire: Service) -> None:
    text = "Who designed the Otter K2 and what does the season ticket of Lade cost?"
    typed = hire.answerer.answer(Question(text, as_typed=True))
    assert ask(hire, text).parts
    assert typed.parts == ()
    assert not any(sentence.kind == "missing" for sentence in typed.sentences)


def test_an_answer_without_any_part_is_a_refusal(hire: Service) -> None:
    answer = ask(hire, "Who is the mayor of Lade and when was the bridge of Vik built?")
    assert answer.refused
    assert answer.sentences == ()
    assert [part.refused for part in answer.parts] == [True, True]
    assert verified(hire, answer).verdict is Verdict.PROVED


def test_figures_of_prose_are_compared(hire: Service) -> None:
    answer = ask(hire, "Which boat is heavier, the Otter K2 or the Heron S1?")
    assert derived(answer) == [
        "Calculated by Quoth: 31 kg (Otter K2) is more than 24.5 kg (Heron S1); the difference is 6.5 kg."
    ]
    derivation = answer.sentences[-1].derivation
    assert derivation is not None
    for operand in derivation.operands:
        (cited,) = (citation for citation in answer.citations if citation.number == operand.citation)
        assert cited.quote[operand.start - cited.start : operand.end - cited.start] == operand.quote
    assert not any("differ" in note for note in answer.notes)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Is the Bronze ticket cheaper than the Gold ticket?", "60 (Bronze ticket) is less than 110 (Gold ticket)"),
        ("Is the Silver ticket cheaper than the Gold ticket?", "110 (Silver ticket) and 110 (Gold ticket) are equal"),
        ("Were ticket sales higher in 2021 than in 2019?", "the difference is 2.8"),
    ],
)
def test_cells_are_compared_within_their_column_or_row(hire: Service, question: str, said: str) -> None:
    (text,) = derived(ask(hire, question))
    assert said in text


def test_different_units_are_not_compared_and_the_answer_says_so(hire: Service) -> None:
    answer = ask(hire, "Is the Gold ticket valid longer than the Silver ticket?")
    answer = answer if answer.parts else ask(hire, "For how long are the Gold ticket and the Silver ticket valid?")
    assert len(answer.parts) == 2
    assert derived(answer) == []
    assert all(text in answer.text for text in ("12 months", "6 weeks"))


def test_the_items_of_a_list_are_counted(hire: Service) -> None:
    answer = ask(hire, "How many things does the hut lend?")
    assert derived(answer) == ["Calculated by Quoth: the list has 3 items."]
    assert verified(hire, answer).derived == 1
    assert derived(ask(hire, "How many paddles does the hut lend?")) == []


def test_what_the_documents_know_as_one_name_is_one(hire: Service) -> None:
    answer = ask(hire, "What do Marks and Oldroyd run?")
    assert answer.parts == ()
    assert answer.rewritten_question == "What do Marks and Oldroyd run?"


def test_a_derived_sentence_verifies_and_no_changed_one_does(hire: Service) -> None:
    answer = ask(hire, "Which boat is heavier, the Otter K2 or the Heron S1?")
    whole = verified(hire, answer)
    assert (whole.verdict, whole.derived) == (Verdict.PROVED, 1)
    *stated, last = answer.sentences
    assert last.derivation is not None
    one, other = last.derivation.operands
    changes = [
        replace(last, text=last.text.replace("more", "less")),
        replace(last, derivation=replace(last.derivation, result="7 kg")),
        replace(last, derivation=replace(last.derivation, operands=(one, one))),
        replace(last, derivation=replace(last.derivation, operands=(replace(one, label="Heron S1"), other))),
        replace(
            last, derivation=replace(last.derivation, operands=(replace(one, start=one.start + 1, quote="1 kg"), other))
        ),
        replace(last, derivation=None),
        replace(last, kind="stated"),
    ]
    for changed in changes:
        text = answer.text.replace(last.text, changed.text)
        found = verified(hire, replace(answer, sentences=(*stated, changed), text=text))
        assert found.verdict is Verdict.REFUTED
        assert AnswerFault.DERIVATION_DIFFERS in {finding.fault for finding in found.findings}


def test_what_is_derived_from_a_document_that_is_gone_is_not_counted_as_the_same(hire: Service) -> None:
    answer = ask(hire, "Which boat is heavier, the Otter K2 or the Heron S1?")
    found = verify(answer, lambda _document, _version: None, lambda pairs: [1.0 for _ in pairs], min_support=0.7)
    assert (found.verdict, found.derived) == (Verdict.UNPROVED, 0)


def test_the_units_of_a_document_are_found_once_for_all_derived_sentences(
    hire: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(hire, "Which boat is heavier, the Otter K2 or the Heron S1?")
    many = replace(answer, sentences=(*answer.sentences, *answer.sentences[-1:] * 20))
    read: list[str] = []

    def counted(document: Document) -> list[Unit]:
        read.append(document.id)
        return document_units(document)

    monkeypatch.setattr(cited_units, "document_units", counted)
    assert verified(hire, many).derived == 21
    assert len(read) == len({citation.document_id for citation in answer.citations})


def test_a_missing_part_that_was_no_part_is_refuted(hire: Service) -> None:
    answer = ask(hire, "Who designed the Otter K2 and what does the season ticket of Lade cost?")
    said = replace(answer.sentences[-1], text="The documents do not say: Who pays?")
    changed = replace(
        answer, sentences=(*answer.sentences[:-1], said), text=answer.text.replace(answer.sentences[-1].text, said.text)
    )
    assert {finding.fault for finding in verified(hire, changed).findings} == {AnswerFault.PARTS_DIFFER}


def test_parts_and_derivations_survive_json_and_a_replay_gives_the_same(hire: Service, tmp_path: Path) -> None:
    question = Question("Which boat is heavier, the Otter K2 or the Heron S1?")
    answer = hire.answerer.answer(question)
    assert answer_of(json.loads(AnswerOut.of(answer).model_dump_json())).parts == answer.parts
    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    assert hire.recording is not None
    store.append(answer, "default", hire.recording.of(question), owner=None)
    again = replay(store.answer(answer.id, owner=None), hire)
    assert again.answer_changes == ()
    assert again.answer.parts == answer.parts
    assert again.answer.sentences == answer.sentences
    store.close()


def test_a_language_model_is_asked_once_and_what_it_leaves_out_is_quoted(hire: Service) -> None:
    model = ScriptedGenerator(["The Heron S1 weighs 24.5 kg [1]. The Heron S1 weighs 24.5 kg [2]."])
    answerer = replace(hire.answerer, generators={"scripted": model}, generator="scripted")
    answer = answerer.answer(Question("Which boat is heavier, the Otter K2 or the Heron S1?"))
    otter, heron = answer.parts
    assert "24.5 kg" in answer.sentences[heron.sentences[0]].text
    assert "31 kg" in answer.sentences[otter.sentences[0]].text
    assert any("left out" in note for note in answer.notes)
    assert any("6.5 kg" in text for text in derived(answer))
    assert answer.generator == "scripted"


def test_the_command_line_shows_what_is_missing_and_derived(hire: Service) -> None:
    answer = ask(hire, "Who designed the Otter K2 and what does the season ticket of Lade cost?")
    lines = [line.text.plain for line in answer_lines(answer, plain=True)]
    assert any(line.endswith("The documents do not say: What does the season ticket of Lade cost?") for line in lines)


def test_a_question_of_one_part_has_no_parts(hire: Service) -> None:
    answer = ask(hire, "How heavy is the Otter K2?")
    assert answer.parts == ()
    assert derived(answer) == []
    assert "31 kg" in answer.text
