"""The JSON of OpenAI's chat completions, as its clients send and read it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from service.records import Answer
from service.schemas.answers import AnswerOut
from service.schemas.base import Record, Words

DEFAULT_MODEL = "quoth"


class _Lenient(BaseModel):
    """Part of a request as OpenAI's clients send it: what Quoth does not use is accepted and has no effect."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TextPart(_Lenient):
    """A part of a message that is text."""

    type: Literal["text", "input_text", "output_text"]
    text: Words | None = None


class OtherPart(_Lenient):
    """A part of a message that is not text, such as an image, a sound, a file or a refusal. It is not read."""

    type: Annotated[str, Field(max_length=64)] | None = None


def _kind_of_part(part: Any) -> str | None:
    if isinstance(part, str):
        return "string"
    if isinstance(part, dict):
        return "text" if part.get("type") in ("text", "input_text", "output_text") else "other"
    return None


_Part = Annotated[
    Annotated[Words, Tag("string")] | Annotated[TextPart, Tag("text")] | Annotated[OtherPart, Tag("other")],
    Discriminator(
        _kind_of_part,
        custom_error_type="part_unreadable",
        custom_error_message="a part of a message is an object with a type, or a string; send one of them",
    ),
]


class Message(_Lenient):
    """One message, read for its text. Earlier ones of `user` and `assistant` are the history; the others have no effect."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Words | list[_Part] | None = None
    tool_calls: Any = Field(None, description="not read; a message with them is no reply yet")
    function_call: Any = Field(None, description="the old name of `tool_calls`")

    @property
    def text(self) -> str:
        """The words of the message: its text parts, a line each."""
        if isinstance(self.content, list):
            parts = [part.text if isinstance(part, TextPart) else part for part in self.content]
            return "\n".join(part for part in parts if isinstance(part, str) and part)
        return self.content or ""

    @property
    def is_reply(self) -> bool:
        """Whether the assistant says something here, rather than calling tools or nothing."""
        return self.role == "assistant" and not (self.tool_calls or self.function_call) and bool(self.text.strip())

    @property
    def other_parts(self) -> tuple[str, ...]:
        """The types of the parts that are not read."""
        parts = self.content if isinstance(self.content, list) else []
        return tuple(dict.fromkeys(part.type or "none" for part in parts if isinstance(part, OtherPart)))


class StreamOptions(_Lenient):
    """What a stream holds beside the answer."""

    include_usage: bool | None = None


class ResponseFormat(_Lenient):
    """The form of the text: prose, or a JSON object with the answer, its sources and its notes."""

    type: Words = Field("text", max_length=64, description="`text` or `json_object`")
    json_schema: dict[str, Any] | None = Field(None, description="read only for what a chat front end asks by itself")


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
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(None, description="1: there is one answer")
    response_format: ResponseFormat | None = None
    as_typed: bool = Field(
        False, description="Quoth's own: read the question as it is typed, not as a follow-up to earlier messages"
    )
    tool_choice: Any = Field(None, description="`auto` or `none`: no tool is called")
    function_call: Any = Field(None, description="the old name of `tool_choice`")

    @field_validator("n")
    @classmethod
    def _one_choice(cls, n: int | None) -> int | None:
        if n not in (None, 1):
            raise ValueError(f"n is {n}, but a question has one answer here; leave n out or send 1")
        return n

    @field_validator("tool_choice", "function_call")
    @classmethod
    def _no_forced_tool(cls, choice: Any) -> Any:
        if choice not in (None, "auto", "none"):
            raise ValueError("demands the call of a tool, but Quoth calls none; leave it out or send 'auto' or 'none'")
        return choice

    @field_validator("messages")
    @classmethod
    def _question_in_words(cls, messages: list[Message]) -> list[Message]:
        last = messages[-1]
        if last.role == "user" and last.other_parts and not last.text.strip():
            raise ValueError(
                f"the last message has no text, only parts of type {', '.join(last.other_parts)[:200]}; "
                "Quoth reads no images, sounds or files: add the question as text"
            )
        return messages

    @property
    def wants_json(self) -> bool:
        """Whether the text is to be a JSON object."""
        return self.response_format is not None and self.response_format.type != "text"

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with a chunk that counts tokens."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)


class CompletionUsageOut(Record):
    """Tokens that a language model read and wrote; zeros for the extractive generator."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class SourceOut(Record):
    """A source in the JSON that `response_format` asks for."""

    number: int
    title: str
    page: int | None
    quote: str


class JsonAnswer(Record):
    """The text of an answer as the JSON object that `response_format` asks for."""

    answer: str
    refused: bool
    sources: tuple[SourceOut, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The JSON of an answer."""
        sources = tuple(SourceOut.model_validate(citation) for citation in answer.citations)
        return cls(answer=answer.text, refused=answer.refused, sources=sources, notes=answer.notes)


class CompletionMessage(Record):
    """The answer as text, with markers, notes and the list of sources."""

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
    """A chat completion. `quoth` is the whole answer, with every citation; null for a title or tags of a conversation."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[CompletionChoice]
    usage: CompletionUsageOut
    quoth: AnswerOut | None


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
