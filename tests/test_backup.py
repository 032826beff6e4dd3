"""The backups that docs/operations.md recommends, made while another process writes: each opens, is sound, and answers."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.embedding.encoder import HashedEncoder
from index.library import Library
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.test_conversations import make_answer

BACKUPS = 4
FACT = "The mill opened in 1932."
INDEXER = """
import sys
from pathlib import Path
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.sync.sync import sync

home, corpus = Path(sys.argv[1]), Path(sys.argv[2])
collection = Library(home, HashedEncoder()).open_or_create("papers")
for round in range(1000):
    for number in range(20):
        text = f"File {number} was written {round} times. " * (1 + round % 7)
        (corpus / f"{number}.txt").write_text(text)
    sync(collection, [corpus])
    print(round, flush=True)
"""


@pytest.fixture
def indexing(tmp_path: Path) -> Iterator[Path]:
    """The home of a process that indexes changed files over and over; it has written once already."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "mill.txt").write_text(FACT)
    command = [sys.executable, "-c", INDEXER, str(tmp_path / "home"), str(corpus)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        try:
            yield tmp_path / "home"
            assert process.poll() is None  # it wrote all the time
        finally:
            os.kill(process.pid, signal.SIGKILL)


def test_exports_made_while_files_are_indexed_are_whole_collections(indexing: Path, tmp_path: Path) -> None:
    with (
        closing(Library(indexing, HashedEncoder())) as library,
        closing(Library(tmp_path / "b", HashedEncoder())) as copies,
    ):
        for number in range(BACKUPS):
            exported = tmp_path / f"{number}.quoth"
            library.open("papers").export(exported)
            copy = copies.open(copies.import_from(exported, f"copy{number}"))
            assert [problem.what for problem in copy.verify() if problem.place != "files"] == []
            assert copy.search("When did the mill open?", 1)[0].chunk.text == FACT
            assert len(copy.documents.list()) == 21
            assert copy.embed_pending() >= 0
            assert copy.state().pending_vectors == 0


def test_a_copy_of_the_conversations_made_while_answers_are_stored_holds_all_of_them_until_then(tmp_path: Path) -> None:
    store, stop = ConversationStore(Database(f"sqlite:///{tmp_path / 'c.sqlite'}")), threading.Event()
    written: list[str] = []

    def write() -> None:
        while not stop.is_set():
            store.append(make_answer(f"a{len(written)}", f"c{len(written) % 3}"), "default")
            written.append(f"a{len(written)}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(BACKUPS):
            while len(written) < 5 * (number + 1):
                stop.wait(0.01)
            before = len(written)
            copy = tmp_path / f"copy{number}.sqlite"
            with closing(sqlite3.connect(tmp_path / "c.sqlite")) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)  # what `.backup` of the command sqlite3 does
            with closing(ConversationStore(Database(f"sqlite:///{copy}"))) as restored:
                assert all(restored.answer(id).answer.text == "Because. [1]" for id in written[:before])
    finally:
        stop.set()
        writer.join()
        store.close()
