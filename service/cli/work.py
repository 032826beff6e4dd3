"""The command `quoth work`: indexes what is uploaded to a server."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from typing import Annotated, Any

import typer
from rich.console import Console

from service.observability.logs import configure
from service.settings import load

_NICE = 10
_GRACE_SECONDS = 10.0


def work(
    with_server: Annotated[
        bool, typer.Option("--with-server", hidden=True, help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Index what is uploaded, until Ctrl-C. `quoth serve` starts one of these by itself (setting `worker`)."""
    settings = load()
    configure(settings.log_level if with_server else "warning")
    stop = threading.Event()
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, lambda *_: stop.set())
    if with_server:
        os.nice(_NICE)  # answers come first
        threading.Thread(target=_end_with_server, args=(stop,), daemon=True).start()
    else:
        Console().print("Quoth indexes what is uploaded.  (Ctrl-C stops it)", highlight=False)
    _late("service.composition.jobs").run_worker(settings, stop)


def _end_with_server(stop: threading.Event) -> None:
    """Stop when the server is gone; a job that does not come to a stop is left for the next worker."""
    while sys.stdin.buffer.read(4096):
        continue
    stop.set()
    timer = threading.Timer(_GRACE_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _late(module: str) -> Any:
    """A module that takes long to import, imported when the command runs, not for help."""
    return importlib.import_module(module)
