"""Check a collection: the ledger against itself, the caches against the ledger, the ledger against the files."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import numpy as np

from index.blocks.codec import load_rendering
from index.errors import LedgerDamaged
from index.ledger.ledger import Ledger
from index.ledger.note import note_of, noted_identity
from index.ledger.snapshot import Snapshot, StoredChunk, StoredDocument
from index.lexicon.index import Lexicon
from index.records import DocumentSummary, FileStamp
from index.uris import file_uri
from index.vectors.index import VectorIndex

_RESTORE = "Restore ledger.sqlite from a backup, or drop the collection and index the documents again"
_REPLACED = "Restore ledger.sqlite from a backup, or delete {note} to keep the ledger as it is"
_REBUILD = "Delete {place} in the collection's folder: it is rebuilt from the ledger"
_REINDEX = "Run quoth index again"
_LENGTH_TOLERANCE = 0.01  # a vector of length 1 rounded to half precision is off by less than .001


@dataclass(frozen=True, slots=True)
class IntegrityProblem:
    """Something wrong with a collection. `place` is the part concerned; `files` means outdated, not damaged."""

    place: Literal["ledger", "lexicon", "vectors", "files"]
    what: str
    fix: str


def find_problems(
    ledger: Ledger, lexicon: Lexicon, vectors: VectorIndex, writing: AbstractContextManager[None]
) -> Iterator[IntegrityProblem]:
    """Yield everything that is wrong with a collection; where the ledger cannot be read any further, that ends it.

    Only the caches are compared while `writing`, the writer lock, is held: they must not change then. They catch up first.
    """
    noted = noted_identity(ledger.path)
    if noted not in (None, ledger.identity):
        yield IntegrityProblem(
            "ledger", "is not the one that the collection began with", _REPLACED.format(note=note_of(ledger.path))
        )
    try:
        with ledger.snapshot() as snapshot:
            for what in (*snapshot.sqlite_problems(), *_bad_texts(snapshot), *_bad_vectors(snapshot)):
                yield IntegrityProblem("ledger", what, _RESTORE)
        with writing, _caught_up(ledger, lexicon, vectors) as snapshot:
            for what in _differences(set(snapshot.numbers().tolist()), set(lexicon.numbers())):
                yield IntegrityProblem("lexicon", what, _REBUILD.format(place="lexicon/"))
            for what in _differing_vectors(snapshot, vectors):
                yield IntegrityProblem("vectors", what, _REBUILD.format(place="vectors.json"))
        for document in ledger.documents.list():
            change = _file_change(document)
            if change is not None:
                yield IntegrityProblem("files", f"{document.uri} {change}", _REINDEX)
    except LedgerDamaged as error:
        yield IntegrityProblem("ledger", str(error), _RESTORE)


@contextmanager
def _caught_up(ledger: Ledger, lexicon: Lexicon, vectors: VectorIndex) -> Iterator[Snapshot]:
    """The state of the ledger that the caches reflect."""
    lexicon.catch_up(ledger)
    vectors.catch_up()
    with ledger.snapshot() as snapshot:
        yield snapshot


def _bad_texts(snapshot: Snapshot) -> Iterator[str]:
    """Yield the texts that cannot be read, and the chunks whose text differs from their range of the document."""
    for document in snapshot.documents():
        try:
            text = zlib.decompress(document.text).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            yield f"{document.uri}: its text does not read ({error})"
            continue
        yield from _bad_chunks(snapshot, document, text)


def _bad_chunks(snapshot: Snapshot, document: StoredDocument, text: str) -> Iterator[str]:
    if len(text) != document.characters:
        yield f"{document.uri}: its text has {len(text):,} characters, not {document.characters:,} as recorded"
    for chunk in snapshot.chunks_of(document.number):
        if text[chunk.start : chunk.end] != chunk.text:
            yield f"{document.uri}: chunk {chunk.number} is not what stands at {chunk.start}-{chunk.end} of the text"
        elif not _holds_its_units(chunk):
            yield f"{document.uri}: the units of chunk {chunk.number} do not lie in it one after the other"


def _holds_its_units(chunk: StoredChunk) -> bool:
    if chunk.units is None:
        return True
    try:
        units = [rendered.unit for rendered in load_rendering(chunk.units, chunk.start, chunk.text).units]
    except (ValueError, KeyError, TypeError):
        return False
    edges = [chunk.start, *(unit.end for unit in units), chunk.end]
    return all(unit.start < unit.end and end <= unit.start for unit, end in zip(units, edges, strict=False)) and (
        edges[-2] <= chunk.end
    )


def _bad_vectors(snapshot: Snapshot) -> Iterator[str]:
    missing = snapshot.count_missing_vectors()
    if missing:
        yield f"the vectors of {missing:,} chunks are not there, though they are noted"
    wrong = 0
    for batch in snapshot.vectors(None):
        lengths = np.linalg.norm(batch.vectors, axis=1)
        wrong += int((~(np.abs(lengths - 1) <= _LENGTH_TOLERANCE)).sum())  # also counts NaN
    if wrong:
        yield f"the vectors of {wrong:,} chunks are not of length 1"


def _differing_vectors(snapshot: Snapshot, vectors: VectorIndex) -> Iterator[str]:
    """Yield how the vectors in memory differ from those of the ledger."""
    numbers = vectors.numbers()
    expected: set[int] = set()
    wrong = 0
    for batch in snapshot.vectors(None):
        expected.update(batch.numbers.tolist())
        wrong += vectors.count_differing(batch)
    yield from _differences(expected, set(numbers.tolist()))
    if wrong:
        yield f"{wrong:,} vectors differ from those of the ledger"


def _differences(expected: set[int], actual: set[int]) -> Iterator[str]:
    if missing := len(expected - actual):
        yield f"{missing:,} of {len(expected):,} chunks are missing"
    if foreign := len(actual - expected):
        yield f"{foreign:,} chunks are in it that the ledger does not have"


def _file_change(document: DocumentSummary) -> str | None:
    """How a document's file changed since it was indexed; None if it did not, or if the document has no file."""
    parts = urlsplit(file_uri(document.uri))
    if parts.scheme != "file" or document.source is None:
        return None
    try:
        status = Path(unquote(parts.path)).stat()
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be reached ({error.strerror})"
    if not stat.S_ISREG(status.st_mode) or FileStamp(status.st_size, status.st_mtime_ns) != document.source:
        return "has changed"
    return None
