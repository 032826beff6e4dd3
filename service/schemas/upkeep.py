"""The JSON of what owners of documents look after: stale answers, and what the documents do not say."""

from typing import Self

from pydantic import Field

from service.audit.gaps import Gap, GapTopic
from service.records import StaleCitation
from service.schemas.answers import StaleCitationOut
from service.schemas.base import Offset, Record
from service.storage.conversations import StoredAnswer


class StaleAnswerOut(Record):
    """An answer that cites a document version which is no longer current."""

    id: str
    conversation_id: str
    collection: str
    created_at: str
    question: str
    citations: tuple[StaleCitationOut, ...]

    @classmethod
    def of(cls, stored: StoredAnswer, citations: tuple[StaleCitation, ...]) -> Self:
        """The record of a stored answer and its stale citations."""
        return cls(
            id=stored.answer.id,
            conversation_id=stored.answer.conversation_id,
            collection=stored.collection,
            created_at=stored.created_at.isoformat(),
            question=stored.answer.question,
            citations=tuple(map(StaleCitationOut.model_validate, citations)),
        )


class StaleAnswersResponse(Record):
    """Stale answers, newest first."""

    answers: tuple[StaleAnswerOut, ...]
    total: int = Field(description="how many answers are stale; `answers` holds the newest of them")


class NearestOut(Record):
    """A passage that came nearest to an answer."""

    document_id: str
    version: str
    title: str
    uri: str
    start: Offset
    end: Offset
    text: str


class GapOut(Record):
    """A question that was refused, or whose answer was rated down, and how often."""

    question: str
    collection: str
    count: int
    refused: int = Field(description="how many of them were refused; the others were rated down")
    last_asked_at: str
    answer_id: str = Field(description="the newest answer to it")
    nearest: tuple[NearestOut, ...]

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """The record of a gap."""
        return cls(
            question=gap.question,
            collection=gap.collection,
            count=gap.count,
            refused=gap.refused,
            last_asked_at=gap.last_asked_at.isoformat(),
            answer_id=gap.answer_id,
            nearest=tuple(
                NearestOut(
                    document_id=hit.chunk.document_id,
                    version=hit.chunk.version,
                    title=hit.title,
                    uri=hit.uri,
                    start=hit.chunk.start,
                    end=hit.chunk.end,
                    text=hit.chunk.text,
                )
                for hit in gap.nearest
            ),
        )


class GapTopicOut(Record):
    """Questions about the same thing, named by the most central one."""

    topic: str
    count: int
    gaps: tuple[GapOut, ...]

    @classmethod
    def of(cls, topic: GapTopic) -> Self:
        """The record of a topic."""
        return cls(topic=topic.topic, count=topic.count, gaps=tuple(map(GapOut.of, topic.gaps)))


class GapsResponse(Record):
    """What the documents do not say, by topic, the most asked first."""

    topics: tuple[GapTopicOut, ...]
