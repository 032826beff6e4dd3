"""Who waits for whom: work in one place waits for nothing that happens elsewhere.

Each test lets something wait that only the test can release, and requires that other work ends before that.
"""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from index.embedding.encoder import HashedEncoder, Model, SentenceEncoder
from index.formats.limits import Limits
from index.ledger.sqlite.snapshot import Snapshot
from index.library import Library
from index.records import Document
from index.storage.lock import writer_lock
from service.answering.service import Service
from service.composition.http import create_app
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.records import JobState, Upload
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database

SECONDS = 20.0
MORE_THAN_THE_THREADS = 45


class GatedEncoder(HashedEncoder):
    """Cutting a text with the word `gated` waits for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = threading.Event(), threading.Event()

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        if "gated" in text:
            self.reached.set()
            assert self.opened.wait(SECONDS)
        return super().token_offsets(text)


@pytest.fixture
def encoder() -> Iterator[GatedEncoder]:
    encoder = GatedEncoder()
    yield encoder
    encoder.opened.set()


@pytest.fixture
def library(tmp_path: Path, encoder: GatedEncoder) -> Iterator[Library]:
    library = Library(tmp_path, encoder)
    for name in ("a", "b"):
        collection = library.open_or_create(name)
        collection.add(Document("d", "v", "file:///d", "d", "text/plain", f"Parrots live in {name}."))
        collection.search("parrots")
    yield library
    library.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MORE_THAN_THE_THREADS) as threads:
        yield threads


@pytest.fixture
def client(tmp_path: Path, library: Library, store: ConversationStore, loopback: Any) -> Iterator[httpx.Client]:
    nobody = cast(Any, None)  # no questions are asked here
    service = Service(Settings(home=tmp_path, rerank=False), library, nobody, nobody, nobody, nobody)
    limits = httpx.Limits(max_connections=None)
    with (
        loopback(create_app(service, store)) as url,
        httpx.Client(base_url=url, timeout=SECONDS, limits=limits) as client,
    ):
        yield client


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def somebody_waits_for(lock: Path) -> bool:
    """Whether a process or thread waits for the lock: it holds the turn meanwhile."""
    with lock.with_name(f"{lock.name}.turn").open("a") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def search(client: httpx.Client, collection: str) -> int:
    return client.post(
        "/v1/search", json={"query": "parrots", "collection": collection}, timeout=SECONDS / 2
    ).status_code


@pytest.mark.parametrize("address", ["/v1/collections/a", "/v1/collections/a/documents/d"])
def test_searches_anywhere_end_before_a_removal_that_waits_for_a_writer(
    client: httpx.Client, tmp_path: Path, threads: ThreadPoolExecutor, address: str
) -> None:
    lock = tmp_path / "collections" / "a" / "writer.lock"
    with writer_lock(lock.parent).hold(1.0):
        removal = threads.submit(client.delete, address)
        until(lambda: somebody_waits_for(lock))
        assert [search(client, name) for name in ("a", "b")] == [200, 200]
        assert client.get("/v1/collections").status_code == 200
        assert not removal.done()
    assert removal.result(SECONDS).status_code == 204


def test_removals_that_wait_leave_threads_for_everybody_else(
    client: httpx.Client, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    lock = tmp_path / "collections" / "a" / "writer.lock"
    with writer_lock(lock.parent).hold(1.0):
        removals = [
            threads.submit(client.delete, "/v1/collections/a/documents/d") for _ in range(MORE_THAN_THE_THREADS)
        ]
        until(lambda: somebody_waits_for(lock))
        time.sleep(0.5)  # for the other removals to come as far
        assert [search(client, name) for name in ("a", "b")] == [200, 200]
        assert client.get("/v1/jobs").status_code == 200
        assert not any(removal.done() for removal in removals)
    statuses = [removal.result(SECONDS).status_code for removal in removals]
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 404, 503}


@contextmanager
def kept_to_itself(path: Path) -> Iterator[None]:
    """Another program has the whole database to itself, so nobody else can open it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield


def test_opening_a_collection_does_not_wait_for_another_that_cannot_be_opened_now(
    library: Library, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    library.close()
    with kept_to_itself(tmp_path / "collections" / "a" / "ledger.sqlite"):
        slow = threads.submit(library.open, "a")
        time.sleep(0.2)
        quick = threads.submit(library.open, "b")
        assert quick.result(SECONDS / 2).name == "b"
        assert library.open("b").search("parrots")
        assert not slow.done()
    assert slow.result(SECONDS).name == "a"


def test_a_long_text_is_cut_before_the_collection_is_locked(
    library: Library, encoder: GatedEncoder, threads: ThreadPoolExecutor
) -> None:
    collection = library.open("a")
    slow = threads.submit(collection.add, Document("slow", "v", "file:///slow", "slow", "text/plain", "A gated text."))
    assert encoder.reached.wait(SECONDS)
    threads.submit(collection.remove, "d").result(SECONDS / 2)
    assert not slow.done()
    encoder.opened.set()
    assert slow.result(SECONDS).added == 1
    assert [document.id for document in collection.documents.list()] == ["slow"]


def test_a_writer_does_not_wait_while_the_ledger_is_verified(
    library: Library, monkeypatch: pytest.MonkeyPatch, threads: ThreadPoolExecutor
) -> None:
    reached, opened, check = threading.Event(), threading.Event(), Snapshot.problems

    def slow_check(snapshot: Snapshot) -> list[str]:
        reached.set()
        assert opened.wait(SECONDS)
        return check(snapshot)

    monkeypatch.setattr(Snapshot, "problems", slow_check)
    collection = library.open("a")
    problems = threads.submit(collection.verify)
    assert reached.wait(SECONDS)
    threads.submit(collection.remove, "d").result(SECONDS / 2)
    assert not problems.done()
    opened.set()
    assert problems.result(SECONDS) == []


def test_another_document_is_deleted_while_the_text_of_an_upload_is_cut(
    client: httpx.Client, tmp_path: Path, library: Library, encoder: GatedEncoder, threads: ThreadPoolExecutor
) -> None:
    originals = Originals(tmp_path / "uploads")
    with closing(JobQueue(open_jobs(tmp_path / "jobs.sqlite"), originals)) as queue:
        with originals.receiving(1000) as incoming:
            incoming.write(b"A gated text.")
            incoming.finish()
            job = queue.add(Upload("a", "slow", "slow.txt", incoming.sha256, incoming.size), incoming)
        leases = Leases(open_jobs(tmp_path / "jobs.sqlite"), originals, lambda worker: False)
        claim = leases.claim("worker")
        assert claim is not None
        indexer = Indexer(library, originals, leases, Limits())
        work: Future[None] = threads.submit(indexer.work, claim, lambda: None)
        assert encoder.reached.wait(SECONDS)
        assert client.delete("/v1/collections/a/documents/d", timeout=SECONDS / 2).status_code == 204
        assert not work.done()
        encoder.opened.set()
        work.result(SECONDS)
        indexer.interrupt()
        leases.succeed(claim)
        assert queue.job(job.id).state is JobState.SUCCEEDED
    assert [document.id for document in library.open("a").documents.list()] == ["slow"]


def test_a_text_is_cut_while_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch, threads: ThreadPoolExecutor) -> None:
    reached, opened = threading.Event(), threading.Event()

    def slow_load(encoder: SentenceEncoder, folder: Path) -> Model:
        reached.set()
        assert opened.wait(SECONDS)
        return HashedEncoder(384)

    monkeypatch.setattr(SentenceEncoder, "_load", slow_load)
    encoder = SentenceEncoder()
    vectors = threads.submit(encoder.encode, ["Parrots talk."])
    assert reached.wait(SECONDS)
    assert len(threads.submit(encoder.token_offsets, "Parrots talk.").result(SECONDS / 2)) >= 3
    assert not vectors.done()
    opened.set()
    assert vectors.result(SECONDS).shape == (1, 384)


def test_deleting_conversations_does_not_keep_writers_from_the_database_while_somebody_reads(
    tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'conversations.sqlite'}")
    path = tmp_path / "conversations.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader, closing(sqlite3.connect(path)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM conversation").fetchone()
        writer.execute("INSERT INTO conversation (id, collection, created_at) VALUES ('c', 'x', '2026-01-01')")
        writer.commit()
        scrub = threads.submit(database.scrub)
        writes = 0
        while not scrub.done():
            writer.execute("UPDATE conversation SET title = ?", (str(writes),))
            writer.commit()
            writes += not scrub.done()
    assert writes >= 3
    database.close()
