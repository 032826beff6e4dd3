"""Document, Page, Section, Chunk, Hit: the facts that retrieval works with. All frozen.

`start` and `end` are code-point offsets into the canonical text of one document version, everywhere, always:
`document.text[chunk.start:chunk.end] == chunk.text`. Scores are "higher is better".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """A page, slide or sheet: its number as printed in a citation (from 1) and its range in the canonical text."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """Text under one heading: where it begins and the headings above it, outermost first."""

    start: int
    trail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one document, as extracted.

    `id` is stable across versions (it comes from the URI), `version` is the hash of the source's bytes. `text` is the
    canonical text: the only string that offsets refer to. `pages` and `sections` are in order of `start` and may be empty
    (plain text has no pages). `principals` are the users and groups who may read the document, all versions of it; with
    none of them everybody may.
    """

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    text: str
    pages: tuple[Page, ...] = ()
    sections: tuple[Section, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    principals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage small enough to embed: whole sentences, literal text, with the trail of headings above it.

    `id` is stable: a hash of document id, version, start and end.
    """

    id: str
    document_id: str
    version: str
    ordinal: int
    start: int
    end: int
    text: str
    trail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found, with where it stands and why it is here.

    `score` orders the hits: the reranker's score when one read them, else the fused rank score. `similarity` is the
    cosine between question and chunk, None when only the lexicon found it or its vector is not there yet; `bm25` is None
    when only the vectors found it. `page` is the page of the chunk's first character, None without pages.
    """

    chunk: Chunk
    title: str
    uri: str
    page: int | None
    score: float
    similarity: float | None = None
    bm25: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a file looked like when it was read: size in bytes and modification time in nanoseconds since 1970."""

    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A current document without its text. `characters` is the length of the text; `indexed_at` is seconds since 1970.

    `principals` are those who may read it; everybody if there are none.
    """

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    characters: int
    chunks: int
    source: Source | None
    indexed_at: float
    principals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changed:
    """What one change did, in documents. `unchanged` ones were offered and already there."""

    added: int
    removed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class CollectionState:
    """Size of a collection. `vectors` counts chunks that the dense search can find, `pending_vectors` those it cannot yet.

    `encoder` is the fingerprint of the encoder that made the vectors; `bytes_on_disk` covers ledger and caches.
    """

    name: str
    documents: int
    chunks: int
    vectors: int
    pending_vectors: int
    encoder: str
    bytes_on_disk: int
