"""What web servers said of the pages that were indexed, so that they can be asked for what has changed since."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple


class Visit(NamedTuple):
    """A page of which a document was made: its URI, the address given that led to it (itself, or a sitemap), and what the
    server named its state by; empty where it said nothing.
    """

    uri: str
    found_by: str
    etag: str
    last_modified: str


def visits_in(connection: sqlite3.Connection) -> list[Visit]:
    """Every visit, by URI."""
    rows = connection.execute("SELECT uri, found_by, etag, last_modified FROM visits ORDER BY uri")
    return [Visit(*row) for row in rows]


def note(connection: sqlite3.Connection, visits: Iterable[Visit], forget: Iterable[str]) -> None:
    """Keep these visits in place of earlier ones, and forget those of the URIs `forget`."""
    connection.executemany("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?)", visits)
    connection.executemany("DELETE FROM visits WHERE uri = ?", ((uri,) for uri in forget))
