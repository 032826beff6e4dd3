"""Verification of answers against the documents that they cite: every kind of tampering is found."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking.chunker import chunk_id
from index.records import Chunk, Document, Hit, Page
from service.answer_json import answer_of
from service.answering.citations import with_markers
from service.audit.cited_units import is_made_of
from service.audit.findings import AnswerFault
from service.audit.verification import Verdict, Verification, verify
from service.errors import AnswerInvalid
from service.records import Answer, Citation, Sentence
from service.text.refusals import REFUSAL, REFUSALS

TEXT = "# Attacks\n\nSeoul counts at least six attacks since 2007. 🦜 Banks were hit twice.\n\nKerry came in May."
QUOTES = ("Seoul counts at least six attacks since 2007.", "Kerry came in May.")
DOCUMENT = Document(
    "d1", "v1", "file:///a.md", "Briefing", "text/markdown", TEXT, pages=(Page(1, 0, 60), Page(2, 60, len(TEXT)))
)
WRITTEN = "There were six attacks or more."


def place(quote: str) -> tuple[int, int]:
    start = TEXT.index(quote)
    return start, start + len(quote)


PASSAGE = Hit(
    Chunk(chunk_id("d1", "v1", 0, len(TEXT)), "d1", "v1", 0, 0, len(TEXT), TEXT),
    "Briefing",
    "file:///a.md",
    1,
    0.9,
)


def citation(number: int, quote: str, page: int) -> Citation:
    start, end = place(quote)
    passage = PASSAGE.chunk.id
    return Citation(
        number, "d1", "v1", "Briefing", "file:///a.md", page, start, end, quote, passage, 0.9, (), (start, end - 1)
    )


def make_answer(*sentences: Sentence, citations: tuple[Citation, ...] | None = None) -> Answer:
    return Answer(
        id="a",
        conversation_id="c",
        question="How many?",
        rewritten_question="How many?",
        text=" ".join(with_markers(s.text, s.citations) for s in sentences) or REFUSAL,
        refused=not sentences,
        confidence=0.9,
        sentences=sentences,
        citations=(citation(1, QUOTES[0], 1), citation(2, QUOTES[1], 2)) if citations is None else citations,
        passages=(PASSAGE,),
        generator="extractive",
        prompt_hash=None,
    )


ANSWER = make_answer(Sentence(QUOTES[0], (1,), True, 1.0), Sentence(QUOTES[1], (2,), True, 1.0))


def opener(document_id: str, version: str) -> Document | None:
    return DOCUMENT if (document_id, version) == ("d1", "v1") else None


def never(pairs: Any) -> Any:
    raise AssertionError("quoted sentences need no checker")


def verification_of(answer: Answer, *, check: Any = never, opener: Any = opener) -> Verification:
    return verify(answer, opener, check, min_support=0.5)


def faults(answer: Answer, **how: Any) -> set[tuple[str, AnswerFault]]:
    verification = verification_of(answer, **how)
    assert verification.verdict is Verdict.REFUTED
    return {(finding.subject, finding.fault) for finding in verification.findings}


def first_citation(**changes: Any) -> Answer:
    return replace(ANSWER, citations=(replace(ANSWER.citations[0], **changes), ANSWER.citations[1]))


def test_an_answer_of_quotes_is_proved_without_the_support_checker() -> None:
    assert verification_of(ANSWER) == Verification(Verdict.PROVED, quotes=3, quoted=2, checked=0, findings=())


def test_a_refusal_is_proved_by_its_passages() -> None:
    assert verification_of(make_answer(citations=())) == Verification(Verdict.PROVED, 1, 0, 0, ())


def test_one_changed_character_of_a_quote_is_refuted_with_the_text_there() -> None:
    changed = first_citation(quote=QUOTES[0].replace("2007", "2008"))
    assert ("citation 1", AnswerFault.QUOTE_DIFFERS) in faults(changed, check=lambda pairs: [0.9 for _ in pairs])
    finding = next(
        f for f in verification_of(changed, check=lambda pairs: [0.9]).findings if f.fault is AnswerFault.QUOTE_DIFFERS
    )
    assert finding.found == QUOTES[0]
    assert "nowhere" in finding.message


@pytest.mark.parametrize(("name", "by"), [("start", 1), ("start", -1), ("end", 1), ("end", -1)])
def test_one_moved_offset_is_refuted_with_the_right_place(name: str, by: int) -> None:
    start, end = place(QUOTES[0])
    changed = first_citation(**{name: {"start": start, "end": end}[name] + by}, highlight=None)
    assert faults(changed) == {("citation 1", AnswerFault.QUOTE_DIFFERS)}
    assert f"{start}-{end}" in verification_of(changed).findings[0].message


@pytest.mark.parametrize(("start", "end"), [(-5, 40), (40, 40), (40, 11), (11, 10**9), (10**30, 10**31)])
def test_offsets_that_are_no_range_are_refuted(start: int, end: int) -> None:
    found = faults(first_citation(start=start, end=end, highlight=None))
    assert ("citation 1", AnswerFault.OFFSETS_INVALID) in found


def test_another_version_of_a_citation_is_refuted_by_its_passage() -> None:
    found = faults(first_citation(version="v2"))
    assert found == {("citation 1", AnswerFault.VERSION_MISSING), ("citation 1", AnswerFault.PASSAGE_DIFFERS)}


def test_a_missing_version_leaves_the_answer_unproved() -> None:
    verification = verification_of(ANSWER, opener=lambda document_id, version: None)
    assert verification.verdict is Verdict.UNPROVED
    assert {finding.fault for finding in verification.findings} == {AnswerFault.VERSION_MISSING}


def test_a_copy_under_another_name_proves_the_quotes() -> None:
    copy = replace(DOCUMENT, id="d9", uri="file:///elsewhere/a.md")
    assert verification_of(ANSWER, opener=lambda document_id, version: copy).verdict is Verdict.PROVED


def test_an_answer_from_before_its_document_was_renamed_is_proved() -> None:
    renamed = replace(DOCUMENT, title="Renamed", other_titles=frozenset({DOCUMENT.title}))
    assert verification_of(ANSWER, opener=lambda document_id, version: renamed).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"page": 2}, AnswerFault.PAGE_DIFFERS),
        ({"page": None}, AnswerFault.PAGE_DIFFERS),
        ({"title": "Another"}, AnswerFault.SOURCE_DIFFERS),
        ({"uri": "https://example.org/"}, AnswerFault.SOURCE_DIFFERS),
        ({"highlight": (0, 5)}, AnswerFault.HIGHLIGHT_OUTSIDE),
        ({"highlight": (20, 20)}, AnswerFault.HIGHLIGHT_OUTSIDE),
        ({"chunk_id": "f" * 32}, AnswerFault.PASSAGE_DIFFERS),
    ],
)
def test_the_source_of_a_quote_is_checked(change: dict[str, Any], fault: AnswerFault) -> None:
    assert faults(first_citation(**change)) == {("citation 1", fault)}


def test_a_passage_under_a_made_up_id_is_refuted() -> None:
    chunk = replace(PASSAGE.chunk, id="0" * 32)
    citations = tuple(replace(citation, chunk_id="0" * 32) for citation in ANSWER.citations)
    changed = replace(ANSWER, passages=(replace(PASSAGE, chunk=chunk),), citations=citations)
    assert faults(changed) == {("citation 1", AnswerFault.PASSAGE_DIFFERS), ("citation 2", AnswerFault.PASSAGE_DIFFERS)}


def test_one_changed_number_is_refuted_in_citation_sentence_and_text() -> None:
    assert ("citations", AnswerFault.NUMBERS_DIFFER) in faults(
        first_citation(number=3), check=lambda pairs: [0.9 for _ in pairs]
    )
    swapped = (replace(ANSWER.sentences[0], citations=(2,)), replace(ANSWER.sentences[1], citations=(1,)))
    found = faults(replace(ANSWER, sentences=swapped), check=lambda pairs: [0.1 for _ in pairs])
    assert {("sentences", AnswerFault.NUMBERS_DIFFER), ("text", AnswerFault.TEXT_DIFFERS)} <= found
    assert {("sentence 1", AnswerFault.SUPPORT_DIFFERS), ("sentence 2", AnswerFault.SUPPORT_DIFFERS)} <= found
    assert faults(replace(ANSWER, text=ANSWER.text.replace("[2]", "[1]"))) == {("text", AnswerFault.TEXT_DIFFERS)}


def test_a_citation_that_no_sentence_uses_is_refuted() -> None:
    assert faults(make_answer(ANSWER.sentences[0])) == {("sentences", AnswerFault.NUMBERS_DIFFER)}


def test_a_refusal_is_proved_in_every_language() -> None:
    refused = make_answer(citations=())
    for refusal in REFUSALS.values():
        assert verification_of(replace(refused, text=refusal)).verdict is Verdict.PROVED
    assert faults(replace(refused, text="Vielleicht.")) == {("text", AnswerFault.TEXT_DIFFERS)}


def test_an_answer_posing_as_a_refusal_is_refuted() -> None:
    assert faults(replace(ANSWER, refused=True)) == {("refused", AnswerFault.TEXT_DIFFERS)}


@pytest.mark.parametrize(
    ("supported", "probability", "holds"),
    [
        (True, 0.9, True),
        (True, 0.46, True),
        (True, 0.4, False),
        (False, 0.1, True),
        (False, 0.54, True),
        (False, 0.6, False),
    ],
)
def test_the_checker_decides_about_sentences_in_other_words(supported: bool, probability: float, holds: bool) -> None:
    asked: list[Any] = []

    def check(pairs: Any) -> Any:
        asked.extend(pairs)
        return [probability for _ in pairs]

    answer = make_answer(Sentence(WRITTEN, (1, 2), supported, 0.8), citations=ANSWER.citations)
    verification = verification_of(answer, check=check)
    assert asked == [(WRITTEN, "\n\n".join(QUOTES))]
    assert (verification.verdict is Verdict.PROVED, verification.checked) == (holds, int(holds))


def test_a_figure_that_no_quote_has_is_refuted_even_if_the_checker_agrees() -> None:
    answer = make_answer(Sentence("There were 7 attacks.", (1,), True, 0.9), citations=ANSWER.citations[:1])
    assert faults(answer, check=lambda pairs: [0.99]) == {("sentence 1", AnswerFault.SUPPORT_DIFFERS)}


def test_a_sentence_with_one_changed_word_goes_to_the_checker() -> None:
    answer = make_answer(
        replace(ANSWER.sentences[0], text=QUOTES[0].replace("least", "most")), citations=ANSWER.citations[:1]
    )
    assert faults(answer, check=lambda pairs: [0.2 for _ in pairs]) == {("sentence 1", AnswerFault.SUPPORT_DIFFERS)}


def test_a_sentence_may_only_consist_of_quotes_that_say_the_same() -> None:
    twin = "Since 2007 Seoul counts at least six attacks."
    assert is_made_of(
        "Seoul counts at least six attacks since 2007.", ["- **Seoul** counts at least six\nattacks since 2007.", twin]
    )
    assert not is_made_of(QUOTES[0], [QUOTES[0], QUOTES[1]])
    assert not is_made_of(QUOTES[0], [QUOTES[0], twin.replace("six", "nine")])
    assert not is_made_of(QUOTES[0], [twin])


@given(st.data())
def test_no_single_change_to_a_quote_is_missed(data: st.DataObject) -> None:
    quote = ANSWER.citations[0].quote
    at = data.draw(st.integers(0, len(quote) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != quote[at]))
    changed = first_citation(quote=quote[:at] + other + quote[at + 1 :])
    found = {f.fault for f in verification_of(changed, check=lambda pairs: [1.0 for _ in pairs]).findings}
    assert AnswerFault.QUOTE_DIFFERS in found


def on_the_wire(answer: Answer) -> dict[str, Any]:
    from service.schemas.answers import AnswerOut

    return json.loads(AnswerOut.of(answer).model_dump_json())  # type: ignore[no-any-return]


def test_an_answer_can_be_proved_after_a_round_trip_through_json() -> None:
    wire = on_the_wire(ANSWER)
    received = answer_of(wire)
    passages = tuple(replace(hit, chunk=replace(hit.chunk, ordinal=-1)) for hit in ANSWER.passages)
    assert received == replace(ANSWER, passages=passages)
    assert answer_of({"collection": "default", "created_at": "x", "answer": wire}) == received


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "null"),
        ([], "a list"),
        ({}, "id"),
        ({**on_the_wire(ANSWER), "citations": [{"number": "x"}]}, "citations.0"),
        ({**on_the_wire(ANSWER), "passages": [7]}, "passages.0"),
        ({**on_the_wire(ANSWER), "question": "half \ud83d"}, "surrogate"),
    ],
)
def test_what_is_not_an_answer_is_reported(value: Any, said: str) -> None:
    with pytest.raises(AnswerInvalid, match=said):
        answer_of(value)
