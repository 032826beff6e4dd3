"""A full disk, damaged files, a clock that goes back, readers during a switch: nothing acknowledged is lost, and where
something cannot be repaired, the error or the reported problem says what to do."""

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.errors import CollectionMissing, DiskFull, IndexingError
from index.library import Library
from index.records import Document
from index.storage.lock import FileLock
from index.sync.sync import sync
from tests.mounted import can_mount, small_disk

FLIPS = 40
Found = list[list[tuple[str, str, float | None, bool]]]


def document(number: int, edition: int = 0) -> Document:
    text = f"Document {number} in edition {edition} says word{number} of subject{number % 5}. " * 3
    return Document(f"d{number}", f"v{edition}", f"note:{number}", f"Title {number}", "text/plain", text)


def fill(folder: Path, count: int = 40, edition: int = 0) -> None:
    collection = Collection(folder, HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=1))
    for start in range(0, count, 8):
        collection.change(add=[(document(number, edition), None) for number in range(start, start + 8)])
    collection.embed_pending()
    collection.close()


def search_results(collection: Collection) -> Found:
    """The results of searches: every similarity, and whether the words matched.

    BM25 scores are left out: they count deleted chunks that are not merged yet, so a rebuilt lexicon differs in the decimals.
    """
    return [
        sorted(
            (hit.chunk.id, hit.chunk.text, hit.similarity, hit.bm25 is not None)
            for hit in collection.search(query, 100)
        )
        for query in ("word3", "subject2", "word17 subject4")
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection with all its caches, which tests copy and do not change."""
    folder = tmp_path_factory.mktemp("whole") / "c"
    fill(folder)
    return folder


def results_and_damage(folder: Path) -> tuple[Found, list[str]]:
    """The search results of a collection, and the damage that its check reports."""
    collection = Collection(folder, HashedEncoder())
    try:
        return search_results(collection), [finding.what for finding in collection.verify()]
    finally:
        collection.close()


def truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flip_bit(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


@pytest.mark.parametrize("damage", [truncate, flip_bit])
def test_a_damaged_cache_of_any_kind_is_repaired(
    whole: Path, tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    expected = results_and_damage(whole)
    assert expected[1] == []
    caches = [path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and "ledger" not in path.name]
    chance, tried = random.Random(3), 0
    for name in sorted(caches):
        content = (whole / name).read_bytes()
        if content:
            folder = tmp_path / str(tried)
            shutil.copytree(whole, folder)
            (folder / name).write_bytes(damage(content, chance))
            assert results_and_damage(folder) == expected, name
            tried += 1
    assert tried > 5


def test_a_flipped_bit_of_the_ledger_is_harmless_or_reported_with_the_fix(whole: Path, tmp_path: Path) -> None:
    expected, chance, told = results_and_damage(whole)[0], random.Random(5), 0
    content = (whole / "ledger.sqlite").read_bytes()
    for number in range(FLIPS):
        folder = tmp_path / str(number)
        shutil.copytree(whole, folder)
        (folder / "ledger.sqlite").write_bytes(flip_bit(content, chance))
        try:
            found, findings = results_and_damage(folder)
        except IndexingError as error:
            assert any(mend in str(error) for mend in ("Restore", "delete the folder", "Choose that encoder"))  # noqa: PT017
            told += 1
        else:
            assert found == expected or findings
            told += bool(findings)
    assert told


def test_a_truncated_ledger_is_reported_with_the_fix(whole: Path, tmp_path: Path) -> None:
    content = (whole / "ledger.sqlite").read_bytes()
    for part in (0.2, 0.5, 0.9):
        folder = tmp_path / str(part)
        shutil.copytree(whole, folder)
        (folder / "ledger.sqlite").write_bytes(content[: int(len(content) * part)])
        with pytest.raises(
            IndexingError, match=r"ledger\.sqlite: the ledger does not read .* Restore the file from a backup"
        ):
            assert results_and_damage(folder)[1]


@can_mount
def test_a_full_disk_loses_nothing_acknowledged_and_the_next_run_finishes(tmp_path: Path) -> None:
    corpus, chance = tmp_path / "corpus", random.Random(9)
    corpus.mkdir()
    for number in range(160):
        words = " ".join(f"{chance.randrange(10**12):x}" for _ in range(1500))
        (corpus / f"f{number:03d}.txt").write_text(f"File word{number} begins. {words}")
    with small_disk(tmp_path / "disk", "6m") as disk:
        collection = Collection(disk / "c", HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=8))
        with pytest.raises(DiskFull, match="Everything acknowledged before is safe; free space and run again"):
            sync(collection, [corpus])
        kept = {document.uri for document in collection.documents.list()}
        assert 0 < len(kept) < 160
        for found in collection.documents.list():
            number = int(found.uri[-7:-4])
            hits = collection.search(f"word{number}", 5)
            assert found.id in {hit.chunk.document_id for hit in hits if hit.bm25}
        collection.close()
        reader = Collection(disk / "c", HashedEncoder())
        assert {document.uri for document in reader.documents.list()} == kept
        reader.close()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        again, undisturbed = Collection(disk / "c", HashedEncoder()), Collection(tmp_path / "c", HashedEncoder())
        assert len(sync(again, [corpus]).added) == 160 - len(kept)
        sync(undisturbed, [corpus])
        for number in (0, 80, 159):
            assert sorted((hit.chunk.id, hit.similarity) for hit in again.search(f"word{number}", 1000)) == sorted(
                (hit.chunk.id, hit.similarity) for hit in undisturbed.search(f"word{number}", 1000)
            )
        assert again.verify() == undisturbed.verify() == []
        again.close()
        undisturbed.close()


def test_clocks_that_go_back_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Apples are red.")
    collection = Collection(tmp_path / "c", HashedEncoder())
    sync(collection, [corpus])
    (corpus / "a.txt").write_text("Apples are old.")
    os.utime(corpus / "a.txt", (1.0, 1.0))
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    report = sync(collection, [corpus])
    assert len(report.changed) == 1
    assert [hit.chunk.text for hit in collection.search("apples")] == ["Apples are old."]
    assert len(sync(collection, [corpus]).unchanged) == 1
    assert collection.documents.list()[0].indexed_at == 1000.0
    assert collection.verify() == []
    collection.close()


class SearchingReader:
    """Searches one collection repeatedly, through a library of its own, until the block ends."""

    def __init__(self, home: Path) -> None:
        self.found: list[set[str]] = []
        self.missing = 0
        self._library = Library(home, HashedEncoder())
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "SearchingReader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        self._library.close()
        if self._errors:
            raise self._errors[0]

    def wait_for_more(self) -> None:
        before, deadline = len(self.found), time.monotonic() + 60
        while len(self.found) < before + 3:
            assert time.monotonic() < deadline
            assert not self._errors
            time.sleep(0.01)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    hits = self._library.open("c").search("subject2", 100)
                except CollectionMissing:
                    self.missing += 1
                else:
                    self.found.append({hit.chunk.version for hit in hits if hit.bm25})
        except BaseException as error:  # noqa: BLE001 raised at the end of the block
            self._errors.append(error)


def test_a_reader_sees_the_whole_old_or_new_state_while_caches_and_collections_are_switched(tmp_path: Path) -> None:
    place = tmp_path / "collections" / "c"
    fill(place)
    library = Library(tmp_path, HashedEncoder())
    library.open("c").export(tmp_path / "old.quoth")
    with SearchingReader(tmp_path) as reader:
        reader.wait_for_more()
        for edition in range(1, 4):
            library.open("c").change(add=[(document(number, edition), None) for number in range(40)])
            library.open("c").embed_pending()
            reader.wait_for_more()
            shutil.rmtree(place / "lexicon")
            (place / "vectors.json").unlink(missing_ok=True)
            reader.wait_for_more()
        library.drop("c")
        library.import_from(tmp_path / "old.quoth")
        reader.wait_for_more()
    assert {len(versions) for versions in reader.found} == {1}, [v for v in reader.found if len(v) != 1]
    order = [next(iter(versions)) for versions in reader.found]
    changes = [version for place, version in enumerate(order) if place == 0 or order[place - 1] != version]
    assert changes == ["v0", "v1", "v2", "v3", "v0"]
    assert library.open("c").verify() == []
    library.close()


def test_a_search_waits_for_a_writer_that_has_changed_all_that_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.search.retrieval._PATIENCE_SECONDS", 60)
    fill(tmp_path / "c", 8)
    writer, reader = (Collection(tmp_path / "c", HashedEncoder()) for _ in range(2))
    for collection in (writer, reader):
        assert {hit.chunk.version for hit in collection.search("subject2", 100)} == {"v0"}
    with ThreadPoolExecutor(1) as pool, ExitStack() as long_write:
        long_write.enter_context(FileLock(tmp_path / "c" / "lexicon.lock").hold(10))
        writer.change(add=[(document(number, 1), None) for number in range(8)])
        writer.embed_pending()
        found = pool.submit(reader.search, "subject2", 100)
        assert wait([found], 0.6).not_done
        long_write.close()
        hits = found.result()
    assert {hit.chunk.version for hit in hits if hit.bm25} == {"v1"}
    writer.close()
    reader.close()
