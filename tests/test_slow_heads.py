"""Clients who open connections and send no whole head: others are served meanwhile, and each of them is disconnected."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from service.observability.metrics import Metrics
from service.server.connection import Connection
from service.server.server import Server, listen
from service.session.admission import Admission

SLOW_CLIENTS = 300


async def echo(request: Request) -> PlainTextResponse:
    """The body, after the seconds that the query says."""
    await anyio.sleep(float(request.query_params.get("seconds", "0")))
    return PlainTextResponse(await request.body())


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server as `quoth serve` runs it, over a small app, that gives a head one second."""
    monkeypatch.setattr(Connection, "HEAD_SECONDS", 1.0)
    server = Server(Starlette(routes=[Route("/", echo, methods=["GET", "POST"])]), Admission(8, 8, Metrics()), 1.0)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.serve_on, args=(listening,))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(10)


def drip(connection: socket.socket, content: bytes) -> None:
    for letter in content:
        connection.sendall(bytes([letter]))
        time.sleep(0.05)


def ends(connection: socket.socket) -> bytes:
    """Everything that the server sends until it disconnects."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_many_clients_without_a_head_are_disconnected_and_keep_nobody_waiting(address: tuple[str, int]) -> None:
    with ExitStack() as open_connections:
        slow = [
            open_connections.enter_context(closing(socket.create_connection(address, timeout=10)))
            for _ in range(SLOW_CLIENTS)
        ]
        for number, connection in enumerate(slow):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-" if number % 2 else b"")
        assert httpx.post(f"http://127.0.0.1:{address[1]}/", content=b"hello").text == "hello"
        assert [ends(connection) for connection in slow] == [b""] * SLOW_CLIENTS


def test_dripping_a_head_wins_no_time_not_even_after_a_whole_request(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address, timeout=10)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        began = time.monotonic()
        with pytest.raises(OSError, match=r"reset|pipe"):
            drip(connection, b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 200)
        assert time.monotonic() - began > 0.9


def test_a_head_in_pieces_a_slow_body_and_a_slow_answer_are_not_cut_off(address: tuple[str, int]) -> None:
    with closing(socket.create_connection(address, timeout=10)) as connection:
        for piece in (
            b"POST /?seconds=1.5 HTTP/1.1\r\nHost: local",
            b"host\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
        ):
            connection.sendall(piece)
            time.sleep(0.05)
        connection.sendall(b"o")
        time.sleep(1.5)
        connection.sendall(b"k")
        assert ends(connection).endswith(b"\r\n\r\nok")
