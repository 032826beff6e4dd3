"""SQLAlchemy's engine for a database URL: SQLite for many readers beside one writer, PostgreSQL with a pool that recovers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from index.storage import postgres
from index.storage.sqlite import enable_write_ahead
from service.errors import SettingsInvalid, StoreMissing, StoreUnavailable


def make_engine(url: str, busy_timeout_ms: int, *, migrating: bool = False, create: bool = True) -> Engine:
    """The engine for `url`. Raises SettingsInvalid.

    With `migrating`, each use opens a new connection, no step has a time limit, and SQLite allows tables to be rebuilt.
    Without `create`, connecting to an SQLite file that is missing or empty raises StoreMissing.
    """
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, busy_timeout_ms, migrating, create)
    return postgres.make_engine(parsed, migrating=migrating)


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database. Raises SettingsInvalid for one that cannot be used."""
    return _parse_url(url).get_backend_name() == "postgresql"


def _parse_url(url: str) -> URL:
    try:
        parsed = postgres.with_driver(make_url(url))
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError) as error:
        raise SettingsInvalid(
            "database_url (QUOTH_DATABASE_URL) is no database URL. Write sqlite:////absolute/path.sqlite or "
            "postgresql://user:password@host/name."
        ) from error
    except ImportError as error:
        raise SettingsInvalid(
            f"database_url (QUOTH_DATABASE_URL) needs {error.name}, which is not installed. "
            "For PostgreSQL: pip install 'quoth[postgres]'."
        ) from error
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise SettingsInvalid(
            f"database_url (QUOTH_DATABASE_URL) names {parsed.get_backend_name()}. "
            "Quoth keeps its records in sqlite or postgresql."
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise SettingsInvalid("database_url (QUOTH_DATABASE_URL) names no file. Write sqlite:////absolute/path.sqlite.")
    return parsed


def _sqlite(url: URL, busy_timeout_ms: int, migrating: bool, create: bool) -> Engine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The database {path} has no folder: {error.strerror}. Make {path.parent}.") from error
    engine = (
        create_engine(url, poolclass=NullPool) if migrating else create_engine(url, pool_timeout=postgres.POOL_WAIT_S)
    )
    event.listen(engine, "connect", _connection_setup(busy_timeout_ms, foreign_keys=not migrating))
    event.listen(engine, "begin", _begin)
    _detect_replaced_file(engine, path, create)
    return engine


def _connection_setup(busy_timeout_ms: int, *, foreign_keys: bool) -> Callable[[Any, Any], None]:
    """Set up a connection: readers beside one writer (WAL), a wait while another writes, and foreign keys enforced.

    The driver must not begin transactions itself: it begins them too late for a read on which a write depends.
    """
    pragmas = (
        "synchronous=NORMAL",
        f"foreign_keys={int(foreign_keys)}",
        "secure_delete=ON",  # deleted content is overwritten in the file
    )

    def tune(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        enable_write_ahead(connection, busy_timeout_ms / 1000)
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return tune


def _begin(connection: Connection) -> None:
    mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


def _detect_replaced_file(engine: Engine, path: Path, create: bool) -> None:
    """Detect a file that was deleted or replaced under a running server; without `create`, also one that is missing at first.

    SQLite would go on writing into the deleted file, and every answer would be lost without an error. Once the file is back,
    the database works again.
    """
    known = not create

    def identity() -> tuple[int, int]:
        try:
            status = os.stat(path)
        except OSError as error:
            if not create:
                raise _missing(path, "is gone") from error
            raise StoreUnavailable(
                f"The database {path} is gone: {error.strerror}. Put the file back, or start Quoth again to begin a new one."
            ) from error
        if not create and status.st_size == 0:
            raise _missing(path, "has 0 bytes")
        return status.st_dev, status.st_ino

    def before(*_: Any) -> None:
        if known:
            identity()  # connecting would create a new, empty file

    def after(_connection: Any, record: Any) -> None:
        nonlocal known
        known = True
        record.info["file"] = identity()

    def checked_out(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != identity():
            raise InvalidatePoolError("The database's file was replaced.")

    event.listen(engine, "do_connect", before)
    event.listen(engine, "connect", after)
    event.listen(engine, "checkout", checked_out)


def _missing(path: Path, state: str) -> StoreMissing:
    return StoreMissing(
        f"The database {path} {state}. API keys were made, so no new one is begun in its place. Restore it from a backup; "
        "`quoth doctor` says what else can be done."
    )
