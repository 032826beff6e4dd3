"""Requests take turns: so many at once, a bounded queue behind them, and none once the server is closing."""

from collections import deque
from time import perf_counter

from anyio import Event, create_task_group
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond
from service.errors import Overloaded, ShuttingDown
from service.observability.metrics import Metrics
from service.session.admission import Running

_WATCHES = frozenset(("/healthz", "/readyz", "/metrics"))
_WORK = "/v1/"
_KEPT_BYTES = 64 * 1024


class Turns:
    """ASGI middleware. What is under /v1/ takes a turn; the page and its files are too little work for one.

    Those who watch the server are answered at all times, also while it is closing. A caller who goes away loses the place
    in the queue.
    """

    def __init__(self, app: ASGIApp, running: Running, metrics: Metrics) -> None:
        self._app = app
        self._running = running
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http" or scope["path"] in _WATCHES:
            await self._app(scope, receive, send)
            return
        try:
            if not scope["path"].startswith(_WORK):
                self._running.require_open()
                await self._app(scope, receive, send)
                return
            called = self._running.line_up()
            try:
                begin = perf_counter()
                heard = _Heard(receive)
                if not called.is_set():
                    await heard.until(called)
                if called.is_set():
                    self._metrics.waited.observe(perf_counter() - begin)
                    self._running.require_open()
                    await self._app(scope, heard.receive, send)
            finally:
                self._running.leave(called)
        except (Overloaded, ShuttingDown) as refusal:
            await respond(refusal, Request(scope))(scope, receive, send)


class _Heard:
    """What the caller sends, listened to while the request waits, and handed on later."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()

    async def until(self, called: Event) -> None:
        """Wait for the event, or until the caller goes away."""
        async with create_task_group() as tasks:

            async def listen() -> None:
                size = 0
                while size < _KEPT_BYTES:
                    message = await self._receive()
                    self._kept.append(message)
                    if message["type"] == "http.disconnect":
                        tasks.cancel_scope.cancel()
                        return
                    size += len(message.get("body", b""))

            tasks.start_soon(listen)
            await called.wait()
            tasks.cancel_scope.cancel()

    async def receive(self) -> Message:
        """The next message (ASGI)."""
        return self._kept.popleft() if self._kept else await self._receive()
