"""Folder sync: the plan, changed and renamed files, skipped and bad files, links, unreachable folders."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.records import DocumentSummary, FileStamp
from index.sync.listing import File, Listing, SyncPlan, list_files, plan_sync
from index.sync.sync import SyncProgress, preview, sync
from tests.synced_folder import names, texts, touch, write_folder


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


def summary(uri: str, size: int, modified: int) -> DocumentSummary:
    return DocumentSummary(uri, "v", uri, uri, "text/plain", 1, 1, FileStamp(size, modified), 0.0)


def test_the_plan_compares_size_and_time_and_stays_under_the_roots() -> None:
    names = ("a/same", "a/longer", "a/later", "a/gone", "a/locked/x", "ab/elsewhere")
    known = [summary(f"file:///{name}", 1, 1) for name in names]
    found = {name: File(Path(name), f"file:///a/{name}", FileStamp(size, modified)) for name, size, modified in (
        ("same", 1, 1), ("longer", 2, 1), ("later", 1, 2), ("new", 1, 1),
    )}  # fmt: skip
    seen = Listing(tuple(found.values()), (), (), roots=("file:///a",), unknown=("file:///a/locked",))
    assert plan_sync(known, seen) == SyncPlan(
        added=(found["new"],),
        changed=(found["longer"], found["later"]),
        gone=(known[3],),
        unchanged=("file:///a/same",),
    )
    elsewise = plan_sync(known, seen, frozenset({"hr"}))
    assert (elsewise.unchanged, elsewise.permitted) == ((), (known[0],))
    assert plan_sync(known, seen, frozenset()) == plan_sync(known, seen)


def test_a_folder_is_indexed_and_found(collection: Collection, folder: Path) -> None:
    report = sync(collection, [folder])
    assert names(report) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    assert report.rejected == ()
    assert collection.state().pending_vectors == 0
    [hit] = collection.search("honey", k=1)
    assert (hit.uri, hit.title, hit.chunk.trail) == ((folder / "sub" / "bear.md").as_uri(), "Bears", ("Bears",))
    assert collection.documents.get(hit.chunk.document_id).text[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_only_changed_files_are_read_again(collection: Collection, folder: Path, encoder: HashedEncoder) -> None:
    sync(collection, [folder])
    encoded = encoder.encoded
    assert names(sync(collection, [folder])) == {"unchanged": ["apple.txt", "bear.md", "cat.html"]}
    (folder / "apple.txt").write_text("Apples fall from trees.")
    (folder / "sub" / "cat.html").unlink()
    (folder / "dog.txt").write_text("Dogs chase cats.")
    touch(folder / "sub" / "bear.md")
    progress: list[SyncProgress] = []
    report = sync(collection, [folder], on_progress=progress.append)
    assert names(report) == {
        "added": ["dog.txt"], "changed": ["apple.txt"], "removed": ["cat.html"], "unchanged": ["bear.md"],
    }  # fmt: skip
    assert texts(collection) == {
        "apple.txt": "Apples fall from trees.", "bear.md": "# Bears\n\nBears eat honey.\n", "dog.txt": "Dogs chase cats.",
    }  # fmt: skip
    assert encoder.encoded == encoded + 2
    assert [(step.files_done, step.files_total) for step in progress if not step.chunks_total] == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]
    assert (progress[-1].chunks_done, progress[-1].chunks_total) == (2, 2)
    assert names(sync(collection, [folder])) == {"unchanged": ["apple.txt", "bear.md", "dog.txt"]}


def test_a_renamed_file_is_recognised_by_its_content_and_keeps_its_vectors(
    collection: Collection, folder: Path, encoder: HashedEncoder
) -> None:
    sync(collection, [folder])
    encoded = encoder.encoded
    (folder / "apple.txt").rename(folder / "sub" / "pear.txt")
    assert names(sync(collection, [folder])) == {"renamed": ["pear.txt"], "unchanged": ["bear.md", "cat.html"]}
    assert sorted(texts(collection)) == ["bear.md", "cat.html", "pear.txt"]
    assert encoder.encoded == encoded


def test_two_equal_files_renamed_at_once_are_both_kept(collection: Collection, folder: Path) -> None:
    (folder / "copy.txt").write_bytes((folder / "apple.txt").read_bytes())
    sync(collection, [folder])
    (folder / "apple.txt").rename(folder / "one.txt")
    (folder / "copy.txt").rename(folder / "two.txt")
    assert names(sync(collection, [folder]))["renamed"] == ["one.txt", "two.txt"]
    assert sorted(texts(collection)) == ["bear.md", "cat.html", "one.txt", "two.txt"]


def test_documents_outside_the_given_paths_are_left_alone(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    (folder / "apple.txt").unlink()
    assert names(sync(collection, [folder / "sub"])) == {"unchanged": ["bear.md", "cat.html"]}
    assert "apple.txt" in texts(collection)


def test_a_dry_run_changes_nothing(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    (folder / "apple.txt").unlink()
    (folder / "dog.txt").write_text("Dogs.")
    touch(folder / "sub" / "bear.md")
    before = collection.documents.list()
    assert names(preview(collection.documents.list(), list_files([folder]))) == {
        "added": ["dog.txt"], "changed": ["bear.md"], "removed": ["apple.txt"], "unchanged": ["cat.html"],
    }  # fmt: skip
    assert collection.documents.list() == before


def test_hidden_temporary_and_foreign_files_are_skipped(collection: Collection, folder: Path) -> None:
    for name in (".hidden", "~$letter.docx", "draft.txt~", "#draft.txt#", "a.crdownload", "b.tmp"):
        (folder / name).write_text("Not for reading.")
    for name in (".git", "node_modules", "__pycache__"):
        (folder / name).mkdir()
        (folder / name / "a.txt").write_text("Not for reading.")
    (folder / "photo.gif").write_bytes(b"GIF89a")
    (folder / "blob").write_bytes(bytes(range(256)) * 50)
    report = sync(collection, [folder])
    assert names(report) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    assert report.rejected == ()
    assert sorted(found.uri.rsplit("/", 1)[1] for found in report.skipped) == ["blob", "photo.gif"]


def test_links_are_not_followed_even_in_a_loop(collection: Collection, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("Outside.")
    (folder / "sub" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    report = sync(collection, [folder])
    assert names(report) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    assert {found.uri.rsplit("/", 1)[1]: found.reason for found in report.skipped} == {
        "loop": "it is a symbolic link", "out.txt": "it is a symbolic link",
    }  # fmt: skip
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    [rejection] = sync(collection, [tmp_path / "a"]).rejected
    assert rejection.reason == "it is a symbolic link that leads in a circle"


def test_a_root_may_be_a_link(collection: Collection, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    sync(collection, [tmp_path / "link"])
    assert names(sync(collection, [folder])) == {"unchanged": ["apple.txt", "bear.md", "cat.html"]}


def test_paths_with_nothing_to_read_are_refused(collection: Collection, folder: Path, tmp_path: Path) -> None:
    sync(collection, [folder])
    (tmp_path / "empty").mkdir()
    (tmp_path / "song.mp3").write_bytes(b"ID3")
    report = sync(collection, [tmp_path / "empty", tmp_path / "missing", tmp_path / "song.mp3"])
    assert [(found.uri.rsplit("/", 1)[1], found.reason) for found in report.rejected] == [
        ("empty", "no document is in it"),
        ("missing", "there is no such file or folder"),
        ("song.mp3", "it is no document"),
    ]
    assert all(found.fix for found in report.rejected)
    assert len(collection.documents.list()) == 3


def test_a_folder_that_cannot_be_reached_loses_nothing(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    folder.rename(folder.with_name("moved"))
    [rejection] = sync(collection, [folder]).rejected
    assert rejection.reason == "there is no such file or folder"
    assert len(collection.documents.list()) == 3


def test_a_subfolder_that_cannot_be_listed_loses_nothing(
    collection: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(collection, [folder])
    real = os.scandir

    def refuse(path: Path) -> object:
        if path == folder / "sub":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)  # tests run as root, for whom mode bits have no effect
    report = sync(collection, [folder])
    assert names(report) == {"unchanged": ["apple.txt"]}
    assert [found.reason for found in report.rejected] == ["opening it is not permitted"]
    assert len(collection.documents.list()) == 3


def test_bad_files_are_rejected_alone(collection: Collection, folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"")
    (folder / "bad.txt").write_bytes("né à ".encode() + b"\xff")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "wrong.docx").write_text("Just text.")
    with (folder / "huge.log").open("wb") as file:
        file.truncate(200 * 2**20)
    report = sync(collection, [folder])
    assert names(report) == {"added": ["apple.txt", "bear.md", "cat.html"]}
    assert {found.uri.rsplit("/", 1)[1] for found in report.rejected} == {
        "empty.txt", "bad.txt", "broken.pdf", "wrong.docx", "huge.log",
    }  # fmt: skip
    assert all(found.reason and found.fix for found in report.rejected)


def test_a_file_that_becomes_unreadable_keeps_its_last_version(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    (folder / "apple.txt").write_bytes(b"")
    assert [found.reason for found in sync(collection, [folder]).rejected] == ["it is empty"]
    assert texts(collection)["apple.txt"] == "Apples grow on trees."


def test_a_file_that_vanishes_during_the_sync_is_rejected(collection: Collection, folder: Path) -> None:
    for number in range(100):
        (folder / f"{number:03}.txt").write_text(f"Text {number}.")

    def vanish(step: SyncProgress) -> None:
        (folder / "sub" / "cat.html").unlink(missing_ok=True)

    report = sync(collection, [folder], on_progress=vanish)
    assert [found.reason for found in report.rejected] == ["it vanished before it was read"]
    assert len(report.added) == 102


def test_an_unchanged_folder_of_1000_files_is_neither_read_nor_encoded(
    collection: Collection, tmp_path: Path, encoder: HashedEncoder
) -> None:
    for number in range(1000):
        path = tmp_path / "many" / f"{number % 20}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Text number {number}.")
    assert len(sync(collection, [tmp_path / "many"]).added) == 1000
    encoded = encoder.encoded
    report = sync(collection, [tmp_path / "many"])
    assert len(report.unchanged) == 1000
    assert encoder.encoded == encoded


def test_each_file_is_listed_once(folder: Path) -> None:
    found = list_files([folder, folder / "sub", folder / "apple.txt"])
    assert [file.path.name for file in found.files] == ["apple.txt", "bear.md", "cat.html"]
    assert found.files[0].source == FileStamp(21, (folder / "apple.txt").stat().st_mtime_ns)
