"""The JSON of conversations and of their export."""

from typing import Self

from pydantic import ConfigDict, Field

from service.schemas.answers import AnswerOut, StoredAnswerOut
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

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """The record of a conversation."""
        return cls(
            id=conversation.id,
            title=conversation.title,
            collection=conversation.collection,
            created_at=conversation.created_at.isoformat(),
            updated_at=conversation.updated_at.isoformat(),
            answers=conversation.answers,
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
    def of(cls, conversation: Conversation, answers: tuple[StoredAnswer, ...]) -> Self:
        """The record of a conversation with its answers."""
        fields = ConversationOut.of(conversation).model_dump(exclude={"answers"})
        return cls(**fields, answers=tuple(StoredAnswerOut.of(stored) for stored in answers))


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

    @classmethod
    def of(cls, conversation: Conversation, stored: StoredAnswer) -> Self:
        """The line for one answer."""
        return cls(
            conversation_id=conversation.id,
            title=conversation.title,
            collection=stored.collection,
            created_at=stored.created_at.isoformat(),
            answer=AnswerOut.of(stored.answer),
        )


def json_lines(conversation: Conversation, answers: tuple[StoredAnswer, ...]) -> str:
    """The answers of a conversation, a JSON object a line. Pure ASCII: no line break in a quote can break a line."""
    return "".join(f"{ExportLine.of(conversation, stored).model_dump_json(ensure_ascii=True)}\n" for stored in answers)
