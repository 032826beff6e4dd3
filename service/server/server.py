"""The HTTP server process: its socket, and its shutdown. The first signal lets answers finish, the second ends the process."""

import errno
import os
import signal
import socket
import sys
import threading
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import structlog
import uvicorn

from service.errors import PortTaken
from service.server.connection import Connection

if TYPE_CHECKING:  # it brings in the engines, and a taken port must show before they load
    from starlette.types import ASGIApp

    from service.session.admission import Admission

_MAX_UNWINDING_S = 3
log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Serves an app, whose requests `admission` lets in, until SIGTERM or SIGINT.

    During shutdown it keeps listening and answers new requests with 503, so that a load balancer sees it at /readyz. Answers
    that are not complete after `grace_s` seconds end with the error `shutting-down`. A second signal ends the process at once;
    what is on disk stays intact.
    """

    def __init__(self, app: "ASGIApp", admission: "Admission", grace_s: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # the app reads them, from the proxies that the settings trust
                timeout_graceful_shutdown=_MAX_UNWINDING_S,
            )
        )
        self._admission = admission
        self._grace_s = grace_s
        self._ends_at: float | None = None
        self.signalled: int | None = None
        """The first signal received."""

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until a signal, then return when every response is sent."""
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
            log.info("closing", signal=name, requests=self._admission.busy, grace_s=self._grace_s)
            self._admission.close()
        elif now >= self._ends_at and not self._admission.ended:
            log.warning("ending the answers that are not whole", requests=self._admission.busy)
            self._admission.end()
        self.should_exit = self._admission.busy == 0 or now >= self._ends_at + _MAX_UNWINDING_S


def leave(code: int) -> NoReturn:
    """End the process with this exit code, even if a worker thread still waits for a language model's server."""
    until = monotonic() + 1.0
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(until - monotonic(), 0))
            if thread.is_alive():
                sys.stdout.flush()
                os._exit(code)
    sys.exit(code)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Port 0 takes a free port, see `getsockname()`. Raises PortTaken."""
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
    """The address for a browser of a socket that listens on `host`."""
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
