"""The tables of the Slack app, in Quoth's database."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.storage.database import Table


class QuestionRow(Table):
    """A question asked in Slack. `key` identifies the message or the command, so that a repeated event is recognised.

    `revision` grows with each edit: it is the edit's timestamp from Slack. `due_at` is when a worker may claim the question:
    at once if it is new, at the end of the lease while a worker holds it, later after a failure.
    """

    __tablename__ = "slack_question"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    team: Mapped[str]
    channel: Mapped[str]
    channel_type: Mapped[str]
    thread: Mapped[str]
    message: Mapped[str]
    asker: Mapped[str]
    text: Mapped[str]
    door: Mapped[str]
    response_url: Mapped[str]
    revision: Mapped[str]
    wanted: Mapped[str]
    state: Mapped[str]
    worker: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    answer_id: Mapped[str | None]
    asked_at: Mapped[datetime]

    __table_args__ = (
        Index("slack_question_due", "state", "due_at"),
        Index("slack_question_thread", "channel", "thread", "position"),
        Index("slack_question_answer", "answer_id"),
    )


class ThreadRow(Table):
    """A thread in which Quoth was asked, and its conversation."""

    __tablename__ = "slack_thread"

    channel: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str]


class PostedRow(Table):
    """A message that Quoth posted for a question; `place` is its order among them."""

    __tablename__ = "slack_posted"

    channel: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    place: Mapped[int]


class ChannelRow(Table):
    """The settings of a channel."""

    __tablename__ = "slack_channel"

    channel: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str]
    folder: Mapped[str]
    every_message: Mapped[bool]
    silent: Mapped[bool]
    language: Mapped[str]


class PersonRow(Table):
    """What is known about a user of Slack, valid until `expires_at`."""

    __tablename__ = "slack_person"

    user: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    standing: Mapped[str]
    name: Mapped[str]
    expires_at: Mapped[datetime]


class DoneRow(Table):
    """A press of a button that was handled, so that a repeated event does not repeat it."""

    __tablename__ = "slack_done"

    key: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime] = mapped_column(index=True)


def insert_if_new(session: Session, row: Table) -> bool:
    """Add a row. False if its key exists already, also if another replica has just added it."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
