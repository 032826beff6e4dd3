"""Folder sync: who may read new, moved and returning files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index.collection import Collection
from index.embedding.encoder import HashedEncoder
from index.sync.listing import list_files
from index.sync.sync import SyncReport, preview, sync
from tests.synced_folder import names, touch, write_folder


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


def test_readers_stay_until_others_are_named(collection: Collection, folder: Path, encoder: HashedEncoder) -> None:
    sync(collection, [folder], principals=frozenset({"hr", "ann"}))
    encoded = encoder.encoded
    (folder / "apple.txt").rename(folder / "pear.txt")
    (folder / "sub" / "cat.html").write_text("<h1>Cats</h1><p>Cats drink water.</p>")
    (folder / "dog.txt").write_text("Dogs chase cats.")
    assert names(sync(collection, [folder])) == {
        "added": ["dog.txt"], "changed": ["cat.html"], "renamed": ["pear.txt"], "unchanged": ["bear.md"],
    }  # fmt: skip
    assert readers(collection) == dict.fromkeys(["pear.txt", "bear.md", "cat.html", "dog.txt"], "ann hr")
    assert encoder.encoded == encoded + 2
    touch(folder / "dog.txt")
    hr = frozenset({"hr"})
    planned = preview(collection.documents.list(), list_files([folder / "sub", folder / "dog.txt"]), principals=hr)
    assert names(planned) == {"changed": ["bear.md", "cat.html", "dog.txt"]}
    assert names(sync(collection, [folder / "sub", folder / "dog.txt"], principals=hr)) == names(planned)
    assert readers(collection) == {"pear.txt": "ann hr", "bear.md": "hr", "cat.html": "hr", "dog.txt": "hr"}
    assert names(sync(collection, [folder], principals=frozenset()))["changed"] == sorted(readers(collection))
    assert set(readers(collection).values()) == {""}
    assert encoder.encoded == encoded + 2


def readers(collection: Collection) -> dict[str, str]:
    """Who may read each document, by file name; an empty string means everybody."""
    return {found.uri.rsplit("/", 1)[1]: " ".join(sorted(found.principals)) for found in collection.documents.list()}


def inherited(report: SyncReport) -> list[tuple[str, str, int]]:
    """The inherited readers in a report: the last part of the place, the readers, the number of files."""
    return [(root.uri.rsplit("/", 1)[1], " ".join(sorted(root.principals)), n) for root, n in report.inherited]


HR, ANN = frozenset({"hr"}), frozenset({"ann"})


def test_a_new_file_gets_the_readers_of_its_folder(collection: Collection, folder: Path) -> None:
    sync(collection, [folder], principals=HR)
    (folder / "dog.txt").write_text("Dogs chase cats.")
    planned = preview(collection.documents.list(), list_files([folder]), roots_of=collection.permissions.roots)
    report = sync(collection, [folder])
    assert inherited(report) == inherited(planned) == [("corpus", "hr", 1)]
    assert readers(collection) == dict.fromkeys(["apple.txt", "bear.md", "cat.html", "dog.txt"], "hr")
    assert inherited(sync(collection, [folder])) == []
    (folder / "emu.txt").write_text("Emus run.")
    assert inherited(sync(collection, [folder / "emu.txt"])) == [("corpus", "hr", 1)]


def test_the_nearest_place_decides_until_readers_are_named_above_it(collection: Collection, folder: Path) -> None:
    sync(collection, [folder], principals=HR)
    sync(collection, [folder / "sub"], principals=ANN)
    (folder / "dog.txt").write_text("Dogs chase cats.")
    (folder / "sub" / "emu.txt").write_text("Emus run.")
    assert sorted(inherited(sync(collection, [folder]))) == [("corpus", "hr", 1), ("sub", "ann", 1)]
    assert (readers(collection)["dog.txt"], readers(collection)["emu.txt"]) == ("hr", "ann")
    sync(collection, [folder], principals=frozenset())
    (folder / "sub" / "fox.txt").write_text("Foxes sleep.")
    assert inherited(sync(collection, [folder])) == []
    assert set(readers(collection).values()) == {""}
    sync(collection, [folder], principals=HR)
    sync(collection, [folder / "sub"], principals=frozenset())
    (folder / "sub" / "gnu.txt").write_text("Gnus graze.")
    (folder / "subtle.txt").write_text("Hints.")
    sync(collection, [folder])
    assert (readers(collection)["gnu.txt"], readers(collection)["subtle.txt"]) == ("", "hr")


def test_a_folder_beside_a_restricted_one_is_public(collection: Collection, folder: Path) -> None:
    sync(collection, [folder / "sub"], principals=HR)
    (folder / "sub2").mkdir()
    (folder / "sub2" / "dog.txt").write_text("Dogs chase cats.")
    assert inherited(sync(collection, [folder])) == []
    assert readers(collection) == {"apple.txt": "", "bear.md": "hr", "cat.html": "hr", "dog.txt": ""}


def test_named_readers_are_remembered_even_by_a_killed_run(
    collection: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("index.sync.sync.read_contents", killed)
        with pytest.raises(KeyboardInterrupt):
            sync(collection, [folder], principals=HR)
    assert collection.documents.list() == []
    assert inherited(sync(collection, [folder])) == [("corpus", "hr", 3)]
    assert set(readers(collection).values()) == {"hr"}


def test_a_moved_file_gets_the_readers_of_its_new_place(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    sync(collection, [folder / "sub"], principals=HR)
    (folder / "apple.txt").rename(folder / "sub" / "apple.txt")
    (folder / "sub" / "bear.md").rename(folder / "bear.md")
    report = sync(collection, [folder])
    assert names(report)["renamed"] == ["apple.txt", "bear.md"]
    assert inherited(report) == [("sub", "hr", 1)]
    assert readers(collection) == {
        "apple.txt": "hr",
        "bear.md": "hr",
        "cat.html": "hr",
    }  # a new place never makes a document public


def test_a_file_that_comes_back_keeps_its_earlier_readers(collection: Collection, folder: Path) -> None:
    sync(collection, [folder])
    [apple] = [found for found in collection.documents.list() if found.uri.endswith("apple.txt")]
    collection.permit(apple.id, ANN)
    (folder / "apple.txt").unlink()
    sync(collection, [folder])
    assert "apple.txt" not in readers(collection)
    (folder / "apple.txt").write_text("Apples again.")
    assert inherited(sync(collection, [folder])) == [("corpus", "ann", 1)]
    assert readers(collection) == {"apple.txt": "ann", "bear.md": "", "cat.html": ""}
