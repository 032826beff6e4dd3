"""Feedback on answers, or on single sentences of them, in Quoth's database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, mapped_column

from service.errors import FeedbackInvalid
from service.storage.conversations import ANYBODY, AnswerRow, missing_answer, now_utc, random_id, sentence_count
from service.storage.database import Database, Table

Rating = Literal["up", "down"]


class FeedbackRow(Table):
    """Feedback on one answer. Deleting the answer deletes it."""

    __tablename__ = "feedback"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"), index=True)
    sentence: Mapped[int | None]
    rating: Mapped[str]
    comment: Mapped[str]
    created_at: Mapped[datetime]
    owner: Mapped[str] = mapped_column(server_default="")
    label: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (Index("feedback_by_owner", "owner", "position"),)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A rating of an answer, or of one sentence of it (from 0), and its time (UTC).

    `label` says who gave it, in the words of the program that sent it (a user's name, a team). It proves nothing.
    """

    id: str
    answer_id: str
    sentence: int | None
    rating: Rating
    comment: str
    created_at: datetime
    label: str = ""


class FeedbackStore:
    """Stores feedback. Thread-safe. `clock` gives the time in UTC and `make_id` a new id; tests pass their own."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = now_utc, make_id: Callable[[], str] = random_id
    ) -> None:
        self._database = database
        self._clock = clock
        self._make_id = make_id

    def rate(
        self,
        answer_id: str,
        rating: Rating,
        sentence: int | None = None,
        comment: str = "",
        label: str = "",
        *,
        owner: str = "",
    ) -> Feedback:
        """Store a rating of an answer, or of its sentence `sentence` (from 0).

        Nothing is replaced: a changed opinion is another rating. Raises RecordMissing, and FeedbackInvalid for a sentence that
        the answer does not have.
        """
        with self._database.writing() as session:
            answer = session.scalar(select(AnswerRow).where(AnswerRow.id == answer_id, AnswerRow.owner == owner))
            if answer is None:
                raise missing_answer(answer_id)
            count = sentence_count(answer)
            if sentence is not None and not 0 <= sentence < count:
                raise FeedbackInvalid(
                    f"The answer {answer_id!r} has no sentence {sentence}: it has {count}, counted from 0. "
                    "Leave `sentence` out to rate the whole answer."
                )
            row = FeedbackRow(
                id=self._make_id(),
                answer_id=answer_id,
                sentence=sentence,
                rating=rating,
                comment=comment,
                created_at=self._clock(),
                owner=owner,
                label=label,
            )
            session.add(row)
            session.flush()
            return _feedback(row)

    def feedback(
        self,
        answer_id: str | None = None,
        rating: Rating | None = None,
        limit: int | None = None,
        offset: int = 0,
        *,
        conversation_id: str | None = None,
        owner: str | None = "",
    ) -> tuple[Feedback, ...]:
        """Feedback, optionally only on one answer, on those of a conversation or of one rating, oldest first.

        At most `limit`, from `offset` on.
        """
        query = select(FeedbackRow).order_by(FeedbackRow.position)
        if owner is not ANYBODY:
            query = query.where(FeedbackRow.owner == owner)
        if answer_id is not None:
            query = query.where(FeedbackRow.answer_id == answer_id)
        if conversation_id is not None:
            answers = select(AnswerRow.id).where(AnswerRow.conversation_id == conversation_id)
            query = query.where(FeedbackRow.answer_id.in_(answers))
        if rating is not None:
            query = query.where(FeedbackRow.rating == rating)
        with self._database.reading() as session:
            return tuple(_feedback(row) for row in session.scalars(query.limit(limit).offset(offset)))


def _feedback(row: FeedbackRow) -> Feedback:
    rating: Rating = "up" if row.rating == "up" else "down"
    return Feedback(row.id, row.answer_id, row.sentence, rating, row.comment, row.created_at, row.label)
