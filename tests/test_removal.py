"""Removing documents and collections: all or nothing, whatever refuses it and wherever the process is killed."""

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from typer.testing import CliRunner, Result

from index.embedding.encoder import HashedEncoder
from index.errors import CollectionDropped
from index.library import Library
from index.records import Document
from index.storage.lock import writer_lock
from quoth import app
from service.answering.service import Service
from service.composition.http import create_app
from service.jobs.records import JobState
from service.settings import Settings
from service.storage.conversations import ConversationStore
from tests.removal_home import ALL, RemovalHome

PAPERS = "/v1/collections/papers"
SENT = f"{PAPERS}/documents/sent"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are opened from now on do not wait long for another program."""
    monkeypatch.setattr("index.storage.sqlite._BUSY_SECONDS", 0.2)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RemovalHome]:
    place = RemovalHome(tmp_path)
    place.fill()
    yield place
    place.close()


@pytest.fixture
def client(place: RemovalHome, store: ConversationStore, loopback: Any) -> Iterator[httpx.Client]:
    nobody = cast(Any, None)  # no questions are asked here
    service = Service(Settings(home=place.home, rerank=False), place.library, nobody, nobody, nobody, nobody)
    with loopback(create_app(service, store)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to the database and does not finish."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def refused(response: httpx.Response, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (503, code), response.text


def dropped_by_command(place: RemovalHome) -> Result:
    return CliRunner().invoke(app, ["collections", "drop", "papers", "--yes"], env={"QUOTH_HOME": str(place.home)})


def test_a_drop_that_a_writer_refuses_changes_nothing(
    place: RemovalHome, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ledger.sqlite.ledgers._WAIT_SECONDS", 0.2)
    with writer_lock(place.home / "collections" / "papers").hold(1.0):
        refused(client.delete(PAPERS), "collection-busy")
        assert place.left("papers") == ALL
        assert (
            CliRunner()
            .invoke(app, ["collections", "drop", "papers", "--yes"], env={"QUOTH_HOME": str(place.home)})
            .exit_code
        )
    assert place.left("papers") == ALL
    assert client.get(f"{SENT}/file").text == "A text sent to papers."
    assert client.delete(PAPERS).status_code == 204
    assert place.left("papers") == []
    assert place.left("other") == ALL


@pytest.mark.usefixtures("impatient")
def test_a_drop_and_a_removal_that_the_jobs_database_refuses_change_nothing(
    place: RemovalHome, client: httpx.Client
) -> None:
    with locked(place.home / "jobs.sqlite"):
        refused(client.delete(PAPERS), "jobs-unavailable")
        refused(client.delete(SENT), "jobs-unavailable")
    assert place.left("papers") == ALL


@pytest.mark.usefixtures("impatient")
def test_a_removal_that_the_ledger_refuses_changes_nothing(place: RemovalHome, client: httpx.Client) -> None:
    place.send("papers", "sent", "A newer text.")
    before = place.left("papers")
    assert "job of sent" in before
    with locked(place.home / "collections" / "papers" / "ledger.sqlite"):
        refused(client.delete(SENT), "collection-busy")
    assert place.left("papers") == before
    assert client.delete(SENT).status_code == 204
    assert place.left("papers") == ["kept", "job of late"]


def test_the_command_drops_a_collection_with_its_jobs_and_uploaded_files(place: RemovalHome) -> None:
    done = dropped_by_command(place)
    assert (done.exit_code, done.stdout) == (0, "Dropped papers.\n")
    assert place.left("papers") == []
    assert place.left("other") == ALL


def test_a_damaged_collection_can_be_dropped_over_http(place: RemovalHome, client: httpx.Client) -> None:
    place.library.close()
    (place.home / "collections" / "papers" / "ledger.sqlite").write_bytes(b"no ledger at all" * 1000)
    assert client.delete(PAPERS).status_code == 204
    assert place.left("papers") == []


def test_a_writer_that_waits_for_a_collection_while_it_is_dropped_writes_nothing_and_says_so(
    place: RemovalHome,
) -> None:
    collection = place.library.open("papers")
    waiting, outcome = threading.Event(), []

    def write() -> None:
        waiting.set()
        try:
            collection.add(Document("new", "v", "file:///new", "new", "text/plain", "New."))
        except CollectionDropped as error:
            outcome.append(str(error))

    other = Library(place.home, HashedEncoder())
    with place.queue.withdrawing("papers"), writer_lock(place.home / "collections" / "papers").hold(1.0):
        thread = threading.Thread(target=write)
        thread.start()
        assert waiting.wait(10)
        (place.home / "collections" / "papers").rename(place.home / "collections" / ".dropped-0-x-papers")
        other.open_or_create("papers")
    thread.join(10)
    assert outcome == ["papers: another program dropped the collection meanwhile. Run again to see what is there"]
    assert other.open("papers").documents.list() == []
    other.close()


def test_an_upload_after_a_drop_that_was_killed_is_kept_when_the_drop_is_finished(place: RemovalHome) -> None:
    folder = place.home / "collections"
    mark = max(job.position for job in place.queue.jobs())
    (folder / "papers").rename(folder / f".dropped-{mark}-0123-papers")
    assert place.left("papers") == ["file of sent", "job of late"]
    newer = place.send("papers", "newer", "A newer text.")
    place.library.finish_drops(place.queue.complete_withdrawal)
    assert place.left("papers") == ["job of newer"]
    assert place.queue.job(newer.id).state is JobState.QUEUED
    assert sorted(path.name for path in folder.iterdir()) == ["other"]


KILLED = """
import json, os, shutil, signal, sqlite3, sys
from pathlib import Path

from service.jobs.indexing import forget_removed
from tests.removal_home import RemovalHome

template, places = Path(sys.argv[1]), Path(sys.argv[2])


def drop(place):
    place.library.drop("papers", place.queue.withdrawing("papers"))


def remove(place):
    place.library.open("papers").change(remove=["sent"], alongside=place.queue.withdrawing("papers", "sent"))


def cancel(place):
    place.queue.cancel(place.queue.jobs(collection="papers")[0].id)


def run(work, home, die_at):
    # Killed just before the step of that number: a change of a file's name, or a statement that writes.
    steps = 0

    def step(*_):
        nonlocal steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(text):
        if text.lstrip().split(" ", 1)[0] in ("COMMIT", "INSERT", "UPDATE", "DELETE"):
            step()

    def watch(event, _):
        if event in ("os.rename", "os.remove", "os.rmdir"):
            step()

    def connect(*arguments, **options):
        connection = connect_untraced(*arguments, **options)
        connection.set_trace_callback(statement)
        return connection

    connect_untraced, sqlite3.connect = sqlite3.connect, connect
    sys.addaudithook(watch)
    place = RemovalHome(home)
    place.library.open("papers")
    steps = 0
    work(place)
    os._exit(0)


for work in (drop, remove, cancel):
    die_at, alive = 1, False
    while not alive:
        home = places / f"{work.__name__}-{die_at}"
        shutil.copytree(template, home)
        child = os.fork()
        if not child:
            run(work, home, die_at)
        _, status = os.waitpid(child, 0)
        alive = not os.WIFSIGNALED(status)
        assert status in (0, signal.SIGKILL)
        place = RemovalHome(home)
        place.library.finish_drops(place.queue.complete_withdrawal)
        forget_removed(place.library, place.queue)
        states = [place.left("papers"), place.left("other"), sorted(os.listdir(home / "collections"))]
        print(json.dumps([work.__name__, die_at, alive, *states]), flush=True)
        place.close()
        shutil.rmtree(home)
        die_at += 1
"""


def test_a_removal_that_is_killed_anywhere_is_whole_or_has_not_happened_after_the_next_start(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.mkdir()
    place = RemovalHome(template)
    place.fill()
    place.close()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(template), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    whole = {
        "drop": ([], ["other"]),
        "remove": (["kept", "job of late"], ["other", "papers"]),
        "cancel": (["kept", "sent", "file of sent"], ["other", "papers"]),
    }
    for work, (left, names) in whole.items():
        outcomes = [result for result in results if result[0] == work]
        assert outcomes[-1][2:] == [True, left, ALL, names]
        for outcome in outcomes[:-1]:
            assert outcome[2:] in ([False, ALL, ALL, ["other", "papers"]], [False, left, ALL, names]), outcome
        assert [outcome[3] for outcome in outcomes].count(ALL) >= 2
        assert len(outcomes) >= 5
    shutil.rmtree(template)
