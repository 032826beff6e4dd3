"""Uploads to machines that share a database: any takes them, any worker does them, and whoever is killed loses nothing."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.ledger.postgres.ledgers import PostgresLedgers
from index.library import Library
from index.records import Document
from service.composition.jobs import open_queue
from service.errors import JobsUnavailable
from service.jobs.pending import PendingTexts
from service.jobs.postgres import PostgresJobs
from service.jobs.records import Claim, JobState
from service.jobs.worker import JobWorker
from service.settings import Settings
from service.storage.lease_queue import LeaseLost
from tests import postgres_server
from tests.clocked_queue import QueueWithClock
from tests.postgres_server import PostgresServer
from tests.s3_server import make_bucket

ROOT = Path(__file__).parent.parent
SECONDS = 120.0


@pytest.fixture
def shared(empty_jobs_url: str, tmp_path: Path) -> Iterator[QueueWithClock]:
    with closing(QueueWithClock(tmp_path, url=empty_jobs_url)) as queue:
        yield queue


def needs_and_files(queue: QueueWithClock) -> tuple[set[str], set[str]]:
    """The contents that something needs, and those that are stored."""
    with queue.database.reading() as transaction:
        needed = transaction.rows(
            "SELECT sha256 FROM jobs WHERE state IN ('queued', 'running') UNION SELECT sha256 FROM originals"
        )
    return {sha256 for (sha256,) in needed}, set(queue.stored())


def act(queue: QueueWithClock, chance: random.Random, failures: list[Exception]) -> None:
    """Do one thing that servers and workers do, with few documents and contents, so that they meet."""
    collection, document, text = chance.choice("ab"), f"d{chance.randrange(3)}", f"Text {chance.randrange(4)}."
    try:
        match chance.randrange(8):
            case 0 | 1 | 2:
                queue.add(document, text, collection=collection, key=chance.choice([None, f"k{chance.randrange(50)}"]))
            case 3 | 4:
                claim = queue.leases.claim(f"w{threading.get_ident()}")
                if claim is not None:
                    with suppress(LeaseLost):
                        with queue.leases.storing(claim):
                            time.sleep(0.002)
                        chance.choice([queue.leases.succeed, queue.leases.give_back])(claim)
            case 5:
                with queue.queue.withdrawing(collection, chance.choice([None, document])):
                    time.sleep(0.002)
            case 6:
                for original in queue.queue.originals_of(collection):
                    queue.queue.forget(original)
            case _:
                for job in queue.queue.jobs(limit=2):
                    queue.queue.cancel(job.id)
    except Exception as error:  # noqa: BLE001 the test says which
        if type(error).__name__ not in ("IdempotencyKeyReused", "Cancelled"):
            failures.append(error)


def test_whatever_many_do_at_once_every_file_that_is_needed_is_there_and_no_other(
    shared: QueueWithClock, tmp_path: Path
) -> None:
    failures: list[Exception] = []
    with closing(QueueWithClock(tmp_path / "other", url=shared.url)) as other:

        def many(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(25):
                act(chance.choice([shared, other]), chance, failures)

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(many, range(6)))
    assert failures == []
    needed, stored = needs_and_files(shared)
    assert stored == needed
    assert {shared.text(sha256) for sha256 in stored} <= {f"Text {number}." for number in range(4)}


def test_a_worker_that_stalls_in_a_transaction_keeps_others_from_its_own_job_alone(
    shared: QueueWithClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled, other = shared.add("a", "First."), shared.add("b", "Second.")
    claim = shared.claim("stalled")
    with ExitStack() as held:
        with monkeypatch.context() as impatient:
            impatient.setattr("index.storage.postgres._STALLED_MS", 1500)
            held.enter_context(pytest.raises(JobsUnavailable))
            held.enter_context(shared.leases.storing(claim))
        begun = time.monotonic()
        shared.now += 2 * shared.leases.lease_seconds
        assert shared.leases.recover() == 0  # it holds its row, and nobody waits for it
        assert shared.claim("w").job_id == other.id
        assert time.monotonic() - begun < 1.5 + SECONDS
        deadline = time.monotonic() + SECONDS
        while not shared.leases.recover():  # until the server has taken its transaction away
            assert time.monotonic() < deadline
            time.sleep(0.1)
        shared.now += 2 * shared.leases.lease_seconds
        again = shared.leases.claim("w")
        assert again is not None
        assert (again.job_id, again.attempts) == (stalled.id, 2)
    with pytest.raises(LeaseLost):
        shared.leases.succeed(claim)


def test_leases_go_by_the_servers_clock_whatever_a_machine_believes(
    empty_jobs_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(PostgresJobs(empty_jobs_url)) as jobs:
        before = jobs.now()
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 0 <= jobs.now() - before < SECONDS
        with jobs.writing():
            assert 0 <= jobs.now() - before < SECONDS


def test_a_text_with_a_zero_in_it_comes_back(shared: QueueWithClock) -> None:
    job = shared.add(title="A\0B", key="k")
    assert shared.queue.job(job.id).upload.title == "A\0B"
    assert shared.add(title="A\0B", key="k").id == job.id


class DoneAtOnce:
    """Work that is done at once."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        self.done.set()

    def interrupt(self) -> None:
        pass


def test_a_worker_without_a_job_encodes_what_waits_and_leaves_what_another_has(
    empty_jobs_url: str, tmp_path: Path
) -> None:
    ledgers = PostgresLedgers(empty_jobs_url, tmp_path / "cache")
    with closing(Library(tmp_path, HashedEncoder(), None, ledgers)) as library:
        collection = library.open_or_create("waiting")
        texts = " ".join(f"Sentence {number} of a long letter about lamps." for number in range(400))
        collection.add(Document("a", "v1", "upload:///a/a.txt", "a", "text/plain", texts))
        waiting = collection.documents.pending_vectors()
        assert waiting > 1
        pending = PendingTexts(library)
        with collection._ledger.claim_pending(waiting, 1.0):
            assert not pending.encode_some()
        assert collection.documents.pending_vectors() == waiting
        assert not pending.encode_some()  # it has just looked
        pending = PendingTexts(library)
        while pending.encode_some():
            continue
        assert collection.documents.pending_vectors() == 0
        library.drop("waiting")


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # pg8000 leaves a broken socket to the collector
def test_a_worker_waits_for_a_database_that_is_away_and_goes_on(tmp_path: Path) -> None:
    for server in postgres_server.served():
        with closing(QueueWithClock(tmp_path, url=server.fresh())) as queue:
            stop, work = threading.Event(), DoneAtOnce()
            worker = threading.Thread(target=JobWorker(queue.leases, work, "w", stop, lambda: None).run)
            worker.start()
            queue.add("first")
            assert work.done.wait(SECONDS)
            work.done.clear()
            server.stop()
            with pytest.raises(JobsUnavailable, match="Check that the server runs"):
                queue.add()
            time.sleep(0.6)  # the worker has asked in vain
            server.start()
            job = queue.add()
            assert work.done.wait(SECONDS)
            stop.set()
            worker.join(SECONDS)
            assert queue.queue.job(job.id).state is JobState.SUCCEEDED


API = """
import sys
from pathlib import Path
import uvicorn
from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.answering.service import Service
from service.composition.http import create_app
from service.composition.library import make_indexes, make_ledgers
from service.composition.store import open_store
from service.server.server import listen
from service.settings import load

settings = load()
library = Library(settings.home, HashedEncoder(), make_indexes(settings), make_ledgers(settings))
app = create_app(Service(settings, library, None, None, None, None), open_store(settings))
listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
server.run(sockets=[listening])
"""

WORKER = """
import threading
import index.embedding.encoder as encoder
import service.composition.library as library
from service.jobs.worker import LeaseOnly
from service.composition.jobs import run_worker
from service.settings import load

library.SentenceEncoder = lambda *_, **__: encoder.HashedEncoder()  # what is tested needs no network
LeaseOnly.lease_seconds = 3.0
print("here", flush=True)
run_worker(load(), threading.Event())
"""


class Processes:
    """Servers and workers of machines that share what `environment` names, each with a home of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started: list[subprocess.Popen[str]] = []

    def start(self, script: str) -> tuple[subprocess.Popen[str], str]:
        """Start one. Returns it and the first line that it writes."""
        home, log = (self.folder / f"{len(self.started)}{ending}" for ending in (".home", ".log"))
        with log.open("w") as errors:
            child = subprocess.Popen(
                [sys.executable, "-c", script],
                env={**os.environ, **self.environment, "QUOTH_HOME": str(home), "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self.folder,
            )
        self.started.append(child)
        assert child.stdout is not None
        line = child.stdout.readline().strip()
        assert line, log.read_text()
        return child, line

    def kill(self, child: subprocess.Popen[str]) -> None:
        """Kill one, as when its machine loses power."""
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert child.stdout is not None
        child.stdout.close()

    def close(self) -> None:
        """Kill all that run."""
        for child in self.started:
            if child.poll() is None:
                self.kill(child)


class Servers:
    """Two servers, of which either may be killed and is started again. `put` goes on until one has accepted."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._running = [processes.start(API) for _ in range(2)]

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask one server after the other until one answers other than 503."""
        deadline, turn = time.monotonic() + SECONDS, 0
        while True:
            assert time.monotonic() < deadline, f"{method} {path}"
            turn += 1
            with suppress(httpx.TransportError):
                port = self._running[turn % 2][1]
                response = httpx.request(method, f"http://127.0.0.1:{port}{path}", timeout=30, **options)
                if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return response
            time.sleep(0.05)

    def replace(self, place: int) -> None:
        """Kill one at once, and start another."""
        self._processes.kill(self._running[place][0])
        self._running[place] = self._processes.start(API)


def test_servers_and_workers_killed_at_any_moment_lose_double_and_show_nothing(
    postgres: PostgresServer, s3_url: str, tmp_path: Path
) -> None:
    """Documents are uploaded and removed meanwhile, in a database and a bucket; all that was acknowledged must hold."""
    url = postgres.fresh()
    environment = {
        "QUOTH_DATABASE_URL": url,
        "QUOTH_COLLECTIONS_IN": "database",
        "QUOTH_STORAGE_URL": f"{make_bucket(s3_url, f'killed-{os.getpid()}')}/prefix",
    }
    folder = tmp_path
    chance = random.Random(11)
    texts = {f"d{number}": f"Document {number} speaks of subject{number}. " * 30 for number in range(8)}
    with closing(Processes(folder, environment)) as processes:
        servers = Servers(processes)
        workers = [processes.start(WORKER)[0] for _ in range(2)]
        accepted: dict[str, str] = {}
        removed: set[str] = set()

        def send() -> None:
            for number, (name, text) in enumerate(texts.items()):
                response = servers.request(
                    "PUT",
                    f"/v1/collections/shared/documents/{name}",
                    params={"filename": f"{name}.txt"},
                    content=text.encode(),
                    headers={"Idempotency-Key": name},
                )
                assert response.status_code == httpx.codes.ACCEPTED, response.text
                accepted[name] = response.json()["id"]
                if number % 4 == 3:
                    gone = f"d{number - 2}"
                    answer = servers.request("DELETE", f"/v1/collections/shared/documents/{gone}")
                    assert answer.status_code in (204, 404), answer.text  # 404: the killed server had removed it
                    removed.add(gone)

        with ThreadPoolExecutor(1) as thread:
            sending = thread.submit(send)
            time.sleep(chance.uniform(0.2, 0.6))
            processes.kill(workers.pop(0))
            workers.append(processes.start(WORKER)[0])
            time.sleep(chance.uniform(0.2, 0.6))
            servers.replace(0)
            sending.result(SECONDS)
        deadline = time.monotonic() + SECONDS
        for name, job in accepted.items():
            while (seen := servers.request("GET", f"/v1/jobs/{job}").json())["state"] in ("queued", "running"):
                assert time.monotonic() < deadline, seen
                time.sleep(0.05)
            assert seen["state"] == ("succeeded" if name not in removed else seen["state"]), seen
        for name in texts.keys() - removed:
            file = servers.request("GET", f"/v1/collections/shared/documents/{name}/file")
            assert file.text == texts[name]
        for name in removed:
            assert servers.request("GET", f"/v1/collections/shared/documents/{name}/file").status_code == 404
    kept = {path.relative_to(home).parts[0] for home in folder.glob("*.home") for path in home.iterdir()}
    assert kept <= {"cache"}
    settings = Settings(
        home=folder / "last",
        database_url=url,
        collections_in="database",
        storage_url=environment.get("QUOTH_STORAGE_URL"),
    )
    ledgers = PostgresLedgers(url, settings.collections_cache)
    with (
        closing(Library(folder / "last", HashedEncoder(), None, ledgers)) as library,
        closing(open_queue(settings)) as queue,
    ):
        collection = library.open("shared")
        documents = collection.documents
        assert {each.id: documents.get(each.id).text for each in documents.list()} == {
            name: text for name, text in texts.items() if name not in removed
        }
        assert collection.state().pending_vectors == 0
        assert collection.verify() == []
        assert {original.document_id for original in queue.originals_of("shared")} == texts.keys() - removed
        assert len(queue.jobs(limit=1000)) == len(texts)
