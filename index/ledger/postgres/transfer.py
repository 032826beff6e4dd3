"""Copy a ledger between PostgreSQL and the SQLite file that exports hold. Numbers and positions stay as they are."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from index.ledger.postgres.statements import digest, fetch, run
from index.ledger.sqlite.schema import create_tables
from index.ledger.tables import COUNTED, TABLES, Table, checksum
from index.storage.sqlite import connect


def write_sqlite(connection: Connection, key: int, target: Path) -> None:
    """Write one state of the ledger `key` into a new SQLite file. `connection` sees only that state."""
    columns = ("identity", "encoder", "dimension", "floor", "title", *COUNTED.values())
    (row,) = fetch(connection, f"SELECT {', '.join(columns)} FROM collections WHERE id = %s", key)
    facts = dict(zip(columns, row, strict=True))
    with closing(sqlite3.connect(target, isolation_level=None)) as file:
        file.execute("BEGIN")
        create_tables(file, facts["encoder"], facts["dimension"], facts["identity"], facts["floor"])
        if facts["title"]:
            file.execute("INSERT INTO facts VALUES ('title', ?)", (facts["title"],))
        for table in TABLES:
            marks = ", ".join("?" for _ in table.columns.split(", "))
            for page in _pages(connection, key, table):
                file.executemany(f"INSERT INTO {table.name} ({table.columns}) VALUES ({marks})", page)
        file.execute(
            """
            INSERT INTO properties (document, name, value)
            SELECT d.number, m.key, m.value FROM documents d JOIN versions v ON v.number = d.version, json_each(v.metadata) m
            """
        )
        file.executemany("DELETE FROM sqlite_sequence WHERE name = ?", ((name,) for name in COUNTED))
        file.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            ((name, facts[counter]) for name, counter in COUNTED.items()),
        )
        file.execute("COMMIT")


def checksum_of(connection: Connection, key: int) -> str:
    """The checksum of the ledger `key` (`index.ledger.tables`). `connection` sees only one state of it."""
    columns = ("encoder", "dimension", "floor", "title", *COUNTED.values())
    (facts,) = fetch(connection, f"SELECT {', '.join(columns)} FROM collections WHERE id = %s", key)
    return checksum(
        facts, ((table, (row for page in _pages(connection, key, table) for row in page)) for table in TABLES)
    )


def read_sqlite(source: Path, connection: Connection, key: int) -> None:
    """Copy the SQLite ledger at `source` into the empty collection `key`, inside the caller's transaction."""
    with closing(connect(source)) as file:
        for table in TABLES:
            _copy_table(file, connection, key, table)
        for rows in _batches(file.execute("SELECT document, name, value FROM properties"), 4096):
            _insert(
                connection, key, "properties", "document, pair", [(number, digest(*pair)) for number, *pair in rows]
            )
        used = dict(file.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        floor = file.execute("SELECT CAST(value AS INTEGER) FROM facts WHERE name = 'floor'").fetchone()[0]
        title = file.execute("SELECT value FROM facts WHERE name = 'title'").fetchone()
        (last_version,) = file.execute("SELECT coalesce(max(number), 0) FROM versions").fetchone()
        run(
            connection,
            f"""
            UPDATE collections SET title = %s, floor = CAST(%s AS bigint), last_version = %s,
                {", ".join(f"{counter} = CAST(%s AS bigint)" for counter in COUNTED.values())} WHERE id = %s
            """,
            "" if title is None else title[0],
            floor,
            last_version,
            *(used.get(name, 0) for name in COUNTED),
            key,
        )


def _copy_table(file: sqlite3.Connection, connection: Connection, key: int, table: Table) -> None:
    columns = table.columns
    for rows in _batches(file.execute(f"SELECT {columns} FROM {table.name} ORDER BY {table.order}"), table.page):
        given: Sequence[Sequence[Any]] = rows
        names = columns
        if table.name == "chunks":
            given = [(*row[:-1], bool(row[-1])) for row in rows]
        elif table.name in {"roots", "visits"}:
            given, names = [(digest(row[0]), *row) for row in rows], f"place, {columns}"
        _insert(connection, key, table.name, names, given)


def _pages(connection: Connection, key: int, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table: in pages where its order is unique, else all at once."""
    if table.is_small:
        yield fetch(
            connection, f"SELECT {table.columns} FROM {table.name} WHERE collection = %s ORDER BY {table.order}", key
        )
        return
    place = [name.strip() for name in table.columns.split(",")].index(table.order)
    last: object = b"" if table.order == "hash" else 0
    while rows := fetch(
        connection,
        f"""
        SELECT {table.columns} FROM {table.name} WHERE collection = %s AND {table.order} > %s
        ORDER BY {table.order} LIMIT {table.page}
        """,
        key,
        last,
    ):
        yield rows
        last = rows[-1][place]


def _batches(rows: sqlite3.Cursor, size: int) -> Iterator[list[tuple[Any, ...]]]:
    while batch := rows.fetchmany(size):
        yield batch


def _insert(connection: Connection, key: int, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
    names = [name.strip() for name in columns.split(",")]
    kinds = dict(
        fetch(
            connection,
            """
            SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
            WHERE attrelid = CAST(%s AS regclass) AND attnum > 0
            """,
            table,
        )
    )
    run(
        connection,
        f"""
        INSERT INTO {table} (collection, {columns})
        SELECT %s, given.* FROM unnest({", ".join(f"CAST(%s AS {kinds[name]}[])" for name in names)}) AS given ({columns})
        """,
        key,
        *([row[place] for row in rows] for place in range(len(names))),
    )
