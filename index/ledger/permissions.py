"""Who may read what stands below a folder, a file, an address or an upload, as it was said when it was indexed.

Remembered with the collection, so that a new file in a folder whose documents are for some is for the same people when nobody
says so again. The nearest place at or above a document counts.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from index.uris import file_uri, places_above


class Root(NamedTuple):
    """A place and the principals that were named for it: who may read what stands there and below, everybody if none are."""

    uri: str
    principals: frozenset[str]


class Inherited(NamedTuple):
    """So many new documents are for the principals of a place above them, since none were named for this run."""

    root: Root
    documents: int


def note_roots(connection: sqlite3.Connection, uris: Iterable[str], principals: frozenset[str]) -> None:
    """Keep `principals` for these places; what was said of places below them is forgotten."""
    written = json.dumps(sorted(principals))
    for uri in uris:
        place = uri.rstrip("/")
        connection.execute("DELETE FROM roots WHERE uri > ? || '/' AND uri < ? || '0'", (place, place))
        connection.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", (uri, written))


def roots_of(connection: sqlite3.Connection, uris: Iterable[str]) -> dict[str, Root]:
    """For each document's URI the nearest place at or above it for which principals were named, if there is one."""
    if connection.execute("SELECT 1 FROM roots LIMIT 1").fetchone() is None:
        return {}
    found: dict[str, Root] = {}
    for uri in uris:
        row = connection.execute(
            """
            SELECT uri, principals FROM roots WHERE uri IN (SELECT value FROM json_each(?)) ORDER BY length(uri) DESC LIMIT 1
            """,
            (json.dumps(places_above(file_uri(uri))),),
        ).fetchone()
        if row is not None:
            found[uri] = Root(row[0], frozenset(json.loads(row[1])))
    return found
