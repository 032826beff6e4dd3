"""What happens around each request: an id, the log line, the host check, the safe headers, the last line of defence."""

import re
import uuid
from collections.abc import Sequence
from time import perf_counter
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond

SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
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


class RequestGuard:
    """ASGI middleware, outermost.

    Takes the caller's X-Request-ID when it is harmless, else makes one; it is in every log line, response and problem. A
    request that addresses a host outside `allowed_hosts` is turned away: a web page elsewhere can make a browser send
    such requests to a local server (DNS rebinding). A body longer than `max_body_bytes` is not read to its end. Logs name
    the path, never the query or the body.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str], max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        begin = perf_counter()
        status: int | None = None

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                raise self._too_long(f"more than {self._max_body_bytes:,}")
            return message

        request = Request(scope)
        try:
            refusal = self._refusal(Headers(scope=scope))
            answer = self._app if refusal is None else respond(refusal, request)
            await answer(scope, receive_limited, send_guarded)
        except Exception as error:
            log.exception("request broke")
            if status is not None:  # the response is on its way: only closing the connection tells the caller
                raise
            await respond(error, request)(scope, receive, send_guarded)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((perf_counter() - begin) * 1000, 1),
            )

    def _refusal(self, headers: Headers) -> HTTPException | None:
        host = headers.get("host", "")
        if not self._is_allowed(host):
            mend = "Add it to QUOTH_ALLOWED_HOSTS to allow it."
            return HTTPException(421, f"This server does not answer for the host {host[:100]!r}. {mend}")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_body_bytes:
            return self._too_long(f"{int(length):,}")
        return None

    def _too_long(self, length: str) -> HTTPException:
        said = f"The request has {length} bytes; at most {self._max_body_bytes:,} are read. Send less at once."
        return HTTPException(413, said)

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
