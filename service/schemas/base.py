"""Base classes and field types of every JSON record.

Requests refuse unknown fields. All offsets are code points into the canonical text of the document version (a JavaScript
client has to count code points, not UTF-16 units).
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair; send whole characters") from error
    return text


def utc_time(seconds: float) -> str:
    """A time since 1970 in seconds as UTC, ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


Words = Annotated[str, AfterValidator(_well_formed)]
Offset = Annotated[int, Field(ge=0, description="code-point offset into the document's canonical text")]
CollectionName = Annotated[Words, Field(max_length=63, description="collection; the server's default when left out")]


class Request(BaseModel):
    """A request body: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(BaseModel):
    """A response body, filled from a record by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
