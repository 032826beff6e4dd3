import json
import random
from pathlib import Path

import pytest

from evaluation.cases import Case
from evaluation.datasets.golden import write_cases
from evaluation.datasets.loading import load
from evaluation.drafting import draft_cases
from evaluation.errors import DataInvalid, RunInvalid, TaskUnfit
from evaluation.harvest import harvest_cases
from index.blocks.block import Block, Kind
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.records import Document
from service.text.question_templates import Proposal, content_words, near_miss, propose

TEXT = """Rivers of the Oder basin

Water years

The Oder is a river that rises in the eastern hills of the basin. Flooding follows the snow in most years. \
Villages downstream keep boats ready for it.

The Lusatian Dam was completed in 1904. The Oder Commission employs about 240 engineers in four towns. \
Clara Winter designed the sluices of the Lusatian Dam. The Winter Museum is located in the town of Guben. \
It was closed in 1990.

The Neisse is a tributary that joins the Oder at Ratzdorf. The Neisse Bridge was built in 1936. \
The Spree Commission employs 35 engineers in one office. Karl Sommer founded the Spree Commission for shipping.
"""


@pytest.fixture
def rivers(tmp_path: Path) -> Collection:
    collection = Collection(tmp_path / "rivers", SentenceEncoder())
    starts = [(TEXT.index(name), name) for name in ("Rivers of the Oder basin", "Water years")]
    headings = tuple(Block(Kind.HEADING, start, start + len(name), level=1) for start, name in starts)
    collection.add(Document("d", "v", "file:///rivers.md", "Rivers", "text/markdown", TEXT, blocks=headings))
    collection.embed_pending()
    return collection


def only(sentence: str) -> tuple[str, str]:
    (found,) = propose(sentence)
    return found.question, found.answer


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The Oder is a river that rises in hills.", "What is the Oder?", "a river that rises in hills"),
        ("The Lusatian Dam was completed in 1904.", "When was the Lusatian Dam completed?", "1904"),
        (
            "The Oder Commission employs about 240 engineers in four towns.",
            "How many engineers does the Oder Commission employ in four towns?",
            "about 240",
        ),
        ("There were six floods in the basin.", "How many floods were there in the basin?", "six"),
        ("Clara Winter designed the sluices of the dam.", "Who designed the sluices of the dam?", "Clara Winter"),
        (
            "The Winter Museum is located in the town of Guben.",
            "Where is the Winter Museum located?",
            "in the town of Guben",
        ),
        (
            "The annual budget covers repairs and new boats.",
            "What does the annual budget cover?",
            "repairs and new boats",
        ),
    ],
)
def test_a_sentence_gives_the_question_it_carries(sentence: str, question: str, answer: str) -> None:
    assert only(sentence) == (question, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "It was completed in 1904.",
        "This is a river that rises in the hills.",
        "In 1825 the engineers built the first bridge of the valley.",
        "Initially built with three layers, it grew later.",
        "The reason is a lack of money for repairs.",
        "Too short.",
        "a lower-case fragment that is a piece of text.",
        "The Oder would have the larger basin of the two.",
    ],
)
def test_what_leans_on_its_context_gives_none(sentence: str) -> None:
    assert list(propose(sentence)) == []


def test_the_answer_is_always_literal_in_its_sentence() -> None:
    for sentence in TEXT.replace("\n", " ").split(". "):
        for proposal in propose(f"{sentence}."):
            assert proposal.answer in sentence


def test_a_near_miss_changes_one_name_or_year_to_another_of_the_collection() -> None:
    asked = Proposal("year", "When was the Lusatian Dam completed?", "1904", ("Lusatian Dam",))
    other = Proposal("agent", "Who founded the Spree Commission?", "Karl Sommer", ("Spree Commission",))
    assert near_miss(asked, [asked, other], random.Random(0)) == "When was the Spree Commission completed?"
    assert near_miss(asked, [asked], random.Random(0)) is None


def test_drafted_cases_quote_the_document_and_are_found_by_search(rivers: Collection) -> None:
    cases = draft_cases(rivers, 10, unanswerable=0.3, seed=1).cases
    answerable = [case for case in cases if case.answerable]
    assert len(answerable) >= 5
    for case in answerable:
        for evidence in case.evidence:
            assert TEXT[evidence.start : evidence.end] == evidence.quote
            assert evidence.document == "file:///rivers.md"
        if case.answers:
            assert case.answers[0] in case.evidence[0].quote
        hits = rivers.search(case.question, k=10)
        assert any(case.evidence[0].quote in hit.chunk.text for hit in hits)
    assert len({case.question for case in cases}) == len(cases)


def test_near_misses_have_no_sentence_with_all_their_words(rivers: Collection) -> None:
    misses = [case for case in draft_cases(rivers, 10, unanswerable=0.4, seed=1).cases if case.answerable is False]
    assert misses
    for case in misses:
        assert not any(content_words(case.question) <= content_words(sentence) for sentence in TEXT.split("."))


def test_the_same_seed_drafts_the_same_cases(rivers: Collection) -> None:
    assert draft_cases(rivers, 6, seed=3) == draft_cases(rivers, 6, seed=3)


def test_a_collection_without_prose_says_so(tmp_path: Path) -> None:
    collection = Collection(tmp_path / "numbers", SentenceEncoder())
    collection.add(Document("d", "v", "file:///n.txt", "N", "text/plain", "1 2 3\n4 5 6\n"))
    with pytest.raises(TaskUnfit, match="no sentence carries a question"):
        draft_cases(collection, 5)


def test_a_written_case_file_reads_back_and_is_not_overwritten(rivers: Collection, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    cases = draft_cases(rivers, 6, seed=2).cases
    write_cases(file, cases)
    read = load(file, collection=True).cases
    assert [(case.id, case.question, case.answers, case.evidence, case.answerable) for case in read] == [
        (case.id, case.question, case.answers, case.evidence, case.answerable) for case in cases
    ]
    with pytest.raises(RunInvalid, match="may hold reviewed cases"):
        write_cases(file, [Case("1", "q")])


def feedback(folder: Path, *records: dict[str, object]) -> Path:
    file = folder / "feedback.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return file


def vote(id: str, verdict: str, question: str = "When?", **answer: object) -> dict[str, object]:
    given = {
        "text": "In 1904.",
        "refused": False,
        "citations": [{"uri": "file:///rivers.md", "quote": "In 1904."}],
        **answer,
    }
    return {"answer_id": id, "verdict": verdict, "question": question, "answer": given}


def test_a_thumbs_up_keeps_the_quotes_and_a_thumbs_down_asks_for_them(tmp_path: Path) -> None:
    down = vote("b", "down", "Who?") | {"comment": "It was Winter."}
    up, other, refused = harvest_cases(
        feedback(tmp_path, vote("a", "up"), down, vote("c", "down", "Why?", refused=True))
    )
    assert (up.answerable, [evidence.quote for evidence in up.evidence]) == (True, ["In 1904."])
    assert (other.answerable, other.evidence, other.tags["comment"]) == (None, (), "It was Winter.")
    assert "it was refused" in refused.tags["review"]


def test_the_later_verdict_on_the_same_question_counts(tmp_path: Path) -> None:
    (case,) = harvest_cases(feedback(tmp_path, vote("a", "up", "When is it?"), vote("b", "down", "when  is IT?")))
    assert case.tags["verdict"] == "down"


def test_faults_in_feedback_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="line 2: verdict 'meh'"):
        harvest_cases(feedback(tmp_path, vote("a", "up"), vote("b", "meh")))
    with pytest.raises(DataInvalid, match="no 'answer' object"):
        harvest_cases(feedback(tmp_path, {"answer_id": "a", "verdict": "up", "question": "q"}))
