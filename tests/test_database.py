"""A database that is locked, deleted, replaced or unreachable is reported; nothing is lost silently, and it recovers."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.errors import SettingsInvalid, StoreDamaged, StoreUnavailable
from service.storage.database import Database


def count(database: Database) -> Any:
    with database.reading() as session:
        return session.scalar(text("SELECT count(*) FROM conversation"))


def insert(session: Session, id: str) -> None:
    session.execute(
        text("INSERT INTO conversation (id, collection, created_at) VALUES (:id, 'c', '2026-01-02 12:00:00')"),
        {"id": id},
    )


def add(database: Database, id: str) -> None:
    with database.writing() as session:
        insert(session, id)


def test_a_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is not a database at all, not even a little" * 100)
    with pytest.raises(StoreDamaged, match=r"c\.sqlite.*Restore it from a backup"):
        Database(f"sqlite:///{path}")


def test_a_path_that_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="can be written"):
        Database(f"sqlite:///{tmp_path}")


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"has no folder.*Make "):
        Database(f"sqlite:///{tmp_path / 'file' / 'c.sqlite'}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is no database URL"),
        ("oracle9://x/y", "is no database URL"),
        ("mysql+asyncmy://x/y", "needs"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_unusable_url_is_refused_with_the_fix(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=rf"QUOTH_DATABASE_URL.*{said}"):
        Database(url)


def test_writes_of_a_failed_block_are_rolled_back(database: Database) -> None:
    add(database, "one")

    def add_two() -> None:
        with database.writing() as session:
            insert(session, "two")
            insert(session, "one")

    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        add_two()
    assert count(database) == 1


def test_a_locked_file_is_unavailable_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    database = Database(f"sqlite:///{path}", busy_timeout_ms=50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            add(database, "one")
        other.execute("ROLLBACK")
    add(database, "one")
    assert count(database) == 1
    database.close()


def test_a_read_only_file_can_be_read_and_a_write_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    database = Database(f"sqlite:///{path}")
    add(database, "one")
    with database.reading() as session:
        session.execute(text("PRAGMA query_only=1"))
    with pytest.raises(StoreUnavailable, match=r"readonly database.*can be written"):
        add(database, "two")
    assert count(database) == 1
    database.close()


def test_a_file_deleted_under_a_running_server_is_noticed_at_once_and_so_is_its_return(tmp_path: Path) -> None:
    path, backup = tmp_path / "c.sqlite", tmp_path / "backup"
    database = Database(f"sqlite:///{path}")
    add(database, "one")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, backup)
    path.unlink()
    for attempt in (lambda: add(database, "two"), lambda: count(database)):
        with pytest.raises(StoreUnavailable, match=r"is gone.*Put the file back"):
            attempt()
    assert not path.exists()
    shutil.copy(backup, path)
    add(database, "three")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT id FROM conversation ORDER BY id").fetchall() == [("one",), ("three",)]
    database.close()


def test_a_database_server_that_restarts_is_unavailable_in_between(postgres: Any) -> None:
    database = Database(postgres.fresh())
    add(database, "one")
    postgres.stop()
    try:
        for attempt in (lambda: add(database, "two"), lambda: count(database)):
            with pytest.raises(StoreUnavailable, match=r"does not answer.*server runs"):
                attempt()
    finally:
        postgres.start()
    assert count(database) == 1
    add(database, "three")
    assert count(database) == 2
    database.close()


def test_the_password_appears_in_no_message() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Database("postgresql://quoth:hunter2@127.0.0.1:1/quoth")
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
