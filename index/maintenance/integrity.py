"""Is a collection sound? The ledger against itself, the caches against the ledger, the ledger against the files."""

import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import numpy as np

from index.errors import LedgerDamaged
from index.ledger.ledger import Ledger
from index.ledger.snapshot import Snapshot, StoredDocument
from index.lexicon.index import Lexicon
from index.records import DocumentSummary, Source
from index.uris import file_uri
from index.vectors.index import VectorIndex

_RESTORE = "Restore ledger.sqlite from a backup, or drop the collection and index the documents again"
_REBUILD = "Delete {place} in the collection's folder: it is made again from the ledger"
_REINDEX = "Run quoth index again"
_LENGTH_TOLERANCE = 0.01  # a vector of length 1 rounded to half precision is off by less than .001


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. `place` is the part concerned; in `files` nothing is damaged, only outdated."""

    place: Literal["ledger", "lexicon", "vectors", "files"]
    what: str
    mend: str


def findings(ledger: Ledger, lexicon: Lexicon, vectors: VectorIndex) -> Iterator[Finding]:
    """Everything that is wrong with a collection, while nobody writes. The caches catch up with the ledger first."""
    try:
        lexicon.catch_up(ledger)
        vectors.catch_up()
        with ledger.snapshot() as snapshot:
            for what in (*snapshot.integrity(), *_misquotations(snapshot), *_bad_vectors(snapshot)):
                yield Finding("ledger", what, _RESTORE)
            for what in _differences(set(snapshot.numbers().tolist()), set(lexicon.numbers())):
                yield Finding("lexicon", what, _REBUILD.format(place="lexicon/"))
            for what in _astray(snapshot, vectors):
                yield Finding("vectors", what, _REBUILD.format(place="vectors.json"))
    except LedgerDamaged as error:
        yield Finding("ledger", str(error), _RESTORE)
        return
    for document in ledger.documents():
        what_happened = _fate(document)
        if what_happened is not None:
            yield Finding("files", f"{document.uri} {what_happened}", _REINDEX)


def _misquotations(snapshot: Snapshot) -> Iterator[str]:
    """Chunks that are not literally what stands at their place in the text, and texts that do not read."""
    for document in snapshot.documents():
        try:
            text = zlib.decompress(document.text).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            yield f"{document.uri}: its text does not read ({error})"
            continue
        yield from _wrong_chunks(snapshot, document, text)


def _wrong_chunks(snapshot: Snapshot, document: StoredDocument, text: str) -> Iterator[str]:
    if len(text) != document.characters:
        yield f"{document.uri}: its text has {len(text):,} characters, not {document.characters:,} as recorded"
    for chunk in snapshot.chunks_of(document.number):
        if text[chunk.start : chunk.end] != chunk.text:
            yield f"{document.uri}: chunk {chunk.number} is not what stands at {chunk.start}-{chunk.end} of the text"


def _bad_vectors(snapshot: Snapshot) -> Iterator[str]:
    missing = snapshot.without_vector()
    if missing:
        yield f"the vectors of {missing:,} chunks are not there, though they are noted"
    wrong = 0
    for batch in snapshot.vectors(None):
        lengths = np.linalg.norm(batch.vectors, axis=1)
        wrong += int((~(np.abs(lengths - 1) <= _LENGTH_TOLERANCE)).sum())  # a NaN is wrong, too
    if wrong:
        yield f"the vectors of {wrong:,} chunks are not of length 1"


def _astray(snapshot: Snapshot, vectors: VectorIndex) -> Iterator[str]:
    """How the vectors in memory differ from those of the ledger."""
    there = vectors.numbers()
    expected: set[int] = set()
    wrong = 0
    for batch in snapshot.vectors(None):
        expected.update(batch.numbers.tolist())
        wrong += vectors.differing(batch)
    yield from _differences(expected, set(there.tolist()))
    if wrong:
        yield f"{wrong:,} vectors differ from those of the ledger"


def _differences(expected: set[int], there: set[int]) -> Iterator[str]:
    if missing := len(expected - there):
        yield f"{missing:,} of {len(expected):,} chunks are missing"
    if foreign := len(there - expected):
        yield f"{foreign:,} chunks are in it that the ledger does not have"


def _fate(document: DocumentSummary) -> str | None:
    """What became of a document's file since it was indexed; None if nothing did, or there is no file."""
    parts = urlsplit(file_uri(document.uri))
    if parts.scheme != "file" or document.source is None:
        return None
    try:
        status = Path(unquote(parts.path)).stat()
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be reached ({error.strerror})"
    if not stat.S_ISREG(status.st_mode) or Source(status.st_size, status.st_mtime_ns) != document.source:
        return "has changed"
    return None
