"""Folder sync beside other processes, and after a kill."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.records import Document
from index.sync.sync import SyncProgress, sync
from tests.synced_folder import names, texts, write_folder


@pytest.fixture
def encoder() -> HashedEncoder:
    return HashedEncoder()


@pytest.fixture
def collection(tmp_path: Path, encoder: HashedEncoder) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "library", encoder)
    yield collection
    collection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path)


def test_a_sync_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    for number in range(300):
        path = tmp_path / "many" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Text number {number}.")
    code = (
        "import sys\nfrom pathlib import Path\nfrom index.collection import Collection\n"
        "from index.embedding.encoder import HashedEncoder\nfrom index.sync.sync import sync\n"
        "def say(step):\n    print(step.files_done, flush=True)\n"
        "sync(Collection(Path(sys.argv[1]), HashedEncoder()), [Path(sys.argv[2])], on_progress=say)\n"
    )
    home = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home), str(tmp_path / "many")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if int(line) >= 150:
                running.send_signal(signal.SIGKILL)
                break
        running.wait()
    collection = Collection(home, HashedEncoder())
    kept = len(collection.documents.list())
    assert 128 <= kept < 300
    assert collection.search("number 5", k=1)
    report = sync(collection, [tmp_path / "many"])
    assert (len(report.unchanged), len(report.added)) == (kept, 300 - kept)
    assert (collection.state().documents, collection.state().pending_vectors) == (300, 0)
    collection.close()


def test_a_later_read_of_another_process_is_not_overwritten(collection: Collection, folder: Path) -> None:
    other = Collection(folder.parent / "home" / "library", HashedEncoder())
    apple = folder / "apple.txt"

    def meanwhile(progress: SyncProgress) -> None:
        """Called when the first file has been read and nothing is stored yet."""
        if progress.files_done == 1:
            apple.write_text("Apples fall, as was written meanwhile.")
            sync(other, [apple])

    sync(collection, [folder], on_progress=meanwhile)
    assert texts(collection)["apple.txt"] == "Apples fall, as was written meanwhile."
    other.close()


def test_concurrent_changes_to_removed_and_renamed_files_do_no_harm(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    other = Collection(folder.parent / "home" / "library", HashedEncoder())
    (folder / "apple.txt").rename(folder / "pear.txt")
    (folder / "sub" / "cat.html").unlink()
    (folder / "zebra.txt").write_text("Zebras have stripes.")

    def meanwhile(progress: SyncProgress) -> None:
        if progress.files_done == 1:
            sync(other, [folder])

    report = sync(collection, [folder], on_progress=meanwhile)
    assert names(report)["renamed"] == ["pear.txt"]
    assert sorted(texts(collection)) == ["bear.md", "pear.txt", "zebra.txt"]
    assert collection.verify() == []
    other.close()


def test_others_can_write_between_the_batches_of_a_long_sync(collection: Collection, folder: Path) -> None:
    """Two processes index the same folder while this one adds documents of its own."""
    for number in range(300):
        (folder / f"n{number:03d}.txt").write_text(f"Number {number} is the {number}th of many. " * 3)
    script = """
import sys
from pathlib import Path
from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.sync import sync
collection = Collection(Path(sys.argv[1]), HashedEncoder())
print("ready", flush=True)
report = sync(collection, [Path(sys.argv[2])])
assert not report.rejected, report.rejected
print(len(report.added), flush=True)
"""
    place = folder.parent / "home" / "library"
    others = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(place), str(folder)],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
        )
        for _ in range(2)
    ]  # fmt: skip
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    mine = 0
    while any(other.poll() is None for other in others):
        name = f"mine{mine}"
        collection.add(Document(name, "v", f"note:{name}", name, "text/plain", f"A note of {name}."))
        mine += 1
        time.sleep(0.05)
    assert mine > 3
    for other in others:
        inherited_readers, _ = other.communicate()
        assert (other.returncode, inherited_readers) == (0, "303\n")
    assert sync(collection, [folder]).added == ()
    assert len(collection.documents.list()) == 303 + mine
    assert collection.state().pending_vectors == 0
    assert collection.verify() == []
