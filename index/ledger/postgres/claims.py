"""Claims on texts that wait for a vector: any number of processes encode at once, and none encodes what another has.

A claim ends when its vectors are there, when its holder gives it back, when the holder's session ends, as it does with its
process, or by itself after five minutes on the server's clock: a process that stalls loses its claims, nothing else.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from index.errors import CollectionBusy
from index.ledger.postgres.statements import fetch, run
from index.ledger.rows import PendingText, pending_from
from index.storage.postgres import AdvisoryLock, PostgresDatabase

_SECONDS = 300
_POLL_SECONDS = 0.2
_FIRST_HOLDER = 1000  # smaller numbers are those of a collection's other locks
_HELD = """
    SELECT CAST(l.objid AS bigint) FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = k.collection AND l.objsubid = 2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
"""The holders of the claim `k`'s collection whose sessions are there."""


class Claims:
    """The claims on texts of the collection `key`."""

    def __init__(self, database: PostgresDatabase, key: int, name: str) -> None:
        self._database = database
        self._key = key
        self._name = name

    @contextmanager
    def claim(self, limit: int, wait: float) -> Iterator[list[PendingText]]:
        """At most `limit` texts, newest first, claimed while the block lasts; none if none is left.

        While others have claimed all that wait when it begins, it waits for those. `CollectionBusy` after `wait` seconds.
        """
        holder, deadline = secrets.randbelow(2**31 - _FIRST_HOLDER) + _FIRST_HOLDER, time.monotonic() + wait
        with AdvisoryLock(self._database, self._key, holder, self._name).hold(wait):
            texts, last = self._take(holder, limit), self._newest_waiting()
            while not texts and self._some_wait(last):
                if time.monotonic() >= deadline:
                    raise CollectionBusy(
                        f"{self._name}: other processes are encoding its texts. Run again when they are done"
                    )
                time.sleep(_POLL_SECONDS)
                texts = self._take(holder, limit)
            try:
                yield texts
            finally:
                if texts:
                    with self._database.writing() as connection:
                        run(
                            connection,
                            "DELETE FROM claims WHERE collection = %s AND (holder = %s OR until <= clock_timestamp())",
                            self._key,
                            holder,
                        )

    def _take(self, holder: int, limit: int) -> list[PendingText]:
        with self._database.writing() as connection:
            rows = fetch(
                connection,
                f"""
                SELECT hash, context, coalesce(rendered, text) FROM chunks c WHERE collection = %s AND NOT embedded
                    AND NOT EXISTS (SELECT 1 FROM claims k WHERE k.collection = c.collection AND k.hash = c.hash
                        AND k.until > clock_timestamp() AND k.holder IN ({_HELD}))
                ORDER BY number DESC LIMIT %s FOR UPDATE SKIP LOCKED
                """,
                self._key,
                limit,
            )
            texts = {row[0]: pending_from(row) for row in rows}
            # Somebody may have claimed some of them after this statement began to look.
            taken = fetch(
                connection,
                f"""
                INSERT INTO claims AS k (collection, hash, holder, until)
                SELECT %s, given.hash, %s, clock_timestamp() + make_interval(secs => %s)
                    FROM unnest(CAST(%s AS bytea[])) AS given (hash) ORDER BY given.hash
                ON CONFLICT (collection, hash) DO UPDATE SET holder = excluded.holder, until = excluded.until
                    WHERE k.until <= clock_timestamp() OR k.holder NOT IN ({_HELD})
                RETURNING hash
                """,
                self._key,
                holder,
                _SECONDS,
                list(texts),
            )
            mine = {key for (key,) in taken}
            return [text for key, text in texts.items() if key in mine]

    def _newest_waiting(self) -> int:
        """The number of the newest chunk without a vector; 0 if there is none. What comes later, others wait for."""
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                "SELECT coalesce(max(number), 0) FROM chunks WHERE collection = %s AND NOT embedded",
                self._key,
            )
        return int(rows[0][0])

    def _some_wait(self, last: int) -> bool:
        """Whether a chunk up to the number `last` waits for a vector."""
        with self._database.reading() as connection:
            rows = fetch(
                connection,
                "SELECT 1 FROM chunks WHERE collection = %s AND NOT embedded AND number <= %s LIMIT 1",
                self._key,
                last,
            )
        return bool(rows)
