"""kill -9 from outside, at any instant of a sync, of a watch, and of writing and trimming the caches.

Together with the kills of test_crash.py these are fifty. Each child is forked from a process that has imported everything, so
that it spends most of its life on work. After every kill the collection is sound and holds a version of each file that the file
once had; in the end it equals the result of an undisturbed run over the last files.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.sync import sync

SYNC_KILLS, WATCH_KILLS, CACHE_KILLS = 14, 8, 8
FILES = 24

NURSERY = """
import os, sys, threading
from functools import partial
from pathlib import Path

import index.maintenance.writer
from index.collection import Collection
from index.engines.embedded import EmbeddedIndex
from index.sync.watch import follow
from index.embedding.encoder import HashedEncoder
from index.records import Document
from index.sync.sync import sync

index.maintenance.writer._LOG_KEPT = 20
index.maintenance.writer._REFRESH_SECONDS = 0.0

def churn(collection):
    number = 0
    while True:
        name = f"churn{number % 5}"
        text = f"Churned {number} times. " * (1 + number % 3)
        collection.add(Document(name, f"v{number}", "note:" + name, name, "text/plain", text))
        collection.embed_pending()
        number += 1

def watch(collection, corpus):
    follow(collection, [corpus], stop=threading.Event(), on_report=print, on_retry=print, settle=0.05)

for line in sys.stdin:
    task, folder, corpus = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        collection = Collection(Path(folder), HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=8))
        os.write(3, f"{os.getpid()}\\n".encode())
        {"sync": lambda: sync(collection, [Path(corpus)]), "watch": lambda: watch(collection, Path(corpus)),
         "churn": lambda: churn(collection)}[task]()
        os._exit(0)
    os.waitpid(child, 0)
    os.write(3, b"ended\\n")
"""


class Nursery:
    """Starts tasks in child processes of a separate process."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        self._lines = os.fdopen(self._read)
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY.replace("os.write(3,", f"os.write({write},")],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[write], text=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        os.close(write)

    def start(self, task: str, folder: Path, corpus: Path) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{task}\t{folder}\t{corpus}\n")
        self._process.stdin.flush()
        return int(self._lines.readline())

    def kill(self, child: int) -> None:
        with suppress(ProcessLookupError):  # it had finished already
            os.kill(child, signal.SIGKILL)
        assert self._lines.readline() == "ended\n"

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._lines.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


class Corpus:
    """A folder that keeps changing, and every text that each of its files ever had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.had: dict[str, set[str]] = {}
        self._generation = 0
        folder.mkdir(exist_ok=True)
        for number in range(FILES):
            self._write(f"file{number:03d}.txt", number)

    def change(self) -> None:
        """Change a third of the files, remove one, add one and rename one."""
        self._generation += 1
        names = sorted(path.name for path in self.folder.iterdir())
        for number, name in enumerate(names):
            if number % 3 == self._generation % 3:
                self._write(name, number)
        (self.folder / names[self._generation % len(names)]).unlink()
        self._write(f"come{self._generation:03d}.txt", self._generation)
        moved = names[(self._generation + 1) % len(names)]
        new = f"moved{self._generation:03d}.txt"
        (self.folder / moved).rename(self.folder / new)
        self.had.setdefault(new, set()).add((self.folder / new).read_text())

    def texts(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.iterdir()}

    def _write(self, name: str, number: int) -> None:
        text = f"Topic{number} in edition{self._generation}. It is said of subject{number % 5} that it is so. " * 4
        (self.folder / name).write_text(text)
        self.had.setdefault(name, set()).add(text)


def check_sound(folder: Path, corpus: Corpus) -> bool:
    """Check that the collection is sound. Returns whether it also equals the files and has all vectors."""
    collection = Collection(folder, HashedEncoder())
    assert [problem for problem in collection.verify() if problem.place != "files"] == []
    uris = [document.uri for document in collection.documents.list()]
    assert len(uris) == len(set(uris))
    for document in collection.documents.list():
        if document.uri.startswith("file:"):
            assert collection.documents.get(document.id).text in corpus.had[document.uri.rsplit("/", 1)[1]]
    texts = {
        document.uri.rsplit("/", 1)[1]: collection.documents.get(document.id).text
        for document in collection.documents.list()
        if document.uri.startswith("file:")
    }
    is_done = texts == corpus.texts() and collection.state().pending_vectors == 0
    collection.close()
    return is_done


def check_as_undisturbed(folder: Path, corpus: Corpus, undisturbed: Path) -> None:
    """Check after one more sync that both ledgers hold the same and every search finds the same with the same similarities."""
    collection, other = Collection(folder, HashedEncoder()), Collection(undisturbed, HashedEncoder())
    for each in (collection, other):
        sync(each, [corpus.folder], prune=True)  # since the last run that ended, most files may have gone
        each.change(remove=[document.id for document in each.documents.list() if document.uri.startswith("note:")])
        assert each.verify() == []
    facts = [
        {
            (document.id, document.version, document.uri, document.source, document.chunks)
            for document in each.documents.list()
        }
        for each in (collection, other)
    ]
    assert facts[0] == facts[1]
    assert {
        document.uri.rsplit("/", 1)[1]: collection.documents.get(document.id).text
        for document in collection.documents.list()
    } == (corpus.texts())
    assert (collection.state().vectors, collection.state().pending_vectors) == (other.state().chunks, 0)
    for word in [*(f"topic{number}" for number in range(FILES)), "subject3", "edition7"]:
        found = [
            [(hit.chunk.id, hit.similarity) for hit in sorted(each.search(word, 200), key=lambda hit: hit.chunk.id)]
            for each in (collection, other)
        ]
        assert found[0] == found[1]
    collection.close()
    other.close()


@pytest.mark.timeout(240)
def test_kills_during_sync_leave_the_result_of_an_undisturbed_sync(tmp_path: Path, nursery: Nursery) -> None:
    corpus, folder, chance = Corpus(tmp_path / "corpus"), tmp_path / "killed", random.Random(11)
    begin = time.monotonic()
    child = nursery.start("sync", tmp_path / "measured", corpus.folder)
    while Path(f"/proc/{child}").exists():
        time.sleep(0.01)
    nursery.kill(child)
    whole = time.monotonic() - begin
    cut_short = 0
    for _ in range(SYNC_KILLS):
        child = nursery.start("sync", folder, corpus.folder)
        time.sleep(whole * chance.random())
        nursery.kill(child)
        cut_short += not check_sound(folder, corpus)
        corpus.change()
    assert cut_short  # otherwise every kill came too late
    check_as_undisturbed(folder, corpus, tmp_path / "undisturbed")


@pytest.mark.timeout(240)
def test_kills_during_watch_leave_the_result_of_an_undisturbed_sync(tmp_path: Path, nursery: Nursery) -> None:
    corpus, folder, chance = Corpus(tmp_path / "corpus"), tmp_path / "killed", random.Random(12)
    collection = Collection(folder, HashedEncoder())
    sync(collection, [corpus.folder])
    collection.close()
    for _ in range(WATCH_KILLS):
        child = nursery.start("watch", folder, corpus.folder)
        corpus.change()
        time.sleep(0.2 + 1.3 * chance.random())
        nursery.kill(child)
        check_sound(folder, corpus)
    check_as_undisturbed(folder, corpus, tmp_path / "undisturbed")


@pytest.mark.timeout(240)
def test_kills_while_caches_are_written_and_the_log_is_trimmed_lose_nothing(tmp_path: Path, nursery: Nursery) -> None:
    corpus, folder, chance = Corpus(tmp_path / "corpus"), tmp_path / "killed", random.Random(13)
    collection = Collection(folder, HashedEncoder())
    sync(collection, [corpus.folder])
    collection.close()
    for _ in range(CACHE_KILLS):
        child = nursery.start("churn", folder, corpus.folder)
        time.sleep(0.1 + 0.5 * chance.random())
        nursery.kill(child)
        check_sound(folder, corpus)
    check_as_undisturbed(folder, corpus, tmp_path / "undisturbed")
