"""Folders followed by a real watcher: changes to files are found by search within seconds."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.errors import CollectionBusy, FolderUnwatchable, IndexingError, Transient
from index.records import FileStamp
from index.sync.listing import File, Listing
from index.sync.sync import SyncReport, sync
from index.sync.watch import follow, settled_part

SECONDS = 30.0


class Following:
    """A collection that follows paths, in a thread, until the block ends."""

    def __init__(self, folder: Path, paths: list[Path], settle: float = 0.2) -> None:
        self.collection = Collection(folder, HashedEncoder())
        self.reports: list[SyncReport] = []
        self.troubles: list[Transient] = []
        self.errors: list[IndexingError] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(paths, settle))

    def __enter__(self) -> "Following":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        self.collection.close()

    def _run(self, paths: list[Path], settle: float) -> None:
        try:
            follow(
                self.collection,
                paths,
                stop=self._stop,
                on_report=self.reports.append,
                on_retry=self.troubles.append,
                settle=settle,
            )
        except IndexingError as error:
            self.errors.append(error)

    def texts(self) -> dict[str, str]:
        documents = self.collection.documents.list()
        return {found.uri.rsplit("/", 1)[1]: self.collection.documents.get(found.id).text for found in documents}

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert not self.errors
            assert time.monotonic() < deadline, (self.texts(), self.reports)
            time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "sub").mkdir(parents=True)
    (folder / "apple.txt").write_text("Apples grow on trees.")
    return folder


@pytest.fixture
def following(tmp_path: Path, folder: Path) -> Iterator[Following]:
    with Following(tmp_path / "home" / "c", [folder]) as following:
        following.until(lambda: following.texts() == {"apple.txt": "Apples grow on trees."})
        yield following


def test_a_file_is_settled_when_two_checks_saw_it_the_same() -> None:
    def file(name: str, size: int) -> File:
        return File(Path(name), f"file:///a/{name}", FileStamp(size, 1))

    before = Listing((file("same", 1), file("growing", 1), file("gone", 1)), (), (), ("file:///a",), ())
    now = replace(before, files=(file("same", 1), file("growing", 2), file("new", 1)))
    steady = settled_part(now, before)
    assert steady.files == (file("same", 1),)
    assert steady.unknown == ("file:///a/gone", "file:///a/growing", "file:///a/new")
    assert not steady.is_gone("file:///a/gone")
    assert settled_part(now, now) == now
    assert settled_part(now, None).files == ()
    assert not settled_part(now, None).is_gone("file:///a/any")


def test_added_changed_moved_and_removed_files_are_followed(following: Following, folder: Path) -> None:
    (folder / "sub" / "bear.txt").write_text("Bears eat honey.")
    bear = (folder / "sub" / "bear.txt").as_uri()
    following.until(lambda: [hit.uri for hit in following.collection.search("honey", k=1)] == [bear])
    (folder / "apple.txt").write_text("Apples fall.")
    following.until(lambda: following.texts()["apple.txt"] == "Apples fall.")
    (folder / "sub").rename(folder / "below")
    following.until(lambda: any(report.renamed for report in following.reports))
    assert following.reports[-1].renamed == ((folder / "below" / "bear.txt").as_uri(),)
    (folder / "apple.txt").unlink()
    following.until(lambda: sorted(following.texts()) == ["bear.txt"])
    assert following.collection.state().pending_vectors == 0
    assert following.troubles == []


def test_editors_save_by_renaming_and_their_temporary_files_are_not_indexed(following: Following, folder: Path) -> None:
    for name in (".apple.txt.swp", "apple.txt~", "#apple.txt#", "apple.tmp"):
        (folder / name).write_text("Not for reading.")
    (folder / "apple.tmp").write_text("Apples are saved.")
    (folder / "apple.tmp").replace(folder / "apple.txt")
    following.until(lambda: following.texts() == {"apple.txt": "Apples are saved."})
    assert all(not report.rejected and not report.removed for report in following.reports)


def test_a_file_is_not_read_while_it_is_written(tmp_path: Path, folder: Path) -> None:
    with Following(tmp_path / "home" / "c", [folder], settle=1.0) as following:
        following.until(lambda: bool(following.reports))
        with (folder / "long.txt").open("w") as file:
            for _ in range(30):  # 3 s: three times the delay after which a file counts as settled
                file.write("A sentence comes. ")
                file.flush()
                time.sleep(0.1)
                assert "long.txt" not in following.texts()
        following.until(lambda: following.reports[-1].added == ((folder / "long.txt").as_uri(),))
        assert following.texts()["long.txt"] == "A sentence comes. " * 30
        assert not any(report.changed for report in following.reports)


def test_a_change_with_the_same_size_and_time_is_noticed(following: Following, folder: Path) -> None:
    status = (folder / "apple.txt").stat()
    (folder / "apple.txt").write_text("Apples grow in trees.")
    os.utime(folder / "apple.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    following.until(lambda: following.texts()["apple.txt"] == "Apples grow in trees.")


def test_a_bad_file_is_reported_once_and_read_again_only_when_it_changes(following: Following, folder: Path) -> None:
    (folder / "bad.txt").write_text("")
    following.until(lambda: any(report.rejected for report in following.reports))
    (folder / "bear.txt").write_text("Bears eat honey.")
    following.until(lambda: "bear.txt" in following.texts())
    assert [len(report.rejected) for report in following.reports if report.rejected] == [1]
    (folder / "bad.txt").write_text("Good now.")
    following.until(lambda: following.texts().get("bad.txt") == "Good now.")


def test_others_may_write_between_two_syncs_and_following_waits_for_them(following: Following, folder: Path) -> None:
    with Collection(folder.parent / "home" / "c", HashedEncoder()).writing(wait=5.0):
        (folder / "bear.txt").write_text("Bears eat honey.")
        following.until(lambda: bool(following.troubles))
        assert isinstance(following.troubles[0], CollectionBusy)
        assert "bear.txt" not in following.texts()
    following.until(lambda: "bear.txt" in following.texts())


def test_a_replaced_folder_is_still_followed(following: Following, folder: Path) -> None:
    folder.rename(folder.with_name("old"))
    following.until(lambda: any(report.rejected for report in following.reports))
    assert following.texts() == {"apple.txt": "Apples grow on trees."}
    folder.mkdir()
    (folder / "bear.txt").write_text("Bears eat honey.")
    following.until(lambda: following.texts() == {"bear.txt": "Bears eat honey."})


def test_a_single_file_is_followed_through_replacement(tmp_path: Path, folder: Path) -> None:
    with Following(tmp_path / "home" / "c", [folder / "apple.txt"]) as following:
        following.until(lambda: bool(following.texts()))
        (folder / "other.txt").write_text("Not asked for.")
        (folder / "apple.tmp").write_text("Apples fall.")
        (folder / "apple.tmp").replace(folder / "apple.txt")
        following.until(lambda: following.texts() == {"apple.txt": "Apples fall."})


def test_without_file_events_the_fix_is_reported(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("index.sync.watch.watch", refuse)
    with Following(tmp_path / "home" / "c", [folder]) as following:
        deadline = time.monotonic() + SECONDS
        while not following.errors and time.monotonic() < deadline:
            time.sleep(0.05)
    [error] = following.errors
    assert isinstance(error, FolderUnwatchable)
    assert "max_user_watches" in str(error)


def test_a_new_file_in_a_followed_folder_gets_the_readers_of_the_folder(tmp_path: Path, folder: Path) -> None:
    ann = frozenset({"ann"})
    collection = Collection(tmp_path / "home" / "c", HashedEncoder())
    sync(collection, [folder], principals=ann)
    collection.close()
    with Following(tmp_path / "home" / "c", [folder]) as following:
        (folder / "sub" / "bear.txt").write_text("Bears eat honey.")
        following.until(lambda: "bear.txt" in following.texts())
        assert {found.principals for found in following.collection.documents.list()} == {ann}
        following.until(lambda: bool(following.reports))
        assert [root.principals for root, _ in following.reports[-1].inherited] == [ann]


def test_a_followed_folder_that_is_suddenly_empty_keeps_its_documents_and_says_so_once(
    following: Following, folder: Path
) -> None:
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    following.until(lambda: any(report.kept for report in following.reports))
    assert sorted(following.texts()) == ["apple.txt"]
    (folder / "bear.txt").write_text("Bears eat honey.")
    following.until(lambda: sorted(following.texts()) == ["apple.txt", "bear.txt"])
    (folder / "bear.txt").write_text("Bears sleep.")
    following.until(lambda: following.texts()["bear.txt"] == "Bears sleep.")
    assert not any(report.removed for report in following.reports)
    assert sum(not report.added and not report.changed and not report.rejected for report in following.reports) == 1
