"""Any sequence of adding, changing, removing, renaming files, crashing and reopening equals a brute-force model.

Files are real and read by the real parsers, in this process for speed. A crash abandons a sync at some file or at some batch of
vectors, in the state it has then; sometimes it also leaves half a cache behind.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.extraction.extractor import Extractor
from index.formats.limits import Extraction, Limits
from index.formats.parse import read_document
from index.sync.sync import SyncProgress, sync

WORDS = ("apple", "bear", "cat", "dog", "eel")
NAMES = st.sampled_from(["a.txt", "b.md", "sub/c.txt", "sub/d.html", "e.txt"])
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(lambda words: " ".join(words).capitalize() + ".")


class Crash(BaseException):
    """Simulates the end of the process."""


class InProcess(Extractor):
    """Reads files in this process, without a sandbox."""

    def extract(self, path: Path, *, uri: str | None = None, name: str | None = None) -> Extraction:
        return read_document(path, PurePath(name or path.name), uri or path.as_uri(), Limits())


class Machine(RuleBasedStateMachine):
    """`files` is the model; `is_synced` is true while the collection agrees with it."""

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="quoth-machine-"))
        self.corpus = self.home / "corpus"
        (self.corpus / "sub").mkdir(parents=True)
        (self.corpus / "sub" / "keep.txt").write_text("Kept.")
        self.files = {"sub/keep.txt": "Kept."}
        self.ticks = 10**18
        self.is_synced = False
        self.collection = self._open_collection()

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.collection.close()
            shutil.rmtree(self.home)

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        self._write_file(name, text)

    @precondition(lambda self: len(self.files) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.files) - {"sub/keep.txt"})))
        (self.corpus / name).unlink()
        del self.files[name]
        self.is_synced = False

    @precondition(lambda self: len(self.files) > 1)
    @rule(data=st.data(), to=NAMES)
    def rename(self, data: st.DataObject, to: str) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.files) - {"sub/keep.txt"})))
        if Path(name).suffix == Path(to).suffix:
            (self.corpus / name).rename(self.corpus / to)
            self.files[to] = self.files.pop(name)
            self.is_synced = False

    @rule()
    def touch(self) -> None:
        for name in self.files:
            self._stamp(self.corpus / name)
        self.is_synced = False

    @rule()
    def sync(self) -> None:
        sync(self.collection, [self.corpus])
        self.is_synced = True

    @rule(at=st.integers(1, 4))
    def crash_while_reading(self, at: int) -> None:
        def advance(progress: SyncProgress) -> None:
            if progress.files_done >= at and not progress.chunks_total:
                raise Crash

        self._crash(lambda: sync(self.collection, [self.corpus], on_progress=advance))

    @rule(damaged=st.booleans())
    def crash_while_embedding(self, damaged: bool) -> None:
        def advance(progress: SyncProgress) -> None:
            if progress.chunks_total:
                raise Crash

        self._crash(lambda: sync(self.collection, [self.corpus], on_progress=advance))
        if damaged:
            for path in (self.home / "c").rglob("*.term"):
                cut = path.with_name(
                    "cut"
                )  # not in place: threads of the abandoned collection that have it mapped would crash
                cut.write_bytes(path.read_bytes()[:-3])
                cut.replace(path)

    @rule()
    def reopen(self) -> None:
        self.collection.close()
        self.collection = self._open_collection()

    @invariant()
    def no_document_is_stored_twice_and_every_quote_is_literal(self) -> None:
        documents = self.collection.documents.list()
        assert len({document.uri for document in documents}) == len(documents)
        for hit in self.collection.search("apple bear cat dog eel kept", 100):
            assert (
                self.collection.documents.get(hit.chunk.document_id).text[hit.chunk.start : hit.chunk.end]
                == hit.chunk.text
            )

    @invariant()
    def a_synced_collection_equals_the_model(self) -> None:
        if not self.is_synced:
            return
        held = {
            document.uri: self.collection.documents.get(document.id) for document in self.collection.documents.list()
        }
        assert sorted(held) == sorted((self.corpus / name).as_uri() for name in self.files)
        assert (self.collection.state().vectors, self.collection.state().pending_vectors) == (len(held), 0)
        encoder = HashedEncoder()
        for word in (*WORDS, "kept"):
            hits = {hit.uri: hit for hit in self.collection.search(word, 100)}
            lexical = {uri for uri, hit in hits.items() if hit.bm25}
            assert lexical == {
                uri for uri, document in held.items() if word in f"{document.title} {document.text}".lower()
            }
            assert hits.keys() == held.keys()
            query = encoder.encode([word])[0]
            for uri, document in held.items():
                vector = encoder.encode([document.text.strip()])[
                    0
                ]  # the title is the file's name, which is not searched
                similarity = hits[uri].similarity
                assert similarity is not None
                assert similarity == pytest.approx(
                    float(query @ vector.astype(np.float16).astype(np.float32)), abs=2e-3
                )

    def _open_collection(self) -> Collection:
        return Collection(self.home / "c", HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=3))

    def _crash(self, work: Callable[[], object]) -> None:
        self.is_synced = False
        try:
            work()
        except Crash:
            self.collection = self._open_collection()  # the old collection is abandoned, not closed
        else:
            self.is_synced = True

    def _write_file(self, name: str, text: str) -> None:
        (self.corpus / name).write_text(f"<p>{text}</p>" if name.endswith("html") else text)
        self._stamp(self.corpus / name)
        self.files[name] = text
        self.is_synced = False

    def _stamp(self, path: Path) -> None:
        """Give the file a modification time of its own, even when two are written within one tick of the disk's clock."""
        self.ticks += 1000
        os.utime(path, ns=(self.ticks, self.ticks))


@pytest.fixture(autouse=True)
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.sync.sync.Extractor", InProcess)


def test_any_sequence_of_changes_and_crashes_equals_the_model() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
