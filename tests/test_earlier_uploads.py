"""Uploads that an earlier version of Quoth read are read again from their stored files; people hear what cannot be."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.library import Library
from index.records import DocumentSummary
from quoth import app
from service.jobs.database import open_jobs
from service.jobs.earlier import queue_earlier
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobState, Upload
from service.jobs.worker import JobWorker, Presence
from tests.earlier_ledger import make_earlier

TEXT = b"# Parrots\n\nA parrot may live for eighty years.\n"
SECONDS = 60.0


class Home:
    """A home with a collection `c`, whose library can be closed and made an earlier one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = open_jobs(home / "jobs.sqlite")
        self.originals = Originals(home / "uploads")
        self.queue = JobQueue(self.database, self.originals)
        self.library = Library(home, HashedEncoder())

    def close(self) -> None:
        self.library.close()
        self.database.close()

    def upload(self, document: str, data: bytes, name: str, **facts: object) -> Job:
        with self.originals.receiving(10**6) as incoming:
            incoming.write(data)
            incoming.finish()
            upload = Upload("c", document, name, incoming.sha256, incoming.size, **facts)  # type: ignore[arg-type]
            return self.queue.add(upload, incoming, owner="ann")

    def work(self) -> None:
        """Let a worker do every job that there is, and those that it finds when it is idle."""
        presence, stop, idle = Presence(self.home / "workers"), threading.Event(), threading.Event()
        leases = Leases(self.database, self.originals, presence.is_gone, chance=lambda: 0.0)
        indexer = Indexer(self.library, self.originals, leases, Limits())

        def sweep() -> bool:
            more = queue_earlier(self.library, self.queue, at_once=1)
            if not more:
                idle.set()
            return more

        def run() -> None:
            with presence.announce() as name:
                JobWorker(leases, indexer, name, stop, sweep).run()

        thread = threading.Thread(target=run)
        thread.start()
        assert idle.wait(SECONDS)
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()
        indexer.interrupt()

    def make_earlier(self, contents: dict[str, bytes]) -> None:
        self.library.close()
        make_earlier(self.home / "collections" / "c", contents)
        self.library = Library(self.home, HashedEncoder())

    def documents(self) -> dict[str, DocumentSummary]:
        return {document.title: document for document in self.library.open("c").documents.list()}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.close()


def packed(**texts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"{name}.txt", text)
    return data.getvalue()


def test_uploads_are_read_again_with_their_titles_metadata_and_readers(home: Home) -> None:
    home.upload("birds", TEXT, "b.md", title="My birds", metadata={"year": "2024"}, principals=frozenset({"zoo"}))
    home.upload("pack", packed(one=b"Quarks are small.", two=b"Leptons are light."), "p.zip", metadata={"set": "x"})
    home.work()
    place = "upload:///pack/p.zip!/"
    home.make_earlier({
        "upload:///birds/b.md": TEXT, f"{place}one.txt": b"Quarks are small.", f"{place}two.txt": b"Leptons are light.",
    })  # fmt: skip
    before = home.documents()
    assert [document.has_structure for document in before.values()] == [False] * 3
    home.work()
    after = home.documents()
    assert {title: (document.id, document.principals) for title, document in after.items()} == {
        title: (document.id, document.principals) for title, document in before.items()
    }
    assert [document.has_structure for document in after.values()] == [True] * 3
    documents = home.library.open("c").documents
    birds = documents.get("birds")
    assert (birds.title, birds.metadata["year"], birds.principals) == ("My birds", "2024", {"zoo"})
    assert birds.sections[0].trail == ("Parrots",)
    assert [documents.get(after[name].id).metadata["set"] for name in ("one", "two")] == ["x", "x"]
    assert documents.get("birds", before["My birds"].version).text == TEXT.decode()
    again = home.queue.jobs(owner="ann")
    assert [job.state for job in again] == [JobState.SUCCEEDED] * 4
    assert not queue_earlier(home.library, home.queue)


def test_an_upload_that_cannot_be_read_any_more_stays_and_is_not_tried_over_and_over(home: Home) -> None:
    job = home.upload("birds", TEXT, "b.md")
    home.work()
    home.make_earlier({"upload:///birds/b.md": TEXT})
    home.originals.path(job.upload.sha256).write_bytes(b"\0\1\2")
    home.work()
    states = [job.state for job in home.queue.jobs(owner="ann")]
    assert states == [JobState.FAILED, JobState.SUCCEEDED]
    [birds] = home.documents().values()
    assert not birds.has_structure
    assert not queue_earlier(home.library, home.queue)
    assert home.library.open("c").search("parrot", 1)[0].chunk.document_id == "birds"


def test_a_newer_upload_takes_the_place_of_one_that_waits_to_be_read_again(home: Home) -> None:
    home.upload("birds", TEXT, "b.md")
    home.work()
    home.make_earlier({"upload:///birds/b.md": TEXT})
    assert queue_earlier(home.library, home.queue)
    assert not queue_earlier(home.library, home.queue)  # it waits already
    home.upload("birds", b"A newt is small.", "b.md")
    home.work()
    assert [job.state for job in home.queue.jobs(owner="ann")][:2] == [JobState.SUCCEEDED, JobState.CANCELLED]
    assert home.library.open("c").documents.get("birds").text == "A newt is small."


def test_what_was_not_read_is_said_in_the_job(home: Home) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("fine.txt", "Bears eat honey.")
        archive.writestr("odd.toml", "bears = honey and more")
    home.upload("mixed", data.getvalue(), "mixed.zip")
    home.work()
    [job] = home.queue.jobs(owner="ann")
    assert job.state is JobState.SUCCEEDED
    assert (job.remark or "").startswith("odd.toml: It is no valid TOML (")


def test_the_command_line_says_what_an_earlier_version_read_and_what_is_lost(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("here", "gone", "other"):
        (folder / f"{name}.txt").write_text(f"The note {name}.")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        environment = {"QUOTH_HOME": str(tmp_path), "QUOTH_COLLECTION": "n", "TERM": "dumb", "COLUMNS": "400"}
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    run("index", "notes")
    contents = {path.as_uri(): path.read_bytes() for path in folder.iterdir()}
    make_earlier(tmp_path / "collections" / "n", contents)
    (folder / "gone.txt").unlink()
    shown = run("collections", "show", "n")
    assert (
        "3 documents were read by an earlier version of Quoth, without tables and lists; 1 cannot be read again"
        in shown
    )
    assert "quoth index on the folders reads 2 again." in shown
    said = run("index", "notes/here.txt")
    assert "n: 1 changed (" in said
    assert "2 documents were read by an earlier version of Quoth" in said
    assert "1 cannot be read again, because the source is gone" in said
    assert "earlier version" not in run("index", "notes", "--prune")
    assert "earlier version" not in run("collections", "show", "n")


def test_warnings_are_printed_for_each_file_and_change_no_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.toml").write_text("bears = honey and more")
    (tmp_path / "fine.txt").write_text("Bears eat honey.")
    monkeypatch.chdir(tmp_path)
    environment = {"QUOTH_HOME": str(tmp_path / "home"), "TERM": "dumb", "COLUMNS": "400"}
    result = CliRunner().invoke(app, ["index", "odd.toml", "fine.txt"], env=environment)
    assert result.exit_code == 0
    assert "odd.toml: It is no valid TOML (" in result.stderr
    assert result.stdout.startswith("default: 2 added (")
    shown = CliRunner().invoke(app, ["collections", "show", "default"], env=environment)
    assert "odd.toml: It is no valid TOML (" in shown.stdout
    listed = json.loads(CliRunner().invoke(app, ["collections", "show", "default", "--json"], env=environment).stdout)
    assert [len(document["warnings"]) for document in listed["listed"]] == [0, 1]
    assert listed["earlier"] == {"files": 0, "pages": 0, "uploads": 0, "lost": 0}
