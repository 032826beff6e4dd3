"""The records that retrieval works with: Document, Page, Chunk, Hit and summaries. All are frozen.

`start` and `end` are always code-point offsets into the canonical text of one document version:
`document.text[chunk.start:chunk.end] == chunk.text`. Of two scores, the higher is the better.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from index.blocks.block import Block
from index.blocks.geometry import PageGeometry
from index.blocks.sections import Section, sections
from index.blocks.unit import Rendering

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """A page, slide or sheet: its number as shown in a citation (from 1) and its range in the canonical text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one document, as extracted.

    `id` is stable across versions (it comes from the URI); `version` is a hash over the source's bytes. `text` is the canonical
    text, the only string that offsets refer to. `blocks` are its structure, in reading order; text outside of them is prose.
    `pages` are in order of `start` and may be empty (plain text has no pages). `warnings` are sentences about what was not
    read or may be wrong. `geometry` is where the words of a PDF or picture stand; a document from the ledger has none, since
    `documents.geometry` reads it by itself. `principals` are the users and groups who may read the document, in all its
    versions; if there are none, everybody may. `other_titles` are those that it had before or after it was renamed: answers of
    the time show them.
    """

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    text: str
    pages: tuple[Page, ...] = ()
    blocks: tuple[Block, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    warnings: tuple[str, ...] = ()
    geometry: tuple[PageGeometry, ...] = field(default=(), compare=False)
    principals: frozenset[str] = frozenset()
    other_titles: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def sections(self) -> tuple[Section, ...]:
        """Its sections, in order: the text under each title or heading."""
        return sections(self.text, self.blocks)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage small enough to embed: whole units of the text, and the headings above them (`trail`).

    `id` is stable: a hash of document id, version, start and end. `rendering` is how it is read, with the header cells of its
    rows and the like; None where only the text is known, as in a stored answer: then it is read as prose.
    """

    id: str
    document_id: str
    version: str
    ordinal: int
    start: int
    end: int
    text: str
    trail: tuple[str, ...] = ()
    rendering: Rendering | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found, with its document and its scores.

    `score` orders the hits: the reranker's score if a reranker read them, else the fused rank score. `similarity` is
    the cosine between question and chunk, None if only the lexicon found the chunk or its vector does not exist yet;
    `bm25` is None if only the vectors found it. `page` is the page of the chunk's first character, None for a document
    without pages.
    """

    chunk: Chunk
    title: str
    uri: str
    page: int | None
    score: float
    similarity: float | None = None
    bm25: float | None = None


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The state of a file when it was read: size in bytes, modification time in nanoseconds since 1970."""

    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A current document without its text. `characters` is the text's length; `indexed_at` is in seconds since 1970.

    `principals` are the users and groups who may read it; everybody if there are none. `has_structure`: it was read with its
    blocks, tables and lists; False if an earlier version of Quoth read it.
    """

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    characters: int
    chunks: int
    source: FileStamp | None
    indexed_at: float
    principals: frozenset[str] = frozenset()
    has_structure: bool = True


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many documents one change added and removed. `unchanged` counts those given that were already stored."""

    added: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class CollectionState:
    """The size of a collection. `vectors` counts the chunks that dense search can find, `pending_vectors` the rest.

    `title` is how it is shown: its name, unless it was given another.
    `encoder` is the fingerprint of the encoder that made the vectors; `bytes_on_disk` covers the ledger and the caches.
    """

    name: str
    title: str
    documents: int
    chunks: int
    vectors: int
    pending_vectors: int
    encoder: str
    bytes_on_disk: int
