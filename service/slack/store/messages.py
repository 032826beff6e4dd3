"""Which messages Quoth posted, and which question each belongs to."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.slack.store.tables import DoneRow, PostedRow, inserted
from service.storage.database import Database


class Posted:
    """The messages that show answers, in the database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, channel: str, message: str, key: str, place: int) -> None:
        """Remember a message: the `place`th that shows the answer to the question `key`."""
        with self._database.writing() as session:
            session.merge(PostedRow(channel=channel, message=message, key=key, place=place))

    def forget(self, channel: str, messages: Sequence[str]) -> None:
        """Forget messages that are gone."""
        with self._database.writing() as session:
            session.execute(
                delete(PostedRow).where(PostedRow.channel == channel, PostedRow.message.in_(list(messages)))
            )

    def key_of(self, channel: str, message: str) -> str | None:
        """Which question a message belongs to; None for one that Quoth does not know."""
        with self._database.reading() as session:
            row = session.get(PostedRow, (channel, message))
            return None if row is None else row.key

    def messages_of(self, channel: str, key: str) -> tuple[str, ...]:
        """The messages that show the answer to a question in a channel, in order."""
        with self._database.reading() as session:
            return messages_of(session, channel, key)


def messages_of(session: Session, channel: str, key: str) -> tuple[str, ...]:
    """The same, in a session that is open already."""
    return tuple(
        session.scalars(
            select(PostedRow.message)
            .where(PostedRow.channel == channel, PostedRow.key == key)
            .order_by(PostedRow.place, PostedRow.message)
        ).all()
    )


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
