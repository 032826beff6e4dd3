"""The HTTP server's life: on the first signal no new requests, and time for answers to end; on the second, the end."""

import errno
import os
import signal
import socket
import sys
import threading
from time import monotonic
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from service.errors import PortTaken
from service.session.session import Parts

_UNWINDING_S = 3
log = structlog.get_logger(__name__)


class Serving(uvicorn.Server):
    """Serves an app of `service.composition.http` until SIGTERM or SIGINT.

    While answers end, it goes on listening and says 503 to whatever is new, so that whoever balances load sees it at
    /readyz. Answers that are not whole after `grace_s` seconds end with the error `shutting-down`; nothing is cut off
    without a word. A second signal ends the process at once: everything on disk bears that.
    """

    def __init__(self, app: FastAPI, grace_s: float) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_UNWINDING_S
            )
        )
        parts: Parts = app.state.parts
        self._running = parts.running
        self._grace_s = grace_s
        self._ends_at: float | None = None
        self.signalled: int | None = None
        """The signal that ended it."""

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until a signal comes, then return when all is said."""
        self.run(sockets=[listening])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: D102  (uvicorn calls it for each signal)
        if self.signalled is not None:
            os._exit(128 + sig)
        self.signalled = sig

    async def on_tick(self, counter: int) -> bool:  # noqa: D102  (uvicorn calls it ten times a second)
        if self.signalled is not None:
            self._wind_down(signal.Signals(self.signalled).name)
        return await super().on_tick(counter)

    def _wind_down(self, name: str) -> None:
        now = monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._grace_s
            log.info("closing", signal=name, requests=self._running.busy, grace_s=self._grace_s)
            self._running.close()
        elif now >= self._ends_at and not self._running.ended:
            log.warning("ending the answers that are not whole", requests=self._running.busy)
            self._running.end()
        self.should_exit = self._running.busy == 0 or now >= self._ends_at + _UNWINDING_S


def leave(code: int) -> NoReturn:
    """End the process with this exit code, also when a worker thread hangs: a language model's server may keep it waiting."""
    until = monotonic() + 1.0
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(until - monotonic(), 0))
            if thread.is_alive():
                sys.stdout.flush()
                os._exit(code)
    sys.exit(code)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Port 0 takes a free one; `getsockname()` says which. Raises PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise PortTaken(f"The host {host!r} is not known here ({error.strerror}). Try --host 127.0.0.1.") from error
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(address)
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise PortTaken(_explain(host, port, error)) from error
    return taken


def url(listening: socket.socket, host: str) -> str:
    """Where a browser finds a listening socket that was asked for as `host`."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listening.getsockname()[1]}"


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
            f"quoth serve --port {port + 1 if port < 65535 else port - 1} (--port 0 takes a free one)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights than you have. Choose one above 1023: quoth serve --port 8000."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"The address {host} is not one of this machine's. Try --host 127.0.0.1, or --host 0.0.0.0 for all."
    return f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --host or --port."
