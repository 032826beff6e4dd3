"""The connection of one request to a language model's server: limited in bytes and in time, and cut off from another thread."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Any

import httpx2

from service.generators.chat_events import ReplyInvalid
from service.progress import current_stages

_MAX_BYTES = 16 * 2**20
_MAX_EVENT_BYTES = 2**20
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


@contextmanager
def open_response(
    client: httpx2.Client, url: str, body: Mapping[str, object], longest_s: float
) -> Iterator[httpx2.Response]:
    """The response to `body`, its content still to be read.

    The connection is cut off as soon as the answer that this thread works on is stopped, and after `longest_s` seconds,
    whatever it waits for then. This sees only a connection that is opened for the request, so `client` must keep none alive.
    Raises ReplyInvalid if the content is compressed, or (later) too large, and the errors of httpx2.
    """
    connection = _Connection()
    current_stages().when_stopped(connection.cut)
    clock = Timer(longest_s, connection.cut)
    clock.daemon = True
    clock.start()
    try:
        with client.stream(
            "POST",
            url,
            content=json.dumps(body),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            extensions={"trace": connection.trace},
        ) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise ReplyInvalid("compresses its answers, which was not asked for.")  # a small one could become huge
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = _LimitedStream(response.stream)
            yield response
    finally:
        clock.cancel()


def event_data(response: httpx2.Response) -> Iterator[str]:
    """The data of each event of the response, which is read as an event stream in UTF-8 whatever its type says.

    Raises ReplyInvalid for an event that is too large, and the errors of httpx2.
    """
    response.headers["Content-Type"] = "text/event-stream"
    response.encoding = "utf-8-sig"
    try:
        for event in httpx2.EventSource(response, _MAX_EVENT_BYTES):
            if event.data:
                yield event.data
    except httpx2.SSEError as error:
        raise ReplyInvalid(f"sent an event of more than {_MAX_EVENT_BYTES // 2**20} MiB.") from error


class _LimitedStream(httpx2.SyncByteStream):
    """A response body with a limit in bytes, whatever the server sends."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > _MAX_BYTES:
                raise ReplyInvalid(f"sent more than {_MAX_BYTES // 2**20} MiB.")
            yield part

    def close(self) -> None:
        self._stream.close()


class _Connection:
    """The connection of one request: opened by the thread that asks, cut off by another."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the socket (httpx2's extension `trace`); a TLS socket replaces the plain one that it wraps."""
        if event.endswith(_CONNECTED):
            with self._guard:
                self._socket = info["return_value"].get_extra_info("socket")
                self._end_if_cut()

    def cut(self) -> None:
        """Shut the socket down, which ends every read and write on it."""
        with self._guard:
            self._is_cut = True
            self._end_if_cut()

    def _end_if_cut(self) -> None:
        if self._is_cut and self._socket is not None:
            with suppress(OSError):  # it is closed already
                # Not the TLS socket's own method, which would change its state under the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
