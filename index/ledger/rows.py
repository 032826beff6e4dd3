"""Convert documents and chunks to the ledger's rows and back. Pure."""

import json
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import NoneType
from typing import Any, NamedTuple

from index.blocks import geometry
from index.blocks.codec import dump_rendering, load_rendering, pack, unpack
from index.chunking.chunker import content_hash, embedded_text, embedding_context
from index.chunking.units import chunk_rendering
from index.errors import EncoderMismatch, NotFound
from index.ledger.stored import Kinds, as_stored, require_kinds
from index.records import Chunk, Document, DocumentSummary, FileStamp, Page
from index.uris import READING

_BYTES_IN_CHARACTER = 4  # in UTF-8, at most
_COMPRESSION = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NANOSECONDS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """A document with its chunks, ready for the ledger, and the size and time of its file if it has one.

    `is_named`: somebody gave it this title with this change.
    """

    document: Document
    chunks: Sequence[Chunk]
    source: FileStamp | None = None
    is_named: bool = False


class ChunkRow(NamedTuple):
    """A chunk in search: its ledger number and what a hit shows of it."""

    number: int
    chunk: Chunk
    title: str
    uri: str
    page: int | None


class Destination(NamedTuple):
    """Where a collection is being moved to, and the identity that its ledger gets there."""

    place: str
    identity: int


def dump_destination(destination: Destination) -> str:
    """A destination as the ledger stores it."""
    return json.dumps(destination._asdict())


def load_destination(stored: str) -> Destination:
    """The destination that `dump_destination` wrote."""
    with as_stored():
        facts = json.loads(stored)
        return Destination(str(facts["place"]), int(facts["identity"]))


class PendingText(NamedTuple):
    """Text that waits for its vector; `hash` identifies it."""

    hash: bytes
    text: str


class Visit(NamedTuple):
    """A web page that a document was made from.

    `found_by` is the address given that led to it: the page itself, or a sitemap. `etag` and `last_modified` are what the
    server sent, empty where it sent nothing; they let the next run ask only for what has changed.
    """

    uri: str
    found_by: str
    etag: str
    last_modified: str


class Root(NamedTuple):
    """A place and the principals named for it, who may read what stands there and below; everybody if there are none."""

    uri: str
    principals: frozenset[str]


class Inherited(NamedTuple):
    """The number of new documents that got the principals of `root`, because this run named none."""

    root: Root
    documents: int


def version_row(document: Document) -> dict[str, Any]:
    """Return the columns of `versions` except its number."""
    return {
        "document_id": document.id,
        "version": document.version,
        "uri": document.uri,
        "title": document.title,
        "media_type": document.media_type,
        "characters": len(document.text),
        "text": zlib.compress(document.text.encode(), _COMPRESSION),
        "pages": json.dumps([(page.number, page.start, page.end) for page in document.pages]),
        "blocks": pack(document.blocks),
        "metadata": json.dumps(dict(document.metadata), sort_keys=True),
        "warnings": json.dumps(document.warnings),
        "geometry": geometry.pack(document.geometry) if document.geometry else None,
        "reading": READING,
    }


_DOCUMENT: Kinds = (str, str, str, str, str, bytes, str, bytes, str, str, str, str)


@as_stored()
def document_from(row: Sequence[Any]) -> Document:
    """Return the document of a row of columns of `versions`, from its id to its warnings, and two lists in JSON.

    These are the principals who may read it and the titles that it was given.
    """
    require_kinds(row, _DOCUMENT)
    identity, version, uri, title, media_type, text, pages, blocks, metadata, warnings, principals, titles = row
    return Document(
        id=identity,
        version=version,
        uri=uri,
        title=title,
        media_type=media_type,
        text=zlib.decompress(text).decode(),
        pages=pages_from(pages),
        blocks=unpack(blocks),
        metadata=json.loads(metadata),
        warnings=tuple(json.loads(warnings)),
        principals=frozenset(json.loads(principals)),
        other_titles=frozenset(json.loads(titles)) - {title},
    )


@as_stored()
def warnings_from(column: str) -> tuple[str, ...]:
    """Return the warnings in a `warnings` column."""
    require_kinds((column,), (str,))
    return tuple(json.loads(column))


@as_stored()
def root_from(uri: str, principals: str) -> Root:
    """Return the place with the principals in a `principals` column."""
    return Root(uri, frozenset(json.loads(principals)))


def document_missing(document_id: str, version: str | None) -> NotFound:
    """The error that there is no such version of a document; None is its current one."""
    what = "no current version" if version is None else f"no version {version!r}"
    return NotFound(f"document {document_id!r}: {what} in this collection. List the documents to see their ids")


def document_not_current(document_id: str) -> NotFound:
    """The error that a document is to be changed or removed and is not current."""
    return NotFound(f"document {document_id!r} is not in this collection. List the documents to see their ids")


@as_stored()
def text_begins(column: bytes, characters: int) -> str:
    """Return the first characters of the text in a `text` column; only these are unpacked."""
    most = characters * _BYTES_IN_CHARACTER
    return zlib.decompressobj().decompress(column, most).decode(errors="ignore")[:characters]


@as_stored()
def pages_from(column: str) -> tuple[Page, ...]:
    """Return the pages in a `pages` column."""
    return tuple(Page(*page) for page in json.loads(column))


def modified_ns(entry: ChunkedDocument, now: float) -> int:
    """Return when the document was last modified, in nanoseconds since 1970: by its file, else its metadata, else `now`.

    The metadata used are `modified` and then `created`, in ISO 8601; a time without a zone is UTC.
    """
    if entry.source is not None:
        return entry.source.modified_ns
    for name in ("modified", "created"):
        try:
            stated = datetime.fromisoformat(entry.document.metadata[name])
        except (KeyError, ValueError):
            continue  # the metadata are free text from a file; what is not a time is ignored
        return nanoseconds(stated if stated.tzinfo else stated.replace(tzinfo=UTC))
    return int(now * 1e9)


def chunk_row(document: Document, chunk: Chunk, number: int) -> dict[str, Any]:
    """Return the columns of `chunks` except its number and `embedded`; `number` is the document's."""
    context = embedding_context(document, chunk.trail)
    rendering = chunk_rendering(chunk)
    return {
        "id": chunk.id,
        "document": number,
        "ordinal": chunk.ordinal,
        "start": chunk.start,
        "stop": chunk.end,
        "page": page_at(document.pages, chunk.start),
        "trail": json.dumps(chunk.trail),
        "context": context,
        "text": chunk.text,
        "rendered": None if rendering.text == chunk.text else rendering.text,
        "units": dump_rendering(rendering, chunk.start, chunk.text),
        "hash": content_hash(context, rendering.text),
    }


def page_at(pages: Sequence[Page], offset: int) -> int | None:
    """Return the number of the page that holds the code point at `offset`, None if no page does."""
    place = bisect_right(pages, offset, key=attrgetter("start")) - 1
    return pages[place].number if place >= 0 and offset < pages[place].end else None


CHUNK_COLUMNS = """
    c.number, c.id, v.document_id, v.version, c.ordinal, c.start, c.stop, c.text, c.trail, v.title, v.uri, c.page,
    c.rendered, c.units
"""

_CHUNK: Kinds = (
    *(int, str, str, str, int, int, int, str, str, str, str),
    *((int, NoneType), (str, NoneType), (str, NoneType)),
)


@as_stored()
def chunk_from(row: Sequence[Any]) -> ChunkRow:
    """Return the chunk of a row of `CHUNK_COLUMNS`."""
    require_kinds(row, _CHUNK)
    number, identity, document_id, version, ordinal, start, stop, text, trail, title, uri, page, rendered, units = row
    rendering = None if units is None else load_rendering(units, start, text if rendered is None else rendered)
    chunk = Chunk(identity, document_id, version, ordinal, start, stop, text, tuple(json.loads(trail)), rendering)
    return ChunkRow(number, chunk, title, uri, page)


@as_stored()
def pending_from(row: Sequence[Any]) -> PendingText:
    """Return the text of a row of hash, context, text."""
    require_kinds(row, (bytes, str, str))
    key, context, text = row
    return PendingText(key, embedded_text(context, text))


_SUMMARY: Kinds = (str, str, str, str, str, int, int, (int, NoneType), (int, NoneType), (int, float), int, str)


@as_stored()
def summary_from(row: Sequence[Any]) -> DocumentSummary:
    """Return the summary of a row of its fields in order, with the source as size and modification time."""
    require_kinds(row, _SUMMARY)
    (
        identity,
        version,
        uri,
        title,
        media_type,
        characters,
        chunks,
        size,
        modified_ns,
        indexed_at,
        has_structure,
        principals,
    ) = row
    source = None if size is None else FileStamp(size, modified_ns)
    permitted = frozenset(json.loads(principals))
    return DocumentSummary(
        identity,
        version,
        uri,
        title,
        media_type,
        characters,
        chunks,
        source,
        indexed_at,
        permitted,
        bool(has_structure),
    )


def nanoseconds(moment: datetime) -> int:
    """Return a time with a zone as nanoseconds since 1970, limited to what 64 bits hold (the years 1677 to 2262)."""
    exact = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    return max(-_MAX_NANOSECONDS, min(_MAX_NANOSECONDS, exact))


def require_encoder(collection: str, stored: tuple[str, int], given: tuple[str, int]) -> None:
    """Raise `EncoderMismatch` unless a collection's vectors are from the encoder given: fingerprint and dimension."""
    if stored != given:
        raise EncoderMismatch(
            f"{collection}: the collection was made with encoder {stored[0]!r} ({stored[1]} dimensions), "
            f"not {given[0]!r} ({given[1]}). Choose that encoder, or index into a new collection"
        )
