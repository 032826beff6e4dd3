"""Presses of buttons, each done once however often Slack repeats it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from service.database import Database
from service.slack.tables import DoneRow, inserted

REMEMBERED = timedelta(days=1)


class Once:
    """What was done lately. Thread-safe. `clock` gives the time in UTC."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def first(self, key: str) -> bool:
        """True the first time for a key, for a day."""
        now = self._clock()
        with self._database.writing() as session:
            session.execute(delete(DoneRow).where(DoneRow.done_at < now - REMEMBERED))
            return inserted(session, DoneRow(key=key, done_at=now))
