"""Table: what every table of Quoth's database is declared from, with the column types that hold on every database.

Each table stands beside the store that uses it (service/storage/conversations.py, service/storage/feedback.py ...). A change to one needs a file in
service/migrations/versions; a test compares the two.
"""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NUL, REPLACEMENT = "\x00", "\ufffd"


class Characters(TypeDecorator[str]):
    """Text of any length. PostgreSQL has no place for U+0000, so it becomes U+FFFD, on every database alike."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text that can be kept."""
        return None if value is None else value.replace(NUL, REPLACEMENT)


class Moment(TypeDecorator[datetime]):
    """A time in UTC: aware in Python, without a zone in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The same moment in UTC, without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """The base of every table; `Table.metadata` knows them all once their modules are imported."""

    type_annotation_map = {str: Characters(), datetime: Moment()}  # noqa: RUF012  (SQLAlchemy reads it from the class)
