"""Workers over real collections: uploads become searchable even when workers die."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.embedding.encoder import HashedEncoder
from index.errors import CollectionBusy
from index.formats.limits import Limits
from index.library import Library
from index.records import Hit
from index.uris import document_version
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.records import Claim, Job, JobState, Upload
from service.jobs.supervision import WorkerProcess
from service.jobs.worker import JobWorker, Presence, Work

ROOT = Path(__file__).parent.parent
SECONDS = 60.0


class Home:
    """A home folder with its queue and collections."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = open_jobs(home / "jobs.sqlite")
        self.originals = Originals(home / "uploads")
        self.queue = JobQueue(self.database, self.originals)
        self.presence = Presence(home / "workers")
        self.leases = Leases(self.database, self.originals, self.presence.is_gone, chance=lambda: 0.0)
        self.library = Library(home, HashedEncoder())
        self.indexer = Indexer(self.library, self.originals, self.leases, Limits())

    def close(self) -> None:
        self.indexer.interrupt()
        self.library.close()
        self.database.close()

    def upload(self, document: str, text: str, name: str = "a.txt", **facts: object) -> Job:
        with self.originals.receiving(10**6) as incoming:
            incoming.write(text.encode())
            incoming.finish()
            upload = Upload("c", document, name, incoming.sha256, incoming.size, **facts)  # type: ignore[arg-type]
            return self.queue.add(upload, incoming)

    def search(self, query: str) -> list[Hit]:
        return self.library.open("c").search(query, 5)

    @contextmanager
    def running_worker(self, work: Work | None = None) -> Iterator[None]:
        """Run a worker in a thread until the block ends; its exceptions are raised there."""
        stop = threading.Event()
        errors: list[BaseException] = []

        def run() -> None:
            try:
                with self.presence.announce() as name:
                    JobWorker(self.leases, work or self.indexer, name, stop, lambda: self.leases.sweep(["c"])).run()
            except BaseException as error:  # noqa: BLE001 raised below, in the test's thread
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(SECONDS)
            assert not thread.is_alive()
        if errors:
            raise errors[0]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.queue.jobs()
            time.sleep(0.02)

    def finished(self, job: Job) -> Job:
        self.until(lambda: self.queue.job(job.id).is_finished)
        return self.queue.job(job.id)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path)
    yield place
    place.close()


def test_an_upload_becomes_a_document_with_its_facts_and_vectors(place: Home) -> None:
    facts = {"title": "On parrots", "metadata": {"year": "2024"}, "principals": frozenset({"zoo"})}
    job = place.upload("parrots", "# Birds\n\nParrots talk. " * 30, "birds.md", **facts)
    with place.running_worker():
        done = place.finished(job)
    assert (done.state, done.error, done.done, done.attempts) == (JobState.SUCCEEDED, None, done.total, 1)
    assert done.total > 0
    collection = place.library.open("c")
    document = collection.documents.get("parrots")
    assert document.uri == "upload:///parrots/birds.md"
    assert (document.title, document.media_type) == ("On parrots", "text/markdown")
    assert (document.metadata, document.principals) == ({"year": "2024"}, frozenset({"zoo"}))
    assert document.version == document_version(b"# Birds\n\nParrots talk. " * 30)
    assert place.search("parrots")[0].similarity is not None
    original = place.queue.original("c", "parrots")
    assert original is not None
    assert place.originals.path(original.sha256).read_text().startswith("# Birds")


def test_a_new_file_under_the_old_id_is_a_new_version(place: Home) -> None:
    with place.running_worker():
        place.finished(place.upload("d", "Apples are red."))
        second = place.finished(place.upload("d", "Apples are green."))
    collection = place.library.open("c")
    assert [document.id for document in collection.documents.list()] == ["d"]
    assert collection.documents.get("d").text == "Apples are green."
    assert collection.documents.get("d", document_version(b"Apples are red.")).text == "Apples are red."
    assert list(place.originals.digests()) == [second.upload.sha256]


def test_an_unreadable_file_fails_with_the_reason_and_affects_no_other_upload(place: Home) -> None:
    bad, good = place.upload("bad", "no PDF at all", "bad.pdf"), place.upload("good", "Good text.")
    with place.running_worker():
        failed, succeeded = place.finished(bad), place.finished(good)
    assert (failed.state, failed.error_code, failed.attempts) == (JobState.FAILED, "document-rejected", 1)
    assert failed.error == (
        "upload:///bad/bad.pdf: it is named .pdf but holds plain text. Rename it, or fetch it again"
    )
    assert succeeded.state is JobState.SUCCEEDED
    assert list(place.originals.digests()) == [good.upload.sha256]


class FailingWork:
    """Raises the given errors first, one per attempt, then works."""

    def __init__(self, work: Work, *errors: Exception) -> None:
        self._work = work
        self._errors = list(errors)

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self._work.work(claim, check)

    def interrupt(self) -> None:
        self._work.interrupt()


def test_temporary_and_unexpected_failures_are_retried(place: Home) -> None:
    job = place.upload("d", "Some text.")
    with place.running_worker(
        FailingWork(place.indexer, CollectionBusy("c: someone is writing."), ZeroDivisionError("oh"))
    ):
        place.until(lambda: place.queue.job(job.id).error == "c: someone is writing.")
        done = place.finished(job)
    assert (done.state, done.attempts, done.error) == (JobState.SUCCEEDED, 3, None)


class SlowWork:
    """Works until it is interrupted."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._interrupted = threading.Event()

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        self.begun.set()
        assert self._interrupted.wait(SECONDS)
        check()
        raise ValueError("interrupted while it read")

    def interrupt(self) -> None:
        self._interrupted.set()


def test_a_running_job_is_cancelled_soon(place: Home) -> None:
    job, slow = place.upload("d", "Some text."), SlowWork()
    with place.running_worker(slow):
        assert slow.begun.wait(SECONDS)
        assert place.queue.cancel(job.id).state is JobState.RUNNING
        assert place.finished(job).state is JobState.CANCELLED
    assert place.library.names() == []
    assert list(place.originals.digests()) == []


def test_a_worker_that_is_stopped_releases_its_job(place: Home) -> None:
    job, slow = place.upload("d", "Some text."), SlowWork()
    with place.running_worker(slow):
        assert slow.begun.wait(SECONDS)
    given = place.queue.job(job.id)
    assert (given.state, given.error) == (JobState.QUEUED, None)
    with place.running_worker():
        assert place.finished(job).state is JobState.SUCCEEDED


def test_a_document_withdrawn_while_it_is_read_does_not_come_back(place: Home) -> None:
    """The worker has read the file and waits for the collection, which the removal of the document has locked."""
    place.library.open_or_create("c")
    job = place.upload("d", "Some text.")
    with place.library.open("c").writing():
        thread_at_work = place.running_worker()
        thread_at_work.__enter__()
        place.until(lambda: place.queue.job(job.id).stage == "reading")
        time.sleep(0.3)
        with place.queue.withdrawing("c", "d"):
            pass
    assert place.finished(job).state is JobState.CANCELLED
    thread_at_work.__exit__(None, None, None)
    assert place.library.open("c").documents.list() == []
    assert list(place.originals.digests()) == []


WORKER = """
import sys, threading
from pathlib import Path
from index.extraction.extractor import Limits
from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.jobs.database import open_jobs
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.files import Originals
from service.jobs.worker import JobWorker, Presence

home = Path(sys.argv[1])
database, originals, presence = open_jobs(home / "jobs.sqlite"), Originals(home / "uploads"), Presence(home / "workers")
leases = Leases(database, originals, presence.is_gone, chance=lambda: 0.0, max_losses=100)
indexer = Indexer(Library(home, HashedEncoder()), originals, leases, Limits())
print("here", flush=True)
with presence.announce() as name:
    JobWorker(leases, indexer, name, threading.Event(), lambda: leases.sweep(["c"])).run()
"""


def start_worker(home: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(home)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "here\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_kill_9_of_workers_loses_no_upload_and_repeats_none(place: Home) -> None:
    """Two workers, of which one or the other is killed repeatedly; in the end the result equals that of an undisturbed run."""
    texts = {f"d{number}": f"Document {number} speaks of subject{number}. " * 20 for number in range(30)}
    jobs = [place.upload(name, text) for name, text in texts.items()]
    kills = 0
    workers = [start_worker(place.home), start_worker(place.home)]
    while kills < 8 and not all(place.queue.job(job.id).is_finished for job in jobs):
        time.sleep(0.15 + 0.1 * (kills % 3))
        end(workers.pop(0))
        kills += 1
        workers.append(start_worker(place.home))
    for worker in workers:
        end(worker)
    assert kills >= 2
    with place.running_worker():
        done = [place.finished(job) for job in jobs]
    assert {job.state for job in done} == {JobState.SUCCEEDED}
    collection = place.library.open("c")
    assert {d.id: collection.documents.get(d.id).text for d in collection.documents.list()} == texts
    assert collection.state().pending_vectors == 0
    assert collection.verify() == []
    for number in range(30):
        hits = place.search(f"subject{number}")
        assert hits[0].chunk.document_id == f"d{number}"
    assert sorted(place.originals.digests()) == sorted(job.upload.sha256 for job in jobs)


def test_the_supervisor_restarts_a_worker_and_ends_it_with_the_server(tmp_path: Path) -> None:
    script = "import sys; sys.stdin.read()"
    with WorkerProcess([sys.executable, "-c", script]) as keeper:
        place_in_time = time.monotonic() + SECONDS
        while (first := keeper.pid) is None:
            assert time.monotonic() < place_in_time
            time.sleep(0.01)
        os.kill(first, signal.SIGKILL)
        while (second := keeper.pid) in (None, first):
            assert time.monotonic() < place_in_time
            time.sleep(0.01)
    assert second is not None
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_a_worker_ends_when_its_server_was_killed(tmp_path: Path) -> None:
    script = """
import sys, time
from service.jobs.supervision import COMMAND, WorkerProcess
with WorkerProcess(COMMAND) as keeper:
    while keeper.pid is None:
        time.sleep(0.01)
    print(keeper.pid, flush=True)
    time.sleep(60)
"""
    server = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "QUOTH_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    deadline = time.monotonic() + SECONDS
    while not list((tmp_path / "workers").glob("*")):
        assert time.monotonic() < deadline, "the worker did not start"
        time.sleep(0.02)
    server.kill()
    server.wait()
    server.stdout.close()
    while Path(f"/proc/{worker}").exists() and "Z" not in Path(f"/proc/{worker}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the worker outlives its server"
        time.sleep(0.02)
    assert list((tmp_path / "workers").glob("*")) == []
