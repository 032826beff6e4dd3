"""The whole of a cluster: API replicas and workers as processes over PostgreSQL and S3, killed, slowed and revoked from."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.lance.indexes import LanceIndexes
from index.ledger.postgres.ledgers import PostgresLedgers
from index.library import Library
from index.storage.lock import Lock
from service.access.caller import Scope
from service.access.keyring import Keyring
from service.storage.database import Database
from tests import cluster_process
from tests.cut_proxy import CutProxy
from tests.postgres_server import PostgresServer
from tests.s3_server import environment, make_bucket

SECONDS = 120.0
DOCUMENTS = 9
NAMES = [f"note{number}" for number in range(DOCUMENTS)]
"""The first third everybody may read, the second only ann, the third only bob."""
ANNS, BOBS = NAMES[DOCUMENTS // 3 : 2 * DOCUMENTS // 3], NAMES[2 * DOCUMENTS // 3 :]


class Cluster:
    """Processes of a cluster: each ends by being killed, and another takes its place."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self._processes: dict[str, BaseProcess] = {}
        self._urls: dict[str, str] = {}
        self._count = 0

    def start(self, *names: str) -> None:
        """Start the processes with these names, `api…` or `worker…`, together, each with a home of its own."""
        reports = {}
        for name in names:
            self._count += 1
            home = {"QUOTH_HOME": str(self._folder / f"home{self._count}")}
            self._processes[name], reports[name] = cluster_process.start(
                name.rstrip("123456789"), self._settings | home
            )
        for name, report in reports.items():
            with report:
                assert report.poll(SECONDS), f"{name} did not start"
                self._urls[name] = report.recv()

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.join()

    def close(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def urls(self) -> list[str]:
        return [url for name, url in self._urls.items() if name.startswith("api")]


class Watcher:
    """Searches as ann, again and again, and notes what is shown of what only bob may read."""

    def __init__(self, cluster: Cluster, key: str) -> None:
        self.searches = 0
        self.shown: set[str] = set()
        self._cluster = cluster
        self._key = key
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            for url in self._cluster.urls():
                with suppress(httpx.TransportError):  # it was killed
                    response = httpx.post(f"{url}/v1/search", **search("lamp", self._key))
                    if response.status_code == 200:
                        self.searches += 1
                        self.shown |= titles(response) & set(BOBS)


def search(query: str, key: str) -> dict[str, Any]:
    return {"json": {"query": query, "k": 100}, "headers": {"Authorization": f"Bearer {key}"}, "timeout": 60}


def shows(url: str, key: str, names: set[str]) -> bool:
    return titles(httpx.post(f"{url}/v1/search", **search("lamp", key))) == names


def titles(response: httpx.Response) -> set[str]:
    return {hit["title"] for hit in response.json()["hits"]}


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        with suppress(httpx.TransportError):
            if holds():
                return
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def store(s3_url: str) -> Iterator[CutProxy]:
    with CutProxy(s3_url) as relay:
        yield relay


@pytest.fixture
def settings(postgres: PostgresServer, s3_url: str, store: CutProxy) -> dict[str, str]:
    return {
        "QUOTH_DATABASE_URL": postgres.fresh(),
        "QUOTH_COLLECTIONS_IN": "database",
        "QUOTH_STORAGE_URL": f"{make_bucket(s3_url, 'cluster')}/search",
        "QUOTH_WORKER": "false",
        **environment(s3_url),
        "AWS_ENDPOINT": store.url,
    }


def upload(cluster: Cluster, chance: random.Random, key: str, name: str) -> str:
    """Upload a document to any of the servers, to another one if that is killed. Returns the job's id."""
    number = NAMES.index(name)
    readers = [] if name not in ANNS + BOBS else [("principal", "ann" if name in ANNS else "bob")]
    job: list[str] = []

    def is_taken() -> bool:
        response = httpx.put(
            f"{chance.choice(cluster.urls())}/v1/collections/default/documents/{name}",
            params=[("filename", f"{name}.txt"), ("title", name), *readers],
            content=f"The lamp of house {number} has the sign {sign(name)}.".encode(),
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": name},
            timeout=60,
        )
        if response.status_code == 202:
            job.append(response.json()["id"])
        assert response.status_code in (202, 503), response.text
        return bool(job)

    wait_until(is_taken, f"{name} is not taken")
    return job[0]


def sign(name: str) -> str:
    return f"zeichen{NAMES.index(name)}"


@pytest.mark.timeout(600)
def test_a_cluster_whose_parts_are_killed_and_slow_loses_doubles_and_shows_nothing_that_it_should_not(
    settings: dict[str, str], store: CutProxy, tmp_path: Path
) -> None:
    chance = random.Random(11)
    with closing(Database(settings["QUOTH_DATABASE_URL"])) as database:
        keys = Keyring(database)
        admin = keys.create("admin", [Scope.ADMIN, Scope.INGEST, Scope.ASK], principals=None)[1]
        ann = keys.create("ann", [Scope.ASK], principals=["ann"])[1]
    parts = ["api1", "api2", "worker1", "worker2", "worker3"]
    with closing(Cluster(tmp_path, settings)) as cluster:
        cluster.start(*parts)
        victims = dict(zip(chance.sample(range(2, DOCUMENTS), 2), ("worker1", "api1"), strict=True))
        with Watcher(cluster, ann) as watcher:
            jobs = []
            for number, name in enumerate(chance.sample(NAMES, DOCUMENTS)):
                jobs.append(upload(cluster, chance, admin, name))
                if number in victims:
                    time.sleep(chance.uniform(0.0, 0.5))
                    cluster.kill(victims[number])
                    cluster.start(victims[number])
                store.delay = 0.02 if number == 4 else 0.0
            first, second = cluster.urls()
            header = {"Authorization": f"Bearer {admin}"}

            def is_done(job: str) -> bool:
                response = httpx.get(f"{second}/v1/jobs/{job}", headers=header, timeout=60)
                return bool(response.json()["state"] == "succeeded")

            for job in jobs:
                wait_until(partial(is_done, job), f"{job} is not done")
            for url in (first, second):
                wait_until(partial(shows, url, admin, set(NAMES)), "not all is found")
                for name in NAMES:
                    (best, *_) = httpx.post(f"{url}/v1/search", **search(sign(name), admin)).json()["hits"]
                    assert best["title"] == name
                assert titles(httpx.post(f"{url}/v1/search", **search("lamp", ann))) == set(NAMES) - set(BOBS)
            with (
                closing(opened(settings, tmp_path / "here")) as here,
                closing(opened(settings, tmp_path / "there")) as there,
            ):
                collection = here.open("default")
                projector = there.open("default")._ledger.projector
                revoke_without_projector(collection, projector, [first, second], ann, header)
                require_sound(collection)
        assert watcher.searches > 0
        assert watcher.shown == set()


def opened(settings: dict[str, str], folder: Path) -> Library:
    """The collections, as another machine of the cluster opens them."""
    ledgers = PostgresLedgers(settings["QUOTH_DATABASE_URL"], folder / "caches")
    return Library(folder / "own", HashedEncoder(), LanceIndexes(settings["QUOTH_STORAGE_URL"], patience=60), ledgers)


def revoke_without_projector(
    collection: Collection, projector: Lock, urls: list[str], ann: str, header: dict[str, str]
) -> None:
    """What is revoked is gone from the next search on, though the search tables still have it, and the lag says so.

    `projector` is the turn of another machine, which copies nothing while it has it.
    """

    def lag(url: str) -> int:
        (one,) = httpx.get(f"{url}/readyz", headers=header, timeout=60).json()["search"]
        return int(one["changes"])

    def is_current(url: str) -> bool:
        return lag(url) == 0

    with projector.hold(SECONDS), projector.working():
        for name in ANNS:
            collection.permit(name, frozenset({"bob"}))
        for url in urls:
            assert not titles(httpx.post(f"{url}/v1/search", **search("lamp", ann))) & set(ANNS)
            assert lag(url) >= len(ANNS)
    for url in urls:
        wait_until(partial(is_current, url), "the lag stays")


def require_sound(collection: Collection) -> None:
    """Every document is there once, with its one chunk and its vector, in the ledger and in the search table."""
    assert sorted(document.title for document in collection.documents.list()) == sorted(NAMES)
    state = collection.state()
    assert (state.documents, state.chunks, state.pending_vectors) == (DOCUMENTS, DOCUMENTS, 0)
    assert collection.verify() == []
