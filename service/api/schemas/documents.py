"""The JSON of documents, their text, and collections."""

from service.schemas.base import Offset, Record


class DocumentOut(Record):
    """A document of a collection, without its text."""

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    characters: int
    chunks: int


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


class CollectionOut(Record):
    """The size of a collection. `pending_vectors` counts passages that are so far found by their words only.

    For a caller who may not read every document, `documents` and `chunks` count the readable ones, and the other sizes are
    null.
    """

    name: str
    documents: int
    chunks: int
    vectors: int | None
    pending_vectors: int | None
    encoder: str
    bytes_on_disk: int | None


class CollectionsResponse(Record):
    """All collections, and the name of the one used when none is given."""

    default: str
    collections: tuple[CollectionOut, ...]
