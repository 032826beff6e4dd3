"""Conversations, their answers and the feedback on them in a database, through SQLAlchemy (SQLite by default).

An answer is kept whole, as JSON, so that it can be fetched again with every quote and offset that it had.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import ForeignKey, Index, create_engine, event, make_url, select
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from service.errors import FeedbackInvalid, Permanent, RecordMissing, StoreUnavailable
from service.records import Answer, Turn

BUSY_TIMEOUT_MS = 5000
_ANSWER = TypeAdapter(Answer)


class _Table(DeclarativeBase):
    pass


class _ConversationRow(_Table):
    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str]
    created_at: Mapped[datetime]


class _AnswerRow(_Table):
    __tablename__ = "answer"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    collection: Mapped[str]
    created_at: Mapped[datetime]
    question: Mapped[str]
    text: Mapped[str]
    body: Mapped[str]

    __table_args__ = (Index("answer_by_conversation", "conversation_id", "position"),)


class _FeedbackRow(_Table):
    __tablename__ = "feedback"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"), index=True)
    sentence: Mapped[int | None]
    rating: Mapped[str]
    comment: Mapped[str]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer with what it does not say itself: the collection it came from, and when (UTC)."""

    answer: Answer
    collection: str
    created_at: datetime


Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What someone thinks of an answer, or of one sentence of it (from 0), and when it was said (UTC)."""

    id: str
    answer_id: str
    sentence: int | None
    rating: Rating
    comment: str
    created_at: datetime


class ConversationStore:
    """Keeps conversations. Thread-safe: every call takes its own connection.

    `url` is an SQLAlchemy URL. `clock` gives the time in UTC and `make_id` a new id; tests pass their own.
    `busy_timeout_ms` is how long a write waits for another process that writes (SQLite).
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    ) -> None:
        self._clock = clock
        self._make_id = make_id
        self._engine = _engine(url, busy_timeout_ms)
        with self._guard():
            _Table.metadata.create_all(self._engine)

    def new_id(self) -> str:
        """A fresh id for a conversation."""
        return self._make_id()

    def append(self, answer: Answer, collection: str) -> None:
        """Add `answer` to its conversation, beginning the conversation when this is its first answer."""
        now = self._clock()
        with self._session() as session, session.begin():
            if session.get(_ConversationRow, answer.conversation_id) is None:
                session.add(_ConversationRow(id=answer.conversation_id, collection=collection, created_at=now))
                session.flush()
            session.add(
                _AnswerRow(
                    id=answer.id,
                    conversation_id=answer.conversation_id,
                    collection=collection,
                    created_at=now,
                    question=answer.question,
                    text=answer.text,
                    body=_ANSWER.dump_json(answer).decode(),
                )
            )

    def history(self, conversation_id: str) -> tuple[Turn, ...]:
        """The earlier exchanges, oldest first. Raises RecordMissing when there is no such conversation."""
        with self._session() as session:
            self._require(session, conversation_id)
            rows = session.execute(
                select(_AnswerRow.question, _AnswerRow.text)
                .where(_AnswerRow.conversation_id == conversation_id)
                .order_by(_AnswerRow.position)
            )
            return tuple(Turn(question, text) for question, text in rows)

    def answers(self, conversation_id: str) -> tuple[StoredAnswer, ...]:
        """The whole answers of a conversation, oldest first. Raises RecordMissing when there is no such conversation."""
        with self._session() as session:
            self._require(session, conversation_id)
            rows = session.scalars(
                select(_AnswerRow).where(_AnswerRow.conversation_id == conversation_id).order_by(_AnswerRow.position)
            )
            return tuple(_stored(row) for row in rows)

    def answer(self, answer_id: str) -> StoredAnswer:
        """One answer. Raises RecordMissing."""
        with self._session() as session:
            return _stored(self._answer(session, answer_id))

    def rate(self, answer_id: str, rating: Rating, sentence: int | None = None, comment: str = "") -> Feedback:
        """Keep what someone thinks of an answer, or of its sentence `sentence` (from 0).

        Nothing is replaced: who changes their mind gives another. Raises RecordMissing, and FeedbackInvalid for a sentence
        that the answer does not have.
        """
        with self._session() as session, session.begin():
            count = len(_stored(self._answer(session, answer_id)).answer.sentences)
            if sentence is not None and not 0 <= sentence < count:
                raise FeedbackInvalid(
                    f"The answer {answer_id!r} has no sentence {sentence}: it has {count}, counted from 0. "
                    "Leave `sentence` out to rate the whole answer."
                )
            row = _FeedbackRow(
                id=self._make_id(),
                answer_id=answer_id,
                sentence=sentence,
                rating=rating,
                comment=comment,
                created_at=self._clock(),
            )
            session.add(row)
            session.flush()
            return _feedback(row)

    def feedback(
        self, answer_id: str | None = None, rating: Rating | None = None, limit: int | None = None, offset: int = 0
    ) -> tuple[Feedback, ...]:
        """The feedback there is, or that on one answer or of one rating, oldest first; `limit` of it from `offset` on."""
        query = select(_FeedbackRow).order_by(_FeedbackRow.position).offset(offset).limit(limit)
        if answer_id is not None:
            query = query.where(_FeedbackRow.answer_id == answer_id)
        if rating is not None:
            query = query.where(_FeedbackRow.rating == rating)
        with self._session() as session:
            return tuple(_feedback(row) for row in session.scalars(query))

    def close(self) -> None:
        """Give the database's connections back."""
        self._engine.dispose()

    def _answer(self, session: Session, answer_id: str) -> _AnswerRow:
        row = session.scalar(select(_AnswerRow).where(_AnswerRow.id == answer_id))
        if row is None:
            raise RecordMissing(f"No answer has the id {answer_id!r}. Ids stand in the field `id` of every answer.")
        return row

    def _require(self, session: Session, conversation_id: str) -> None:
        if session.get(_ConversationRow, conversation_id) is None:
            raise RecordMissing(
                f"No conversation has the id {conversation_id!r}. Leave `conversation_id` out to begin a new one."
            )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._guard(), Session(self._engine) as session:
            yield session

    @contextmanager
    def _guard(self) -> Iterator[None]:
        place = self._engine.url.render_as_string(hide_password=True)
        try:
            yield
        except OperationalError as error:
            raise StoreUnavailable(
                f"The conversations' database {place} does not answer: {error.orig}. "
                "Check that its folder can be written and has space, then try again."
            ) from error
        except DatabaseError as error:
            raise Permanent(
                f"The conversations' database {place} does not read: {error.orig}. Move the file away to begin a new one."
            ) from error


def _engine(url: str, busy_timeout_ms: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _tuning(busy_timeout_ms))
    return engine


def _tuning(busy_timeout_ms: int) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    """Readers beside one writer (WAL), a wait instead of an error when another writes, and foreign keys enforced."""

    def tune(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={busy_timeout_ms}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return tune


def _stored(row: _AnswerRow) -> StoredAnswer:
    return StoredAnswer(_ANSWER.validate_json(row.body), row.collection, row.created_at.replace(tzinfo=UTC))


def _feedback(row: _FeedbackRow) -> Feedback:
    rating: Rating = "up" if row.rating == "up" else "down"
    return Feedback(row.id, row.answer_id, row.sentence, rating, row.comment, row.created_at.replace(tzinfo=UTC))
