"""The caller disconnects: the request to the language model's server ends at once, whatever it waits for."""

import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.answering.answerer import Answerer
from service.answering.service import Service
from service.composition.generators import make_generators
from service.composition.http import create_app
from service.storage.conversations import ConversationStore

QUESTION = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
EARLIER = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "At least six."}]
CHAT = {"question": QUESTION}
COMPLETION = {"model": "quoth", "messages": EARLIER[:1]}
FOLLOW_UP = {"model": "quoth", "messages": [*EARLIER, {"role": "user", "content": "And which of them hit banks?"}]}
PATIENCE_S = 60


class SilentModel:
    """A language model's server that starts an answer with `words`, or no response at all, and then hangs."""

    def __init__(self) -> None:
        self.words: str | None = None
        self.reached = threading.Event()
        self.hung_up = threading.Event()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if desk.words is not None:
                    self.send_response(200)
                    self.send_header("Content-Type", "text/event-stream")
                    self.end_headers()
                    choice = {"index": 0, "delta": {"content": desk.words}, "finish_reason": None}
                    event = {"id": "x", "object": "chat.completion.chunk", "choices": [choice]}
                    self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                desk.reached.set()
                if self.connection.recv(1) == b"":
                    desk.hung_up.set()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def reset(self, words: str | None) -> None:
        self.words = words
        self.reached.clear()
        self.hung_up.clear()


@pytest.fixture(scope="module")
def silent() -> Iterator[SilentModel]:
    desk = SilentModel()
    thread = threading.Thread(target=desk.server.serve_forever, args=(0.02,))
    thread.start()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def quoth_url(service: Service, store: ConversationStore, silent: SilentModel, loopback: Any) -> Iterator[str]:
    """The address of a Quoth server whose answers are worded by `silent`, with a time limit of ten minutes."""
    url = f"http://127.0.0.1:{silent.server.server_port}/v1"
    settings = service.settings.model_copy(
        update={
            "generator": "remote",
            "llm_base_url": url,
            "llm_model": "m",
            "llm_context_tokens": 16_384,
            "llm_timeout_s": 600.0,
            "llm_rewrite_timeout_s": 600.0,
        }
    )
    found = make_generators(settings)
    answerer = Answerer(
        service.library, service.reader, service.calibration, service.checker, found.generators, "remote",
        replace(service.answerer.policy, threshold=0.0, depth=2), lambda: uuid.uuid4().hex, found.rewriters,
    )  # fmt: skip
    with loopback(create_app(replace(service, settings=settings, answerer=answerer), store)) as address:
        yield address


def send_question(url: str, path: str, body: dict[str, Any]) -> socket.socket:
    """A connection over which the question has been sent."""
    content = json.dumps(body).encode()
    host = urlsplit(url).netloc
    name, port = host.split(":")
    connection = socket.create_connection((name, int(port)), PATIENCE_S)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)
    return connection


def is_abandoned(url: str) -> float:
    lines = httpx.get(f"{url}/metrics", timeout=PATIENCE_S).text.splitlines()
    found = [line for line in lines if line.startswith('quoth_questions_total{outcome="abandoned"}')]
    return float(found[0].split()[-1]) if found else 0.0


@pytest.mark.parametrize("words", [None, "Seoul counts at least"], ids=["before its first word", "within a sentence"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat", CHAT),
        ("/v1/chat", {**CHAT, "stream": True}),
        ("/v1/chat/completions", COMPLETION),
        ("/v1/chat/completions", {**COMPLETION, "stream": True}),
        ("/v1/chat/completions", FOLLOW_UP),
    ],
    ids=["JSON", "stream", "OpenAI", "OpenAI stream", "a follow-up being rewritten"],
)
def test_a_caller_who_disconnects_ends_the_request_to_the_language_model(
    quoth_url: str, silent: SilentModel, path: str, body: dict[str, Any], words: str | None
) -> None:
    # More than the three failures in a row that open the circuit breaker: a cancelled request does not count.
    silent.reset(words)
    before = is_abandoned(quoth_url)
    with send_question(quoth_url, path, body):
        assert silent.reached.wait(PATIENCE_S)
        assert not silent.hung_up.is_set()
    assert silent.hung_up.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while is_abandoned(quoth_url) == before:
        assert time.monotonic() < deadline
