"""Compile filters to SQL, and resolve them to the documents that meet them."""

from numpy import int64
from numpy.typing import NDArray
from sqlalchemy import Connection

from index.filters import Filter
from index.ledger.postgres.statements import digest, fetch
from index.ledger.rows import nanoseconds
from index.ledger.selection import Selection, numbers_from

_LAST = "\U0010ffff"
_INDEXED = 500  # characters of a URI in its index


def resolve(connection: Connection, key: int, where: Filter) -> Selection:
    """Return the current documents that meet `where`, as the shorter of two lists: those that do, those that do not."""
    met, values = conditions(where)
    ((total, inside),) = fetch(
        connection,
        f"SELECT count(*), count(*) FILTER (WHERE {met}) FROM documents d WHERE d.collection = %s",
        *values,
        key,
    )
    if 2 * inside <= total:
        return Selection(_numbers(connection, key, met, values), share=inside / max(total, 1))
    return Selection(_numbers(connection, key, f"NOT ({met})", values), outside=True, share=inside / total)


def conditions(where: Filter) -> tuple[str, list[object]]:
    """Return a filter as SQL conditions on `documents d`, and their parameters."""
    parts, values = ["TRUE"], list[object]()
    if where.document_ids is not None:
        parts.append("d.id = ANY(CAST(%s AS text[]))")
        values.append(sorted(where.document_ids))
    if where.uri_prefix:
        met, limits = below(where.uri_prefix, where.uri_prefix + _LAST)
        parts.append(met)
        values += limits
    for name, value in sorted(where.metadata.items()):
        parts.append(
            "EXISTS (SELECT 1 FROM properties q WHERE q.collection = d.collection AND q.pair = %s AND q.document = d.number)"
        )
        values.append(digest(name, value))
    if where.modified_after is not None:
        parts.append("d.modified_ns >= CAST(%s AS bigint)")
        values.append(nanoseconds(where.modified_after))
    if where.modified_before is not None:
        parts.append("d.modified_ns < CAST(%s AS bigint)")
        values.append(nanoseconds(where.modified_before))
    if where.principals is not None:
        parts.append(
            """
            (EXISTS (SELECT 1 FROM permissions p WHERE p.collection = d.collection AND p.document_id = d.id
                AND p.principal = ANY(CAST(%s AS text[])))
            OR NOT EXISTS (SELECT 1 FROM permissions p WHERE p.collection = d.collection AND p.document_id = d.id))
            """
        )
        values.append(sorted(where.principals))
    return " AND ".join(parts), values


def below(first: str, last: str) -> tuple[str, list[object]]:
    """Return the condition that the URI of `documents d` is from `first` on and before `last`, so that its index is used."""
    start = f'left(d.uri, {_INDEXED}) COLLATE "C"'
    met = f"""
        (d.uri >= %s AND d.uri < %s
        AND {start} >= left(CAST(%s AS text), {_INDEXED}) AND {start} <= left(CAST(%s AS text), {_INDEXED}))
        """
    return met, [first, last] * 2


def _numbers(connection: Connection, key: int, met: str, values: list[object]) -> NDArray[int64]:
    rows = fetch(
        connection,
        f"SELECT string_agg(CAST(d.number AS text), ',' ORDER BY d.number) FROM documents d WHERE d.collection = %s AND {met}",
        key,
        *values,
    )
    return numbers_from(rows[0][0])
