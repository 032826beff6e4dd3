"""The commands that run until Ctrl-C: `quoth serve`, `quoth mcp`, `quoth slack` and `quoth work`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import nullcontext
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from service.cli.console import stderr, stdout
from service.cli.interruption import INTERRUPTED
from service.environment import passed_over
from service.observability.logs import configure
from service.settings import Settings, load

HostOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.", show_default="127.0.0.1")
]

log = structlog.get_logger(__name__)
_NICE = 10
_GRACE_SECONDS = 10.0


def serve(
    host: HostOption = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="8000")
    ] = None,
    allow_anonymous: Annotated[
        bool,
        typer.Option("--allow-anonymous", help="Listen beyond this machine without any API key: all may do all."),
    ] = False,
) -> None:
    """Serve the web page and the HTTP API."""
    settings = load(host=host, port=port, allow_anonymous=allow_anonymous or None)
    configure(settings.log_level)
    _log_passed_over()
    from service.server.server import listen

    with listen(settings.host, settings.port) as listening:  # before the imports, so that a taken port shows at once
        from service.access.keyring import allows_anonymous
        from service.composition.http import create_app
        from service.composition.service import assemble
        from service.composition.store import make_keyring, open_store
        from service.jobs.supervision import WorkerProcess
        from service.observability.setup import make_tracing
        from service.server.server import Server, leave, url
        from service.storage.retention import make_retention

        store = open_store(settings)
        anonymous = allows_anonymous(
            listening.getsockname()[0],
            make_keyring(settings, store.database),
            allowed=settings.allow_anonymous,
            required=settings.require_keys,
        )
        tracing = make_tracing(settings)
        with stderr().status("Loading the models"):
            service = assemble(settings)
        api = create_app(service, store, anonymous=anonymous, tracing=tracing, suggests=True)
        if settings.collection in service.library.names():
            # Loads the encoder and the caches now, so that the first question is as fast as the second.
            service.library.open(settings.collection).search("ready", k=1)
        out = stdout()
        out.print(
            f"Quoth listens on [bold cyan]{url(listening, settings.host)}[/]  (Ctrl-C stops it)",
            highlight=False,
            soft_wrap=True,
        )
        if settings.collection not in service.library.names():
            out.print(f"No collection {settings.collection!r} yet: quoth index FOLDER makes it.", highlight=False)
        server = Server(api, api.state.session.admission, settings.shutdown_grace_s)
        with (
            WorkerProcess() if settings.worker else nullcontext(),
            make_retention(store.database, settings.retention_days),
        ):
            server.serve_on(listening)
        tracing.close()
        store.close()
        service.library.close()
    leave(INTERRUPTED if server.signalled == signal.SIGINT else 0)


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
    configure(settings.log_level if http else "warning")  # to standard error: standard output belongs to the assistant
    from service.composition.mcp import serve_http, serve_stdio

    if not http:
        serve_stdio(settings)
        return
    serve_http(
        settings,
        lambda address: Console(stderr=True, highlight=False).print(f"MCP at {address}", soft_wrap=True),
    )


def slack(
    print_manifest: Annotated[
        bool, typer.Option("--manifest", help="Print the app's manifest, to paste into Slack, and stop.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --manifest: Slack calls this server instead of Socket Mode."),
    ] = None,
) -> None:
    """Answer questions in Slack (Socket Mode: no public address needed)."""
    if print_manifest:
        from service.composition.slack import manifest_json

        typer.echo(manifest_json(url))
        return
    if url is not None:
        raise typer.BadParameter("--url goes with --manifest. In HTTP mode `quoth serve` answers Slack by itself.")
    settings = load()
    configure(settings.log_level)
    _log_passed_over()
    asyncio.run(_answer_in_slack(settings))


def _log_passed_over() -> None:
    if names := sorted(passed_over()):
        log.info("variables that Kubernetes sets for its Services are passed over", names=names)


async def _answer_in_slack(settings: Settings) -> None:
    from service.composition.slack import answer_in_slack

    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)  # a second signal: the questions are in the database
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    await answer_in_slack(settings, stop, _print_connected)


def _print_connected(name: str) -> None:
    stderr().print(
        f"Quoth answers in Slack as [bold cyan]@{escape(name)}[/]  (Ctrl-C stops it)", highlight=False, soft_wrap=True
    )


def work(
    with_server: Annotated[
        bool, typer.Option("--with-server", hidden=True, help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Index what is uploaded, until Ctrl-C. `quoth serve` starts one of these by itself (setting `worker`)."""
    settings = load()
    configure(settings.log_level if with_server else "warning")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if with_server:
        os.nice(_NICE)  # answers come first
        threading.Thread(target=_stop_with_server, args=(stop,), daemon=True).start()
    else:
        Console().print("Quoth indexes what is uploaded.  (Ctrl-C stops it)", highlight=False)
    from service.composition.jobs import run_worker

    run_worker(settings, stop)


def _stop_with_server(stop: threading.Event) -> None:
    """Stop when the server has ended. A job that does not stop in time is left for the next worker."""
    while sys.stdin.buffer.read(4096):
        continue
    stop.set()
    timer = threading.Timer(_GRACE_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()
