"""A collection is moved between homes and a database: whole, asked meanwhile, and by a process that may be killed anywhere."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.errors import (
    CollectionExists,
    CollectionMissing,
    CollectionMoving,
    DatabaseUnavailable,
    DestinationInvalid,
    DiskFull,
    EncoderMismatch,
    IndexingError,
    LedgerDamaged,
    NotWritable,
)
from index.filters import Filter
from index.ledger.postgres.ledgers import PostgresLedgers
from index.ledger.rows import Visit
from index.ledger.sqlite.ledgers import SqliteLedgers
from index.library import Library
from index.records import Document, FileStamp, Page
from tests.mounted import can_mount, read_only, small_disk
from tests.postgres_server import PostgresServer

HR = frozenset({"hr"})
OLD = Document("d", "v1", "file:///d", "D", "text/plain", "Apples\x00 fall.", pages=(Page(1, 0, 13),), principals=HR)
NEW = Document("d", "v2", "file:///d", "D", "text/plain", "Apples grow.", metadata={"author": "Ann"}, principals=HR)
OTHER = Document("e", "v1", "https://x.org/e", "E", "text/plain", "Bears eat honey.")
WAITING = Document("f", "v1", "file:///f", "F", "text/plain", "Cranes fly south.")


def open_library(place: str, home: Path) -> Library:
    """The collections of a place: a folder, or the URL of a database whose machine has that home."""
    if place.startswith("postgresql:"):
        return Library(home, HashedEncoder(), ledgers=PostgresLedgers(place, home / "cache" / "collections"))
    return Library(Path(place), HashedEncoder())


def fill(library: Library) -> None:
    """Make the collection `papers` with all that a collection can hold, one chunk of it without a vector."""
    papers = library.open_or_create("papers")
    papers.add(OLD, FileStamp(13, 5))
    papers.change([(NEW, FileStamp(12, 6)), (OTHER, None)])
    papers.embed_pending()
    papers.add(WAITING)
    papers.record_roots(["file:///d"], HR)
    papers.record_visits([Visit("https://x.org/e", "https://x.org", '"1"', "today")])
    papers.rename_document("e", "Bears")
    papers.rename("Our papers")


def content(collection: Collection) -> list[object]:
    """What a collection is for its callers."""
    documents = collection.documents
    return [
        documents.list(),
        [documents.get("d", version) for version in ("v1", "v2")],
        documents.visits(),
        documents.given_titles(["e"]),
        collection.permissions.roots(["file:///d/x"]),
        collection.permissions.readers(["d"]),
        (collection.state().title, collection.state().pending_vectors),
        found(collection, "apples honey"),
        found(collection, "apples", Filter(principals=frozenset({"ann"}))),
    ]


def found(collection: Collection, query: str, where: Filter | None = None) -> list[object]:
    """What a search finds. Its BM25 is left out: that of a lexicon which was made anew forgets the texts from before."""
    hits = collection.search(query, 5, where=where)
    return [(hit.chunk, hit.title, hit.page, hit.similarity, hit.bm25 is not None) for hit in hits]


def problems(collection: Collection) -> list[str]:
    """What is wrong with a collection, whose files were never there."""
    return [problem.what for problem in collection.verify() if problem.place != "files"]


def nothing(_here: Collection, _there: Collection) -> None:
    """There is nothing beside the ledger to bring."""


@pytest.fixture(params=["home to home", "home to database", "database to home"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """From where to where."""
    kinds = request.param.split(" to ")
    server: PostgresServer | None = request.getfixturevalue("postgres") if "database" in kinds else None
    first, second = (str(tmp_path / "from"), str(tmp_path / "to"))
    return tuple(
        server.fresh() if server is not None and kind == "database" else folder
        for kind, folder in zip(kinds, (first, second), strict=True)
    )  # type: ignore[return-value]


@pytest.fixture
def libraries(places: tuple[str, str], tmp_path: Path) -> Iterator[tuple[Library, Library]]:
    home = tmp_path / "machine"
    with closing(open_library(places[0], home)) as here, closing(open_library(places[1], home)) as there:
        fill(here)
        yield here, there


def test_everything_arrives_without_encoding_and_nothing_stays(libraries: tuple[Library, Library]) -> None:
    here, there = libraries
    before, encoded = content(here.open("papers")), here.encoder.encoded  # type: ignore[attr-defined]
    assert here.move("papers", there, nothing)
    moved = there.open("papers")
    assert content(moved) == before
    assert problems(moved) == []
    assert (here.encoder.encoded, there.encoder.encoded) == (encoded, 2)  # type: ignore[attr-defined]  # the questions
    assert (here.names(), there.names()) == ([], ["papers"])
    assert moved.embed_pending() == 1
    assert not here.move("papers", there, nothing)
    with pytest.raises(CollectionMissing):
        here.move("letters", there, nothing)


def test_it_is_asked_and_refuses_changes_until_it_is_there(
    libraries: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = libraries
    papers = here.open("papers")
    before = content(papers)
    steps: list[str] = []

    def meanwhile(step: str) -> None:
        steps.append(step)
        assert content(papers) == before
        for change in (lambda: papers.add(OLD), lambda: papers.permit("d", frozenset()), papers.embed_pending):
            with pytest.raises(CollectionMoving, match=f"being moved to {re.escape(there.place)}.*goes on"):
                change()
        with pytest.raises(CollectionMoving):
            papers.require_staying()

    monkeypatch.setattr("index.maintenance.moving.replace_file", during(meanwhile, "copying"))
    assert here.move("papers", there, lambda _here, _there: meanwhile("copied"))
    assert steps == ["copying", "copied"]
    there.open("papers").require_staying()


def during(act: Callable[[str], None], step: str) -> Callable[[Path], object]:
    """`replace_file`, with something that happens before its block begins."""
    from index.storage.atomic import replace_file

    def replaced(target: Path) -> object:
        act(step)
        return replace_file(target)

    return replaced


def test_a_copy_that_differs_is_refused_and_the_collection_stays(
    libraries: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = libraries
    monkeypatch.setattr(type(here.open("papers")._ledger), "checksum", lambda _ledger: "0" * 64)
    if type(here.open("papers")._ledger).__name__ == "SqliteLedger":  # the copy is one, too: let the two differ
        sums = iter("ab")
        monkeypatch.setattr(type(here.open("papers")._ledger), "checksum", lambda _ledger: next(sums))
    with pytest.raises(LedgerDamaged, match=r"papers: the copy at .* differs"):
        here.move("papers", there, nothing)
    assert there.names() == []
    assert here.open("papers").add(OLD).added == 1


class Refusal:
    """A move that is refused changes nothing: here the collection takes changes, there is what was there."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def to(self, target: Library, error: type[IndexingError], match: str) -> None:
        before = content(self.library.open("papers"))
        with pytest.raises(error, match=match):
            self.library.move("papers", target, nothing)
        assert content(self.library.open("papers")) == before
        self.library.open("papers").require_staying()


def test_a_wrong_destination_is_one_sentence_and_changes_nothing(tmp_path: Path, postgres: PostgresServer) -> None:
    with closing(Library(tmp_path / "here", HashedEncoder())) as here:
        fill(here)
        refused = Refusal(here)
        refused.to(Library(tmp_path / "here", HashedEncoder()), DestinationInvalid, "'papers' is in .*here already")
        refused.to(
            open_library("postgresql://quoth@127.0.0.1:1/none", tmp_path), DatabaseUnavailable, "does not answer"
        )
        url = postgres.fresh()
        with closing(open_library(url, tmp_path)) as there:
            there.open_or_create("papers").add(OTHER)
            refused.to(there, CollectionExists, r"'papers' in postgresql.*already\. Drop that one")
            assert [document.id for document in there.open("papers").documents.list()] == ["e"]
        other = Library(tmp_path / "other", HashedEncoder(dimension=8))
        other.open_or_create("letters")
        refused.to(Library(tmp_path / "other", HashedEncoder()), EncoderMismatch, "another encoder than 'papers'")
        other.open_or_create("papers")
        refused.to(Library(tmp_path / "other", HashedEncoder()), CollectionExists, "already")
        (tmp_path / "closed" / "collections").mkdir(parents=True)
        with read_only(tmp_path / "closed"):
            refused.to(Library(tmp_path / "closed", HashedEncoder()), NotWritable, "closed.*read-only")


@can_mount
def test_a_full_disk_there_changes_nothing(tmp_path: Path) -> None:
    with closing(Library(tmp_path / "here", HashedEncoder())) as here, small_disk(tmp_path / "disk", "2m") as disk:
        fill(here)
        (disk / "filler").write_bytes(bytes((2 << 20) - (64 << 10)))
        Refusal(here).to(Library(disk / "home", HashedEncoder()), DiskFull, "disk/home.* full")
        assert not list((disk / "home" / "collections").iterdir())


def test_a_collection_on_its_way_goes_nowhere_else(tmp_path: Path) -> None:
    with closing(Library(tmp_path / "here", HashedEncoder())) as here:
        fill(here)
        here.open("papers").copy_to(SqliteLedgers(tmp_path / "there" / "collections"))
        with pytest.raises(CollectionMoving, match="there and takes no changes"):
            here.move("papers", Library(tmp_path / "elsewhere", HashedEncoder()), nothing)
        here.open("papers").export(tmp_path / "papers.quoth")
        again = Library(tmp_path / "again", HashedEncoder())
        again.import_from(tmp_path / "papers.quoth")
        again.open("papers").require_staying()
        assert problems(here.open("papers")) == []


MOVER = """
import os, pkgutil, signal, sys
from pathlib import Path
from tests.test_moving import open_library, nothing
import index.ledger.sqlite.snapshot

def kill_after(point):
    module, _, path = point.partition(":")
    outer, _, name = path.rpartition(".")
    owner = pkgutil.resolve_name(f"{module}:{outer}")
    real = getattr(owner, name)
    def killed(*args, **kwargs):
        real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, killed)

for line in sys.stdin:
    point, here, there, home = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        kill_after(point)
        source, target = (open_library(place, Path(home)) for place in (here, there))
        source.move("papers", target, nothing)
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Mover:
    """A process that has imported everything and moves the collection in children of its own, each killed at one point."""

    def __enter__(self) -> "Mover":
        self._process = subprocess.Popen(
            [sys.executable, "-c", MOVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def move(self, point: str, here: str, there: str, home: Path) -> int:
        """Move, and return the exit code of the child."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{point}\t{here}\t{there}\t{home}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


ANYWHERE = (
    "index.maintenance.moving:_require_encoder",
    "index.maintenance.moving:_write_checked",
    "index.collection:Collection.copy_to",
    "index.engines.embedded:EmbeddedIndexes.drop",
)
FROM_HOME = (
    "index.ledger.sqlite.ledger:SqliteLedger.record_destination",
    "index.ledger.sqlite.ledgers:sync_to_disk",
)
INTO_HOME = ("index.ledger.sqlite.ledgers:begin_copy", "index.ledger.sqlite.ledgers:SqliteLedgers.adopt")
FROM_DATABASE = (
    "index.ledger.postgres.ledger:PostgresLedger.record_destination",
    "index.ledger.postgres.ledger:write_sqlite",
    "index.ledger.postgres.ledgers:PostgresLedgers._delete",
)
INTO_DATABASE = ("index.ledger.postgres.ledgers:read_sqlite", "index.ledger.postgres.ledgers:PostgresLedgers.adopt")


def kills(here: str, there: str) -> tuple[str, ...]:
    """The functions after which a process that moves from here to there is killed."""
    return (
        *ANYWHERE,
        *(FROM_DATABASE if here.startswith("postgresql:") else FROM_HOME),
        *(INTO_DATABASE if there.startswith("postgresql:") else INTO_HOME),
    )


@pytest.mark.parametrize("places", ["home to database", "database to home"], indirect=True)
def test_a_move_that_is_killed_anywhere_is_finished_by_the_next_and_nothing_is_lost_or_doubled(
    places: tuple[str, str], tmp_path: Path
) -> None:
    here, there = places
    home = tmp_path / "machine"
    with closing(open_library(here, home)) as source:
        fill(source)
        before = content(source.open("papers"))
    with Mover() as mover:
        points = kills(here, there)
        for point in points:
            assert mover.move(point, here, there, home) == -signal.SIGKILL, f"not killed at {point}"
            with closing(open_library(here, home)) as source, closing(open_library(there, home)) as target:
                asked = source if "papers" in source.names() else target
                assert content(asked.open("papers")) == before, point
                source.move("papers", target, nothing)
                source.finish_drops(lambda _name, _mark: None)
                assert (source.names(), target.names()) == ([], ["papers"]), point
                assert content(target.open("papers")) == before, point
                if point == points[-1]:
                    assert problems(target.open("papers")) == []
                assert target.move("papers", source, nothing)  # back, for the next kill
