"""A home that is read-only, or on a full disk, gives every command the error that names it; no command shows a traceback."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import quoth
from index.errors import NotWritable
from index.library import Library
from index.records import Document
from service.settings import Settings
from service.storage.database import Database
from tests.mounted import can_mount, read_only, small_disk
from tests.shared_networks import shared_encoder

COMMANDS = (
    ("index", "documents"),
    ("index", "documents", "-c", "other"),
    ("index", "documents", "--dry-run"),
    ("ask", "Why?"),
    ("search", "Apples"),
    ("collections",),
    ("collections", "--verify"),
    ("collections", "show", "default"),
    ("collections", "export", "default", "exported"),
    ("collections", "import", "before", "--as", "copy"),
    ("collections", "drop", "default", "--yes"),
    ("conversations", "list"),
    ("conversations", "export"),
    ("keys", "list"),
    ("keys", "create", "one"),
)


def fill(home: Path, place: Path) -> None:
    """A home with a collection and a database, a folder to index, and an export to import."""
    library = Library(home, shared_encoder())
    text = "Apples are red. Pears are green."
    library.open_or_create("default").add(Document("d1", "v1", "file:///a.txt", "A", "text/plain", text))
    library.open("default").export(place / "before")
    library.close()
    Database(Settings(home=home).store_url).close()
    (place / "documents").mkdir()
    (place / "documents" / "a.txt").write_text(text)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "disk" / "home"))
    return tmp_path


def error_of(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What `quoth` with these words writes to standard error. It must end with exit code 1, and raise nothing else."""
    monkeypatch.setattr(sys, "argv", ["quoth", *words])
    with pytest.raises(SystemExit) as stopped:
        quoth.main()
    assert stopped.value.code == 1, words
    return capsys.readouterr().err


def test_every_command_names_a_read_only_home(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = place / "disk" / "home"
    home.mkdir(parents=True)
    fill(home, place)
    with read_only(home):
        for words in (*COMMANDS, ("collections", "show", "default", "--verify")):
            said = error_of(words, monkeypatch, capsys)
            assert str(home) in said, words
            assert "can be written" in said or "cannot be written" in said, words
            assert said.count("\n") == 1, words


@can_mount
def test_every_command_names_a_full_disk(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(place / "disk", "3m") as disk:
        fill(disk / "home", place)
        with (disk / "filling").open("wb") as filling:
            filling.write(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize))
        for words in COMMANDS:
            said = error_of(words, monkeypatch, capsys)
            assert str(disk / "home") in said, words
            assert "disk is full" in said or "has space" in said, words
        assert not list((disk / "home").rglob("*.partial"))
        (disk / "filling").unlink()
        library = Library(disk / "home", shared_encoder())
        assert library.open_or_create("other").documents.list() == []
        assert [document.title for document in library.open("default").documents.list()] == ["A"]
        library.close()


@pytest.fixture
def closed_folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "closed"
    folder.mkdir()
    with read_only(folder):
        yield folder


def test_a_new_collection_in_a_read_only_home_is_not_writable(closed_folder: Path) -> None:
    with pytest.raises(NotWritable, match=r"closed cannot be written: it is read-only or another user's"):
        Library(closed_folder, shared_encoder()).open_or_create("default")


def test_a_full_output_is_named(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["quoth", "--version"])
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as stopped:
            quoth.main()
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.close()
    assert stopped.value.code == 1
    assert "No space left on device" in capfd.readouterr().err
