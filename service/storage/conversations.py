"""Conversations and their answers, in Quoth's database.

An answer is stored complete, as JSON, so that it can be fetched again with every quote and offset.
`owner` is the id of the API key that a request came with ("" where no key is required): rows of other owners do not exist for
it. ANYBODY finds all rows.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ForeignKey, Index, false, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.errors import RecordDamaged, RecordMissing
from service.records import Answer, Recording, Turn
from service.storage.database import Database, Table

ANYBODY: None = None  # for the command line on this machine, and for work on all rows
MAX_TITLE = 120
_ANSWER = TypeAdapter(Answer)
_UNDECODABLE = "Could not decode to UTF-8"  # how SQLite's driver reports bytes that are no text
_RECORDING: TypeAdapter[Recording | None] = TypeAdapter(Recording | None)


class ConversationRow(Table):
    """A conversation. Deleting it deletes its answers."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str]
    created_at: Mapped[datetime]
    owner: Mapped[str] = mapped_column(server_default="")
    title: Mapped[str] = mapped_column(server_default="")
    updated_at: Mapped[datetime | None]

    __table_args__ = (Index("conversation_by_owner", "owner", "updated_at", "id"),)


class AnswerRow(Table):
    """An answer: `body` is the complete answer, `request` how it was asked for."""

    __tablename__ = "answer"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    collection: Mapped[str]
    created_at: Mapped[datetime]
    question: Mapped[str]
    text: Mapped[str]
    body: Mapped[str]
    owner: Mapped[str] = mapped_column(server_default="")
    request: Mapped[str] = mapped_column(server_default="null")
    refused: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        Index("answer_by_conversation", "conversation_id", "position"),
        Index("answer_refused", "refused", "position"),
    )


class AnswerCitationRow(Table):
    """A document version that an answer cites. Deleting the answer deletes it."""

    __tablename__ = "answer_citation"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"), primary_key=True)
    document_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("answer_citation_document", "document_id", "version"),)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer with the collection it came from, its time (UTC), and the recording of how it was made.

    `recording` is None for an answer that an earlier version of Quoth stored.
    """

    answer: Answer
    collection: str
    created_at: datetime
    recording: Recording | None = None


def now_utc() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def random_id() -> str:
    """A new random id."""
    return uuid.uuid4().hex


class ConversationStore:
    """Stores conversations. Thread-safe. `clock` gives the time in UTC and `make_id` a new id; tests pass their own."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = now_utc, make_id: Callable[[], str] = random_id
    ) -> None:
        self.database = database
        self._clock = clock
        self._make_id = make_id

    def new_id(self) -> str:
        """A new id for a conversation."""
        return self._make_id()

    def append(self, answer: Answer, collection: str, recording: Recording | None = None, *, owner: str = "") -> None:
        """Add an answer to its conversation, which is created with its first answer.

        Raises RecordMissing if the conversation is another owner's.
        """
        now = self._clock()
        with self.database.writing() as session:
            conversation = session.get(ConversationRow, answer.conversation_id)
            if conversation is None:
                conversation = ConversationRow(
                    id=answer.conversation_id,
                    collection=collection,
                    created_at=now,
                    owner=owner,
                    title=conversation_title(answer.question),
                )
                session.add(conversation)
            elif conversation.owner != owner:
                raise missing_conversation(answer.conversation_id)
            conversation.updated_at = now
            session.flush()
            session.add(
                AnswerRow(
                    id=answer.id,
                    conversation_id=answer.conversation_id,
                    collection=collection,
                    created_at=now,
                    question=answer.question,
                    text=answer.text,
                    body=_ANSWER.dump_json(answer).decode(),
                    owner=owner,
                    request=_RECORDING.dump_json(recording).decode(),
                    refused=answer.refused,
                )
            )
            session.flush()
            places = {(citation.document_id, citation.version) for citation in answer.citations}
            session.add_all(
                AnswerCitationRow(answer_id=answer.id, document_id=id, version=v) for id, v in sorted(places)
            )

    def history(self, conversation_id: str, *, owner: str | None = "") -> tuple[Turn, ...]:
        """The turns of a conversation, oldest first. Raises RecordMissing."""
        with self.database.reading() as session:
            conversation_row(session, conversation_id, owner)
            return _turns(session, conversation_id)

    def answers(self, conversation_id: str, *, owner: str | None = "") -> tuple[StoredAnswer, ...]:
        """The complete answers of a conversation, oldest first. Raises RecordMissing."""
        with self.database.reading() as session:
            conversation_row(session, conversation_id, owner)
            rows = session.scalars(
                select(AnswerRow).where(AnswerRow.conversation_id == conversation_id).order_by(AnswerRow.position)
            )
            return tuple(stored_answer(row) for row in rows)

    def readable_answers(
        self, conversation_id: str, *, owner: str | None = ""
    ) -> tuple[tuple[StoredAnswer, ...], tuple[RecordDamaged, ...]]:
        """The answers of a conversation that can be read, oldest first, and an error for each other. Raises RecordMissing."""
        readable, damaged = [], []
        with self.database.reading() as session:
            conversation_row(session, conversation_id, owner)
            of_conversation = select(AnswerRow.position, AnswerRow.id).where(
                AnswerRow.conversation_id == conversation_id
            )
            for position, id in session.execute(of_conversation.order_by(AnswerRow.position)).all():
                try:
                    with name_damage(f"The answer {id} of the conversation {conversation_id}"):
                        row = session.scalars(select(AnswerRow).where(AnswerRow.position == position)).one()
                        readable.append(stored_answer(row))
                except RecordDamaged as error:
                    damaged.append(error)
        return tuple(readable), tuple(damaged)

    def answer(self, answer_id: str, *, owner: str | None = "") -> StoredAnswer:
        """One answer. Raises RecordMissing."""
        with self.database.reading() as session:
            row = session.scalar(select(AnswerRow).where(AnswerRow.id == answer_id))
            if row is None or owner not in (ANYBODY, row.owner):
                raise missing_answer(answer_id)
            return stored_answer(row)

    def exchange(self, answer_id: str) -> tuple[Answer, tuple[Turn, ...]]:
        """An answer of any owner with the turns before it, oldest first. Raises RecordMissing."""
        with self.database.reading() as session:
            row = session.scalar(select(AnswerRow).where(AnswerRow.id == answer_id))
            if row is None:
                raise missing_answer(answer_id)
            return stored_answer(row).answer, _turns(session, row.conversation_id, before=row.position)

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def conversation_title(question: str) -> str:
    """The title of a conversation that begins with `question`: one line, cut at a word."""
    words = " ".join(question.split())
    if len(words) <= MAX_TITLE:
        return words
    return words[: MAX_TITLE - 1].rsplit(" ", 1)[0] + "…"


def conversation_row(session: Session, conversation_id: str, owner: str | None) -> ConversationRow:
    """The conversation, if it is that owner's. Raises RecordMissing."""
    row = session.get(ConversationRow, conversation_id)
    if row is None or owner not in (ANYBODY, row.owner):
        raise missing_conversation(conversation_id)
    return row


def missing_conversation(conversation_id: str) -> RecordMissing:
    """The error for a conversation that does not exist or is another owner's."""
    return RecordMissing(
        f"No conversation has the id {conversation_id!r}. Leave `conversation_id` out to begin a new one."
    )


def missing_answer(answer_id: str) -> RecordMissing:
    """The error for an answer that does not exist or is another owner's."""
    return RecordMissing(f"No answer has the id {answer_id!r}. The field `id` of every answer has its id.")


def sentence_count(row: AnswerRow) -> int:
    """How many sentences a stored answer has. Raises RecordDamaged."""
    return len(stored_answer(row).answer.sentences)


def _turns(session: Session, conversation_id: str, before: int | None = None) -> tuple[Turn, ...]:
    query = select(AnswerRow.question, AnswerRow.text).where(AnswerRow.conversation_id == conversation_id)
    if before is not None:
        query = query.where(AnswerRow.position < before)
    return tuple(Turn(question, answer) for question, answer in session.execute(query.order_by(AnswerRow.position)))


def stored_answer(row: AnswerRow) -> StoredAnswer:
    """The answer of a row. Raises RecordDamaged if the stored JSON is broken."""
    with name_damage(f"The answer {row.id} of the conversation {row.conversation_id}"):
        return StoredAnswer(
            _ANSWER.validate_json(row.body), row.collection, row.created_at, _RECORDING.validate_json(row.request)
        )


@contextmanager
def name_damage(record: str) -> Iterator[None]:
    """Inside the `with` block a stored value that does not read becomes RecordDamaged, which names `record`."""
    try:
        yield
    except (ValueError, TypeError, OperationalError) as error:
        if isinstance(error, OperationalError) and _UNDECODABLE not in str(error.orig):
            raise  # the database itself
        reason = f"{error.error_count()} fields" if isinstance(error, ValidationError) else str(error).splitlines()[0]
        raise RecordDamaged(
            f"{record} cannot be read: it is damaged in the database ({reason}). Restore the database from a backup, or "
            "delete the conversation"
        ) from error
