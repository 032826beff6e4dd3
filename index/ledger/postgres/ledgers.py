"""The ledgers of all collections in one PostgreSQL database."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from index.errors import CollectionDropped, CollectionExists, LedgerDamaged
from index.ledger.postgres.ledger import PostgresLedger, writer_lock
from index.ledger.postgres.schema import Facts, create, find, upgrade
from index.ledger.postgres.statements import fetch, run
from index.ledger.postgres.transfer import checksum_of, read_sqlite
from index.ledger.sqlite.ledger import SqliteLedger
from index.ledger.sqlite.schema import begin_copy
from index.ledger.stored import ValueUnreadable
from index.storage.atomic import seconds_unchanged
from index.storage.postgres import PostgresDatabase

_WAIT_SECONDS = 10.0
_IMPORTING = ".importing-"
_IMPORT_SECONDS = 24 * 3600.0
_DELETED_AT_ONCE = 5000
_TABLES = (
    "changes", "chunks", "claims", "properties", "documents", "versions", "vectors", "permissions", "titles", "roots", "visits",
    "notes",
)  # fmt: skip
"""The tables whose rows belong to a collection, those that refer to others first.

Claims go after the chunks: another process may claim texts as long as their chunks are there.
"""


class PostgresLedgers:
    """The ledgers in the database at `url`, as `index.ledger.protocol.Ledgers` says.

    `caches` is a folder of this machine: what is made of a ledger lies in a folder of it that no other collection ever had.
    """

    def __init__(self, url: str, caches: Path) -> None:
        self._database = PostgresDatabase(url, damages=ValueUnreadable)
        self._caches = caches
        self._guard = threading.Lock()
        self._is_current = False

    @property
    def place(self) -> str:
        """The URL of the database without its password, for messages."""
        return self._database.place

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def names(self) -> list[str]:
        """Return the names of the collections that exist, sorted."""
        with self._current().reading() as connection:
            rows = fetch(connection, "SELECT name FROM collections WHERE name IS NOT NULL ORDER BY name")
        return [name for (name,) in rows]

    def exists(self, name: str) -> bool:
        """Whether there is such a collection."""
        with self._current().reading() as connection:
            return find(connection, name) is not None

    def open(self, name: str, *, encoder: str, dimension: int, create: bool) -> PostgresLedger:
        """Open the ledger of a collection; with `create` it is made if there is none."""
        facts = self._facts(name)
        if facts is None and create:
            self._create(name, encoder, dimension)
            facts = self._facts(name)
        if facts is None:
            raise _dropped(name)
        folder = self._folder(name, facts)
        ledger = PostgresLedger(self._database, facts, name, folder, encoder=encoder, dimension=dimension)
        folder.mkdir(parents=True, exist_ok=True)
        return ledger

    @contextmanager
    def dropping(self, name: str, alongside: AbstractContextManager[str]) -> Iterator[None]:
        """Take the collection away, then run the `with` block, and then delete what is left of it."""
        facts = self._facts(name)
        if facts is None:
            raise _dropped(name)
        lock = writer_lock(self._database, facts.key, name)
        with lock.hold(_WAIT_SECONDS), alongside as mark, self._database.writing(lock.connection) as connection:
            dropped = run(
                connection,
                """
                UPDATE collections SET name = NULL, dropped_name = name, dropped_mark = %s
                WHERE id = %s AND name IS NOT NULL
                """,
                mark,
                facts.key,
            )
            if not dropped:
                raise _dropped(name)
        yield
        shutil.rmtree(self._folder(name, facts), ignore_errors=True)
        self._delete(facts.key)

    def finish_drops(self, complete: Callable[[str, str], object]) -> None:
        """Delete what drops of killed processes left, and this machine's folders of collections that are gone."""
        # Listed before the names: a folder is made after the row of its collection.
        folders = {folder for folder in self._caches.glob("*") if _is_finished(folder)}
        with self._current().reading() as connection:
            dropped = fetch(connection, "SELECT id, dropped_name, dropped_mark FROM collections WHERE name IS NULL")
            kept = {
                self._folder(name, Facts(0, identity, "", 0))
                for name, identity in fetch(connection, "SELECT name, identity FROM collections WHERE name IS NOT NULL")
            }
        for key, name, mark in dropped:
            if mark:
                complete(name, mark)
            self._delete(key)
        for folder in folders - kept:
            shutil.rmtree(folder, ignore_errors=True)

    def adopt(
        self,
        name: str,
        write: Callable[[Path], object],
        *,
        encoder: str,
        dimension: int,
        identity: int | None = None,
    ) -> None:
        """Make a collection of the SQLite ledger that `write` writes to a path: whole or not at all."""
        self._caches.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_IMPORTING, dir=self._caches) as folder:
            file = Path(folder) / name / "ledger.sqlite"
            file.parent.mkdir()
            write(file)
            begin_copy(file, identity)
            with closing(
                SqliteLedger(file, encoder=encoder, dimension=dimension)
            ) as staged:  # upgraded, of this encoder
                checksum = staged.checksum()
            with self._current().writing() as connection:
                created = create(connection, name, encoder, dimension, identity)
                if created is None:
                    raise CollectionExists(
                        f"there is a collection {name!r} already. Choose another name, or drop it first"
                    )
                read_sqlite(file, connection, created)
                if checksum_of(connection, created) != checksum:
                    raise LedgerDamaged(
                        f"{name}: {self.place} has not stored what was sent to it. Nothing was kept of it. Check the database"
                    )

    def _current(self) -> PostgresDatabase:
        """The database, whose tables are up to date."""
        with self._guard:
            if not self._is_current:
                upgrade(self._database)
                self._is_current = True
        return self._database

    def _facts(self, name: str) -> Facts | None:
        with self._current().reading() as connection:
            return find(connection, name)

    def _create(self, name: str, encoder: str, dimension: int) -> None:
        with self._current().writing() as connection:
            create(connection, name, encoder, dimension)

    def _folder(self, name: str, facts: Facts) -> Path:
        return self._caches / f"{name}.{facts.identity:x}"

    def _delete(self, key: int) -> None:
        """Delete the rows of a dropped collection, table by table: what a killed process leaves, the next one deletes.

        Some at a time: a statement that takes longer than the connection waits would fail, again and again.
        """
        for table in _TABLES:
            while self._delete_some(table, key):
                pass
        with self._database.writing() as connection:
            run(connection, "DELETE FROM collections WHERE id = %s AND name IS NULL", key)

    def _delete_some(self, table: str, key: int) -> bool:
        """Delete some rows of a dropped collection. Returns whether there were any."""
        with self._database.writing() as connection:
            deleted = run(
                connection,
                f"""
                DELETE FROM {table} WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM {table} WHERE collection = %s LIMIT {_DELETED_AT_ONCE}
                ))
                """,
                key,
            )
        return deleted > 0


def _dropped(name: str) -> CollectionDropped:
    return CollectionDropped(f"{name}: another program has just dropped the collection. List them again")


def _is_finished(folder: Path) -> bool:
    """Whether it is a folder in which no import is working: one younger than a day may be."""
    return folder.is_dir() and (not folder.name.startswith(_IMPORTING) or seconds_unchanged(folder) > _IMPORT_SECONDS)
