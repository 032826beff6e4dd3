"""The JSON of documents, their text, and collections."""

from typing import Annotated

from pydantic import ConfigDict, Field

from index.blocks.block import Kind
from index.collection import MAX_COLLECTION_TITLE, MAX_TITLE
from service.schemas.answers import RecordingOut
from service.schemas.base import Offset, Record, Request, Words


class DocumentOut(Record):
    """A document of a collection, without its text.

    `pages` is 0 for what has none. `bytes` is the size of its file, null if it is not known, as for a file in an archive.
    `indexed_at` is UTC, ISO 8601. `principals` are the users and groups who may read it, everybody if there are none; a caller
    who may not read every document sees only its own among them. `pending_vectors` counts the passages that are so far found
    by their words only. `warnings` are sentences about what was not read or may be wrong.
    """

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    characters: int
    chunks: int
    pages: int
    bytes: int | None
    indexed_at: str
    principals: tuple[str, ...]
    pending_vectors: int
    warnings: tuple[str, ...]


class DocumentsResponse(Record):
    """The documents of a collection."""

    collection: str
    documents: tuple[DocumentOut, ...]


class PageOut(Record):
    """A page: its number as printed in a citation, and its range in the canonical text."""

    number: int
    start: Offset
    end: Offset


class SectionOut(Record):
    """Where text under a heading begins, and the headings above it, outermost first."""

    start: Offset
    trail: tuple[str, ...]


class Range(Record):
    """A range of the canonical text."""

    start: Offset
    end: Offset


class BlockOut(Record):
    """A part of the document's structure. `parent` is the place of the block that holds it in this list, from 0.

    `kind` is one of those in docs/formats.md. `level` is that of a heading or the depth of a list item; `marker` is the mark of
    an item or note as shown, or the language of code. A cell covers `row_span` rows from `row` and `column_span` columns from
    `column`, which count from 0. `labels` are the ranges that name the block: the header cells of a cell, the keys of a field,
    the lead-in of a list. `language` is an ISO 639-1 code, empty if unknown.
    """

    kind: Kind
    start: Offset
    end: Offset
    parent: int | None
    level: int
    marker: str
    row: int
    column: int
    row_span: int
    column_span: int
    is_header: bool
    labels: tuple[Range, ...]
    language: str


class TextResponse(Record):
    """The text of one document version from `start` to `end`, of `length` code points in all."""

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    length: int
    start: Offset
    end: Offset
    text: str
    pages: tuple[PageOut, ...]
    sections: tuple[SectionOut, ...]
    blocks: tuple[BlockOut, ...]


BoxOut = Annotated[
    tuple[float, float, float, float],
    Field(description="left, top, right and bottom, in points from the top left corner"),
]


class PageSize(Record):
    """A page of a PDF or picture: its number from 1, its size in points, and the range that its words lie in."""

    number: int
    width: float
    height: float
    start: Offset
    end: Offset


class PageSizes(Record):
    """The pages of a PDF or picture, in order."""

    id: str
    version: str
    pages: tuple[PageSize, ...]


class WordOut(Record):
    """A word: its range in the canonical text, and its box on the page."""

    start: Offset
    end: Offset
    box: BoxOut


class PageView(Record):
    """A page of a PDF or picture: its size in points, its words, and the boxes of the range asked for, one for each line."""

    id: str
    version: str
    number: int
    width: float
    height: float
    words: tuple[WordOut, ...]
    boxes: tuple[BoxOut, ...]


class CollectionOut(Record):
    """The size of a collection. `pending_vectors` counts passages that are so far found by their words only.

    `title` is how the collection is shown: its name, unless it was given another.

    For a caller who may not read every document, `documents` and `chunks` count the readable ones, and the other sizes are
    null.
    """

    name: str
    title: str
    documents: int
    chunks: int
    vectors: int | None
    pending_vectors: int | None
    encoder: str
    bytes_on_disk: int | None


class DocumentTitle(Request):
    """Another title for a document."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Harbour fees of 2025"}]})

    title: Words = Field(description=f"one line, of 1 to {MAX_TITLE} characters")


class CollectionTitle(Request):
    """A title for a collection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Harbour office"}]})

    title: Words = Field(description=f"one line, of at most {MAX_COLLECTION_TITLE} characters; empty: its name")


class SuggestionsOut(Record):
    """Questions that a collection answers. `is_complete`: no others are being looked for."""

    questions: tuple[str, ...]
    is_complete: bool


class CollectionsResponse(Record):
    """All collections, the name of the one used when none is given, and how the server makes its answers now."""

    default: str
    collections: tuple[CollectionOut, ...]
    answers_made_with: RecordingOut | None
