"""The HTTP API with scripted answerers: callers who disconnect, errors, unavailable storage, hostile text."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.errors import CollectionBusy
from service.answering.answerer import AnswerReady, Event, PassagesFound, SentenceReady
from service.answering.service import Service
from service.composition.http import create_app
from service.progress import Stages
from service.records import Answer, Question, Sentence
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.event_stream import events


class ScriptedAnswerer:
    """An answerer that yields the given events one step at a time, and records how many were requested."""

    def __init__(self, *events: Event | Exception, endless: bool = False) -> None:
        self.events = events
        self.endless = endless
        self.yielded = 0
        self.closed = threading.Event()

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Event]:
        try:
            while True:
                for event in self.events:
                    if isinstance(event, Exception):
                        raise event
                    self.yielded += 1
                    yield event
                    time.sleep(0.02)
                if not self.endless:
                    return
        finally:
            self.closed.set()


def serve_events(service: Service, answerer: ScriptedAnswerer) -> Service:
    return replace(service, answerer=answerer)  # type: ignore[arg-type]


REFUSED = Answer("a1", "c1", "Why?", "Why?", "The documents do not say.", True, 0.1, (), (), (), "x", None)
SENTENCE = SentenceReady(Sentence("Some words.", (), True, 1.0), ())


def test_the_work_stops_when_the_caller_disconnects(service: Service, store: ConversationStore, loopback: Any) -> None:
    answerer = ScriptedAnswerer(PassagesFound(()), SENTENCE, endless=True)
    with loopback(create_app(serve_events(service, answerer), store)) as address:
        with httpx.stream("POST", f"{address}/v1/chat", json={"question": "Why?", "stream": True}) as response:
            next(response.iter_lines())
        assert answerer.closed.wait(10)
        yielded = answerer.yielded
        time.sleep(0.3)
        assert answerer.yielded == yielded


@pytest.mark.parametrize("stream", [False, True])
def test_an_unexpected_error_reveals_no_details(
    service: Service, store: ConversationStore, loopback: Any, stream: bool
) -> None:
    answerer = ScriptedAnswerer(PassagesFound(()), RuntimeError("the secret is 4711"))
    with loopback(create_app(serve_events(service, answerer), store)) as address:
        response = httpx.post(f"{address}/v1/chat", json={"question": "Why?", "stream": stream}, timeout=60)
    assert "4711" not in response.text
    problem = list(events(response))[-1][1] if stream else response.json()
    assert (problem["code"], problem["status"]) == ("internal", 500)
    assert problem["request_id"] == response.headers["x-request-id"]


def test_a_temporary_failure_is_a_503_that_says_when_to_retry(
    service: Service, store: ConversationStore, loopback: Any
) -> None:
    answerer = ScriptedAnswerer(CollectionBusy("collection default: process 7 is writing. Try again."))
    with loopback(create_app(serve_events(service, answerer), store)) as address:
        response = httpx.post(f"{address}/v1/chat", json={"question": "Why?"})
    assert (response.status_code, response.json()["code"]) == (503, "collection-busy")
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_stored_has_a_note_and_requests_that_need_the_database_get_a_503(
    service: Service, tmp_path: Path, loopback: Any, stream: bool
) -> None:
    path = tmp_path / "c.sqlite"
    store = ConversationStore(Database(f"sqlite:///{path}", busy_timeout_ms=100))
    answerer = ScriptedAnswerer(PassagesFound(()), AnswerReady(REFUSED))
    with loopback(create_app(serve_events(service, answerer), store)) as address:

        def ask(**more: Any) -> Any:
            body = {"question": "Why?", "stream": stream, **more}
            response = httpx.post(f"{address}/v1/chat", json=body, timeout=60)
            assert response.status_code == 200
            return list(events(response))[-1][1] if stream else response.json()

        assert ask()["notes"] == []
        path.rename(tmp_path / "away")
        assert [note[:34] for note in ask()["notes"]] == ["This answer could not be kept: the"]
        for method, place in (
            ("GET", "/v1/conversations"),
            ("GET", "/v1/answers/a1"),
            ("DELETE", "/v1/conversations/c1"),
        ):
            response = httpx.request(method, f"{address}{place}")
            assert (response.status_code, response.json()["code"]) == (503, "store-unavailable")
            assert "Put the file back" in response.json()["detail"]
        follow_up = httpx.post(f"{address}/v1/chat", json={"question": "And?", "conversation_id": "c1"})
        assert follow_up.status_code == 503
        (tmp_path / "away").rename(path)
        assert httpx.get(f"{address}/v1/answers/a1").status_code == 200
        with closing(sqlite3.connect(path)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            assert len(ask()["notes"]) == 1
            lock.rollback()
        assert httpx.delete(f"{address}/v1/conversations/c1").status_code == 204
        assert ask()["notes"] == []
    store.close()


def test_text_of_a_document_cannot_inject_events(service: Service, store: ConversationStore, loopback: Any) -> None:
    evil = 'A line.\n\nevent: answer\ndata: {"text": "forged"}\r\n\r\n\u2028event: error\rdata: {}\n\n'
    answerer = ScriptedAnswerer(PassagesFound(()), SentenceReady(Sentence(evil, (), True, 1.0), ()))
    with loopback(create_app(serve_events(service, answerer), store)) as address:
        response = httpx.post(f"{address}/v1/chat", json={"question": "Why?", "stream": True})
    found = list(events(response))
    assert [name for name, _ in found] == ["passages", "sentence"]
    assert found[1][1]["sentence"]["text"] == evil
