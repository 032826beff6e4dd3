"""The connection of one request to a language model's server, cut off when nobody waits for the answer any more."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any

import httpx2

from service.progress import running

_MADE = ("connect_tcp.complete", "start_tls.complete")


def make_cuttable(request: httpx2.Request) -> None:
    """Have the connection of `request` cut off once the answer that this thread works on is stopped.

    Only a connection that is made for it is seen: the client must keep none alive. Cut off before it is made, it ends as soon
    as it is there.
    """
    connection = Connection()
    request.extensions = {**request.extensions, "trace": connection.see}
    running().when_stopped(connection.cut)


class Connection:
    """Seen as it is made by the thread that asks, and cut off by another."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def see(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the socket (httpx2's extension `trace`); the one with TLS takes the place of the one that it is made of."""
        if event.endswith(_MADE):
            with self._guard:
                self._socket = info["return_value"].get_extra_info("socket")
                self._end_if_cut()

    def cut(self) -> None:
        """Wake whoever reads from the socket or writes to it, with its end."""
        with self._guard:
            self._is_cut = True
            self._end_if_cut()

    def _end_if_cut(self) -> None:
        if self._is_cut and self._socket is not None:
            with suppress(OSError):  # it is over already
                # Not the method of a TLS socket, which would take its state away from the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
