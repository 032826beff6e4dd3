"""The document versions that stored answers cite, found without reading the answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from service.storage.conversations import ANYBODY, AnswerCitationRow, AnswerRow
from service.storage.database import Database


@dataclass(frozen=True, slots=True)
class CitedVersion:
    """A version of a document in a collection, and an answer that cites it."""

    answer_id: str
    conversation_id: str
    collection: str
    document_id: str
    version: str


class CitedVersions:
    """What the answers of an owner cite (ANYBODY: of all). Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self, conversation_ids: Sequence[str] | None = None, *, owner: str | None = ""
    ) -> tuple[CitedVersion, ...]:
        """The versions cited in these conversations, or in all, by the newest answer first."""
        query = (
            select(
                AnswerRow.id,
                AnswerRow.conversation_id,
                AnswerRow.collection,
                AnswerCitationRow.document_id,
                AnswerCitationRow.version,
            )
            .join(AnswerCitationRow, AnswerCitationRow.answer_id == AnswerRow.id)
            .order_by(AnswerRow.position.desc(), AnswerCitationRow.document_id, AnswerCitationRow.version)
        )
        if conversation_ids is not None:
            query = query.where(AnswerRow.conversation_id.in_(conversation_ids))
        if owner is not ANYBODY:
            query = query.where(AnswerRow.owner == owner)
        with self._database.reading() as session:
            return tuple(CitedVersion(*row) for row in session.execute(query))
