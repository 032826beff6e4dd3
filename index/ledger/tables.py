"""The tables that a ledger has in SQLite and in PostgreSQL, and a checksum over what they hold."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Table(NamedTuple):
    """A table that both databases have, with the column by whose values its rows are read in pages.

    Where those values are not unique, `is_small`: its rows are read at once.
    """

    name: str
    columns: str
    order: str
    page: int = 4096
    is_small: bool = False


TABLES = (
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
    Table("permissions", "document_id, principal", "document_id", is_small=True),
    Table("titles", "document_id, title", "number", is_small=True),
    Table("roots", "uri, principals", "uri", is_small=True),
    Table("visits", "uri, found_by, etag, last_modified", "uri", is_small=True),
)

COUNTED = {"documents": "last_document", "chunks": "last_chunk", "changes": "position"}
"""Tables of SQLite that never use a number twice, and the counters of PostgreSQL that say the same."""

_IN_ORDER = "titles"  # what came later counts, so this small table is not sorted


def checksum(facts: Sequence[object], rows: Iterable[tuple[Table, Iterable[Sequence[Any]]]]) -> str:
    """SHA-256, in hexadecimal digits, over facts about a ledger and the rows of its `TABLES`, in the order of these.

    It is the same for equal ledgers in both databases. Small tables are sorted here, since the two sort texts differently.
    """
    found = hashlib.sha256(_encoded(facts))
    for table, held in rows:
        found.update(table.name.encode())
        is_sorted = table.is_small and table.name != _IN_ORDER
        for row in sorted(tuple(row) for row in held) if is_sorted else held:
            found.update(_encoded(row))
    return found.hexdigest()


def _encoded(row: Sequence[object]) -> bytes:
    """The values of a row as bytes that no other row has."""
    parts: list[bytes] = []
    for value in row:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, str):
            text = value.encode("utf-8", "surrogatepass")
            parts += (b"s%d:" % len(text), text)
        elif isinstance(value, bytes | memoryview):
            parts += (b"b%d:" % len(value), bytes(value))
        elif isinstance(value, float):
            parts += (b"f", struct.pack("<d", value))
        else:
            parts.append(b"i%d;" % int(value))  # type: ignore[call-overload]
    return b"".join(parts)
