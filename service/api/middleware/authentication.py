"""Find the caller of each request before any of its body is read, and leave it in `request.state.caller`.

A server without keys serves everybody who reaches it, and listens on loopback only. The danger there is a browser: a page from
elsewhere can make it send requests to this machine, and there is no key that such a page would lack. So a server without keys
refuses what a browser sends for another origin (`Origin`, `Sec-Fetch-Site`); `Host` is checked against DNS rebinding in
request_log.py. With keys this danger is gone: a browser never adds a key by itself.
"""

from dataclasses import replace
from urllib.parse import urlsplit

import anyio.to_thread
import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from service.access.caller import LOCAL, NOBODY, narrow_caller
from service.access.keyring import Authentication, Keyring
from service.api.problems import respond
from service.errors import KeyInvalid, KeysLost, OriginForbidden, ServiceError, StoreDamaged, StoreUnavailable

PUBLIC = frozenset(("/", "/view", "/gaps", "/favicon.ico", "/healthz", "/openapi.json", "/slack/events"))
"""Paths that need no key: the page, which holds no document text, the health check, the OpenAPI document, and Slack's events,
which are signed."""
PUBLIC_FOLDERS = ("/assets/", "/a/")
READY = "/readyz"
"""Everybody may read whether the server is ready; only callers with a key read why it is not."""

log = structlog.get_logger(__name__)


class AuthenticationMiddleware:
    """ASGI middleware: leaves the caller in `request.state.caller`, or answers with the problem. Reads no body.

    `keys` are read at every request, so a revoked key stops working at once. `anonymous`: whether callers need no key while
    none exists. `header` names the people and groups that a key with that right asks for. `signed` are paths whose routes
    verify a signature and need no key.
    """

    def __init__(
        self, app: ASGIApp, keys: Keyring, anonymous: bool, header: str, signed: frozenset[str] = frozenset()
    ) -> None:
        self._app = app
        self._keys = keys
        self._anonymous = anonymous
        self._header = header
        self._open = PUBLIC | signed

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Handle one connection (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            authentication = await self._authenticate(request)
        except ServiceError as error:
            await respond(error, request)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = authentication.caller
        structlog.contextvars.bind_contextvars(key=authentication.caller.key_id)
        headers = authentication.bucket.headers() if authentication.bucket else {}

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_rate if headers else send)

    async def _authenticate(self, request: Request) -> Authentication:
        path = request.scope["path"]
        if path in self._open or path.startswith(PUBLIC_FOLDERS):
            return Authentication(NOBODY)
        try:
            authentication = await anyio.to_thread.run_sync(self._look_up, _bearer(request))
        except KeyInvalid:
            if path != READY:
                raise
            return Authentication(NOBODY)
        except KeysLost as error:
            log.error("keys are lost", detail=str(error))
            raise KeysLost(
                "The API keys of this server are lost, so it lets nobody in. Its log and `quoth doctor` say what to do."
            ) from error
        except (StoreUnavailable, StoreDamaged) as error:
            log.warning("keys cannot be read", detail=str(error))
            raise StoreUnavailable("API keys cannot be checked just now. Try again in a moment.") from error
        if not authentication.caller.key_id:
            refuse_other_origins(request)
        values = [value for name, value in request.headers.raw if name.lower() == self._header.lower().encode()]
        return replace(authentication, caller=narrow_caller(authentication.caller, self._header, values))

    def _look_up(self, key: str) -> Authentication:
        """The caller with this key. While no key exists and anonymous callers are allowed: the user of this machine."""
        if self._anonymous and self._keys.is_empty():
            return Authentication(LOCAL)
        return self._keys.authenticate(key)


def _bearer(request: Request) -> str:
    """The key in the header `Authorization: Bearer KEY`; empty without it."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def refuse_other_origins(request: Request) -> None:
    """Raise OriginForbidden for a request that a browser sends for a page of another origin."""
    origin = request.headers.get("origin")
    foreign = origin is not None and _netloc(origin) != request.headers.get("host", "").lower()
    if foreign or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise OriginForbidden(
            f"A page of {(origin or 'another origin')[:100]!r} asks, and this server has no API keys, so it answers no page "
            "but its own. Make a key (quoth keys create NAME), or let a proxy in front pass the header Host on."
        )


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
