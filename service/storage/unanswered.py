"""Questions without a good answer: those that were refused, and those whose latest rating is down."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import or_, select

from index.records import Hit
from service.errors import RecordDamaged
from service.storage.conversations import ANYBODY, AnswerRow, stored_answer
from service.storage.database import Database
from service.storage.feedback import FeedbackRow

_BATCH = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question as it was searched for, and the passages that were read. If not `refused`, its answer was rated down.

    `sources` are the ids of the documents that were read or cited.
    """

    answer_id: str
    question: str
    collection: str
    asked_at: datetime
    refused: bool
    passages: tuple[Hit, ...]
    sources: frozenset[str] = frozenset()


class UnansweredQuestions:
    """The questions of an owner (ANYBODY: of all) without a good answer. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self, collection: str | None = None, since: datetime | None = None, *, owner: str | None = ""
    ) -> Iterator[Unanswered]:
        """Yield them newest first, optionally of one collection or since a time. Logs a stored answer that is broken."""
        latest = (
            select(FeedbackRow.rating)
            .where(FeedbackRow.answer_id == AnswerRow.id)
            .order_by(FeedbackRow.position.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(AnswerRow).where(or_(AnswerRow.refused, latest == "down")).order_by(AnswerRow.position.desc())
        if owner is not ANYBODY:
            query = query.where(AnswerRow.owner == owner)
        if collection is not None:
            query = query.where(AnswerRow.collection == collection)
        if since is not None:
            query = query.where(AnswerRow.created_at >= since)
        before: int | None = None
        while True:
            batch = query if before is None else query.where(AnswerRow.position < before)
            with self._database.reading() as session:
                rows = session.scalars(batch.limit(_BATCH)).all()
            if not rows:
                return
            before = rows[-1].position
            for row in rows:
                try:
                    answer = stored_answer(row).answer
                except RecordDamaged as error:
                    log.warning("stored answer is broken", answer_id=row.id, error=str(error))
                    continue
                yield Unanswered(
                    answer_id=row.id,
                    question=answer.rewritten_question,
                    collection=row.collection,
                    asked_at=row.created_at,
                    refused=answer.refused,
                    passages=answer.passages,
                    sources=answer.sources,
                )
