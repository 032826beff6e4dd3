"""A filter as a condition in SQL on the rows of a Lance table. Pure."""

import json
from collections.abc import Iterable

from index.filters import Filter
from index.ledger.rows import nanoseconds


def condition(where: Filter | None) -> str | None:
    """Return the filter as SQL on the columns of `index.engines.lance.rows`; None if it allows every chunk."""
    if where is None or where.is_open:
        return None
    parts = []
    if where.document_ids is not None:
        parts.append(f"document IN ({_listed(where.document_ids)})" if where.document_ids else "false")
    if where.uri_prefix:
        first, last = _quoted(where.uri_prefix), _quoted(where.uri_prefix + "\U0010ffff")
        parts.append(f"uri >= {first} AND uri < {last}")
    parts += [
        f"array_has(metadata, {_quoted(metadata_value(name, value))})" for name, value in sorted(where.metadata.items())
    ]
    if where.modified_after is not None:
        parts.append(f"modified >= {nanoseconds(where.modified_after)}")
    if where.modified_before is not None:
        parts.append(f"modified < {nanoseconds(where.modified_before)}")
    if where.principals:
        parts.append(f"(is_open OR array_has_any(principals, [{_listed(where.principals)}]))")
    elif where.principals is not None:
        parts.append("is_open")
    return " AND ".join(parts)


def metadata_value(name: str, value: str) -> str:
    """Return how one name of the metadata and its value stand in the column `metadata`."""
    return json.dumps([name, value], ensure_ascii=False)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(_quoted, sorted(values)))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
