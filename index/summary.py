"""What a collection says about itself and its documents. Frozen records."""

from dataclasses import dataclass


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
