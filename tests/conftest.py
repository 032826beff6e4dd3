"""Fixtures that several test files share: settings apart from the user's, and one service over seeds/ for the whole run.

The service and the servers are imported inside the fixtures, so that a run of a few tests loads only what they need.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import pytest

if TYPE_CHECKING:
    from fastapi import FastAPI

    from service.answering.service import Service
    from service.storage.conversations import ConversationStore
    from service.storage.database import Database
    from tests.clocked_queue import QueueWithClock
    from tests.postgres_server import PostgresServer

ROOT = Path(__file__).parent.parent
CACHE = "QUOTH_CACHE_FOLDER"
SEEDS = sorted(ROOT.joinpath("seeds").glob("*.md"))


LONGEST = (
    "golden kills web_answers crash web readme cli web_evidence evaluation_speed evaluation_endpoint web_library "
    "evaluation_cli openapi every_door web_conversations faults permissions serving slack_load image evaluation_drafting "
    "worker doctor attacks upkeep sandbox shared_jobs shared_collections moving web_parts web_uploads web_embedding "
    "any_sequence removal replay following mcp earlier_uploads attacking_texts suggestions"
).split()
"""The test files that take longest, longest first. The first compiles all networks; the next need none meanwhile."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no worker is busy with one of them when the others are done."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(autouse=True, scope="session")
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the user's reaches a test, and no library asks a network.

    All tests, those of other workers too, keep compiled networks in one folder: compiling takes five seconds for each home.
    """
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("QUOTH_")]:
            patch.delenv(name)
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            patch.setenv(name, "1")
        patch.setenv(CACHE, str(cache))
        yield


@pytest.fixture(scope="session")
def compiled(own_environment: None) -> Path:
    """The folder of the compiled networks of the whole test run."""
    return Path(os.environ[CACHE])


@pytest.fixture(autouse=True, scope="session")
def networks_loaded_once(own_environment: None) -> Iterator[None]:
    """A network of the folder of the whole test run is loaded once: the three of a service take a second."""
    from index.inference.compiling import Compiled, Compiler

    of_the_run = Path(os.environ[CACHE])
    load = Compiler.compiled
    loaded: dict[str, Compiled] = {}

    def load_once(self: Compiler, part: Literal["body", "head"], example: Sequence[Any]) -> Compiled:
        if self._cache is None or self._cache.path("").parent != of_the_run:
            return load(self, part, example)
        key = self._key(part, example)
        if key not in loaded:
            loaded[key] = load(self, part, example)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "compiled", load_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def heard_interrupts() -> None:
    """Programs that tests start hear Ctrl-C.

    A shell starts what runs in the background with SIGINT ignored, and that would be inherited.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def forked_readers(own_environment: None) -> Iterator[None]:
    """The processes that read files are forked from one that has imported what they need: tests/forked_readers.py."""
    if sys.platform != "linux":
        yield
        return
    from tests.forked_readers import Nursery

    nursery = Nursery()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.extraction.sandbox.subprocess", nursery.subprocess)
        yield
    nursery.close()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sets up logging for its process; here that process goes on to the next test."""
    import structlog

    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder of the test run's own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def service(home: Path, own_environment: None) -> Service:
    """The real service, with seeds/ indexed into the default collection. Do not change its collections."""
    from index.sync.sync import sync
    from service.composition.service import assemble
    from service.settings import Settings

    assembled = assemble(Settings(home=home))
    report = sync(assembled.library.open_or_create("default"), SEEDS)
    assert len(report.added) == len(SEEDS)
    assert report.rejected == ()
    return assembled


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConversationStore]:
    """The conversations of the served service."""
    from service.storage.conversations import ConversationStore
    from service.storage.database import Database

    store = ConversationStore(Database(f"sqlite:///{tmp_path_factory.mktemp('store') / 'conversations.sqlite'}"))
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test run's own; `fresh()` gives the URL of an empty database."""
    from tests import postgres_server

    yield from postgres_server.served()


@pytest.fixture(scope="session")
def jobs_url(postgres: PostgresServer) -> str:
    """The URL of a database with the tables of jobs."""
    from contextlib import closing

    from service.jobs.postgres import PostgresJobs

    url = postgres.fresh()
    with closing(PostgresJobs(url)) as jobs:
        jobs.now()
    return url


@pytest.fixture
def empty_jobs_url(jobs_url: str) -> str:
    """The URL of a database without jobs and files."""
    from contextlib import closing

    from service.jobs.postgres import PostgresJobs

    with closing(PostgresJobs(jobs_url)) as jobs, jobs.writing() as transaction:
        transaction.run("TRUNCATE jobs, originals, files, file_parts, loose_objects")
    return jobs_url


@pytest.fixture(params=["home", "database", "objects"])
def clocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[QueueWithClock]:
    """An empty job queue: the test runs once with each kind, with files in a home, in a database, and as objects beside it."""
    from index.storage.objects import Objects
    from tests.clocked_queue import QueueWithClock

    url = None if request.param == "home" else request.getfixturevalue("empty_jobs_url")
    objects = Objects(str(tmp_path / "objects")) if request.param == "objects" else None
    clocked = QueueWithClock(tmp_path, url=url, objects=objects)
    yield clocked
    clocked.queue.close()


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of an S3 server of the test run's own, which the environment names to its clients."""
    from tests import s3_server

    yield from s3_server.served()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the test runs once with each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'quoth.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty database: the test runs once with each kind."""
    from service.storage.database import Database

    database = Database(database_url)
    yield database
    database.close()


class Loopback:
    """An app behind a real server on a free port of this machine, until the block ends."""

    def __init__(self, app: FastAPI) -> None:
        import uvicorn

        from service.server.server import listen, url

        self._socket = listen("127.0.0.1", 0)
        self.url = url(self._socket, "127.0.0.1")
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=5)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> str:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
        assert not self._thread.is_alive()


@pytest.fixture(scope="session")
def loopback() -> type[Loopback]:
    """To serve an app of the test's own: `with loopback(app) as url:`."""
    return Loopback


@pytest.fixture(scope="session")
def served(service: Service, store: ConversationStore) -> Iterator[str]:
    """The address of a real server over the real service."""
    from service.composition.http import create_app

    with Loopback(create_app(service, store)) as address:
        yield address


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    """The address of a llama.cpp server with SmolLM2-135M on loopback."""
    from tests import llama_server

    yield from llama_server.served()


@pytest.fixture
def serve_scripted(tmp_path: Path, loopback: Any) -> Iterator[Callable[[Any], Any]]:
    """To serve a scripted answerer (tests/scripted_answerer.py) without models: `with serve_scripted(answerer) as url:`."""
    from index.embedding.encoder import HashedEncoder
    from index.library import Library
    from service.answering.service import Service
    from service.composition.http import create_app
    from service.settings import Settings
    from service.storage.conversations import ConversationStore
    from service.storage.database import Database

    store = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}"))
    library = Library(tmp_path, HashedEncoder())

    def serve(answerer: Any) -> Any:
        service = Service(Settings(home=tmp_path), library, None, None, None, answerer)  # type: ignore[arg-type]
        return loopback(create_app(service, store))

    yield serve
    store.close()
    library.close()


class ChatDesk:
    """A server on loopback that speaks the OpenAI chat protocol, until the block ends.

    `reply` makes the text of an answer from the words of a request, or a status that is an error. `asked` are the requests.
    """

    def __init__(self, reply: Callable[[str], str | int], model: str = "model-7b-pinned") -> None:
        self.asked: list[dict[str, Any]] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                desk.asked.append(body)
                found = reply("\n".join(message["content"] for message in body["messages"]))
                self.send_response(found if isinstance(found, int) else 200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                if isinstance(found, str):
                    for delta, finish in (({"content": found}, None), ({}, "stop")):
                        choice = {"index": 0, "delta": delta, "finish_reason": finish}
                        event = {"id": "x", "object": "chat.completion.chunk", "model": model, "choices": [choice]}
                        if finish:
                            event["usage"] = {"prompt_tokens": 50, "completion_tokens": 7, "total_tokens": 57}
                        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                    self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="session")
def chat_desk() -> type[ChatDesk]:
    """To stand in for a language model's server: `with chat_desk(lambda request: "reply") as desk:`."""
    return ChatDesk
