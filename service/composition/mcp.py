"""Settings -> the MCP server, over standard input and output, or over HTTP behind the same keys as the API."""

from collections.abc import Callable

import uvicorn
from mcp.server import MCPServer
from starlette.types import ASGIApp

from service.access.keyring import Keyring, allows_anonymous
from service.answering.service import Service
from service.api.middleware.authentication import AuthenticationMiddleware
from service.composition.service import assemble
from service.composition.store import open_store
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
    return AuthenticationMiddleware(app, Keyring(store.database), anonymous, settings.principals_header)


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
        keys = Keyring(store.database)
        anonymous = allows_anonymous(listening.getsockname()[0], keys, allowed=settings.allow_anonymous)
        service = assemble(settings)
        app = create_mcp_app(create_server(service, store), service, store, anonymous=anonymous)
        on_listening(f"{url(listening, settings.host)}/mcp")
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5
        )
        uvicorn.Server(config).run(sockets=[listening])
