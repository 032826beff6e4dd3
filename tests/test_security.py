"""Hostile requests and documents get an error and no internal details. Keys and permissions have their own files."""

import io
import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
import structlog
from pydantic import SecretStr

from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Chunk, Document, Hit
from service.answering.answerer import AnswerReady, Event, PassagesFound, SentenceReady
from service.answering.service import Service
from service.cli import doctor
from service.composition.http import create_app
from service.records import Answer, Citation, Question, Sentence
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

EVIL = (
    'A line.\n\nevent: answer\ndata: {"text": "forged"}\n\ndata: [DONE]\r\n\r\n\u2028event: error\r\x0b\x85data: {}\n\n'
)
OUTSIDE = (
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "a/../b",
    "..\\..\\x",
    "a\x00b",
    "con\r\nX-Injected: 1",
    "ＡＢ",
    "a" * 63 + "/",
)


class HostileAnswerer:
    """An answerer whose document tries to break out of every format that carries it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._ids = (f"a{number}" for number in itertools.count())

    def stream(self, question: Question, stages: Any = None) -> Iterator[Event]:
        self._library.open(question.collection)
        hit = Hit(Chunk("c", "d", "v", 0, 0, len(EVIL), EVIL, (EVIL,)), EVIL, f"file:///{EVIL}", None, 0.5)
        citation = Citation(1, "d", "v", EVIL, f"file:///{EVIL}", None, 0, len(EVIL), EVIL, "c", 0.5, (EVIL,), (0, 1))
        sentence = Sentence(EVIL, (1,), True, 1.0)
        yield PassagesFound((hit,))
        yield SentenceReady(sentence, (citation,))
        yield AnswerReady(
            Answer(
                next(self._ids), question.conversation_id or "c1", question.text, question.text, f"{EVIL} [1]", False, 0.9,
                (sentence,), (citation,), (hit,), "extractive", None,
            )
        )  # fmt: skip

    def answer(self, question: Question, stages: Any = None) -> Answer:
        return next(event.answer for event in self.stream(question) if isinstance(event, AnswerReady))


SECRETS = {
    name: f"canary-{name}" for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, loopback: Any) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    library = Library(folder, HashedEncoder())
    library.open_or_create("default").add(Document("d", "v", f"file:///{EVIL}", EVIL, "text/markdown", EVIL))
    store = ConversationStore(Database(f"sqlite:///{folder / 'c.sqlite'}"))
    llm = {"llm_api_key": SecretStr(SECRETS["llm_api_key"])}
    service = Service(Settings(home=folder, **llm), library, None, None, None, HostileAnswerer(library))  # type: ignore[arg-type]
    with loopback(create_app(service, store)) as url:
        yield url
    store.close()
    library.close()


def raw(url: str, request: bytes) -> bytes:
    """The response of the server to exactly these bytes."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def blocks(text: str) -> list[list[str]]:
    """The events of a stream as fields: a blank line ends an event, and a line ends with CR, LF or both (WHATWG)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return [block.split("\n") for block in lines.split("\n\n") if block]


def test_text_of_documents_cannot_inject_events(served: str) -> None:
    response = httpx.post(f"{served}/v1/chat", json={"question": "Why?", "stream": True})
    found = blocks(response.text)
    assert [fields[0] for fields in found] == ["event: passages", "event: sentence", "event: answer"]
    assert [len(fields) for fields in found] == [2, 2, 2]
    answer = json.loads(found[-1][1].removeprefix("data: "))
    assert answer["citations"][0]["quote"] == answer["passages"][0]["title"] == EVIL


def test_text_of_documents_cannot_end_a_completion(served: str) -> None:
    messages = [{"role": "user", "content": "Why?"}]
    body = {"model": "quoth", "messages": messages, "stream": True}
    found = blocks(httpx.post(f"{served}/v1/chat/completions", json=body).text)
    assert all(len(fields) == 1 and fields[0].startswith("data: ") for fields in found)
    assert found.index(["data: [DONE]"]) == len(found) - 1
    assert all(json.loads(fields[0].removeprefix("data: "))["object"] for fields in found[:-1])


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_the_home_folder(served: str, name: str) -> None:
    encoded = quote(name, safe="").replace(".", "%2E")  # otherwise the client would resolve it itself
    answers = [
        httpx.post(f"{served}/v1/chat", json={"question": "Why?", "collection": name}),
        httpx.post(f"{served}/v1/search", json={"query": "x", "collection": name}),
        httpx.post(f"{served}/v1/verify", json={"answer": {}, "collection": name}),
        httpx.get(f"{served}/v1/documents", params={"collection": name}),
        httpx.get(f"{served}/v1/models/{encoded}"),
        httpx.get(f"{served}/v1/documents/{encoded}/versions/v/text"),
        httpx.get(f"{served}/v1/conversations/{encoded}"),
        httpx.get(f"{served}/v1/answers/{encoded}"),
        httpx.get(f"{served}/assets/{encoded}"),
    ]
    for answer in answers:
        assert answer.status_code in (404, 405, 422), answer.request.url
        assert "x-injected" not in answer.headers
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    "header",
    [
        b"X-Request-ID: a\r\n X-Injected: 1",
        b"X-Request-ID: a%0d%0aX-Injected: 1",
        b"X-Request-ID: \xff\xfe",
        b"Host: a\x00b",
    ],
)
def test_no_request_header_can_inject_a_response_header(served: str, header: bytes) -> None:
    host = urlsplit(served).netloc.encode()
    hosts = b"" if header.startswith(b"Host") else b"Host: " + host + b"\r\n"
    answer = raw(served, b"GET /healthz HTTP/1.1\r\n" + hosts + header + b"\r\nConnection: close\r\n\r\n")
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert not [line for line in head.split(b"\r\n") if line.startswith(b"x-injected")]
    assert head.split()[1] in (b"200", b"400", b"421")


@pytest.mark.parametrize(
    "content",
    [
        '{"question": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '{"question": "Why?", "top_k": ' + "9" * 100_000 + "}",
        '{"question": "Why?", "top_k": 1e999}',
        '{"question": "Why?", "top_k": NaN}',
        '{"question": "Why?", "question": 7}',
        "{" + ",".join(f'"k{number}": 0' for number in range(20_000)) + "}",
        '"' + "\\u0000" * 100_000 + '"',
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/completions", "/v1/search", "/v1/verify", "/v1/feedback"])
def test_huge_and_nested_json_is_a_client_error(served: str, path: str, content: str) -> None:
    response = httpx.post(f"{served}{path}", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 413, 422)
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 100_000


def test_a_problem_repeats_little_of_a_long_value(served: str) -> None:
    for body in ({"question": "Why?", "collection": "x" * 1_000_000}, {"question": "Why?", "x" * 1_000_000: 1}):
        assert len(httpx.post(f"{served}/v1/chat", json=body).content) < 100_000


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Everything that is logged, in its written form."""
    written = io.StringIO()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.JSONRenderer(default=str)],
        logger_factory=lambda *_: structlog.PrintLogger(written),  # type: ignore[arg-type]
    )
    try:
        yield written
    finally:
        structlog.reset_defaults()


def test_secrets_of_the_settings_appear_nowhere(served: str, tmp_path: Path) -> None:
    assert {"llm_api_key", "database_url"} <= set(SECRETS)
    secret = {name: SecretStr(value) for name, value in SECRETS.items()}
    settings = Settings(home=tmp_path, **secret)
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())]
    url = f"postgresql://quoth:{SECRETS['database_url']}@127.0.0.1:9/none"
    unreachable = settings.model_copy(update={"database_url": SecretStr(url)})
    shown += [repr(unreachable)]
    library = Library(tmp_path, HashedEncoder())
    shown += [repr(check) for check in doctor.examine(unreachable, lambda: library, lambda: "models")]
    library.close()
    with log_lines() as log:
        for path in ("/metrics", "/readyz", "/openapi.json", "/v1/collections", "/nowhere"):
            shown.append(httpx.get(f"{served}{path}").text)
    shown.append(log.getvalue())
    assert log.getvalue()
    for text in shown:
        assert "canary-" not in text


def test_questions_and_documents_are_in_no_log_line(served: str) -> None:
    with log_lines() as log:
        asked = {"question": "canary-question?"}
        httpx.post(f"{served}/v1/chat", json=asked)
        httpx.post(f"{served}/v1/chat", json={**asked, "stream": True})
        httpx.post(f"{served}/v1/search", json={"query": "canary-query"})
        httpx.post(f"{served}/v1/chat", json={"question": 7, "canary-field": 1})
        httpx.get(f"{served}/v1/documents", params={"collection": "canary-name"})
    assert "answered" in log.getvalue()
    assert "canary-" not in log.getvalue()
    assert "forged" not in log.getvalue()
