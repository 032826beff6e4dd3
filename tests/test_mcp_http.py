"""MCP over HTTP: the limits, the queue, the log and the keys of the API hold there too. Hosts and origins: test_mcp.py."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from service.access.caller import Scope
from service.access.keyring import Keyring
from service.access.rate import Rate
from service.composition.mcp import create_mcp_app
from service.session.session import Session
from tests.gated_server import Gate, gated_session


class Assistant:
    """Sends single messages to the MCP server, as every message of a server without sessions may be."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/mcp"

    def post(self, content: Any, key: str = "", **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        sent = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **bearer,
            **headers,
        }
        return httpx.post(self._url, content=content, headers=sent, timeout=30)

    def ask(self, question: str, key: str = "", **headers: str) -> httpx.Response:
        call = {"name": "ask", "arguments": {"question": question}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        return self.post(json.dumps(message), key, **headers)


@pytest.fixture
def serving(tmp_path: Path, loopback: Any) -> Callable[..., Any]:
    """A function that serves a gate with the given settings: `with serving(max_requests=1) as (assistant, gate, session):`."""

    @contextmanager
    def serve(**settings: Any) -> Iterator[tuple[Assistant, Gate, Session]]:
        with (
            gated_session(tmp_path, **settings) as (session, gate),
            loopback(create_mcp_app(session, anonymous=True)) as url,
        ):
            try:
                yield Assistant(url), gate, session
            finally:
                gate.go.set()

    return serve


def test_a_body_that_is_too_long_is_refused_with_or_without_a_stated_length(serving: Callable[..., Any]) -> None:
    with serving(max_body_bytes=2000) as (assistant, gate, _):
        stated = assistant.post(b" " * 3000)
        streamed = assistant.post(iter([b" " * 1500] * 2))
        assert assistant.ask("Why?").status_code == 200
    assert (stated.status_code, streamed.status_code) == (413, 413)
    assert len(gate.questions) == 1


def test_a_body_that_does_not_arrive_in_time_is_a_408(serving: Callable[..., Any]) -> None:
    def dripping() -> Iterator[bytes]:
        yield b"{"
        threading.Event().wait(1.5)
        yield b"}"

    with serving(body_timeout_s=0.3) as (assistant, _, _):
        assert assistant.post(dripping()).status_code == 408


def test_messages_beyond_the_limit_wait_and_beyond_that_are_refused(serving: Callable[..., Any]) -> None:
    with serving(max_requests=1, max_waiting_requests=1) as (assistant, gate, session), ThreadPoolExecutor() as callers:
        first = callers.submit(assistant.ask, "wait")
        assert gate.begun.wait(10)
        second = callers.submit(assistant.ask, "Why?")
        while b"\nquoth_requests_waiting 1.0" not in session.metrics.render("")[0]:
            assert not second.done()
        refused = assistant.ask("Why not?")
        gate.go.set()
        assert (first.result().status_code, second.result().status_code) == (200, 200)
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert refused.headers["Retry-After"]
    assert [question.text for question in gate.questions] == ["wait", "Why?"]


def test_a_server_that_shuts_down_takes_no_message_and_finishes_the_running_answer(
    serving: Callable[..., Any],
) -> None:
    with serving() as (assistant, gate, session), ThreadPoolExecutor() as callers:
        running = callers.submit(assistant.ask, "wait")
        assert gate.begun.wait(10)
        session.admission.closing = True
        refused = assistant.ask("Why?")
        gate.go.set()
        assert running.result().status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (503, "shutting-down")


def test_every_message_has_a_line_in_the_log_with_its_key_and_without_its_text(serving: Callable[..., Any]) -> None:
    with serving() as (assistant, _, session):
        made, key = Keyring(session.store.database).create("one", [Scope.ASK])
        structlog.reset_defaults()
        with capture_logs(processors=[merge_contextvars]) as lines:
            response = assistant.ask("Where is the canary?", key, **{"X-Request-ID": "r-17"})
            assistant.ask("Where is the canary?", f"{key[:-1]}x")
        assert response.headers["X-Request-ID"] == "r-17"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        requests = [line for line in lines if line["event"] == "request"]
        assert [(line["path"], line["status"]) for line in requests] == [("/mcp", 200), ("/mcp", 401)]
        assert (requests[0]["key"], requests[0]["request_id"]) == (made.id, "r-17")
        written = json.dumps(lines, default=str)
        assert "canary" not in written
        assert key.split("_")[2][:-1] not in written


def test_a_program_that_acts_for_people_names_them_and_its_rate_is_counted(serving: Callable[..., Any]) -> None:
    with serving() as (assistant, gate, session):
        keys = Keyring(session.store.database)
        _, program = keys.create("program", [Scope.ASK], principals=None, acts_for_others=True)
        _, plain = keys.create("plain", [Scope.ASK], principals=["ada"])
        _, slow = keys.create("slow", [Scope.ASK], rate=Rate(1, 3600))
        for_bob = assistant.ask("Why?", program, **{"X-Quoth-Principals": "bob"})
        forged = assistant.ask("Why?", plain, **{"X-Quoth-Principals": "group:board"})
        assert [assistant.ask("Why?", slow).status_code for _ in range(2)] == [200, 429]
    assert for_bob.status_code == 200
    assert gate.questions[0].principals == {"bob"}
    assert (forged.status_code, forged.json()["code"]) == (403, "acting-forbidden")
