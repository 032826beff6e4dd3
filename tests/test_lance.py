"""Search tables on shared storage: shared by processes, made again, killed, unreachable, compacted, dropped."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.embedding.encoder import HashedEncoder
from index.engines.lance import projector as lance_projector
from index.engines.lance.index import LanceIndex
from index.engines.lance.indexes import LanceIndexes
from index.engines.lance.table import ChunkTable
from index.errors import SearchIndexBuilding, SearchStorageUnreachable
from index.filters import Filter
from index.ledger.sqlite.ledger import SqliteLedger
from index.library import Library
from index.records import Document
from index.storage.lock import FileLock
from service.composition.library import open_library
from service.errors import SettingsInvalid
from service.settings import Settings
from tests.s3_server import make_bucket
from tests.test_search_index import document, embed, entry

KILLS = 5
ROOT = Path(__file__).parent.parent
OWN_PATH = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", encoder="hashed", dimension=16)
    yield ledger
    ledger.close()


def opened(folder: Path, ledger: SqliteLedger, url: str | None = None) -> LanceIndex:
    return LanceIndex(url or str(folder / "tables"), "chunks", ledger, FileLock(folder / "projector.lock"), patience=60)


def fill(ledger: SqliteLedger, numbers: range) -> None:
    ledger.change([entry(document(f"{number}", f"apple word{number}\nbear\ncat")) for number in numbers], [])
    embed(ledger)


def found(index: LanceIndex, query: str) -> set[int]:
    return {number for number, _ in index.words(query, 10_000, None)}


def test_what_one_process_writes_another_finds_and_a_late_one_misses(ledger: SqliteLedger, tmp_path: Path) -> None:
    writer, reader = opened(tmp_path, ledger), opened(tmp_path, ledger)
    fill(ledger, range(3))
    writer.save(at_once=True)
    assert reader.catch_up() == ledger.mark().position
    assert len(found(reader, "apple")) == 3
    fill(ledger, range(3, 5))
    with FileLock(tmp_path / "projector.lock").hold(0):  # somebody else writes the table, and has not come to this yet
        assert reader.catch_up() < ledger.mark().position
        assert len(found(reader, "apple")) == 3
    assert reader.catch_up() == ledger.mark().position
    assert len(found(reader, "apple")) == 5


def test_a_table_that_is_gone_or_of_another_ledger_or_format_is_made_again(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_projector, "_BATCH", 4)
    fill(ledger, range(5))
    ledger.permit("1", {"ann"})
    ledger.change([], ["2"])
    index = opened(tmp_path, ledger)
    index.catch_up()
    LanceIndexes(str(tmp_path / "tables")).drop("chunk")
    assert len(found(opened_and_ready(tmp_path, ledger), "apple")) == 4
    ledger.trim(ledger.mark().position)
    fill(ledger, range(5, 7))
    ledger.trim(ledger.mark().position)
    assert not list(opened_and_ready(tmp_path, ledger).differences())
    (tmp_path / "other").mkdir()
    other = SqliteLedger(tmp_path / "other" / "ledger.sqlite", encoder="hashed", dimension=16)
    fill(other, range(1))
    over_the_same = opened(tmp_path, other)
    with FileLock(tmp_path / "projector.lock").hold(0):
        with pytest.raises(SearchIndexBuilding, match=r"other: its search table is being made .* \(at chunk 0 of 3\)"):
            over_the_same.catch_up()
        assert found(over_the_same, "apple") == set()
        assert over_the_same.dense(np.ones(16, np.float32), 9, None) == []
    over_the_same.catch_up()
    assert len(found(over_the_same, "apple")) == 1
    other.close()
    monkeypatch.setattr("index.engines.lance.rows.FORMAT", 2)
    assert len(found(opened_and_ready(tmp_path, ledger), "apple")) == 6


def opened_and_ready(folder: Path, ledger: SqliteLedger) -> LanceIndex:
    index = opened(folder, ledger)
    assert index.catch_up() == ledger.mark().position
    return index


def test_a_search_waits_a_moment_for_a_missing_table_and_is_never_kept_until_it_is_made(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_projector, "_BATCH", 2)
    fill(ledger, range(4))
    made, table_apply = threading.Semaphore(0), ChunkTable.apply

    def slow(table: ChunkTable, *what: Any) -> None:
        made.acquire()
        table_apply(table, *what)

    monkeypatch.setattr(ChunkTable, "apply", slow)
    index = LanceIndex(str(tmp_path / "tables"), "chunks", ledger, FileLock(tmp_path / "projector.lock"), patience=0.1)
    with pytest.raises(SearchIndexBuilding, match="at chunk 0 of 12"):
        index.catch_up()
    made.release()
    with pytest.raises(SearchIndexBuilding):
        index.catch_up()
    made.release(100)
    index._projector.begin().join(60)
    assert index.catch_up() == ledger.mark().position
    assert len(found(index, "apple")) == 4
    monkeypatch.setattr("index.engines.lance.index._NEAR", 2)
    monkeypatch.setattr(index, "_patience", 3600.0)
    while made.acquire(blocking=False):
        continue
    fill(ledger, range(4, 8))
    assert index.catch_up() < ledger.mark().position  # at once, with what is there
    assert len(found(index, "apple")) == 4
    made.release(100)
    index.close()


def test_a_table_deleted_while_it_is_open_is_made_again(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(3))
    first, second = opened_and_ready(tmp_path, ledger), opened_and_ready(tmp_path, ledger)
    shutil.rmtree(tmp_path / "tables" / "chunks.lance")
    with FileLock(tmp_path / "projector.lock").hold(0):
        with pytest.raises(SearchIndexBuilding):
            second.catch_up()
        assert (second.position(), second.has_vectors, found(second, "apple")) == (0, False, set())
    for index in (first, second):
        assert index.catch_up() == ledger.mark().position
        assert len(found(index, "apple")) == 3


def test_a_table_ahead_of_a_ledger_that_was_restored_is_made_again(ledger: SqliteLedger, tmp_path: Path) -> None:
    fill(ledger, range(3))
    (tmp_path / "restored").mkdir()
    ledger.copy(tmp_path / "restored" / "ledger.sqlite")
    fill(ledger, range(3, 5))
    ledger.change([], ["0"])
    opened_and_ready(tmp_path, ledger)
    with closing(SqliteLedger(tmp_path / "restored" / "ledger.sqlite", encoder="hashed", dimension=16)) as restored:
        index = opened_and_ready(tmp_path, restored)
        assert len(found(index, "apple")) == 3
        assert not list(index.differences())


PROJECTOR = """
import sys
from pathlib import Path
from index.engines.lance import projector as lance_projector
from index.ledger.sqlite.ledger import SqliteLedger
from tests.test_lance import opened
from tests.test_search_index import document, embed, entry

lance_projector._BATCH = 40
folder = Path(sys.argv[1])
ledger = SqliteLedger(folder / "ledger.sqlite", encoder="hashed", dimension=16)
index = opened(folder, ledger)
print("ready", flush=True)
index.save(at_once=True)
number = 0
while True:
    number += 1
    changed = entry(document(f"{number % 30}", f"apple number{number} of{sys.argv[2]}"))
    ledger.change([changed], [f"{number % 30 + 30}"] if number < 30 else [])
    embed(ledger)
    index.save(at_once=True)
"""


def test_a_projector_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    fill(ledger, range(400))
    moments = random.Random(3)
    was_in_the_middle = 0
    for kill in range(KILLS):
        fill(ledger, range(30, 60))
        process = subprocess.Popen(
            [sys.executable, "-c", PROJECTOR, str(tmp_path), f"{kill}"],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=OWN_PATH,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0.02, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        index = opened(tmp_path, ledger)
        with FileLock(tmp_path / "projector.lock").hold(5):
            was_in_the_middle += index.position() < ledger.mark().position
        assert index.catch_up() == ledger.mark().position
        assert not list(index.differences())
        numbers = [number for numbers, _, _ in index._table.rows() for number in numbers.tolist()]
        assert len(numbers) == len(set(numbers)) == ledger.chunks.counts()[1]
    assert was_in_the_middle > 0


def test_storage_that_does_not_answer_stops_no_writer_and_says_so_to_a_search(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, s3_url: str
) -> None:
    fill(ledger, range(2))
    index = opened(tmp_path, ledger, "s3://nobody-made-this/tables")
    index.save(at_once=True)
    assert "the search table is behind until a search or a writer reaches it" in caplog.text
    with pytest.raises(
        SearchStorageUnreachable, match=r"s3://nobody-made-this/tables: the search table chunks cannot be"
    ):
        index.catch_up()
    index = opened(tmp_path, ledger, make_bucket(s3_url, "made") + "/tables")
    assert index.catch_up() == ledger.mark().position


def test_many_small_parts_are_compacted_within_a_tenth_of_the_time(ledger: SqliteLedger, tmp_path: Path) -> None:
    index = opened(tmp_path, ledger)
    parts = []
    for number in range(50):
        fill(ledger, range(number, number + 1))
        index.save(at_once=True)
        parts.append(index._table._opened().stats()["fragment_stats"]["num_fragments"])
    assert min(parts[20:]) < 10
    assert len(found(index, "apple")) == 50
    assert not list(index.differences())


def test_a_library_on_shared_storage_answers_filters_and_drops(tmp_path: Path) -> None:
    url = tmp_path / "tables"
    library = Library(tmp_path / "home", HashedEncoder(), LanceIndexes(str(url)))
    with closing(library):
        for name in ("papers", "papers-2"):
            collection = library.open_or_create(name)
            collection.add(
                Document("a", "1", "note:a", "A", "text/plain", "Apples grow on trees.", principals=frozenset(["ann"]))
            )
            collection.add(Document("b", "1", "note:b", "B", "text/plain", "Apples are red."))
            collection.embed_pending()
            assert {hit.chunk.document_id for hit in collection.search("red apples")} == {"a", "b"}
            nobody = Filter(principals=frozenset())
            assert [hit.chunk.document_id for hit in collection.search("red apples", where=nobody)] == ["b"]
            assert collection.verify() == []
        assert not (collection.folder / "lexicon").exists()
        assert not list(collection.folder.glob("vectors*"))
        library.drop("papers")
        assert [path.name.partition(".")[0] for path in url.iterdir()] == ["papers-2"]


def test_the_setting_chooses_where_search_tables_are_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", storage_url=str(tmp_path / "tables"))
    with closing(open_library(settings)) as library:
        collection = library.open_or_create("papers")
        collection.add(Document("a", "1", "note:a", "A", "text/plain", "Apples grow on trees."))
        assert [hit.title for hit in collection.search("apples")] == ["A"]
        assert library.search_lags()["papers"].changes == 0
        assert [path.name.partition(".")[0] for path in (tmp_path / "tables").iterdir()] == ["papers"]
    monkeypatch.setitem(sys.modules, "lancedb", None)
    for name in [name for name in sys.modules if name.startswith("index.engines.lance.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        SettingsInvalid, match=r"storage_url \(QUOTH_STORAGE_URL\) needs .*pip install 'quoth\[cluster\]'"
    ):
        open_library(settings)


def test_without_the_setting_nothing_of_it_is_imported(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from service.composition.library import open_library
from service.settings import Settings
open_library(Settings(home=Path(sys.argv[1]))).open_or_create("papers")
print([name for name in ("lancedb", "pyarrow") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, env=OWN_PATH
    )
    assert done.stdout.strip() == "[]"
