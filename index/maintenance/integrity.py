"""Check a collection: the ledger against itself, the index against the ledger, the ledger against the files."""

import stat
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np

from index.blocks.codec import load_rendering
from index.engines.search_index import SearchIndex
from index.errors import LedgerDamaged
from index.ledger.protocol import Ledger, Snapshot
from index.ledger.state import StoredChunk, StoredDocument
from index.records import DocumentSummary, FileStamp
from index.uris import file_uri

_REINDEX = "Run quoth index again"
_LENGTH_TOLERANCE = 0.01  # a vector of length 1 rounded to half precision is off by less than .001


@dataclass(frozen=True, slots=True)
class IntegrityProblem:
    """Something wrong with a collection. `place` is the part concerned: the ledger, a part of the index, or the files.

    Files are outdated, not damaged.
    """

    place: str
    what: str
    fix: str


def find_problems(
    ledger: Ledger, index: SearchIndex, comparing: AbstractContextManager[None]
) -> Iterator[IntegrityProblem]:
    """Yield everything that is wrong with a collection; where the ledger cannot be read any further, that ends it.

    Only the index is compared while `comparing`, the writer lock, is held: it must not change then. It catches up first.
    """
    replaced = ledger.replacement()
    if replaced is not None:
        yield IntegrityProblem("ledger", *replaced)
    try:
        with ledger.snapshot() as snapshot:
            for what in (*snapshot.problems(), *_bad_texts(snapshot), *_bad_vectors(snapshot)):
                yield IntegrityProblem("ledger", what, ledger.restoring)
        with comparing:
            for difference in index.differences():
                yield IntegrityProblem(difference.place, difference.what, difference.fix)
        for document in ledger.documents.list():
            change = _file_change(document)
            if change is not None:
                yield IntegrityProblem("files", f"{document.uri} {change}", _REINDEX)
    except LedgerDamaged as error:
        yield IntegrityProblem("ledger", str(error), ledger.restoring)


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
