"""Settings -> the MCP server, over standard input and output, or over HTTP behind the same keys as the API."""

from collections.abc import Callable

import uvicorn
from mcp.server import MCPServer
from starlette.types import ASGIApp

from service.access.keyring import allows_anonymous
from service.answering.service import Service
from service.api.middleware.authentication import AuthenticationMiddleware
from service.api.middleware.forwarded import ForwardedMiddleware
from service.composition.service import assemble
from service.composition.store import make_keyring, open_store
from service.mcp.server import create_server, transport_security
from service.server.server import listen, url
from service.settings import Settings
from service.storage.conversations import ConversationStore


def create_mcp_app(server: MCPServer, service: Service, store: ConversationStore, *, anonymous: bool) -> ASGIApp:
    """The ASGI app of `server`. `anonymous`: whether callers need no key while none exists.

    It keeps no sessions: each request belongs to its caller alone, and any replica can answer it.
    """
    settings = service.settings
    app = server.streamable_http_app(
        host=settings.host, stateless_http=True, transport_security=transport_security(settings.allowed_hosts)
    )
    keys = make_keyring(settings, store.database)
    guarded = AuthenticationMiddleware(app, keys, anonymous and not settings.require_keys, settings.principals_header)
    return ForwardedMiddleware(guarded, settings.root_path, settings.trusted_proxies)


def serve_stdio(settings: Settings) -> None:
    """Serve one assistant over standard input and output until the input ends."""
    create_server(assemble(settings), open_store(settings)).run("stdio")


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
        service = assemble(settings)
        app = create_mcp_app(create_server(service, store), service, store, anonymous=anonymous)
        on_listening(f"{url(listening, settings.host)}/mcp")
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        uvicorn.Server(config).run(sockets=[listening])
