"""The tables of the Slack door, on the metadata of Quoth's one database."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.storage.tables import Table


class QuestionRow(Table):
    """A question that somebody asked in Slack. `key` names the message or the command; a second arrival finds it here.

    `revision` grows with each edit: the timestamp of the edit, as Slack gives it. `due_at` is when the question is next
    worked on: now for a new one, the end of the lease while a worker has it, later after a failure.
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
    """A thread in which Quoth was asked, and the conversation that it is."""

    __tablename__ = "slack_thread"

    channel: Mapped[str] = mapped_column(primary_key=True)
    thread: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str]


class PostedRow(Table):
    """A message that Quoth posted: which question and answer it shows, and who may delete it."""

    __tablename__ = "slack_posted"

    channel: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    place: Mapped[int]


class ChannelRow(Table):
    """How Quoth behaves in a channel."""

    __tablename__ = "slack_channel"

    channel: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str]
    folder: Mapped[str]
    every_message: Mapped[bool]
    silent: Mapped[bool]
    language: Mapped[str]


class PersonRow(Table):
    """What is known of a user of Slack, until `expires_at`."""

    __tablename__ = "slack_person"

    user: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    standing: Mapped[str]
    name: Mapped[str]
    expires_at: Mapped[datetime]


class DoneRow(Table):
    """A press of a button that was done, so that a repeated envelope does not do it again."""

    __tablename__ = "slack_done"

    key: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime] = mapped_column(index=True)


def inserted(session: Session, row: Table) -> bool:
    """Add a row; False when its key is there already, also when another replica was quicker just now."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
