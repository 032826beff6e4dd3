"""Limits on a connection: the size of a request body, the time that it may take, and how long a caller may read nothing."""

import math
from collections.abc import Callable

from anyio import current_time, fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond

_MIN_BYTES_PER_S = 32 * 1024


class BodyLimitMiddleware:
    """ASGI middleware. A body longer than `max_bytes(scope)` is answered with 413, announced or not, and read no further.

    A body must be complete within `seconds`, plus one second for each 32 KiB received, else the answer is 408. A caller who
    reads nothing of the response for `seconds` is disconnected. The app's own time is not limited here.
    """

    def __init__(self, app: ASGIApp, max_bytes: Callable[[Scope], int], seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes(scope)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await respond(_too_long(f"{int(announced):,}", limit), Request(scope))(scope, receive, send)
            return
        until = current_time() + self._seconds
        received = 0

        async def receive_in_time() -> Message:
            nonlocal received, until
            try:
                with fail_after(max(until - current_time(), 0)):
                    message = await receive()
            except TimeoutError:
                detail = f"{received:,} bytes of the body arrived in time. Send it faster, or send less."
                raise HTTPException(408, detail, {"Connection": "close"}) from None
            size = len(message.get("body", b""))
            received += size
            until += size / _MIN_BYTES_PER_S
            if received > limit:
                raise _too_long(f"more than {limit:,}", limit)
            if not message.get("more_body", False):
                until = math.inf  # what follows is only the end of the connection
            return message

        async def send_in_time(message: Message) -> None:
            try:
                with fail_after(self._seconds):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        await self._app(scope, receive_in_time, send_in_time)


def _too_long(length: str, limit: int) -> HTTPException:
    return HTTPException(413, f"The request has {length} bytes; at most {limit:,} are read. Send less at once.")
