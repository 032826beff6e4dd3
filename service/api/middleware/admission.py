"""Apply admission control to requests: limited concurrency, a bounded queue, and refusal while the server shuts down."""

from collections import deque
from collections.abc import Callable
from time import perf_counter

from anyio import Event, create_task_group
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond
from service.errors import Overloaded, ShuttingDown
from service.observability.metrics import Metrics
from service.session.admission import Admission

_MONITORING = frozenset(("/healthz", "/readyz", "/metrics"))
_MAX_BUFFERED_BYTES = 64 * 1024


def needs_work(scope: Scope) -> bool:
    """Whether a request to the API must be admitted: the page and its files cost too little to wait."""
    path: str = scope["path"]
    return path.startswith("/v1/")


class AdmissionMiddleware:
    """ASGI middleware. Requests that `is_admitted` picks wait for admission; the others are refused only during shutdown.

    Health checks and metrics are always answered, also during shutdown. A caller who disconnects leaves the queue.
    """

    def __init__(
        self, app: ASGIApp, admission: Admission, metrics: Metrics, is_admitted: Callable[[Scope], bool] = needs_work
    ) -> None:
        self._app = app
        self._is_admitted = is_admitted
        self._admission = admission
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http" or scope["path"] in _MONITORING:
            await self._app(scope, receive, send)
            return
        try:
            if not self._is_admitted(scope):
                self._admission.require_open()
                await self._app(scope, receive, send)
                return
            admitted = self._admission.enter()
            try:
                begin = perf_counter()
                buffered = _BufferedReceive(receive)
                if not admitted.is_set():
                    await buffered.until(admitted)
                if admitted.is_set():
                    self._metrics.waited.observe(perf_counter() - begin)
                    self._admission.require_open()
                    await self._app(scope, buffered.receive, send)
            finally:
                self._admission.leave(admitted)
        except (Overloaded, ShuttingDown) as refusal:
            await respond(refusal, Request(scope))(scope, receive, send)


class _BufferedReceive:
    """Messages of the caller, read while the request waits and passed on later."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: deque[Message] = deque()

    async def until(self, admitted: Event) -> None:
        """Wait for the event, or until the caller disconnects."""
        async with create_task_group() as tasks:

            async def listen() -> None:
                size = 0
                while size < _MAX_BUFFERED_BYTES:
                    message = await self._receive()
                    self._messages.append(message)
                    if message["type"] == "http.disconnect":
                        tasks.cancel_scope.cancel()
                        return
                    size += len(message.get("body", b""))

            tasks.start_soon(listen)
            await admitted.wait()
            tasks.cancel_scope.cancel()

    async def receive(self) -> Message:
        """The next message (ASGI)."""
        return self._messages.popleft() if self._messages else await self._receive()
