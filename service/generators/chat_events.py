"""Reads the events of a chat stream: the one place that checks what a language model's server sends. Pure.

Any field may be missing, of another type, or absurd. A field that cannot be read is passed over; an event that cannot be
read raises ReplyInvalid.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from service.records import Usage

MAX_TOKENS = 2**31 - 1  # a larger count of tokens is no count
_MAX_DIGITS = 18
_MAX_NAME = 200
_END = "[DONE]"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tab, line feed and carriage return


class ReplyInvalid(ValueError):
    """What the server sent cannot be read."""


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """What one event adds to the reply: `text`, and what else it says about the reply; None where it says nothing.

    `text` may end in half of a character (see `whole_characters`). `calls_tool`: the model asks for a tool to be called.
    """

    text: str = ""
    finish: str | None = None
    usage: Usage | None = None
    model: str | None = None
    calls_tool: bool = False


def is_end(data: str) -> bool:
    """Whether this is the event after the last one; whatever follows it is not part of the reply."""
    return data.lstrip().startswith(_END)


def read_event(data: str) -> ChatEvent:
    """The event, from its JSON. Raises ReplyInvalid if that is no JSON, or reports an error."""
    fields = _fields(_parse(data))
    if fields.get("error"):
        raise ReplyInvalid("reported an error instead of an answer. Its log says why.")
    choice = _first_choice(fields.get("choices"))
    delta = _fields(choice.get("delta"))
    return ChatEvent(
        text=_text(delta.get("content")),
        finish=_name(choice.get("finish_reason")),
        usage=_usage(_fields(fields.get("usage"))),
        model=_name(fields.get("model")),
        calls_tool=bool(delta.get("tool_calls") or delta.get("function_call")),
    )


def read_token_count(body: bytes) -> int:
    """The number of tokens in a reply of the route /tokenize. Raises ReplyInvalid."""
    tokens = _fields(_parse(body)).get("tokens")
    if not isinstance(tokens, list):
        raise ReplyInvalid("sent no list of tokens.")
    return len(tokens)


def whole_characters(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces without control characters; a character that was cut into two halves (surrogates) is put together again.

    A half without its other half is left out.
    """
    held = ""
    for piece in pieces:
        text = held + piece
        held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = _CONTROL.sub("", text[: len(text) - len(held)])
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        if text:
            yield text


def _parse(data: str | bytes) -> Any:
    try:
        return json.loads(data, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise ReplyInvalid("sent something that is not a chat answer. Check llm_base_url.") from error


def _integer(digits: str) -> int | None:
    """The integer; None if it is too long to mean anything (Python itself refuses more than 4,300 digits)."""
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_choice(choices: Any) -> dict[str, Any]:
    """The first of the answers; a server may send several, although one is asked for."""
    for choice in choices if isinstance(choices, list) else []:
        index = _fields(choice).get("index")
        if not isinstance(index, int) or index == 0:
            return _fields(choice)
    return {}


def _text(content: Any) -> str:
    """The text of a delta's content: a string, or a list of parts of which some are text."""
    if isinstance(content, list):
        parts = [_fields(part) for part in content]
        content = "".join(part["text"] for part in parts if part.get("type") == "text" and _is_text(part.get("text")))
    return content if _is_text(content) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _name(value: Any) -> str | None:
    """A short printable name; None if the value holds none."""
    if not isinstance(value, str):
        return None
    return "".join(filter(str.isprintable, value[:_MAX_NAME])) or None


def _usage(fields: dict[str, Any]) -> Usage | None:
    read, written = fields.get("prompt_tokens"), fields.get("completion_tokens")
    return Usage(read, written) if _is_count(read) and _is_count(written) else None


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_TOKENS
