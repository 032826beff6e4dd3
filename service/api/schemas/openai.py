"""The JSON of OpenAI's chat completions, as its clients send and read it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.schemas.answers import AnswerOut
from service.schemas.base import Record, Words

DEFAULT_MODEL = "quoth"


class _Lenient(BaseModel):
    """Part of a request as OpenAI's clients send it: options for a language model are accepted and have no effect."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TextPart(_Lenient):
    """A part of a message. Only text is read."""

    type: Literal["text"]
    text: Words


class Message(_Lenient):
    """One message. Earlier ones of `user` and `assistant` are the history; `system` and `developer` have no effect."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Words | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The words of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Lenient):
    """What a stream holds beside the answer."""

    include_usage: bool = False


class CompletionRequest(_Lenient):
    """A conversation whose last message is the question."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": DEFAULT_MODEL,
                    "messages": [{"role": "user", "content": "How many attacks does Seoul blame on the North?"}],
                }
            ]
        }
    )

    model: Words = Field(max_length=64, description="a collection's name, or `quoth` for the default one")
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = Field(None, description="there is one answer")


class CompletionUsageOut(Record):
    """Tokens that a language model read and wrote; zeros for the extractive generator."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionMessage(Record):
    """The answer as text, with markers and the list of sources."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class CompletionChoice(Record):
    """The one choice."""

    index: Literal[0] = 0
    message: CompletionMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class CompletionOut(Record):
    """A chat completion. `quoth` is the whole answer, with every citation."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[CompletionChoice]
    usage: CompletionUsageOut
    quoth: AnswerOut


class ModelOut(Record):
    """A collection that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="not known, so always 0")] = 0
    owned_by: Literal["quoth"] = "quoth"


class ModelsOut(Record):
    """The collections that can be asked."""

    object: Literal["list"] = "list"
    data: tuple[ModelOut, ...]
