"""Collections in PostgreSQL, shared by several machines: each has a home of its own, the database is the same."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, event, text
from typer.testing import CliRunner

import quoth
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.lance.indexes import LanceIndexes
from index.errors import CollectionBusy, CollectionDropped, CollectionMissing, DatabaseUnavailable, LedgerDamaged
from index.filters import Filter
from index.ledger.postgres.ledgers import PostgresLedgers
from index.library import Library
from index.records import Document
from index.storage.postgres import PostgresDatabase
from index.sync.folder_note import read_note
from index.sync.sync import sync
from service.composition.http import search_lag
from service.composition.library import open_library
from service.errors import SettingsInvalid
from service.settings import Settings
from tests import postgres_server
from tests.postgres_server import PostgresServer

ROOT = Path(__file__).parent.parent


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.fresh()


def machine(url: str, home: Path) -> Library:
    """The collections as one machine has them."""
    return Library(home, HashedEncoder(), ledgers=PostgresLedgers(url, caches(home)))


def caches(home: Path) -> Path:
    return home / "cache" / "collections"


@pytest.fixture
def machines(url: str, tmp_path: Path) -> Iterator[tuple[Library, Library]]:
    with closing(machine(url, tmp_path / "a")) as first, closing(machine(url, tmp_path / "b")) as second:
        yield first, second


def letter(name: str, text: str, principals: frozenset[str] = frozenset()) -> Document:
    return Document(name, "v1", f"upload:///{name}", name, "text/plain", text, principals=principals)


def found(collection: Collection, query: str, where: Filter | None = None) -> set[str]:
    return {hit.chunk.document_id for hit in collection.search(query, 20, where=where) if hit.bm25}


def test_what_one_machine_indexes_every_machine_finds(machines: tuple[Library, Library], tmp_path: Path) -> None:
    here, there = machines
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "first.txt").write_text("The lamp was lit in 1904.")
    (folder / "second.txt").write_text("The bell rings at noon.")
    first = here.open_or_create("letters")
    assert len(sync(first, [folder]).added) == 2
    second = there.open("letters")
    assert {hit.title for hit in second.search("lamp lit", 1)} == {"first"}
    (folder / "first.txt").write_text("The lantern was lit in 1904.")
    assert len(sync(second, [folder]).changed) == 1
    assert not found(first, "lamp")
    assert len(found(first, "lantern")) == 1
    assert first.state().vectors == second.state().vectors == 2
    assert first.verify() == second.verify() == []


def test_a_permission_taken_away_on_one_machine_counts_on_the_next_search_of_another(
    machines: tuple[Library, Library],
) -> None:
    here, there = (library.open_or_create("letters") for library in machines)
    here.change([(letter("a", "A secret lamp.", frozenset({"ann"})), None), (letter("b", "A lamp."), None)])
    ann = Filter(principals=frozenset({"ann"}))
    assert found(there, "lamp", ann) == {"a", "b"}
    here.permit("a", frozenset({"bob"}))
    assert found(there, "lamp", ann) == {"b"}
    here.remove("b")
    assert found(there, "lamp", ann) == set()


def test_machines_that_share_storage_for_search_too_keep_nothing_of_a_collection_at_home(
    url: str, tmp_path: Path
) -> None:
    def open_machine(home: Path) -> Library:
        ledgers = PostgresLedgers(url, home / "cache" / "collections")
        return Library(home, HashedEncoder(), LanceIndexes(str(tmp_path / "tables")), ledgers)

    with closing(open_machine(tmp_path / "a")) as here, closing(open_machine(tmp_path / "b")) as there:
        first = here.open_or_create("letters")
        first.change([(letter("a", "A secret lamp.", frozenset({"ann"})), None), (letter("b", "A lamp."), None)])
        first.embed_pending()
        second = there.open("letters")
        ann = Filter(principals=frozenset({"ann"}))
        assert found(second, "lamp", ann) == {"a", "b"}
        assert {hit.chunk.document_id for hit in second.search("secret lamp", 1) if hit.similarity} == {"a"}
        second.permit("a", frozenset({"bob"}))
        assert found(first, "lamp", ann) == {"b"}
        first.remove("b")
        assert found(second, "lamp", ann) == set()
        assert first.verify() == second.verify() == []
        assert not [path for path in (tmp_path / "b").rglob("*") if path.is_file()]
        there.drop("letters")
        assert not list((tmp_path / "tables").glob("letters*"))


def test_a_collection_dropped_on_one_machine_is_gone_on_all(machines: tuple[Library, Library], tmp_path: Path) -> None:
    here, there = machines
    here.open_or_create("letters").add(letter("a", "Old text."))
    old = there.open("letters")
    assert found(old, "text") == {"a"}
    here.drop("letters")
    with pytest.raises(CollectionMissing):
        there.open("letters")
    with pytest.raises(CollectionDropped):
        old.add(letter("b", "Lost text."))
    here.open_or_create("letters").add(letter("c", "New text."))
    assert found(there.open("letters"), "text") == {"c"}
    folders = tmp_path / "b" / "cache" / "collections"
    assert len(list(folders.glob("letters.*"))) == 2
    there.finish_drops(lambda _name, _mark: None)
    assert len(list(folders.glob("letters.*"))) == 1


def test_what_is_noted_on_one_machine_is_read_on_all_and_goes_with_the_collection(
    machines: tuple[Library, Library], tmp_path: Path
) -> None:
    here, there = machines
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "first.txt").write_text("The lamp was lit in 1904.")
    first = here.open_or_create("letters")
    sync(first, [folder])
    first.record_note("questions.json", "When was the lamp lit?")
    second = there.open("letters")
    assert read_note(second) == read_note(first)
    assert read_note(first).disks
    assert second.note("questions.json") == "When was the lamp lit?"
    there.drop("letters")
    assert here.open_or_create("letters").note("questions.json") is None


def test_a_drop_that_was_killed_is_finished_with_what_belongs_to_it(url: str, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    with closing(machine(url, tmp_path / "a")) as library:
        library.open_or_create("letters").add(letter("a", "Old text."))
        with pytest.raises(Killed), PostgresLedgers(url, caches(tmp_path / "c")).dropping("letters", nullcontext("17")):
            raise Killed
        assert library.names() == []
    finished: list[tuple[str, str]] = []
    with closing(machine(url, tmp_path / "b")) as library:  # any machine finishes it: the jobs are those of all
        library.finish_drops(lambda name, mark: finished.append((name, mark)))
        library.finish_drops(lambda name, mark: finished.append((name, mark)))
    assert finished == [("letters", "17")]


def test_texts_claimed_while_their_collection_is_dropped_do_not_stop_the_drop(
    machines: tuple[Library, Library],
) -> None:
    here, there = machines
    here.open_or_create("letters").add(letter("a", "Old text."))
    ledger = there.open("letters")._ledger

    def claim(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "DELETE FROM chunks" in statement:
            claims.enter_context(ledger.claim_pending(1, 1))

    with ExitStack() as claims:
        event.listen(here._ledgers._database._engine, "before_cursor_execute", claim)  # type: ignore[attr-defined]
        here.drop("letters")
    assert there.names() == []


def test_a_machine_that_stalls_loses_its_lock_and_writes_nothing_more(
    machines: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (library.open_or_create("letters") for library in machines)
    with ExitStack() as held:
        with monkeypatch.context() as impatient:
            impatient.setattr("index.storage.postgres._STALLED_MS", 300)
            held.enter_context(here.writing())
        with there.writing(wait=20.0):  # as soon as the server ends the session of the one that does nothing
            there.add(letter("b", "Written by the other."))
        with pytest.raises(DatabaseUnavailable):
            here.add(letter("a", "Written too late."))
    assert found(there, "written") == {"b"}
    here.add(letter("a", "Written again."))
    assert found(there, "written") == {"a", "b"}


def test_a_machine_at_long_work_keeps_its_lock_and_hears_when_it_is_lost(
    machines: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (library.open_or_create("letters")._ledger.projector for library in machines)
    monkeypatch.setattr("index.storage.postgres._STALLED_MS", 400)
    with here.hold(0), here.working() as is_held:
        with pytest.raises(CollectionBusy), there.hold(1.2):  # three times as long as one that does nothing has
            pass
        assert is_held()
        with machines[1]._ledgers._database.reading() as other:  # type: ignore[attr-defined]
            other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        with there.hold(20.0):
            deadline = time.monotonic() + 20
            while is_held():
                assert time.monotonic() < deadline
                time.sleep(0.02)


def test_texts_claimed_by_a_machine_that_stalls_are_encoded_by_another(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ledger.postgres.claims._SECONDS", 1)
    encoder = HashedEncoder()
    facts: dict[str, Any] = {"encoder": encoder.fingerprint, "dimension": encoder.dimension}
    with closing(machine(url, tmp_path / "a")) as library, closing(PostgresLedgers(url, tmp_path / "c")) as ledgers:
        collection = library.open_or_create("letters")
        collection.change([(letter(name, f"The {name} letter."), None) for name in ("red", "blue")])
        stalled = ledgers.open("letters", create=False, **facts)
        with stalled.claim_pending(10, 1.0) as texts:
            assert len(texts) == 2
            assert collection.embed_pending() == 2
            vectors = np.zeros((2, encoder.dimension), dtype=np.float32)
            assert stalled.add_vectors([text.hash for text in texts], vectors) == 0  # too late: nothing is replaced
        assert collection.verify() == []


def test_a_large_collection_is_deleted_some_rows_at_a_time_and_whole(
    machines: tuple[Library, Library], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ledger.postgres.ledgers._DELETED_AT_ONCE", 2)
    here, there = machines
    for name in ("letters", "notes"):
        here.open_or_create(name).change([(letter(str(number), f"Text {number}."), None) for number in range(5)])
    there.drop("letters")
    engine = create_engine(url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.connect() as connection:
        for table in ("versions", "documents", "chunks", "changes", "collections"):
            kept = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
            assert kept == (1 if table == "collections" else 5), table
    engine.dispose()
    assert found(here.open("notes"), "text") == {"0", "1", "2", "3", "4"}


def test_a_statement_that_the_server_takes_too_long_for_is_named_and_the_next_one_works(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.storage.postgres.CONNECT_TIMEOUT_S", 1)
    database = PostgresDatabase(url)
    with pytest.raises(DatabaseUnavailable, match="does not answer"), database.reading() as connection:
        connection.execute(text("SELECT pg_sleep(4)"))
    with database.reading() as connection:
        assert connection.execute(text("SELECT 7")).scalar() == 7
    database.close()


WRITER = """
import sys
from contextlib import suppress
from pathlib import Path
from index.embedding.encoder import HashedEncoder
from index.errors import NotFound, Transient
from index.ledger.postgres.ledgers import PostgresLedgers
from index.library import Library
from index.records import Document

url, home, prefix = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
ledgers = PostgresLedgers(url, home / "cache" / "collections")
collection = Library(home, HashedEncoder(), ledgers=ledgers).open_or_create("letters")
number = 0
while True:
    name = f"{prefix}{number}"
    text = " ".join(f"Sentence {place} of {name} is here." for place in range(40))
    try:
        collection.add(Document(name, "v1", f"upload:///{name}", name, "text/plain", text))
        if number % 3 == 2:
            with suppress(NotFound):  # removed already, if a commit was done and only its answer was lost
                collection.remove(f"{prefix}{number - 1}")
            print(f"-{prefix}{number - 1}", flush=True)
        collection.embed_pending(limit=64)
    except Transient:
        continue
    print(f"+{name}", flush=True)
    number += 1
"""


class Reports:
    """A writer in a process of its own, and what it says is done, read as it comes."""

    def __init__(self, url: str, home: Path, prefix: str) -> None:
        self.lines: list[str] = []
        self._writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(home), prefix], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._writer.stdout is not None
        for line in self._writer.stdout:
            self.lines.append(line.strip())

    def wait_for(self, count: int) -> None:
        """Wait until so many documents are reported."""
        deadline = time.monotonic() + 150
        while len(self.lines) < count:
            assert time.monotonic() < deadline, f"only {len(self.lines)} reports"
            assert self._writer.poll() is None, "the writer ended"
            time.sleep(0.01)

    def kill(self) -> list[str]:
        """Kill the writer. Returns all that it reported."""
        self._writer.send_signal(signal.SIGKILL)
        self._writer.wait()
        self._thread.join()
        assert self._writer.stdout is not None
        self._writer.stdout.close()
        return self.lines


@pytest.fixture
def start_writer() -> Iterator[Callable[[str, Path, str], Reports]]:
    """Starts writers, which end with the test."""
    started: list[Reports] = []

    def start(url: str, home: Path, prefix: str) -> Reports:
        started.append(Reports(url, home, prefix))
        return started[-1]

    yield start
    for reports in started:
        reports.kill()


def require_kept(collection: Collection, reported: list[str]) -> None:
    """What was reported is there as reported, whole; nothing is doubled; the indexes agree."""
    there = {summary.id: summary for summary in collection.documents.list()}
    removed = {line[1:] for line in reported if line[0] == "-"}
    added = {line[1:] for line in reported if line[0] == "+"} - removed
    assert added <= there.keys()
    assert not removed & there.keys()
    for name in added:
        document = collection.documents.get(name)
        hits = collection.opening([name], 1000)
        assert len(hits) == there[name].chunks
        assert all(document.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text for hit in hits)
    collection.embed_pending()
    assert collection.state().pending_vectors == 0
    assert collection.verify() == []


def test_writers_killed_at_any_moment_lose_and_double_nothing(
    url: str, tmp_path: Path, start_writer: Callable[[str, Path, str], Reports]
) -> None:
    chance = random.Random(7)
    reported: list[str] = []
    for turn in range(2):
        homes = {f"{prefix}{turn}-": tmp_path / prefix for prefix in "ab"}
        reports = [start_writer(url, home, prefix) for prefix, home in homes.items()]
        for report in reports:
            report.wait_for(4)
        time.sleep(chance.uniform(0.0, 0.3))
        for report in reports:
            reported += report.kill()
    with closing(machine(url, tmp_path / "c")) as library:
        require_kept(library.open("letters"), reported)


def test_a_server_that_crashes_while_it_is_written_to_loses_nothing(
    tmp_path: Path, start_writer: Callable[[str, Path, str], Reports]
) -> None:
    for server in postgres_server.served():
        url = server.fresh()
        reports = start_writer(url, tmp_path / "a", "a")
        for turn in range(2):
            reports.wait_for(5 * (turn + 1))
            server.stop()
            server.start()
        reports.wait_for(len(reports.lines) + 5)
        reported = reports.kill()
        with closing(machine(url, tmp_path / "b")) as library:
            require_kept(library.open("letters"), reported)


def test_a_database_that_is_away_is_named_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    for server in postgres_server.served():
        with closing(machine(server.fresh(), tmp_path)) as library:
            collection = library.open_or_create("letters")
            collection.add(letter("a", "Some text."))
            server.stop()
            with pytest.raises(DatabaseUnavailable, match="Check that the server runs"):
                collection.search("text")
            with pytest.raises(DatabaseUnavailable):
                library.names()
            assert search_lag(library, lambda lag: lag.changes) == {}
            server.start()
            assert search_lag(library, lambda lag: lag.changes) == {"open": 0}
            assert found(collection, "text") == {"a"}


def test_tables_of_a_newer_quoth_are_not_touched(url: str, tmp_path: Path) -> None:
    with closing(machine(url, tmp_path)) as library:
        library.open_or_create("letters")
    engine = create_engine(url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE ledger_version SET version_num = '9999'"))
    engine.dispose()
    with closing(machine(url, tmp_path)) as library, pytest.raises(LedgerDamaged, match="newer Quoth"):
        library.names()


def test_the_commands_of_two_machines_work_on_one_collection(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.composition.library.SentenceEncoder", lambda *_, **__: HashedEncoder())
    monkeypatch.setenv("QUOTH_DATABASE_URL", url)
    monkeypatch.setenv("QUOTH_COLLECTIONS_IN", "database")
    (tmp_path / "lamp.txt").write_text("The lamp was lit in 1904.")

    def run(home: str, *words: str) -> Any:
        monkeypatch.setenv("QUOTH_HOME", str(tmp_path / home))
        return CliRunner().invoke(quoth.app, list(words))

    assert run("a", "index", str(tmp_path / "lamp.txt")).exit_code == 0
    listed = run("b", "collections")
    assert "default" in listed.stdout
    assert "✓ default is sound" in run("b", "collections", "--verify").stdout
    assert run("a", "collections", "export", "default", str(tmp_path / "all.quoth")).exit_code == 0
    assert run("b", "collections", "import", str(tmp_path / "all.quoth"), "--as", "copy").exit_code == 0
    assert run("a", "collections", "drop", "default", "--yes").exit_code == 0
    assert "copy" in run("b", "collections").stdout
    assert not (tmp_path / "a" / "collections").exists()
    monkeypatch.delenv("QUOTH_COLLECTIONS_IN")
    monkeypatch.delenv("QUOTH_DATABASE_URL")
    assert run("b", "collections", "import", str(tmp_path / "all.quoth")).exit_code == 0  # out of the database again
    assert "✓ default is sound" in run("b", "collections", "--verify").stdout


def test_collections_in_a_database_need_the_url_of_one(tmp_path: Path) -> None:
    for url in (None, f"sqlite:///{tmp_path / 'x.sqlite'}"):
        settings = Settings(home=tmp_path, collections_in="database", database_url=url)  # type: ignore[arg-type]
        with pytest.raises(SettingsInvalid, match="names no PostgreSQL database"):
            open_library(settings)
