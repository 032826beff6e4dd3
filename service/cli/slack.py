"""The command `quoth slack`: answers in Slack over Socket Mode until Ctrl-C, or prints the app's manifest."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from service.observability.logs import configure
from service.settings import Settings, load


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
        typer.echo(json.dumps(_late("service.slack.manifest").manifest(url), indent=2, ensure_ascii=False))
        return
    if url is not None:
        raise typer.BadParameter("--url goes with --manifest. In HTTP mode `quoth serve` answers Slack by itself.")
    settings = load()
    configure(settings.log_level)
    asyncio.run(_answering(settings))


async def _answering(settings: Settings) -> None:
    slack = _late("service.slack.app")
    token = slack.app_token(settings)
    await (
        _late("service.slack.client.users").Identities(slack.make_client(settings)).get()
    )  # before seconds of loading models
    stop = asyncio.Event()

    def signalled(number: int) -> None:
        if stop.is_set():
            os._exit(128 + number)  # a second signal: the questions are in the database
        stop.set()

    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, signalled, one)
    with _late("service.composition.slack").opened(settings) as parts:
        await slack.serve(slack.SlackApp(settings, parts), token, stop, _tell)


def _tell(own: Any) -> None:
    Console(stderr=True).print(
        f"Quoth answers in Slack as [bold cyan]@{escape(own.name)}[/]  (Ctrl-C stops it)",
        highlight=False,
        soft_wrap=True,
    )


def _late(module: str) -> Any:
    """A module that brings in the engines, imported when the command runs, not for help."""
    return importlib.import_module(module)
