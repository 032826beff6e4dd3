"""A relay on loopback between a client and a server: slow, or cut like the connection to a server that is killed."""

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_RESET = struct.pack("ii", 1, 0)  # close with a reset, and send nothing that waits


class CutProxy:
    """Relays connections to `target` until `cut`; then open ones are reset and new ones refused.

    Everything that is sent waits `delay` seconds.
    """

    def __init__(self, target: str) -> None:
        self.delay = 0.0
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """Reset every connection and accept no more."""
        try:
            self._listening.shutdown(socket.SHUT_RDWR)  # closing alone leaves a waiting `accept` at work
        except OSError:
            return  # it is cut already
        self._listening.close()
        for each in self._sockets:
            with suppress(OSError):  # its other end has closed it already
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return  # cut
            far = socket.create_connection(self._target)
            self._sockets += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=(source, target), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                time.sleep(self.delay)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # cut
