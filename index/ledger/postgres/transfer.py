"""Copy a ledger between PostgreSQL and the SQLite file that exports hold. Numbers and positions stay as they are."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from index.ledger.postgres.statements import digest, fetch, run
from index.ledger.sqlite.schema import create_tables
from index.storage.sqlite import connect


class Table(NamedTuple):
    """A table that both databases have, with the column by whose values its rows are read in pages."""

    name: str
    columns: str
    order: str
    page: int = 4096


_TABLES = (
    Table(
        "versions",
        "number, document_id, version, uri, title, media_type, characters, text, pages, blocks, metadata, warnings, geometry, "
        "reading",
        "number",
        page=64,  # with whole texts
    ),
    Table("documents", "number, id, version, uri, source_size, source_modified_ns, indexed_at, modified_ns", "number"),
    Table(
        "chunks",
        "number, id, document, ordinal, start, stop, page, trail, context, text, rendered, units, hash, embedded",
        "number",
    ),
    Table("vectors", "hash, vector", "hash"),
    Table("changes", "position, kind, chunk", "position"),
)
_WHOLE = (
    Table("permissions", "document_id, principal", "document_id"),
    Table("titles", "document_id, title", "number"),
    Table("roots", "uri, principals", "uri"),
    Table("visits", "uri, found_by, etag, last_modified", "uri"),
)
_COUNTED = {"documents": "last_document", "chunks": "last_chunk", "changes": "position"}
"""Tables of SQLite that never use a number twice, and the counters of PostgreSQL that say the same."""


def write_sqlite(connection: Connection, key: int, target: Path) -> None:
    """Write one state of the ledger `key` into a new SQLite file. `connection` sees only that state."""
    columns = ("identity", "encoder", "dimension", "floor", "title", *_COUNTED.values())
    (row,) = fetch(connection, f"SELECT {', '.join(columns)} FROM collections WHERE id = %s", key)
    facts = dict(zip(columns, row, strict=True))
    with closing(sqlite3.connect(target, isolation_level=None)) as file:
        file.execute("BEGIN")
        create_tables(file, facts["encoder"], facts["dimension"], facts["identity"], facts["floor"])
        if facts["title"]:
            file.execute("INSERT INTO facts VALUES ('title', ?)", (facts["title"],))
        for table in (*_TABLES, *_WHOLE):
            marks = ", ".join("?" for _ in table.columns.split(", "))
            for page in _pages(connection, key, table):
                file.executemany(f"INSERT INTO {table.name} ({table.columns}) VALUES ({marks})", page)
        file.execute(
            """
            INSERT INTO properties (document, name, value)
            SELECT d.number, m.key, m.value FROM documents d JOIN versions v ON v.number = d.version, json_each(v.metadata) m
            """
        )
        file.executemany("DELETE FROM sqlite_sequence WHERE name = ?", ((name,) for name in _COUNTED))
        file.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            ((name, facts[counter]) for name, counter in _COUNTED.items()),
        )
        file.execute("COMMIT")


def read_sqlite(source: Path, connection: Connection, key: int) -> None:
    """Copy the SQLite ledger at `source` into the empty collection `key`, inside the caller's transaction."""
    with closing(connect(source)) as file:
        for table in (*_TABLES, *_WHOLE):
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
                {", ".join(f"{counter} = CAST(%s AS bigint)" for counter in _COUNTED.values())} WHERE id = %s
            """,
            "" if title is None else title[0],
            floor,
            last_version,
            *(used.get(name, 0) for name in _COUNTED),
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
    if table in _WHOLE:
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
