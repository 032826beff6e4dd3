"""The outermost layer of a request: its id, the check of its host, security headers, the log line, and unexpected errors."""

import re
import uuid
from collections.abc import Sequence
from time import perf_counter
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond
from service.observability.metrics import METHODS, Metrics
from service.observability.tracing import RequestEnd, Tracing
from service.session.stream import CallerGone

SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
log = structlog.get_logger(__name__)


class RequestLogMiddleware:
    """ASGI middleware, outermost.

    Takes the caller's X-Request-ID if it is harmless, else makes one; every log line, response and problem carries it. A
    request for a host outside `allowed_hosts` is refused: a web page elsewhere can make a browser send such requests to a
    local server (DNS rebinding). The log holds the path, never the query or the body. `metrics` counts requests by route
    template, and problems by code; `tracing` records a span for each.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str], metrics: Metrics, tracing: Tracing) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = scope["request_id"] = _request_id(headers.get("x-request-id"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        begin = perf_counter()
        self._metrics.in_flight.inc()
        with self._tracing.trace_request(headers) as traced:
            status = None
            try:
                status = await self._respond(scope, receive, send)
            finally:
                self._metrics.in_flight.dec()
                end = RequestEnd(
                    method=scope["method"] if scope["method"] in METHODS else "other",
                    route=getattr(scope.get("route"), "path", None),
                    status=status,
                    request_id=request_id,
                    problem=scope.get("problem"),
                )
                seconds = perf_counter() - begin
                traced(end)
                self._metrics.count_request(end, seconds)
                log.info(
                    "request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1)
                )

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Let the app respond. Returns the status; None if the caller disconnected before there was one."""
        status: int | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = scope["request_id"]
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        try:
            refusal = self._refusal(Headers(scope=scope))
            answer = self._app if refusal is None else respond(refusal, request)
            await answer(scope, receive, send_with_headers)
        except (ClientDisconnect, CallerGone):
            scope["problem"] = "caller-gone"  # nobody reads a response
        except Exception as error:
            log.exception("request broke")
            if status is not None:  # the response has begun: only closing the connection shows the error
                raise
            await respond(error, request)(scope, receive, send_with_headers)
        return status

    def _refusal(self, headers: Headers) -> HTTPException | None:
        host = headers.get("host", "")
        if not self._is_allowed(host):
            fix = "Add it to QUOTH_ALLOWED_HOSTS to allow it."
            return HTTPException(421, f"This server does not answer for the host {host[:100]!r}. {fix}")
        return None

    def _is_allowed(self, host: str) -> bool:
        if "*" in self._allowed:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._allowed or f"[{name}]" in self._allowed


def _request_id(offered: str | None) -> str:
    return offered if offered and _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex[:16]
