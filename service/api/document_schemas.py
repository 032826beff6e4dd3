"""The wire schemas of documents and their text."""

from service.api.wire import Offset, Record


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
