"""What several test files share: settings apart from the user's, and one service over seeds/ for the whole run."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from index.sync import sync
from service.api.app import create_app
from service.assembly import Service, assemble
from service.ports import listen, url
from service.settings import Settings
from service.store import ConversationStore

ROOT = Path(__file__).parent.parent
SEEDS = sorted(ROOT.joinpath("seeds").glob("*.md"))


@pytest.fixture(autouse=True, scope="session")
def own_environment() -> Iterator[None]:
    """No setting of the user's reaches a test, and no library asks a network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("QUOTH_")]:
            patch.delenv(name)
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            patch.setenv(name, "1")
        yield


@pytest.fixture(autouse=True, scope="session")
def heard_interrupts() -> None:
    """Programs that tests start hear Ctrl-C.

    A shell starts what runs in the background with SIGINT ignored, and that would be inherited.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder of the test run's own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def service(home: Path, own_environment: None) -> Service:
    """The real service, with seeds/ indexed into the default collection. Do not change its collections."""
    assembled = assemble(Settings(home=home))
    report = sync(assembled.library.open_or_create("default"), SEEDS)
    assert len(report.added) == len(SEEDS)
    assert report.rejected == ()
    return assembled


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConversationStore]:
    """The conversations of the served service."""
    store = ConversationStore(f"sqlite:///{tmp_path_factory.mktemp('store') / 'conversations.sqlite'}")
    yield store
    store.close()


class Loopback:
    """An app behind a real server on a free port of this machine, until the block ends."""

    def __init__(self, app: FastAPI) -> None:
        self._socket: socket.socket = listen("127.0.0.1", 0)
        self.url = url(self._socket, "127.0.0.1")
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
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
    with Loopback(create_app(service, store)) as address:
        yield address
