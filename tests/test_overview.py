"""Questions about documents as a whole are answered from their structure, each sentence a quote."""

from dataclasses import replace

import pytest

from index.library import Library
from index.sync.sync import sync
from service.answering.service import Service
from service.records import Answer, Question
from service.text.overviews import Overview, OverviewRequest, overview_request

BERTHS = """# Berths of the harbour

The harbour lets berths to boats of up to twelve metres. A berth is let for a year.

## Fees

You need:

- a valid passport
- the papers of the boat

The fee is due in March.

## Winter

Boats must leave the water by 15 November.
"""
DUES = "# Dues of the club\n\nMembers pay 40 euros a year. The club Nuance pays nothing.\n"
MOORING = "# Mooring\n\nA nuanced text on ropes for members of the club.\n"


@pytest.mark.parametrize(
    ("question", "kind", "name"),
    [
        ("What is this document about?", Overview.GIST, ""),
        ("Can you summarize this PDF for me?", Overview.GIST, ""),
        ("What is it about?", Overview.GIST, ""),
        ("Summarise the leave policy.", Overview.GIST, "leave policy"),
        ("What does “Travel” say?", Overview.GIST, "Travel"),
        ("What does the section “Fees” say?", Overview.GIST, "Fees"),
        ("What does the Fees section say?", Overview.GIST, "Fees"),
        ("What does section 3.2 say?", Overview.GIST, "3.2"),
        ("Worum geht es in dem Dokument?", Overview.GIST, ""),
        ("Which documents do you have?", Overview.DOCUMENTS, ""),
        ("List all documents", Overview.DOCUMENTS, ""),
        ("List the documents about parking", Overview.ABOUT, "parking"),
        ("Which files mention Seoul?", Overview.ABOUT, "Seoul"),
    ],
)
def test_what_is_asked_of_documents_as_a_whole(question: str, kind: Overview, name: str) -> None:
    assert overview_request(question) == OverviewRequest(kind, name)


@pytest.mark.parametrize(
    "question",
    [
        "What does error E31 mean?",
        "What is the warranty of the pump?",
        "What does the policy say about dogs?",
        "Which documents do I need for a berth?",
        "How long is the report kept?",
    ],
)
def test_other_questions_ask_for_no_overview(question: str) -> None:
    assert overview_request(question) is None


def test_it_after_another_question_is_what_that_was_about() -> None:
    assert overview_request("What is it about?", is_first=False) is None


@pytest.fixture(scope="module")
def harbour(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The real service over three documents."""
    folder = tmp_path_factory.mktemp("harbour")
    for name, text in (("berths.md", BERTHS), ("dues.md", DUES), ("mooring.md", MOORING)):
        folder.joinpath(name).write_text(text, "utf-8")
    library = Library(folder / "home", service.library.encoder)
    sync(library.open_or_create("default"), sorted(folder.glob("*.md")))
    return replace(service, library=library, answerer=replace(service.answerer, library=library))


def asked(service: Service, question: str) -> Answer:
    answer = service.answerer.answer(Question(question))
    for citation in answer.citations:
        text = service.library.open("default").documents.get(citation.document_id, citation.version).text
        assert text[citation.start : citation.end] == citation.quote
    return answer


def said(service: Service, question: str) -> list[str]:
    return [sentence.text for sentence in asked(service, question).sentences]


def test_a_document_is_summed_up_by_its_first_sentences_and_those_of_its_sections(harbour: Service) -> None:
    assert said(harbour, "What is the document “Berths of the harbour” about?") == [
        "The harbour lets berths to boats of up to twelve metres.",
        "A berth is let for a year.",
        "You need: a valid passport; the papers of the boat",
        "Boats must leave the water by 15 November.",
    ]


def test_a_section_is_told_by_how_it_begins(harbour: Service) -> None:
    assert said(harbour, "What does the section Winter say?") == ["Boats must leave the water by 15 November."]
    [first, *_] = said(harbour, "Summarise the Fees section")
    assert first == "You need: a valid passport; the papers of the boat"


def test_documents_are_listed_by_their_titles(harbour: Service) -> None:
    answer = asked(harbour, "Which documents do you have?")
    assert [sentence.text for sentence in answer.sentences] == ["Berths of the harbour", "Dues of the club", "Mooring"]
    assert (answer.refused, answer.confidence, answer.notes) == (False, 1.0, ())


def test_which_of_several_documents_is_meant_is_asked(harbour: Service) -> None:
    [note] = asked(harbour, "What is this document about?").notes
    assert note == "Which document is meant? Name it, for example: What is “Berths of the harbour” about?"


def test_documents_about_something_are_listed_with_what_they_say_of_it(harbour: Service) -> None:
    assert said(harbour, "List the documents about Nuance") == ["The club Nuance pays nothing."]
    assert len(said(harbour, "Which documents mention the club?")) == 2


def test_a_name_that_nothing_has_is_asked_for_as_before(harbour: Service) -> None:
    assert asked(harbour, "Summarise the enzymes of mitochondria").refused


def test_an_overview_is_the_same_from_its_passages(harbour: Service) -> None:
    answer = asked(harbour, "What is “Berths of the harbour” about?")
    again = harbour.answerer.from_passages(Question(answer.question), answer.rewritten_question, answer.passages)
    assert (again.sentences, again.citations) == (answer.sentences, answer.citations)
