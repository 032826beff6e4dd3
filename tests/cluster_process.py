"""The processes of a cluster, without models, forked from one that has imported their code: importing it takes seconds."""

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import uvicorn

from index.embedding.encoder import HashedEncoder
from service.answering.service import Service
from service.composition import library
from service.composition.http import create_app
from service.composition.jobs import run_worker
from service.jobs.worker import LeaseOnly
from service.server.server import listen, url
from service.settings import Settings, load
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.served_app import RefusingAnswerer

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def start(role: str, environment: dict[str, str]) -> tuple[BaseProcess, Connection]:
    """Start an `api` or a `worker` with this environment; what it sends first is its address or an empty text."""
    here, there = _FORKS.Pipe()
    process = _FORKS.Process(target=_run, args=(role, environment, there), daemon=True)
    process.start()
    there.close()
    return process, here


def _run(role: str, environment: dict[str, str], report: Connection) -> None:
    os.environ.update(environment)
    library.SentenceEncoder = lambda *_, **__: HashedEncoder()  # type: ignore[assignment,misc]
    LeaseOnly.lease_seconds = 3.0
    if role == "worker":
        report.send("")
        run_worker(load(), threading.Event())
    else:
        _serve(load(), report)


def _serve(settings: Settings, report: Connection) -> None:
    """Serve searches, uploads and what else needs no model, on a free port of this machine."""
    nothing: Any = None
    service = Service(settings, library.open_library(settings), nothing, nothing, nothing, RefusingAnswerer())  # type: ignore[arg-type]
    socket = listen("127.0.0.1", 0)
    app = create_app(service, ConversationStore(Database(settings.store_url)))
    report.send(url(socket, "127.0.0.1"))
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[socket])
