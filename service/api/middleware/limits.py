"""Limits on what goes over a connection: how much a caller sends, in what time, and how long nothing of the answer is taken."""

import math
from collections.abc import Callable

from anyio import current_time, fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import respond

_LEAST_BYTES_PER_S = 32 * 1024


class BodyLimits:
    """ASGI middleware. A body longer than `most_bytes(scope)` is answered with 413, announced or not, and not read on.

    A body that is not whole in time is answered with 408: `seconds`, and one more for each 32 KiB that came. A caller who
    takes nothing of what is sent for `seconds` is cut off. What the app does between takes the time that it takes.
    """

    def __init__(self, app: ASGIApp, most_bytes: Callable[[Scope], int], seconds: float) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_bytes(scope)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            await respond(_too_long(f"{int(announced):,}", most), Request(scope))(scope, receive, send)
            return
        until = current_time() + self._seconds
        received = 0

        async def limited() -> Message:
            nonlocal received, until
            try:
                with fail_after(max(until - current_time(), 0)):
                    message = await receive()
            except TimeoutError:
                said = f"{received:,} bytes of the body came in the time that there is. Send it faster, or less of it."
                raise HTTPException(408, said, {"Connection": "close"}) from None
            size = len(message.get("body", b""))
            received += size
            until += size / _LEAST_BYTES_PER_S
            if received > most:
                raise _too_long(f"more than {most:,}", most)
            if not message.get("more_body", False):
                until = math.inf  # what follows is only the end of the connection
            return message

        async def taken(message: Message) -> None:
            try:
                with fail_after(self._seconds):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        await self._app(scope, limited, taken)


def _too_long(length: str, most: int) -> HTTPException:
    return HTTPException(413, f"The request has {length} bytes; at most {most:,} are read. Send less at once.")
