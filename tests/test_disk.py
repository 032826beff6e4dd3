"""Atomic writes, and the errors of a full disk and of a locked ledger."""

import errno
import sqlite3
from pathlib import Path

import pytest

from index.errors import CollectionBusy, CollectionDropped, DiskFull
from index.ledger.sqlite.damage import explain_damage
from index.storage.atomic import replace_file, report_full_disk
from index.storage.sqlite import connect, translate_errors


def test_a_full_disk_is_reported_and_the_old_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "cache"
    target.write_text("old")

    def write() -> None:
        with replace_file(target) as partial:
            partial.write_text("half")
            with Path("/dev/full").open("w") as full:
                full.write("no room")

    with pytest.raises(DiskFull, match=r"cache: the disk is full\. Everything acknowledged before is safe"):
        write()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_complete_file_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "cache"
    target.write_text("old")
    with replace_file(target) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_other_failures_keep_their_own_error(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), report_full_disk(tmp_path / "x"):
        raise PermissionError(errno.EACCES, "denied")
    with pytest.raises(ValueError, match="odd"), report_full_disk(tmp_path / "x"):
        raise ValueError("odd")


def test_a_ledger_locked_by_another_program_is_busy_not_broken(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first, second = connect(path), connect(path)
    first.execute("CREATE TABLE t (x)")
    first.execute("BEGIN IMMEDIATE")
    second.execute("PRAGMA busy_timeout = 10")
    with (
        pytest.raises(CollectionBusy, match=r"ledger\.sqlite: another program has held the ledger"),
        translate_errors(path),
    ):
        second.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="no such table"), translate_errors(path):
        second.execute("SELECT * FROM missing")
    first.close()
    second.close()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT])
def test_an_error_of_a_ledger_whose_folder_is_gone_is_a_drop_and_no_damage(tmp_path: Path, code: int) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code | 2 << 8
    path = tmp_path / "brief" / "ledger.sqlite"
    with pytest.raises(CollectionDropped, match="brief: another program dropped the collection"), explain_damage(path):
        raise error
