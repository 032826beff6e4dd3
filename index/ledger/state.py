"""What a snapshot of a ledger yields, and how it is made of the ledger's rows. Pure."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.chunking.chunker import lexical_text
from index.ledger.stored import as_stored, require_kinds, require_numbers

ADDED, REMOVED, EMBEDDED, CHANGED = 1, 2, 3, 4
"""What the log says of a chunk: added, removed, its vector is known, other facts of its document that filters look at."""


_FACTS = (str, str, int, str, (bytes, NoneType))


class Mark(NamedTuple):
    """A state of a ledger: which ledger, and the position in its log of changes. A cache records the mark it stands at."""

    ledger: int
    position: int


class LexicalEntry(NamedTuple):
    """A chunk as the lexicon indexes it; `number` and `document` are ledger numbers.

    `stretches` are the parts of it in one language each, with its ISO 639-1 code, empty if that is unknown.
    """

    number: int
    document: int
    text: str
    stretches: tuple[tuple[str, str], ...] = ()


class SearchableChunk(NamedTuple):
    """A chunk with all that is searched and all that filters look at, as a search index outside the folder holds it."""

    lexical: LexicalEntry
    document_id: str
    uri: str
    modified_ns: int
    principals: tuple[str, ...]
    metadata: Mapping[str, str]
    vector: bytes | None


class VectorBatch(NamedTuple):
    """Vectors (n, dimension) in fp32 with the ledger numbers of their chunks and documents."""

    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    vectors: NDArray[np.float32]


class StoredDocument(NamedTuple):
    """A current document as it is stored; `text` is compressed."""

    number: int
    uri: str
    characters: int
    text: bytes


class StoredChunk(NamedTuple):
    """A chunk as it is stored: its range in the document, its text, and its units, None from an earlier version of Quoth."""

    number: int
    start: int
    end: int
    text: str
    units: str | None


def lexical_entries(
    rows: Iterable[Sequence[Any]], languages_of: Callable[[int], list[tuple[int, str]]]
) -> Iterator[LexicalEntry]:
    """Yield the entries of rows of number, document, version, title, trail, start, literal text and rendered text.

    `languages_of(version)` says where each language begins in a version, in order.
    """
    for entry, _ in _lexical(rows, languages_of):
        yield entry


def searchable_chunks(
    rows: Iterable[Sequence[Any]], languages_of: Callable[[int], list[tuple[int, str]]]
) -> Iterator[SearchableChunk]:
    """Yield the chunks of such rows, each followed by the document's id, URI, time, metadata, vector and principals."""
    for entry, (identity, uri, modified, metadata, vector, principals) in _lexical(rows, languages_of):
        with as_stored():
            require_kinds((identity, uri, modified, metadata, vector), _FACTS)
            readers = tuple(json.loads(principals))
            yield SearchableChunk(entry, identity, uri, modified, readers, json.loads(metadata), vector)


def _lexical(
    rows: Iterable[Sequence[Any]], languages_of: Callable[[int], list[tuple[int, str]]]
) -> Iterator[tuple[LexicalEntry, Sequence[Any]]]:
    """Yield what the first eight columns say of a chunk to the lexicon, and the other columns."""
    known: int | None = None  # the version that `languages` are of; the chunks of one follow each other
    languages: list[tuple[int, str]] = []
    with as_stored():
        for number, document, version, title, trail, start, literal, text, *others in rows:
            require_numbers(number, document)
            require_kinds((title, trail, start, literal, text), (str, str, int, str, str))
            if version != known:
                known, languages = version, languages_of(version)
            indexed = lexical_text(title, json.loads(trail), text)
            yield LexicalEntry(number, document, indexed, _stretches(languages, start, literal, indexed)), others


def _stretches(
    languages: Sequence[tuple[int, str]], start: int, literal: str, indexed: str
) -> tuple[tuple[str, str], ...]:
    """The parts of a chunk by their languages: all that is indexed of it if it is in one, else its literal stretches."""
    first = bisect_right(languages, start, key=itemgetter(0)) - 1
    last = bisect_left(languages, start + len(literal), key=itemgetter(0))
    inside = languages[max(first, 0) : last]
    if len({language for _, language in inside}) == 1:
        return ((inside[0][1], indexed),)
    ends = [*(place for place, _ in inside[1:]), start + len(literal)]
    return tuple(
        (language, literal[max(place - start, 0) : end - start])
        for (place, language), end in zip(inside, ends, strict=False)
    )


@as_stored()
def batch_from(rows: Sequence[Sequence[Any]], dimension: int) -> VectorBatch:
    """Return the batch of rows of number, document and vector; there is at least one."""
    numbers, documents, blobs = zip(*rows, strict=True)
    require_numbers(*numbers, *documents)
    return VectorBatch(
        np.array(numbers, dtype=np.int64), np.array(documents, dtype=np.int64), vectors_from(blobs, dimension)
    )


def vectors_from(blobs: Sequence[bytes], dimension: int) -> NDArray[np.float32]:
    """Return vectors (n, dimension) as they are stored, in half precision, little-endian."""
    halves = np.frombuffer(b"".join(blobs), dtype="<f2").reshape(len(blobs), dimension)
    return halves.astype(np.float32)


@as_stored()
def stored_chunk_from(row: Sequence[Any]) -> StoredChunk:
    """Return the chunk of a row of number, start, end, text and units."""
    *facts, units = row
    require_kinds(facts, (int, int, int, str))
    if units is not None:
        require_kinds((units,), (str,))
    return StoredChunk(*row)


def drawn_numbers(first: int, last: int, count: int, size: int) -> NDArray[np.int64]:
    """Return so many different numbers from `first` to `last` that about `size` of `count` chunks have one; always the same."""
    drawn = np.random.default_rng(0).integers(first, last + 1, size=-(-size * (last - first + 1) // count))
    return np.unique(drawn)
