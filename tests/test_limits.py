"""Limits of a server, over real sockets: size, time, concurrent requests, and callers who disconnect."""

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.answering.answerer import AnswerReady, Event, PassagesFound
from service.answering.service import Service
from service.composition.http import create_app
from service.progress import Stages
from service.records import Answer, Question
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database


class GatedAnswerer:
    """An answerer that blocks on the question `wait` until the test opens it, and records the questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = threading.Event()
        self.closed = threading.Event()

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Event]:
        assert stages is not None
        self.asked.append(question.text)
        try:
            with stages.lap("retrieve"):
                if question.text.startswith("wait"):
                    self.go.wait(10)
            with stages.lap("read"):
                found = PassagesFound(())
            yield found
            if question.text == "hang":
                self.go.wait(10)
            yield AnswerReady(
                Answer(uuid.uuid4().hex, "c", question.text, question.text, "No.", True, 0.1, (), (), (), "x", None)
            )
        finally:
            self.closed.set()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = Library(tmp_path_factory.mktemp("library"), HashedEncoder())
    library.open_or_create("default").add(Document("d", "v", "file:///d.md", "D", "text/markdown", "x" * 1_000_000))
    yield library
    library.close()


@pytest.fixture
def serving(tmp_path: Path, library: Library, loopback: Any) -> Callable[..., Any]:
    """A function that serves a gate with the given settings: `with serving(max_requests=1) as (address, gate):`."""

    @contextmanager
    def serve(**settings: Any) -> Iterator[tuple[str, GatedAnswerer]]:
        gate = GatedAnswerer()
        store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
        service = Service(Settings(home=tmp_path, **settings), library, None, None, None, gate)  # type: ignore[arg-type]
        with loopback(create_app(service, store)) as address:
            try:
                yield address, gate
            finally:
                gate.go.set()
        store.close()

    return serve


def ask(address: str, question: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{address}/v1/chat", json={"question": question, **body}, timeout=30)


def connect(address: str) -> socket.socket:
    where = urlsplit(address)
    assert where.hostname
    assert where.port
    return socket.create_connection((where.hostname, where.port), timeout=10)


def begin(address: str, *headers: str) -> socket.socket:
    """A connection over which the head of a POST to /v1/chat was sent, and nothing of its body."""
    connection = connect(address)
    head = ["POST /v1/chat HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers, "", ""]
    connection.sendall("\r\n".join(head).encode())
    return connection


def response(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the problem of the response, read until the connection ends."""
    read = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = read.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiting(address: str) -> int:
    text = httpx.get(f"{address}/metrics").text
    return int(float(text.split("\nquoth_requests_waiting ")[1].split("\n")[0]))


def test_a_body_that_is_too_long_is_refused_with_or_without_a_stated_length(serving: Any) -> None:
    with serving(max_body_bytes=1024) as (address, gate):
        with begin(address, "Content-Length: 1025", "Connection: close") as connection:
            status, problem = response(connection)
        assert (status, problem["code"]) == (413, "body-too-long")
        with begin(address, "Transfer-Encoding: chunked", "Connection: close") as connection:
            for _ in range(5):
                connection.sendall(b"100\r\n" + b" " * 256 + b"\r\n")
            status, problem = response(connection)
        assert (status, problem["code"]) == (413, "body-too-long")
        assert gate.asked == []
        assert ask(address, "short").status_code == 200


@pytest.mark.parametrize("drip", [False, True])
def test_a_body_that_does_not_arrive_in_time_is_a_408(serving: Any, drip: bool) -> None:
    with serving(body_timeout_s=0.4) as (address, gate):
        with begin(address, "Content-Length: 1000") as connection:
            connection.sendall(b'{"question": "')
            for _ in range(3 if drip else 0):
                connection.sendall(b"x")
                time.sleep(0.1)
            status, problem = response(connection)
        assert (status, problem["code"]) == (408, "body-too-slow")
        assert gate.asked == []


def test_the_time_limit_of_the_body_does_not_limit_the_answer(serving: Any) -> None:
    with serving(body_timeout_s=0.2) as (address, gate):
        threading.Timer(0.5, gate.go.set).start()
        assert ask(address, "wait").status_code == 200


def test_a_caller_who_does_not_read_a_long_answer_is_cut_off(serving: Any) -> None:
    with serving(body_timeout_s=0.3, max_requests=1) as (address, _), connect(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(8):  # more than the buffers in between hold
            connection.sendall(b"GET /v1/documents/d/versions/v/text HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: 'quoth_errors_total{code="caller-gone"}' in httpx.get(f"{address}/metrics").text)
        assert ask(address, "next").status_code == 200


@pytest.mark.parametrize("question", ["wait", "hang"])
def test_an_answer_that_takes_too_long_ends_with_a_503_and_its_work_stops(serving: Any, question: str) -> None:
    with serving(answer_timeout_s=0.3) as (address, gate):
        late = ask(address, question)
        assert (late.status_code, late.json()["code"]) == (503, "answer-timed-out")
        assert int(late.headers["retry-after"]) > 0
        gate.go.set()
        assert gate.closed.wait(5)


def test_a_stream_that_takes_too_long_ends_with_an_error_event(serving: Any) -> None:
    with serving(answer_timeout_s=0.3) as (address, gate):
        told = ask(address, "hang", stream=True)
        assert told.status_code == 200
        *_, name, data, _, _ = told.text.split("\n")
        assert name == "event: error"
        assert json.loads(data.removeprefix("data: "))["code"] == "answer-timed-out"
        gate.go.set()
        assert gate.closed.wait(5)
        assert 'quoth_questions_total{outcome="failed"} 1.0' in httpx.get(f"{address}/metrics").text


def test_requests_beyond_the_limit_wait_in_order_and_beyond_that_are_refused(serving: Any) -> None:
    with serving(max_requests=1, max_waiting_requests=2) as (address, gate), ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(ask, address, "wait 0")]
        until(lambda: gate.asked == ["wait 0"])
        for number in (1, 2):
            calls.append(callers.submit(ask, address, f"wait {number}"))
            until(lambda number=number: waiting(address) == number)  # type: ignore[misc]
        refused = ask(address, "too many")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        for watched in ("/healthz", "/readyz", "/metrics", "/assets/feedback.js"):
            assert httpx.get(f"{address}{watched}").status_code == 200
        gate.go.set()
        assert [call.result().status_code for call in calls] == [200, 200, 200]
        assert gate.asked == ["wait 0", "wait 1", "wait 2"]
        assert waiting(address) == 0


def test_a_caller_who_leaves_the_queue_is_removed_from_it(serving: Any) -> None:
    with serving(max_requests=1, max_waiting_requests=1) as (address, gate), ThreadPoolExecutor(2) as callers:
        first = callers.submit(ask, address, "wait")
        until(lambda: gate.asked == ["wait"])
        body = b'{"question": "given up"}'
        with begin(address, f"Content-Length: {len(body)}") as leaving:
            leaving.sendall(body)
            until(lambda: waiting(address) == 1)
        until(lambda: waiting(address) == 0)
        third = callers.submit(ask, address, "third")
        until(lambda: waiting(address) == 1)
        gate.go.set()
        assert (first.result().status_code, third.result().status_code) == (200, 200)
        assert gate.asked == ["wait", "third"]


def test_the_request_of_a_waiting_caller_is_complete_when_it_is_admitted(serving: Any) -> None:
    long = "x" * 3000
    body = json.dumps({"question": long}).encode()
    with serving(max_requests=1) as (address, gate), ThreadPoolExecutor(1) as callers:
        first = callers.submit(ask, address, "wait")
        until(lambda: gate.asked == ["wait"])
        with begin(address, f"Content-Length: {len(body)}", "Connection: close") as connection:
            connection.sendall(body[:1000])
            until(lambda: waiting(address) == 1)
            connection.sendall(body[1000:2000])
            gate.go.set()
            assert first.result().status_code == 200
            connection.sendall(body[2000:])
            status, answer = response(connection)
        assert (status, answer["question"]) == (200, long)


def test_work_stops_between_two_stages_when_the_caller_of_a_whole_answer_disconnects(serving: Any) -> None:
    with serving() as (address, gate):
        body = b'{"question": "wait"}'
        with begin(address, f"Content-Length: {len(body)}") as leaving:
            leaving.sendall(body)
            until(lambda: gate.asked == ["wait"])
        until(lambda: 'quoth_questions_total{outcome="abandoned"} 1.0' in httpx.get(f"{address}/metrics").text)
        assert not gate.closed.is_set()  # the stage that was running when the caller left still finishes
        gate.go.set()
        assert gate.closed.wait(5)
        assert httpx.get(f"{address}/v1/conversations/c").status_code == 404
