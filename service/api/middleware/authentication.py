"""Who a request comes from: found before anything of it is read, and asked for by every route that is not public.

Without keys in the database everybody who reaches the server may do everything, and the server listens on loopback only. There
a browser is the danger: a page from elsewhere can make it send requests to this machine, and there is no key that the page
would lack. So such a server answers no page but its own: what a browser sends on behalf of another origin is refused (`Origin`,
`Sec-Fetch-Site`; the check of `Host` against DNS rebinding is in service/api/middleware/request_log.py). With keys nothing is ambient: a
browser adds no key by itself.
"""

from dataclasses import replace
from urllib.parse import urlsplit

import anyio.to_thread
import structlog
from fastapi import Request
from fastapi.security import HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from service.access.acting import acting
from service.access.caller import LOCAL, NOBODY
from service.access.keyring import Admission, Keyring
from service.api.problems import respond
from service.errors import KeyInvalid, OriginForbidden, ServiceError, StoreUnavailable

PUBLIC = frozenset(("/", "/view", "/favicon.ico", "/healthz", "/openapi.json", "/slack/events"))
"""What is for everybody: the page, which holds nothing of the documents, whether the process is up, the list of routes, and the
door of Slack, whose requests are signed."""
PUBLIC_FOLDER = "/assets/"
READY = "/readyz"
"""Whether questions can be answered is for everybody too; why not is for callers."""

log = structlog.get_logger(__name__)

_BEARER = HTTPBearer(
    scheme_name="key",
    bearerFormat="quoth_ID_SECRET",
    description="An API key of `quoth keys create`. A server without keys, which listens on loopback only, asks for none.",
    auto_error=False,
)


class AccessGuard:
    """ASGI middleware: leaves the caller in `request.state.caller`, or answers with what is wrong. Reads no body.

    `keys` are asked at every request, so that a key ends when it is revoked. While there are none, `anonymous` says whether
    a caller may come in without; once there is one, nobody may. `header` is the one that says for whom is asked. `signed`
    are paths whose routes know their caller by a signature and need no key.
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
            admission = await self._admission(request)
        except ServiceError as error:
            await respond(error, request)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = admission.caller
        structlog.contextvars.bind_contextvars(key=admission.caller.key_id)
        headers = admission.standing.headers() if admission.standing else {}

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_standing if headers else send)

    async def _admission(self, request: Request) -> Admission:
        path = request.scope["path"]
        if path in self._open or path.startswith(PUBLIC_FOLDER):
            return Admission(NOBODY)
        try:
            admission = await anyio.to_thread.run_sync(self._shown, _bearer(request))
        except KeyInvalid:
            if path != READY:
                raise
            return Admission(NOBODY)
        except StoreUnavailable as error:
            log.warning("keys cannot be read", detail=str(error))
            raise StoreUnavailable("API keys cannot be checked just now. Try again in a moment.") from error
        if not admission.caller.key_id:
            refuse_other_origins(request)
        values = [value for name, value in request.headers.raw if name.lower() == self._header.lower().encode()]
        return replace(admission, caller=acting(admission.caller, self._header, values))

    def _shown(self, key: str) -> Admission:
        """What a key lets in. Without keys, and where that is allowed, it is who sits at the machine."""
        if self._anonymous and self._keys.is_empty():
            return Admission(LOCAL)
        return self._keys.admit(key)


def _bearer(request: Request) -> str:
    """What follows `Bearer` in the header Authorization; empty without it."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def refuse_other_origins(request: Request) -> None:
    """Raise OriginForbidden for what a browser sends on behalf of a page that this server did not give."""
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
