"""The JSON of a search: conditions on documents, and passages."""

from typing import Self

from pydantic import AwareDatetime, ConfigDict, Field

from index.filters import Filter
from index.records import Hit
from service.schemas.base import CollectionName, Offset, Record, Request, Words


class FilterIn(Request):
    """Conditions that a document must all meet."""

    document_ids: list[Words] | None = Field(None, max_length=10_000)
    uri_prefix: Words | None = Field(None, max_length=4096, description="its URI begins so; end a folder with /")
    metadata: dict[Words, Words] = Field({})
    modified_after: AwareDatetime | None = Field(
        None,
        description="modified at this time or later: the file's time, else what its metadata say, else when indexed",
    )
    modified_before: AwareDatetime | None = Field(None, description="modified before this time")

    def to_filter(self) -> Filter:
        """The filter of the index."""
        return Filter(
            document_ids=None if self.document_ids is None else frozenset(self.document_ids),
            uri_prefix=self.uri_prefix,
            metadata=self.metadata,
            modified_after=self.modified_after,
            modified_before=self.modified_before,
        )


class SearchRequest(Request):
    """A search for passages."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "cyberattacks since 2007", "k": 5}]})

    query: Words = Field(description="what to look for, in words")
    collection: CollectionName | None = None
    k: int = Field(10, ge=1, le=100, description="passages wanted")
    filter: FilterIn | None = None


class PassageOut(Record):
    """A passage that was found. `text` is the document's text from `start` to `end`."""

    chunk_id: str
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    trail: tuple[str, ...]
    start: Offset
    end: Offset
    text: str
    score: float

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """The record of a hit."""
        chunk = hit.chunk
        return cls(
            chunk_id=chunk.id,
            document_id=chunk.document_id,
            version=chunk.version,
            title=hit.title,
            uri=hit.uri,
            page=hit.page,
            trail=chunk.trail,
            start=chunk.start,
            end=chunk.end,
            text=chunk.text,
            score=hit.score,
        )


class SearchResponse(Record):
    """The passages found, best first."""

    hits: tuple[PassageOut, ...]
