"""Attacks on a server over its sockets, each of which the service must survive unharmed and go on serving others.

Where the others stand: hosts and origins test_access_doors.py and test_api.py; keys, scopes, principals test_access*.py and
test_keyring.py; secrets and injected headers test_security.py and test_evaluation_secrets.py; names of uploads test_uploads.py;
archives and bombs test_hostile.py and test_fuzz.py; addresses, redirects and changing DNS test_addresses.py and
test_fetching.py; texts test_attacking_texts.py; models test_hostile_model.py; caches test_faults.py; lost or damaged databases
test_lost_*.py, test_database.py and test_damaged_values.py; read-only homes and full disks test_unwritable.py; clocks
test_clock_jumps.py; refused and killed removals test_removal.py; waits for locks test_waiting.py; slow heads
test_slow_heads.py; slow bodies and clients that read nothing test_limits.py; MCP test_mcp_http.py; generated requests
test_openapi.py; long answers to verify test_verify_doors.py.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from index.records import Document
from service.composition.http import create_app
from service.session.session import Session
from tests.gated_server import gated_session

STREAMS = 100
DEAF_CLIENTS = 60
ASKS, WRITES = 40, 32


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with gated_session(tmp_path_factory.mktemp("home"), max_requests=8, body_timeout_s=5) as (session, _):
        yield session


@pytest.fixture(scope="module")
def url(session: Session, loopback: Any) -> Iterator[str]:
    with loopback(create_app(session.service, session.store)) as url:
        yield url


def connect(url: str) -> socket.socket:
    where = urlsplit(url)
    assert where.hostname
    return socket.create_connection((where.hostname, where.port or 80), timeout=10)


def answered(url: str) -> bool:
    return httpx.post(f"{url}/v1/chat", json={"question": "Why?"}, timeout=30).status_code == 200


HIDDEN = "GET /v1/documents HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = "POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
RAW = {
    "both lengths": f"{POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two lengths": f"{POST}Content-Length: 2\r\nContent-Length: 9\r\n\r\n{{}}{HIDDEN}",
    "a negative length": f"{POST}Content-Length: -1\r\n\r\n{HIDDEN}",
    "a signed length": f"{POST}Content-Length: +2\r\n\r\n{{}}",
    "a length of 5,000 digits": f"{POST}Content-Length: {'9' * 5000}\r\n\r\n",
    "a wrong chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n{HIDDEN}",
    "two encodings": f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a blank before the colon": f"POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length : 9\r\n\r\n{HIDDEN}",
    "no host": "GET /v1/documents HTTP/1.1\r\n\r\n",
    "two hosts": "GET /v1/documents HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n",
    "a folded header": "GET /v1/documents HTTP/1.1\r\nHost: attacker.example\r\n localhost\r\n\r\n",
    "a whole address": "GET http://attacker.example/v1/documents HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
    "a NUL in the path": "GET /v1/documents/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an escaped NUL": "GET /assets/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the folder above": "GET /assets/../../../pyproject.toml HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the folder above, escaped": "GET /assets/%2e%2e/%2e%2e%2f%2e%2e/pyproject.toml HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "the folder above, by its name": "GET /assets//etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an endless header": f"GET /v1/documents HTTP/1.1\r\nHost: localhost\r\nX: {'a' * 100_000}\r\n\r\n",
    "no protocol": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("name", RAW)
def test_a_malformed_request_is_refused_and_hides_no_other(url: str, name: str) -> None:
    with closing(connect(url)) as connection:
        connection.sendall(RAW[name].encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 ") <= 1
    assert not received or 400 <= int(received.split()[1]) < 500
    for hidden in (b"file:///d.md", b"[project]", b"root:", b"Traceback"):
        assert hidden not in received
    assert answered(url)


def test_a_hundred_streams_at_once_all_end_with_their_answer(url: str) -> None:
    ends: list[str] = []

    async def stream(client: httpx.AsyncClient) -> None:
        body = {"question": "Why?", "stream": True}
        async with client.stream("POST", f"{url}/v1/chat", json=body) as response:
            names = [line async for line in response.aiter_lines() if line.startswith("event: ")]
        ends.append(names[-1])

    async def all_of_them() -> None:
        limits = httpx.Limits(max_connections=STREAMS)
        async with httpx.AsyncClient(timeout=60, limits=limits) as client, anyio.create_task_group() as tasks:
            for _ in range(STREAMS):
                tasks.start_soon(stream, client)

    anyio.run(all_of_them)
    assert ends == ["event: answer"] * STREAMS


def test_clients_that_read_nothing_keep_nobody_waiting(url: str) -> None:
    where = urlsplit(url)
    with ExitStack() as deaf:
        for _ in range(DEAF_CLIENTS):
            connection = deaf.enter_context(closing(socket.socket()))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect((where.hostname, where.port))
            connection.sendall(b"GET /v1/documents/d/versions/v/text HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answered(url)


@pytest.mark.parametrize("turns", [500, 5_000])
def test_a_long_history_is_read_or_refused_by_name(url: str, turns: int) -> None:
    messages = [{"role": role, "content": f"Turn {turn}?"} for turn in range(turns) for role in ("user", "assistant")]
    body = {"model": "quoth", "messages": [*messages, {"role": "user", "content": "And why?"}]}
    response = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert response.status_code == 200 or "code" in response.json()
    assert response.status_code in (200, 413, 422)
    assert answered(url)


def test_a_conversation_of_500_turns_goes_on(tmp_path: Path, loopback: Any) -> None:
    with gated_session(tmp_path) as (session, gate), loopback(create_app(session.service, session.store)) as url:
        with httpx.Client(base_url=url, timeout=30) as client:
            first = client.post("/v1/chat", json={"question": "Why?"}).json()
            answer = session.store.answer(first["id"]).answer
            for turn in range(499):
                session.store.append(replace(answer, id=f"{answer.id}-{turn}"), "default")
            asked = {"question": "And then?", "conversation_id": first["conversation_id"]}
            assert client.post("/v1/chat", json=asked).status_code == 200
        assert len(gate.questions[-1].history) == 500


def test_a_collection_that_is_dropped_during_searches_gives_results_or_a_named_problem(
    url: str, session: Session
) -> None:
    for number in range(8):
        session.service.library.open_or_create("brief").add(
            Document(f"b{number}", "v", f"file:///{number}.md", "B", "text/markdown", f"The bridge {number} opened.")
        )

    def search(_: int) -> httpx.Response:
        return httpx.post(f"{url}/v1/search", json={"query": "bridge", "collection": "brief"}, timeout=30)

    with ThreadPoolExecutor(8) as callers:
        before = callers.submit(search, 0).result()
        found = callers.map(search, range(24))
        dropped = httpx.delete(f"{url}/v1/collections/brief", timeout=30)
        statuses = [(response.status_code, response.json().get("code")) for response in found]
    assert (before.status_code, len(before.json()["hits"]), dropped.status_code) == (200, 8, 204)
    assert set(statuses) <= {(200, None), (404, "collection-missing"), (503, "collection-dropped")}
    assert search(0).status_code == 404


def test_two_servers_over_one_home_lose_nothing(tmp_path: Path, loopback: Any) -> None:
    with ExitStack() as servers:
        sessions = [servers.enter_context(gated_session(tmp_path))[0] for _ in range(2)]
        urls = [servers.enter_context(loopback(create_app(own.service, own.store))) for own in sessions]

        def ask(number: int) -> str:
            response = httpx.post(f"{urls[number % 2]}/v1/chat", json={"question": f"Why {number}?"}, timeout=60)
            assert response.status_code == 200
            return str(response.json()["id"])

        def write(number: int) -> None:
            text = f"Canal {number} opened in {1800 + number}."
            document = Document(f"w{number}", "v", f"file:///w{number}.md", "W", "text/markdown", text)
            sessions[number % 2].service.library.open("default").add(document)

        with ThreadPoolExecutor(8) as callers:
            asked, written = callers.map(ask, range(ASKS)), callers.map(write, range(WRITES))
            ids, _ = list(asked), list(written)
        for url, own in zip(urls, sessions, strict=True):
            assert all(httpx.get(f"{url}/v1/answers/{id}").status_code == 200 for id in ids)
            collection = own.service.library.open("default")
            assert {f"w{number}" for number in range(WRITES)} < {
                document.id for document in collection.documents.list()
            }
            assert collection.search("Canal 31 opened", 1)[0].chunk.document_id == "w31"
            assert [problem for problem in collection.verify() if problem.place != "files"] == []
