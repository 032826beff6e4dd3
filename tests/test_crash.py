"""kill -9 during indexing: acknowledged documents survive, nothing is stored twice, and the next run finishes."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.engines.embedded import EmbeddedIndex
from index.records import Document
from index.vectors.builder import Sizes

KILLS = 14
OUTSIDE_KILLS = 6
GOLDEN = 0.618034
"""Its multiples modulo 1 are spread evenly, for any number of them."""

INDEXER = """
import hashlib, json, os, signal, sys
from functools import partial
from pathlib import Path

import index
from index.vectors.builder import Sizes
from index.collection import Collection
from index.engines.embedded import EmbeddedIndex
from index.embedding.encoder import HashedEncoder
from index.records import Document

FOLDER = str(Path(index.__file__).parent)
lines = 0

def count(frame, event, argument):
    global lines
    if event == "line":
        lines += 1
        if lines == die_after:
            os.kill(os.getpid(), signal.SIGKILL)
    return count

def watch(frame, event, argument):
    return count if frame.f_code.co_filename.startswith(FOLDER) else None

def document(name, text):
    version = hashlib.sha256(text.encode()).hexdigest()
    return Document(id=name, version=version, uri="file:///" + name, title="Title " + name, media_type="text/plain", text=text)

def run(folder, texts):
    wanted = {name: document(name, text) for name, text in texts.items()}
    sys.settrace(watch)
    sizes = Sizes(exact=5, quantised=10, probed=1.0)
    collection = Collection(Path(folder), HashedEncoder(), make_index=partial(EmbeddedIndex, min_to_save=8, sizes=sizes))
    with collection.writing():
        gone = [summary.id for summary in collection.documents.list() if summary.id not in wanted]
        names = sorted(wanted)
        for start in range(0, len(names), 3):
            batch = names[start:start + 3]
            collection.change(add=[(wanted[name], None) for name in batch], remove=gone)
            gone = []
            os.write(1, ("kept " + " ".join(batch) + "\\n").encode())
            collection.embed_pending(limit=2)
    collection.embed_pending()
    assert collection.search("alpha", 3)
    sys.settrace(None)
    os.write(1, f"lines {lines}\\n".encode())

for line in sys.stdin:
    folder, texts, die_after, written = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(written, os.O_WRONLY), 1)
        run(folder, texts)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Indexers:
    """Processes that index, each forked from one that has imported everything."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", INDEXER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def start(self, folder: Path, texts: dict[str, str], written: Path, die_after: int = 0) -> int:
        """The id of a process that indexes the texts, writes what is kept into a file, and dies after so many lines."""
        written.touch()
        self._requests.write(json.dumps([str(folder), texts, die_after, str(written)]) + "\n")
        self._requests.flush()
        return int(self._answers.readline())

    def end(self) -> int:
        """The exit code of the process that was started, once it has ended."""
        return int(self._answers.readline())

    def run(self, folder: Path, texts: dict[str, str], die_after: int = 0) -> tuple[int, list[str]]:
        """The exit code of a process that indexes the texts, and the lines that it wrote."""
        written = folder.with_suffix(".written")
        written.unlink(missing_ok=True)
        self.start(folder, texts, written, die_after)
        code = self.end()
        assert code in (0, -signal.SIGKILL)
        return code, written.read_text().splitlines()

    def close(self) -> None:
        self._requests.close()
        assert self._process.wait(30) == 0
        self._answers.close()


@pytest.fixture(scope="module")
def indexers() -> Iterator[Indexers]:
    indexers = Indexers()
    yield indexers
    indexers.close()


def corpus(generation: int) -> dict[str, str]:
    """Twenty documents; in each generation a third changes, one is removed and one is added."""
    texts = {}
    for number in range(generation, generation + 20):
        edition = generation if number % 3 == generation % 3 else 0
        words = f"alpha doc{number}word edition{edition}of{number}."
        texts[f"doc{number:03d}"] = f"{words} It speaks of subject{number % 7} at length. Nothing else is said here."
    return texts


def search_results(collection: Collection, texts: dict[str, str]) -> list[list[tuple[str, float]]]:
    """Return for each document the result of a search for its own word over all chunks: ids and cosines."""
    found = []
    for name, text in texts.items():
        hits = collection.search(text.split()[1], 100)
        assert name in {hit.chunk.document_id for hit in hits if hit.bm25}
        assert len(hits) == len(texts) == len({hit.chunk.id for hit in hits})
        for hit in hits:
            assert texts[hit.chunk.document_id][hit.chunk.start : hit.chunk.end] == hit.chunk.text
        cosines = {hit.chunk.id: hit.similarity for hit in hits}
        found.append(sorted((chunk, round(cosine, 5)) for chunk, cosine in cosines.items() if cosine is not None))
        assert len(found[-1]) == len(hits)
    return found


def check_whole(folder: Path, texts: dict[str, str], undisturbed: Path) -> None:
    """Check that the collection holds exactly `texts`, nothing twice, and that searches equal those of an undisturbed one."""
    sizes = Sizes(exact=5, quantised=10, probed=1.0)
    collection = Collection(folder, HashedEncoder(), make_index=partial(EmbeddedIndex, sizes=sizes))
    other = Collection(undisturbed, HashedEncoder(), make_index=partial(EmbeddedIndex, sizes=sizes))
    assert {d.id: collection.documents.get(d.id).text for d in collection.documents.list()} == texts
    state, expected = collection.state(), other.state()
    assert (state.documents, state.chunks, state.vectors, state.pending_vectors) == (
        expected.documents, expected.chunks, expected.vectors, 0,
    )  # fmt: skip
    assert search_results(collection, texts) == search_results(other, texts)
    collection.close()
    other.close()


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_the_indexer_is_killed_anywhere(tmp_path: Path, indexers: Indexers) -> None:
    folder = tmp_path / "killed"
    code, output = indexers.run(tmp_path / "measured", corpus(0))
    assert code == 0
    total = int(output[-1].split()[1])
    killed = generation = 0
    while killed < KILLS:
        assert generation < 3 * KILLS
        texts = corpus(generation)
        die_after = 1 + int(total * 0.7 * (generation * GOLDEN % 1))
        code, output = indexers.run(folder, texts, die_after)
        killed += code == -signal.SIGKILL
        acknowledged = [name for line in output if line.startswith("kept ") for name in line.split()[1:]]
        collection = Collection(folder, HashedEncoder())
        for name in acknowledged:
            assert collection.documents.get(name).text == texts[name]
            word = texts[name].split()[1]
            assert name in {hit.chunk.document_id for hit in collection.search(word, 3) if hit.bm25}
        stored = [summary.id for summary in collection.documents.list()]
        assert len(stored) == len(set(stored))
        collection.close()
        generation += 1
    last = corpus(generation)
    for place in (folder, tmp_path / "undisturbed"):
        assert indexers.run(place, last)[0] == 0
    check_whole(folder, last, tmp_path / "undisturbed")


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_the_kill_comes_from_outside_at_any_instant(
    tmp_path: Path, indexers: Indexers
) -> None:
    """These kills also fall inside the code of SQLite, FAISS and Tantivy, not only between lines of Python."""
    folder, chance = tmp_path / "killed", random.Random(7)
    for generation in range(OUTSIDE_KILLS):
        texts = corpus(generation)
        written = tmp_path / f"{generation}.written"
        child = indexers.start(folder, texts, written)
        while not written.read_text().endswith("\n"):
            time.sleep(0.002)
        time.sleep(chance.random() * 0.2)
        with suppress(ProcessLookupError):  # it had finished already
            os.kill(child, signal.SIGKILL)
        indexers.end()
        kept = [line for line in written.read_text().splitlines() if line.startswith("kept ")]
        acknowledged = [name for line in kept for name in line.split()[1:]]
        collection = Collection(folder, HashedEncoder())
        for name in acknowledged:
            assert collection.documents.get(name).text == texts[name]
            assert name in {hit.chunk.document_id for hit in collection.search(texts[name].split()[1], 3) if hit.bm25}
        collection.close()
    for place in (folder, tmp_path / "undisturbed"):
        assert indexers.run(place, corpus(OUTSIDE_KILLS))[0] == 0
    check_whole(folder, corpus(OUTSIDE_KILLS), tmp_path / "undisturbed")


def test_a_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
with Collection(Path(sys.argv[1]), HashedEncoder()).writing():
    print("holding", flush=True)
    time.sleep(60)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "c")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    collection = Collection(tmp_path / "c", HashedEncoder())
    text = "A sentence after the crash."
    version = hashlib.sha256(text.encode()).hexdigest()
    collection.add(Document("d", version, "file:///d", "d", "text/plain", text))
    assert collection.search("crash")[0].chunk.document_id == "d"
    collection.close()
