"""The command `quoth mcp`: the documents as tools for an assistant, over standard input and output or over HTTP."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer
from rich.console import Console

from service.observability.logs import configure
from service.settings import Settings, load


def mcp(
    http: Annotated[bool, typer.Option("--http", help="Serve over HTTP instead of standard input and output.")] = False,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on, with --http.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port, with --http; 0 takes a free one.", show_default="8000")
    ] = None,
) -> None:
    """Serve the tools ask, search and read_document to an assistant (MCP)."""
    settings = load(host=host, port=port)
    configure("warning")  # to standard error: standard output is the assistant's
    door = _late("service.mcp.server")
    if not http:
        service = _late("service.composition.service").assemble(settings)
        door.create_server(service, _store(settings)).run("stdio")
        return
    ports, uvicorn = _late("service.server.server"), _late("uvicorn")
    with ports.listen(settings.host, settings.port) as listening:
        store = _store(settings)
        keyring, exposure = _late("service.access.keyring"), _late("service.access.keyring")
        keys = keyring.Keyring(store.database)
        anonymous = exposure.anonymous_at(listening.getsockname()[0], keys, allowed=settings.allow_anonymous)
        service = _late("service.composition.service").assemble(settings)
        app = door.create_http(door.create_server(service, store), service, store, anonymous=anonymous)
        Console(stderr=True, highlight=False).print(f"MCP at {ports.url(listening, settings.host)}/mcp", soft_wrap=True)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5
        )
        uvicorn.Server(config).run(sockets=[listening])


def _store(settings: Settings) -> Any:
    return _late("service.storage.conversations").ConversationStore(
        _late("service.storage.database").Database(settings.store_url)
    )


def _late(module: str) -> Any:
    """A module that brings in the engines, imported when the command runs, not for help."""
    return importlib.import_module(module)
