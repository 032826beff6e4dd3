"""`quoth collections move`: uploaded files and the note on folders go along, and wrong places are named in one sentence."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from index.embedding.encoder import HashedEncoder
from index.errors import CollectionBusy, DestinationInvalid, SourceChanged
from index.ledger.sqlite.ledgers import SqliteLedgers
from index.records import Document
from index.sync.folder_note import FolderNote, read_note, write_note
from quoth import app
from service.composition.jobs import open_queue
from service.composition.library import open_library
from service.composition.moving import destination, move_collection
from service.jobs.records import Original, Upload
from service.settings import Settings
from tests.postgres_server import PostgresServer

BYTES = b"Apples grow on trees."
ORIGINAL = Original("papers", "apple", "apple.txt", hashlib.sha256(BYTES).hexdigest(), len(BYTES), "ann", 5.0)
NOTE = FolderNote({"file:///d": 7}, frozenset({"file:///d/kept.txt"}))


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here needs a model."""
    monkeypatch.setattr("service.composition.library.SentenceEncoder", lambda *_, **__: HashedEncoder())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with a collection of one uploaded document, and a note on a folder."""
    settings = Settings(home=tmp_path / "home")
    with closing(open_library(settings)) as library, closing(open_queue(settings)) as queue:
        papers = library.open_or_create("papers")
        papers.add(Document("apple", "v1", "upload:///apple/apple.txt", "A", "text/plain", BYTES.decode()))
        write_note(papers, NOTE)
        with queue.originals.receiving(100) as incoming:
            incoming.write(BYTES)
            incoming.finish()
            queue.adopt(ORIGINAL, incoming)
    return settings


@pytest.fixture
def run(settings: Settings) -> Callable[..., Result]:
    def run(*words: str, **environment: str) -> Result:
        given = {"QUOTH_HOME": str(settings.home), "TERM": "dumb", "COLUMNS": "200", **environment}
        return CliRunner().invoke(app, ["collections", "move", *words], env=given)

    return run


def held(settings: Settings) -> tuple[list[str], list[Original], list[bytes]]:
    """The collections of a place, and the uploaded files of `papers` there."""
    with closing(open_library(settings)) as library, closing(open_queue(settings)) as queue:
        originals = queue.originals_of("papers")
        contents = []
        for original in originals:
            with queue.originals.opened(original.sha256) as path:
                contents.append(path.read_bytes())
        return library.names(), originals, contents


def test_uploaded_files_and_the_note_on_folders_go_along_and_come_back(
    settings: Settings, run: Callable[..., Result], postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.fresh()
    moved = run("papers", "--to", url)
    assert (moved.exit_code, moved.output.strip()) == (0, "Moved papers: 1 document, 1 chunk.")
    shared = settings.model_copy(update={"database_url": SecretStr(url), "collections_in": "database"})
    assert held(shared) == (["papers"], [ORIGINAL], [BYTES])
    assert held(settings) == ([], [], [])
    assert not [path for path in settings.uploads.rglob("*") if path.is_file()]
    with closing(open_library(shared)) as library:
        assert read_note(library.open("papers")) == NOTE
    again = run("papers", "--to", url)
    assert (again.exit_code, again.output.startswith("Not here any more, but there already: papers")) == (0, True)
    other = tmp_path / "other home"
    back = run("papers", "--to", other.as_uri(), QUOTH_DATABASE_URL=url, QUOTH_COLLECTIONS_IN="database")
    assert (back.exit_code, back.output.strip()) == (0, "Moved papers: 1 document, 1 chunk.")
    assert held(Settings(home=other)) == (["papers"], [ORIGINAL], [BYTES])
    assert held(shared) == ([], [], [])


def test_a_move_that_was_killed_brings_the_uploaded_files_when_it_goes_on(settings: Settings, tmp_path: Path) -> None:
    with closing(open_library(settings)) as library:
        library.open("papers").copy_to(SqliteLedgers(tmp_path / "there" / "collections"))
    assert held(settings) == (["papers"], [ORIGINAL], [BYTES])
    moved, there = move_collection(settings, "papers", str(tmp_path / "there"))
    assert (moved, read_note(there)) == (True, NOTE)
    assert held(Settings(home=tmp_path / "there")) == (["papers"], [ORIGINAL], [BYTES])
    assert held(settings) == ([], [], [])


def test_uploads_that_wait_and_files_that_are_damaged_stop_a_move(settings: Settings, tmp_path: Path) -> None:
    there = str(tmp_path / "there")
    with closing(open_queue(settings)) as queue:
        with queue.originals.receiving(100) as incoming:
            incoming.write(b"Pears.")
            incoming.finish()
            job = queue.add(Upload("papers", "pear", "pear.txt", incoming.sha256, incoming.size), incoming)
        with pytest.raises(CollectionBusy, match="papers: 1 uploads into it are not indexed yet"):
            move_collection(settings, "papers", there)
        queue.cancel(job.id)
        with queue.originals.opened(ORIGINAL.sha256) as path:
            path.write_bytes(BYTES.swapcase())
        with pytest.raises(SourceChanged, match="the uploaded file of 'apple' is damaged"):
            move_collection(settings, "papers", there)
        assert queue.originals_of("papers") == [ORIGINAL]
        path.write_bytes(BYTES)
    move_collection(settings, "papers", there)
    assert held(Settings(home=tmp_path / "there")) == (["papers"], [ORIGINAL], [BYTES])


def test_a_place_where_no_collections_can_be_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for to, match in (
        ("s3://bucket/prefix", "Write a folder, or postgresql://"),
        (str(tmp_path / "file"), "file is no folder"),
        (str(tmp_path / "nowhere" / "home"), "nowhere is not there"),
        (str(settings.home), "is in .*home already"),
    ):
        with pytest.raises(DestinationInvalid, match=match):
            move_collection(settings, "papers", to)
    assert held(settings) == (["papers"], [ORIGINAL], [BYTES])
    assert destination(settings, "postgresql://q:secret@db/x").store_url == "postgresql://q:secret@db/x"
