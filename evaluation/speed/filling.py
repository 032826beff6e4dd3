"""Puts drawn documents into a collection's ledger, with their chunks and vectors, and brings its caches up to date.

Reading, cutting and embedding a million chunks takes hours and says nothing of searching them. Here a document comes with its
chunks as they were drawn: words after Zipf's law, as many as the encoder takes, and vectors from a `Cloud`. What is in the
ledger, the lexicon and the vectors afterwards is what indexing such documents would have left there.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.speed.cloud import Cloud
from evaluation.speed.workload import vocabulary
from index.chunking.chunker import chunk_id
from index.chunking.context import content_hash, embedding_context
from index.ledger.ledger import Ledger
from index.ledger.rows import Entry
from index.lexicon.index import Lexicon
from index.records import Chunk, Document
from index.vectors.index import VectorIndex

FINGERPRINT = "drawn from a cloud@2"
DIMENSION = 384
COMMON = 200
"""So many of the vocabulary's first words nobody asks for."""

_CHUNKS = 8
_SENTENCES = 11
_WORDS = 16
_EXPONENT = 1.07
_BATCH = 200


def opened(folder: Path) -> Ledger:
    """The ledger of the collection in `folder`, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return Ledger(folder / "ledger.sqlite", encoder=FINGERPRINT, dimension=DIMENSION)


def fill(folder: Path, cloud: Cloud, size: int) -> None:
    """Add documents until the collection in `folder` has at least `size` chunks; the same ones each time."""
    ledger = opened(folder)
    documents, chunks, _ = ledger.counts()
    while chunks < size:
        count = min(_BATCH, -(-(size - chunks) // _CHUNKS))
        entries = [_entry(number) for number in range(documents, documents + count)]
        ledger.change(entries, [])
        hashes = [
            content_hash(embedding_context(entry.document, ()), one.text) for entry in entries for one in entry.chunks
        ]
        ledger.add_vectors(hashes, cloud.passages(np.random.default_rng((1, documents)), len(hashes)))
        documents, chunks = documents + count, chunks + count * _CHUNKS
    Lexicon(folder / "lexicon").catch_up(ledger)
    index = VectorIndex(folder, ledger, least_to_save=1)
    index.save()
    index.close()
    ledger.close()


def texts(number: int) -> list[str]:
    """The chunks of the document with that number."""
    known, shares = _lexicon()
    rng = np.random.default_rng((0, number))
    drawn = [known[place] for place in np.searchsorted(shares, rng.random(_CHUNKS * _SENTENCES * _WORDS))]
    starts = range(0, len(drawn), _WORDS)
    sentences = [f"{' '.join(drawn[start : start + _WORDS]).capitalize()}." for start in starts]
    return [" ".join(sentences[start : start + _SENTENCES]) for start in range(0, len(sentences), _SENTENCES)]


def _entry(number: int) -> Entry:
    parts = texts(number)
    name = f"d{number}"
    document = Document(name, "v", f"speed:{name}", name, "text/plain", "\n\n".join(parts))
    chunks, start = [], 0
    for ordinal, text in enumerate(parts):
        end = start + len(text)
        chunks.append(Chunk(chunk_id(name, "v", start, end), name, "v", ordinal, start, end, text, ()))
        start = end + 2
    return Entry(document, chunks)


@cache
def _lexicon() -> tuple[list[str], NDArray[np.float64]]:
    """The words, and the share of all text that each and those before it make up."""
    words = vocabulary()
    shares: NDArray[np.float64] = np.cumsum(1 / np.arange(1, len(words) + 1) ** _EXPONENT)
    return words, shares / shares[-1]
