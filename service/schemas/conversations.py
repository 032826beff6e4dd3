"""The JSON of conversations and of their export."""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import ConfigDict, Field

from service.records import NONE_STALE, StaleCitation
from service.schemas.answers import AnswerOut, StaleCitationOut, StoredAnswerOut
from service.schemas.base import Record, Request, Words
from service.storage.conversation_list import Conversation
from service.storage.conversations import StoredAnswer


class ConversationOut(Record):
    """A conversation without its answers. Times are UTC, ISO 8601; `updated_at` is that of the last answer."""

    id: str
    title: str = Field(description="the first question, until it is renamed")
    collection: str
    created_at: str
    updated_at: str
    answers: int = Field(description="how many answers it holds")
    stale_answers: int = Field(0, description="how many of them cite a document version that was replaced or removed")

    @classmethod
    def of(cls, conversation: Conversation, stale_answers: int = 0) -> Self:
        """The record of a conversation."""
        return cls(
            id=conversation.id,
            title=conversation.title,
            collection=conversation.collection,
            created_at=conversation.created_at.isoformat(),
            updated_at=conversation.updated_at.isoformat(),
            answers=conversation.answers,
            stale_answers=stale_answers,
        )


class ConversationsResponse(Record):
    """Conversations, the most recently used first."""

    conversations: tuple[ConversationOut, ...]
    next_cursor: str | None = Field(description="send it as `cursor` for what follows; null at the end")


class ConversationResponse(Record):
    """A conversation with its answers, oldest first."""

    id: str
    title: str
    collection: str
    created_at: str
    updated_at: str
    answers: tuple[StoredAnswerOut, ...]

    @classmethod
    def of(
        cls,
        conversation: Conversation,
        answers: tuple[StoredAnswer, ...],
        stale: Mapping[str, Sequence[StaleCitation]] = NONE_STALE,
    ) -> Self:
        """The record of a conversation with its answers; `stale` holds the stale citations of an answer by its id."""
        fields = ConversationOut.of(conversation).model_dump(exclude={"answers", "stale_answers"})
        return cls(
            **fields, answers=tuple(StoredAnswerOut.of(stored, stale.get(stored.answer.id, ())) for stored in answers)
        )


class RenameRequest(Request):
    """Another title for a conversation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Attacks on banks"}]})

    title: Words = Field(description="one line, of 1 to 120 characters")


class ExportLine(Record):
    """A line of an export: one answer, and the conversation that it belongs to."""

    conversation_id: str
    title: str
    collection: str
    created_at: str
    answer: AnswerOut
    stale: tuple[StaleCitationOut, ...]

    @classmethod
    def of(cls, conversation: Conversation, stored: StoredAnswer, stale: Sequence[StaleCitation] = ()) -> Self:
        """The line for one answer and its stale citations."""
        return cls(
            conversation_id=conversation.id,
            title=conversation.title,
            collection=stored.collection,
            created_at=stored.created_at.isoformat(),
            answer=AnswerOut.of(stored.answer),
            stale=tuple(map(StaleCitationOut.model_validate, stale)),
        )


def json_lines(
    conversation: Conversation,
    answers: tuple[StoredAnswer, ...],
    stale: Mapping[str, Sequence[StaleCitation]] = NONE_STALE,
) -> str:
    """The answers of a conversation, a JSON object a line. Pure ASCII: no line break in a quote can break a line."""
    lines = (ExportLine.of(conversation, stored, stale.get(stored.answer.id, ())) for stored in answers)
    return "".join(f"{line.model_dump_json(ensure_ascii=True)}\n" for line in lines)
