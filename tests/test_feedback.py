"""Feedback on answers: stored, listed, and exported in the format that `quoth eval harvest` reads."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from evaluation.cases import GoldEvidence
from evaluation.cli import app as evaluate
from evaluation.errors import DataInvalid
from evaluation.harvest import harvest_cases
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Chunk, Hit
from service.answering.service import Service
from service.composition.http import create_app
from service.errors import FeedbackInvalid, RecordMissing
from service.records import Answer, Citation, Sentence, Turn
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from service.storage.feedback import FeedbackStore

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def make_answer(id: str, question: str, *quotes: str, conversation: str = "c1") -> Answer:
    citations = tuple(
        Citation(n, "d", "v", "Title", "file:///a.md", None, 0, len(quote), quote, "k", 0.9)
        for n, quote in enumerate(quotes, start=1)
    )
    return Answer(
        id=id,
        conversation_id=conversation,
        question=question,
        rewritten_question=question,
        text=" ".join(f"{c.quote} [{c.number}]" for c in citations) or "The documents do not say.",
        refused=not quotes,
        confidence=0.9,
        sentences=tuple(Sentence(c.quote, (c.number,), True, 1.0) for c in citations),
        citations=citations,
        passages=(Hit(Chunk("k", "d", "v", 0, 0, 3, "abc"), "Title", "file:///a.md", None, 0.9),),
        generator="extractive",
        prompt_hash=None,
    )


@pytest.fixture
def store(database: Database) -> ConversationStore:
    store = ConversationStore(database)
    store.append(make_answer("a1", "When was it?", "In 1904.", "So 🦜 they say."), "default")
    store.append(make_answer("a2", "And who?"), "default")
    return store


@pytest.fixture
def ratings(store: ConversationStore) -> FeedbackStore:
    times = iter(NOON + timedelta(minutes=minute) for minute in range(10_000))
    return FeedbackStore(store.database, clock=lambda: next(times))


@pytest.fixture
def client(store: ConversationStore, tmp_path: Path, loopback: Any) -> Iterator[httpx.Client]:
    library = Library(tmp_path, HashedEncoder())
    service = Service(Settings(home=tmp_path), library, None, None, None, None)  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url, httpx.Client(base_url=url) as client:
        yield client
    library.close()


def test_feedback_is_stored_in_order_and_listed_by_answer_and_rating(ratings: FeedbackStore) -> None:
    first = ratings.rate("a1", "down", 1, "Who says?")
    second = ratings.rate("a1", "up")
    third = ratings.rate("a2", "down")
    assert ratings.feedback() == (first, second, third)
    assert (first.sentence, first.comment, second.sentence) == (1, "Who says?", None)
    assert first.created_at < second.created_at
    assert ratings.feedback(answer_id="a1", rating="up") == (second,)
    assert ratings.feedback(limit=1, offset=1) == (second,)


def test_feedback_on_a_missing_answer_is_refused(ratings: FeedbackStore) -> None:
    with pytest.raises(RecordMissing, match="'none'"):
        ratings.rate("none", "up")
    with pytest.raises(FeedbackInvalid, match="has no sentence 2: it has 2"):
        ratings.rate("a1", "up", 2)
    with pytest.raises(FeedbackInvalid, match="it has 0"):
        ratings.rate("a2", "down", 0)
    assert ratings.feedback() == ()


def test_feedback_is_given_and_listed_over_http(client: httpx.Client) -> None:
    sent = {"answer_id": "a1", "rating": "down", "sentence": 0, "comment": "It is 1905. 🦜", "label": "ada"}
    response = client.post("/v1/feedback", json=sent)
    assert response.status_code == 201
    kept = response.json()
    assert {name: kept[name] for name in sent} == sent
    client.post("/v1/feedback", json={"answer_id": "a2", "rating": "up"})
    assert client.get("/v1/feedback", params={"rating": "down"}).json() == {"feedback": [kept]}
    assert len(client.get("/v1/feedback").json()["feedback"]) == 2
    assert len(client.get("/v1/feedback", params={"limit": 1}).json()["feedback"]) == 1


def test_a_list_is_short_and_an_export_is_complete(client: httpx.Client, ratings: FeedbackStore) -> None:
    for _ in range(101):
        ratings.rate("a1", "up")
    assert len(client.get("/v1/feedback").json()["feedback"]) == 100
    assert len(client.get("/v1/feedback", params={"offset": 100}).json()["feedback"]) == 1
    assert len(client.get("/v1/feedback", params={"format": "jsonl"}).text.splitlines()) == 101


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"answer_id": "none", "rating": "up"}, 404, "record-missing"),
        ({"answer_id": "a1", "rating": "up", "sentence": 9}, 422, "feedback-invalid"),
        ({"answer_id": "a1", "rating": "up", "sentence": -1}, 422, "request-invalid"),
        ({"answer_id": "a1", "rating": "sideways"}, 422, "request-invalid"),
        ({"answer_id": "a1", "rating": "up", "comment": "x" * 4001}, 422, "request-invalid"),
        ({"answer_id": "a1", "rating": "up", "stars": 5}, 422, "request-invalid"),
        ({"rating": "up"}, 422, "request-invalid"),
    ],
)
def test_bad_feedback_is_a_problem(client: httpx.Client, body: Any, status: int, code: str) -> None:
    response = client.post("/v1/feedback", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert client.get("/v1/feedback").json() == {"feedback": []}


def test_harvest_reads_the_export(client: httpx.Client, tmp_path: Path) -> None:
    for body in (
        {"answer_id": "a1", "rating": "up", "comment": "Right."},
        {"answer_id": "a2", "rating": "down", "comment": "It was\u2028Ada 🦜."},
    ):
        client.post("/v1/feedback", json=body).raise_for_status()
    response = client.get("/v1/feedback", params={"format": "jsonl"})
    assert response.headers["content-type"] == "application/jsonl"
    file, cases = tmp_path / "feedback.jsonl", tmp_path / "cases.jsonl"
    file.write_bytes(response.content)
    first, second = harvest_cases(file)
    assert (first.question, first.answerable, first.history) == ("When was it?", True, ())
    assert first.evidence == (GoldEvidence("file:///a.md", "In 1904."), GoldEvidence("file:///a.md", "So 🦜 they say."))
    assert second.history == (Turn("When was it?", "In 1904. [1] So 🦜 they say. [2]"),)
    assert (second.answerable, second.tags["comment"]) == (None, "It was\u2028Ada 🦜.")
    result = CliRunner().invoke(evaluate, ["harvest", str(file), "--out", str(cases)])
    assert (result.exit_code, cases.read_text("utf-8").count("\n")) == (0, 2)


def test_a_sentence_that_is_wrong_makes_its_answer_wrong_and_one_that_is_right_proves_nothing(
    client: httpx.Client, ratings: FeedbackStore, tmp_path: Path
) -> None:
    ratings.rate("a1", "down", 1, "Nobody does.", "ada")
    ratings.rate("a1", "down", 0)
    ratings.rate("a1", "up", 0)
    lines = [json.loads(line) for line in client.get("/v1/feedback", params={"format": "jsonl"}).text.splitlines()]
    assert [(line["verdict"], line["sentence"], line["label"], line["comment"]) for line in lines] == [
        ("down", 1, "ada", "Sentence 2, “So 🦜 they say.”: Nobody does."),
        ("down", 0, "", "Sentence 1, “In 1904.”"),
    ]
    file = tmp_path / "feedback.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines[:1]))
    (case,) = harvest_cases(file)
    assert (case.tags["sentence"], case.tags["label"]) == ("1", "ada")
    file.write_text(json.dumps({**lines[0], "sentence": -1}))
    with pytest.raises(DataInvalid, match=r"sentence -1.*from 0"):
        harvest_cases(file)


def test_only_the_scope_admin_sees_feedback_of_every_owner(client: httpx.Client, store: ConversationStore) -> None:
    store.append(make_answer("hers", "Where?", "There.", conversation="c9"), "default", owner="ada")
    FeedbackStore(store.database).rate("hers", "up", owner="ada")
    assert client.get("/v1/feedback").json()["feedback"] == []
    found = client.get("/v1/feedback", params={"everyone": True}).json()["feedback"]
    assert [one["answer_id"] for one in found] == ["hers"]
    (line,) = client.get("/v1/feedback", params={"everyone": True, "format": "jsonl"}).text.splitlines()
    assert json.loads(line)["question"] == "Where?"
