"""Let pages of other web sites ask: those whose origin the operator has named, with a key, and nothing but ask.

A browser lets a page of another origin read a response only if the server names that origin (CORS). Here the origin must equal
one of the setting, so no pattern can match more than was meant. Cookies play no part: the page sends the key itself, and the
key's scopes and collections say what it may do. Only the question box's scripts and `POST /v1/chat` can be reached this way.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASK = "/v1/chat"
SCRIPTS = "/assets/"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
}


class OriginsMiddleware:
    """ASGI middleware: answers preflights and names the origin in responses, for `origins` only. Reads no body."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not self._origins or not (path == ASK or path.startswith(SCRIPTS)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        named = {"Access-Control-Allow-Origin": origin} if origin in self._origins else {}
        if named and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers={**named, **_PREFLIGHT, "Vary": "Origin"})(scope, receive, send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                found.update(named)
                found.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_origin)
