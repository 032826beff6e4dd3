"""The messages that Quoth posted with the question of each, and the presses of buttons that were handled."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from service.slack.store.tables import DoneRow, PostedRow, insert_if_new
from service.storage.database import Database


class PostedMessages:
    """The messages that show answers, in the database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, channel: str, message: str, key: str, place: int) -> None:
        """Store a message: the `place`th that shows the answer to the question `key`."""
        with self._database.writing() as session:
            session.merge(PostedRow(channel=channel, message=message, key=key, place=place))

    def forget(self, channel: str, messages: Sequence[str]) -> None:
        """Remove messages that were deleted in Slack."""
        with self._database.writing() as session:
            session.execute(
                delete(PostedRow).where(PostedRow.channel == channel, PostedRow.message.in_(list(messages)))
            )

    def key_of(self, channel: str, message: str) -> str | None:
        """The key of the question that a message belongs to; None for a message that Quoth did not post."""
        with self._database.reading() as session:
            row = session.get(PostedRow, (channel, message))
            return None if row is None else row.key

    def messages_of(self, channel: str, key: str) -> tuple[str, ...]:
        """The messages that show the answer to a question in a channel, in order."""
        with self._database.reading() as session:
            return messages_of(session, channel, key)


def messages_of(session: Session, channel: str, key: str) -> tuple[str, ...]:
    """The messages that show the answer to a question, in order, read in an open session."""
    return tuple(
        session.scalars(
            select(PostedRow.message)
            .where(PostedRow.channel == channel, PostedRow.key == key)
            .order_by(PostedRow.place, PostedRow.message)
        ).all()
    )


REMEMBERED = timedelta(days=1)


class RecentActions:
    """The keys of recent actions, so that each is done once. Thread-safe. `clock` gives the time in UTC."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._clock = clock

    def record(self, key: str) -> bool:
        """Record a key. True unless it was recorded within a day before."""
        now = self._clock()
        with self._database.writing() as session:
            old = or_(DoneRow.done_at < now - REMEMBERED, DoneRow.done_at > now + REMEMBERED)  # the clock was set back
            session.execute(delete(DoneRow).where(old))
            return insert_if_new(session, DoneRow(key=key, done_at=now))
