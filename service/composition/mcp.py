"""Settings -> the MCP server, over standard input and output, or over HTTP behind the same keys as the API."""

from collections.abc import Callable

from starlette.types import ASGIApp, Scope

from service.access.keyring import allows_anonymous
from service.api.middleware.admission import AdmissionMiddleware
from service.api.middleware.authentication import AuthenticationMiddleware
from service.api.middleware.forwarded import ForwardedMiddleware
from service.api.middleware.limits import BodyLimitMiddleware
from service.api.middleware.request_log import RequestLogMiddleware
from service.composition.service import assemble
from service.composition.store import make_keyring, open_store
from service.mcp.server import create_server, transport_security
from service.server.server import Server, listen, url
from service.session.session import Session, make_session
from service.settings import Settings


def create_mcp_app(session: Session, *, anonymous: bool) -> ASGIApp:
    """The ASGI app of the MCP server over `session`. `anonymous`: whether callers need no key while none exists.

    It keeps no sessions: each request belongs to its caller alone, and any replica can answer it. Keys, admission, limits and
    the log are those of the API.
    """
    settings = session.service.settings
    app: ASGIApp = create_server(session).streamable_http_app(
        host=settings.host, stateless_http=True, transport_security=transport_security(settings.allowed_hosts)
    )
    app = BodyLimitMiddleware(app, lambda _: settings.max_body_bytes, settings.body_timeout_s)
    app = AdmissionMiddleware(app, session.admission, session.metrics, _is_message)
    keys = make_keyring(settings, session.store.database)
    app = AuthenticationMiddleware(app, keys, anonymous and not settings.require_keys, settings.principals_header)
    app = ForwardedMiddleware(app, settings.root_path, settings.trusted_proxies)
    return RequestLogMiddleware(app, settings.allowed_hosts, session.metrics, session.tracing)


def _is_message(scope: Scope) -> bool:
    """Whether the request is a message of an assistant; a stream that it keeps open to listen needs no work."""
    method: str = scope["method"]
    return method == "POST"


def serve_stdio(settings: Settings) -> None:
    """Serve one assistant over standard input and output until the input ends."""
    create_server(make_session(assemble(settings), open_store(settings))).run("stdio")


def serve_http(settings: Settings, on_listening: Callable[[str], None]) -> None:
    """Serve assistants over HTTP until a signal. `on_listening` is called with the address.

    The socket is taken before the models load. Raises PortTaken, and ExposureRefused if other machines reach the address and
    no key exists.
    """
    with listen(settings.host, settings.port) as listening:
        store = open_store(settings)
        anonymous = allows_anonymous(
            listening.getsockname()[0],
            make_keyring(settings, store.database),
            allowed=settings.allow_anonymous,
            required=settings.require_keys,
        )
        session = make_session(assemble(settings), store)
        app = create_mcp_app(session, anonymous=anonymous)
        on_listening(f"{url(listening, settings.host)}/mcp")
        Server(app, session.admission, settings.shutdown_grace_s).serve_on(listening)
