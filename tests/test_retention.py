"""Folders that are suddenly empty, not mounted, or without most of their files keep their documents until it is confirmed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync import folder_note, listing
from index.sync.folder_note import read_note
from index.sync.listing import list_files
from index.sync.retention import Reason
from index.sync.sync import SyncReport, preview, sync
from tests.synced_folder import names, texts


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    collection = Collection(tmp_path / "home" / "library", HashedEncoder())
    yield collection
    collection.close()


def write(folder: Path, count: int, kind: str = "Text") -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:02}.txt" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text(f"{kind} number {number} of {folder.name}.")
    return files


def kept(report: SyncReport) -> list[tuple[str, Reason, int, int]]:
    return [(place.uri.rsplit("/", 1)[1], place.reason, place.gone, place.known) for place in report.kept]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_an_emptied_folder_keeps_its_documents_until_it_is_confirmed(
    collection: Collection, tmp_path: Path, count: int
) -> None:
    share = tmp_path / "share"
    write(share, count)
    sync(collection, [share])
    share.rename(tmp_path / "away")
    share.mkdir()
    report = sync(collection, [share])
    assert kept(report) == [("share", Reason.EMPTY, count, count)]
    assert (report.removed, report.rejected) == ((), ())
    assert len(texts(collection)) == count
    assert kept(sync(collection, [share])) == kept(report)  # still, at every run
    confirmed = sync(collection, [share], prune=True)
    assert (len(confirmed.removed), confirmed.kept, confirmed.rejected) == (count, (), ())
    assert texts(collection) == {}


def test_a_folder_that_comes_back_is_as_before(collection: Collection, tmp_path: Path) -> None:
    share = tmp_path / "share"
    write(share, 3)
    sync(collection, [share])
    share.rename(tmp_path / "away")
    share.mkdir()
    sync(collection, [share])
    share.rmdir()
    (tmp_path / "away").rename(share)
    report = sync(collection, [share])
    assert (len(report.unchanged), report.kept) == (3, ())


def test_what_is_kept_stays_although_others_write_into_the_empty_folder(collection: Collection, tmp_path: Path) -> None:
    share = tmp_path / "share"
    write(share, 3)
    sync(collection, [share])
    shutil.rmtree(share)
    share.mkdir()
    sync(collection, [share])
    (share / "mount.log").write_text("The disk could not be mounted.")
    report = sync(collection, [share])
    assert (names(report), kept(report)) == ({"added": ["mount.log"]}, [("share", Reason.STILL_GONE, 3, 3)])
    write(share, 3)
    assert sync(collection, [share]).kept == ()
    (share / "00.txt").unlink()
    assert names(sync(collection, [share]))["removed"] == ["00.txt"]


def test_a_missing_folder_keeps_its_documents_until_it_is_confirmed(collection: Collection, tmp_path: Path) -> None:
    write(tmp_path / "share", 3)
    sync(collection, [tmp_path / "share"])
    shutil.rmtree(tmp_path / "share")
    report = sync(collection, [tmp_path / "share"])
    assert kept(report) == [("share", Reason.MISSING, 3, 3)]
    assert [found.reason for found in report.rejected] == ["there is no such file or folder"]
    assert len(texts(collection)) == 3
    assert len(sync(collection, [tmp_path / "share"], prune=True).removed) == 3


def test_more_than_half_of_ten_files_gone_at_once_are_kept(collection: Collection, tmp_path: Path) -> None:
    files = write(tmp_path / "share", 12)
    sync(collection, [tmp_path / "share"])
    for file in files[:7]:
        file.unlink()
    report = sync(collection, [tmp_path / "share"])
    assert kept(report) == [("share", Reason.MOST_GONE, 7, 12)]
    assert len(texts(collection)) == 12
    files[0].write_text("It is back, and newer.")
    files[11].unlink()  # an ordinary deletion meanwhile
    report = sync(collection, [tmp_path / "share"])
    assert kept(report) == [("share", Reason.STILL_GONE, 6, 12)]
    assert names(report)["removed"] == ["11.txt"]
    assert len(texts(collection)) == 11
    assert len(sync(collection, [tmp_path / "share"], prune=True).removed) == 6


@pytest.mark.parametrize(("count", "gone"), [(12, 6), (9, 8), (2, 1), (400, 3)])
def test_ordinary_deletions_need_no_confirmation(collection: Collection, tmp_path: Path, count: int, gone: int) -> None:
    files = write(tmp_path / "share", count)
    sync(collection, [tmp_path / "share"])
    for file in files[:gone]:
        file.unlink()
    report = sync(collection, [tmp_path / "share"])
    assert (len(report.removed), report.kept) == (gone, ())


def test_a_folder_inside_that_is_deleted_goes(collection: Collection, tmp_path: Path) -> None:
    write(tmp_path / "share", 30)
    write(tmp_path / "share" / "old", 12)
    sync(collection, [tmp_path / "share"])
    shutil.rmtree(tmp_path / "share" / "old")
    report = sync(collection, [tmp_path / "share"])
    assert (len(report.removed), report.kept) == (12, ())


def test_each_folder_that_was_given_is_judged_by_itself(collection: Collection, tmp_path: Path) -> None:
    write(tmp_path / "one", 30)
    write(tmp_path / "two", 2)
    paths = [tmp_path / "one", tmp_path / "two"]
    sync(collection, paths)
    shutil.rmtree(tmp_path / "two")
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "00.txt").unlink()
    report = sync(collection, paths)
    assert kept(report) == [("two", Reason.EMPTY, 2, 2)]
    assert names(report)["removed"] == ["00.txt"]


def test_a_renamed_folder_and_renamed_files_lose_nothing_and_need_no_confirmation(
    collection: Collection, tmp_path: Path
) -> None:
    write(tmp_path / "share" / "a", 20)
    sync(collection, [tmp_path / "share"])
    (tmp_path / "share" / "a").rename(tmp_path / "share" / "b")
    report = sync(collection, [tmp_path / "share"])
    assert (len(report.renamed), report.removed, report.kept) == (20, (), ())
    for file in sorted((tmp_path / "share" / "b").iterdir()):
        file.rename(file.with_name(f"new-{file.name}"))
    report = sync(collection, [tmp_path / "share"])
    assert (len(report.renamed), report.removed, report.kept) == (20, (), ())


def test_files_that_moved_to_another_indexed_folder_are_not_missed(collection: Collection, tmp_path: Path) -> None:
    write(tmp_path / "inbox", 20)
    (tmp_path / "archive").mkdir()
    sync(collection, [tmp_path / "inbox"])
    for file in sorted((tmp_path / "inbox").iterdir()):
        file.rename(tmp_path / "archive" / file.name)
    sync(collection, [tmp_path / "archive"])
    report = sync(collection, [tmp_path / "inbox"])
    assert (len(report.removed), report.kept) == (20, ())
    assert len(texts(collection)) == 20


def test_another_disk_under_the_same_folder_keeps_the_documents_of_the_first(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    write(share, 4)
    sync(collection, [share])
    shutil.rmtree(share)
    write(share, 1, "Note")  # the folder below the mount point: not empty, and fewer than ten files
    (share / "00.txt").rename(share / "placeholder.txt")

    class Other:
        f_fsid = 4711

    monkeypatch.setattr(os, "statvfs", lambda _: Other)  # mounting takes rights that a test does not have
    report = sync(collection, [share])
    assert kept(report) == [("share", Reason.OTHER_DISK, 4, 4)]
    assert names(report) == {"added": ["placeholder.txt"]}
    assert kept(sync(collection, [share])) == [("share", Reason.OTHER_DISK, 4, 5)]
    assert len(sync(collection, [share], prune=True).removed) == 4


def test_a_disk_inside_the_folder_that_is_no_longer_mounted_keeps_its_documents(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "share", 30)
    disk = tmp_path / "share" / "disk"
    write(disk, 3)
    real = listing._Walk.add_root

    def with_disk(walk: listing._Walk, path: Path) -> None:
        real(walk, path)
        walk.disks[disk.as_uri()] = 4711  # as if another file system were mounted there

    with monkeypatch.context() as mounted:
        mounted.setattr(listing._Walk, "add_root", with_disk)
        sync(collection, [tmp_path / "share"])
    shutil.rmtree(disk)
    disk.mkdir()
    report = sync(collection, [tmp_path / "share"])
    assert kept(report) == [("disk", Reason.OTHER_DISK, 3, 3)]
    assert len(sync(collection, [tmp_path / "share"], prune=True).removed) == 3
    assert sync(collection, [tmp_path / "share"]).kept == ()


def test_a_lost_note_of_the_disks_is_made_again(collection: Collection, tmp_path: Path) -> None:
    write(tmp_path / "share", 2)
    sync(collection, [tmp_path / "share"])
    note = collection.folder / folder_note._FILE
    before = note.read_text()
    note.write_text("{")
    assert sync(collection, [tmp_path / "share"]).kept == ()
    assert note.read_text() == before


def test_a_dry_run_says_what_would_be_kept_and_counts_no_renamed_file(collection: Collection, tmp_path: Path) -> None:
    share = tmp_path / "share"
    write(share / "a", 20)
    sync(collection, [share])

    def plan() -> SyncReport:
        return preview(collection.documents.list(), list_files([share]), note=read_note(collection))

    (share / "a").rename(share / "b")
    assert (len(plan().added), len(plan().removed), plan().kept) == (20, 20, ())
    shutil.rmtree(share / "b")
    assert (plan().removed, kept(plan()), plan().rejected) == ((), [("share", Reason.EMPTY, 20, 20)], ())
