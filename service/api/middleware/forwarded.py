"""What a proxy in front says about a request: the path under which it serves Quoth, and the caller's address and scheme."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service.api.problems import respond
from service.environment import url_path


class ForwardedMiddleware:
    """ASGI middleware that takes the prefix from the path, so that everything behind it sees the paths of the routes.

    The prefix is `root_path`, or `X-Forwarded-Prefix` of a proxy whose address is among `trusted`. A proxy may have taken it
    from the path itself, and a health check that does not come through the proxy has none: both work. Starlette's
    `app_root_path` holds it from here on, for links in responses (`public_path` in problems.py).
    """

    def __init__(self, app: ASGIApp, root_path: str, trusted: tuple[str, ...]) -> None:
        self._app = app
        self._root_path = root_path
        proxies = ["*"] if "*" in trusted else list(trusted)
        self._with_address = ProxyHeadersMiddleware(app, proxies)  # type: ignore[arg-type]  # uvicorn's own names of ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            prefix = self._prefix(scope)
        except ValueError as error:
            detail = f"The header X-Forwarded-Prefix is no path: {error}. Correct it in the proxy."
            await respond(HTTPException(HTTPStatus.BAD_REQUEST, detail), Request(scope))(scope, receive, send)
            return
        scope["app_root_path"] = prefix
        path: str = scope["path"]
        if prefix and path == prefix and scope["method"] in ("GET", "HEAD"):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            # The links of the page count from the slash.
            await RedirectResponse(f"{prefix}/{query}")(scope, receive, send)
            return
        if prefix and path.startswith(f"{prefix}/"):
            scope["path"] = path.removeprefix(prefix)
        await self._with_address(scope, receive, send)  # type: ignore[arg-type]

    def _prefix(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else None
        value = Headers(scope=scope).get("x-forwarded-prefix")
        trusted = value is not None and peer in self._with_address.trusted_hosts
        return url_path(value) if trusted else self._root_path
