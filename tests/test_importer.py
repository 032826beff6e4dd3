"""Archives in a synced folder: a changed archive replaces all its members or none."""

import os
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.listing import list_files
from index.sync.sync import preview, sync
from tests.synced_folder import names, texts


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
    folder = tmp_path / "corpus"
    folder.mkdir()
    write_zip(folder / "a.zip", apple="Apples grow on trees.", bear="Bears eat honey.", cat="Cats drink milk.")
    return folder


def write_zip(path: Path, **members: str | bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.txt", content)


def test_members_are_found_and_an_unchanged_archive_is_not_opened(collection: Collection, folder: Path) -> None:
    assert names(sync(collection, [folder])) == {"added": ["apple.txt", "bear.txt", "cat.txt"]}
    [hit] = collection.search("honey", k=1)
    assert hit.uri == f"{(folder / 'a.zip').as_uri()}!/bear.txt"
    status = (folder / "a.zip").stat()
    (folder / "a.zip").write_bytes(b"\0" * status.st_size)  # would be rejected if it were opened
    os.utime(folder / "a.zip", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert names(sync(collection, [folder])) == {"unchanged": ["apple.txt", "bear.txt", "cat.txt"]}


def test_a_changed_archive_adds_changes_renames_and_removes_members(
    collection: Collection, folder: Path, encoder: HashedEncoder
) -> None:
    sync(collection, [folder])
    encoded = encoder.encoded
    write_zip(folder / "a.zip", apple="Apples fall from trees.", ursus="Bears eat honey.", dog="Dogs chase cats.")
    assert names(sync(collection, [folder])) == {
        "added": ["dog.txt"], "changed": ["apple.txt"], "renamed": ["ursus.txt"], "removed": ["cat.txt"],
    }  # fmt: skip
    assert texts(collection) == {
        "apple.txt": "Apples fall from trees.", "ursus.txt": "Bears eat honey.", "dog.txt": "Dogs chase cats.",
    }  # fmt: skip
    assert encoder.encoded == encoded + 2


def test_a_renamed_archive_keeps_its_vectors_and_a_removed_one_is_removed(
    collection: Collection, folder: Path, encoder: HashedEncoder
) -> None:
    sync(collection, [folder])
    encoded = encoder.encoded
    (folder / "a.zip").rename(folder / "b.zip")
    assert names(sync(collection, [folder])) == {"renamed": ["apple.txt", "bear.txt", "cat.txt"]}
    assert all("/b.zip!/" in found.uri for found in collection.documents.list())
    assert encoder.encoded == encoded
    (folder / "b.zip").unlink()
    (folder / "other.txt").write_text("Other.")
    assert names(sync(collection, [folder])) == {
        "added": ["other.txt"], "removed": ["apple.txt", "bear.txt", "cat.txt"],
    }  # fmt: skip


def test_a_member_moved_out_of_its_archive_is_renamed(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    write_zip(folder / "a.zip", apple="Apples grow on trees.")
    (folder / "a.txt").write_text("Bears eat honey.")  # read after the changes of the archive are known
    report = names(sync(collection, [folder]))
    assert report == {"added": ["a.txt"], "removed": ["bear.txt", "cat.txt"], "unchanged": ["apple.txt"]}


def test_an_archive_given_on_the_command_line_is_synced_by_its_members(collection: Collection, folder: Path) -> None:
    sync(collection, [folder / "a.zip"])
    write_zip(folder / "a.zip", apple="Apples grow on trees.")
    assert names(sync(collection, [folder / "a.zip"])) == {
        "removed": ["bear.txt", "cat.txt"], "unchanged": ["apple.txt"],
    }  # fmt: skip


def test_a_damaged_archive_keeps_its_last_members(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    (folder / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    for _ in range(2):
        report = sync(collection, [folder])
        assert (names(report), [found.uri for found in report.rejected]) == ({}, [(folder / "a.zip").as_uri()])
    assert sorted(texts(collection)) == ["apple.txt", "bear.txt", "cat.txt"]


def test_a_member_that_no_longer_reads_stays_and_is_reported_until_it_does(
    collection: Collection, folder: Path
) -> None:
    sync(collection, [folder])
    write_zip(folder / "a.zip", apple="Apples grow on trees.", bear=b"", cat="Cats sleep.")
    for group in ("changed", "unchanged"):
        report = sync(collection, [folder])
        assert [found.reason for found in report.rejected] == ["it is empty"]
        assert "cat.txt" in names(report)[group]
    assert texts(collection)["bear.txt"] == "Bears eat honey."
    write_zip(folder / "a.zip", apple="Apples grow on trees.", bear="Bears sleep.", cat="Cats sleep.")
    assert names(sync(collection, [folder]))["changed"] == ["bear.txt"]
    assert names(sync(collection, [folder])) == {"unchanged": ["apple.txt", "bear.txt", "cat.txt"]}


def test_an_emptied_archive_loses_its_members(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    write_zip(folder / "a.zip")
    assert names(sync(collection, [folder])) == {"removed": ["apple.txt", "bear.txt", "cat.txt"]}


def test_a_dry_run_lists_the_archive_itself(collection: Collection, folder: Path) -> None:
    assert names(preview(collection.documents.list(), list_files([folder]))) == {"added": ["a.zip"]}
    sync(collection, [folder])
    assert names(preview(collection.documents.list(), list_files([folder]))) == {
        "unchanged": ["apple.txt", "bear.txt", "cat.txt"]
    }
    write_zip(folder / "a.zip", apple="Apples.")
    assert names(preview(collection.documents.list(), list_files([folder]))) == {"changed": ["a.zip"]}


def test_an_archive_is_replaced_completely_or_not_at_all(
    collection: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(collection, [folder])
    write_zip(folder / "a.zip", **{f"new{number}": f"New text {number}." for number in range(100)})
    ledger = collection._ledger
    real, calls = ledger.change, []

    def fail(add: object, remove: object, alongside: object) -> None:
        calls.append((add, remove))
        raise OSError("the power went out")

    monkeypatch.setattr(ledger, "change", fail)
    with pytest.raises(OSError, match="power"):
        sync(collection, [folder])
    [(added, removed)] = calls
    assert (len(added), len(removed)) == (100, 3)
    assert sorted(texts(collection)) == ["apple.txt", "bear.txt", "cat.txt"]
    monkeypatch.setattr(ledger, "change", real)
    assert len(sync(collection, [folder]).added) == 100
    assert len(collection.documents.list()) == 100


def test_verify_checks_the_archive_of_a_member(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    assert collection.verify() == []
    write_zip(folder / "a.zip", apple="Apples.")
    assert {(finding.place, finding.what.rsplit("/", 1)[1]) for finding in collection.verify()} == {
        ("files", f"{name}.txt has changed") for name in ("apple", "bear", "cat")
    }


def test_new_members_of_an_archive_get_its_readers(collection: Collection, folder: Path) -> None:
    sync(collection, [folder], principals=frozenset({"ann"}))
    write_zip(folder / "a.zip", apple="Apples fall.", ursus="Bears eat honey.", dog="Dogs chase cats.")
    sync(collection, [folder])
    assert {found.uri.rsplit("/", 1)[1]: found.principals for found in collection.documents.list()} == dict.fromkeys(
        ("apple.txt", "ursus.txt", "dog.txt"), frozenset({"ann"})
    )


def test_new_archives_and_mails_get_the_readers_of_their_folder(collection: Collection, folder: Path) -> None:
    sync(collection, [folder], principals=frozenset({"ann"}))
    write_zip(folder / "b.zip", dog="Dogs chase cats.")
    message = EmailMessage()
    message["Subject"] = "Emus"
    message.set_content("See the list.")
    message.add_attachment("Emus run.", filename="emu.txt")
    (folder / "c.eml").write_bytes(bytes(message))
    report = sync(collection, [folder])
    assert names(report)["added"] == ["c.eml", "dog.txt", "emu.txt"]
    assert [(root.uri, documents) for root, documents in report.inherited] == [(folder.as_uri(), 3)]
    assert {found.principals for found in collection.documents.list()} == {frozenset({"ann"})}
