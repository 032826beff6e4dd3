"""Parses the JSON of an answer (`POST /v1/chat`, `quoth ask --json`) into the record Answer."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from index.records import Hit
from service.errors import AnswerInvalid
from service.records import Answer, Citation, Sentence

RecordT = TypeVar("RecordT")

NO_ORDINAL = -1  # the JSON of a passage does not say which chunk of its document it is
_ANSWER = TypeAdapter(Answer)
_SENTENCE = TypeAdapter(Sentence)
_CITATION = TypeAdapter(Citation)
_HIT = TypeAdapter(Hit)


def answer_of(value: Any) -> Answer:
    """The answer in `value`, which is parsed JSON: an answer or a stored answer (`GET /v1/answers/{id}`).

    Unknown fields are ignored. Raises AnswerInvalid, which names the field.
    """
    if isinstance(value, dict) and isinstance(value.get("answer"), dict) and "sentences" not in value:
        value = value["answer"]
    if not isinstance(value, dict):
        raise AnswerInvalid(
            f"An answer is a JSON object, and this is {_kind(value)}. Give what `quoth ask --json` prints."
        )
    if _has_lone_surrogate(value):
        raise AnswerInvalid("The answer holds half a surrogate pair, which no document does. Send whole characters.")
    passages = value.get("passages")
    if isinstance(passages, list | tuple):
        value = {**value, "passages": [_hit(passage) for passage in passages]}
    return _validate(_ANSWER, value)


def sentence_of(value: Any) -> Sentence:
    """The sentence of a stream event. Raises AnswerInvalid."""
    return _validate(_SENTENCE, value)


def citation_of(value: Any) -> Citation:
    """A citation of a stream event. Raises AnswerInvalid."""
    return _validate(_CITATION, value)


def hit_of(value: Any) -> Hit:
    """A passage of a search or a stream event. Raises AnswerInvalid."""
    return _validate(_HIT, _hit(value))


def _validate(adapter: TypeAdapter[RecordT], value: Any) -> RecordT:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AnswerInvalid(
            f"This is not an answer of Quoth: {place}: {first['msg']}. Give what `quoth ask --json` prints, unchanged."
        ) from error


def _hit(passage: Any) -> Any:
    """The JSON of a passage in the shape of a Hit; any other value is returned unchanged, for the validation to reject."""
    if not isinstance(passage, dict) or "chunk" in passage:
        return passage
    chunk = {
        name: passage[name] for name in ("document_id", "version", "start", "end", "text", "trail") if name in passage
    }
    if "chunk_id" in passage:
        chunk["id"] = passage["chunk_id"]
    chunk["ordinal"] = NO_ORDINAL
    return {"chunk": chunk, **{name: passage[name] for name in ("title", "uri", "page", "score") if name in passage}}


def _has_lone_surrogate(value: Any) -> bool:
    """Whether any string in parsed JSON holds half a surrogate pair, which cannot be written as UTF-8."""
    if isinstance(value, dict):
        return any(_has_lone_surrogate(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(_has_lone_surrogate(part) for part in value)
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null")
