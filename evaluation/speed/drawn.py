"""Collections with drawn texts and vectors: embedding a million chunks takes hours and says nothing about searching
them.

`Cloud` draws vectors and `fill_ledger` stores documents with them for `growth`; `DrawnEncoder` and `fill_collection` do
so for `load`, where a server must be able to open the collection.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from evaluation.speed.workload import vocabulary
from index.chunking.chunker import chunk_id, content_hash, embedding_context
from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.ledger.protocol import Ledger
from index.ledger.rows import ChunkedDocument
from index.ledger.sqlite.ledger import SqliteLedger
from index.lexicon.index import Lexicon
from index.records import Chunk, Document
from index.vectors.index import VectorIndex

FINGERPRINT = "drawn from a cloud@2"
DIMENSION = 384
COMMON = 200
"""How many of the vocabulary's first words are too common to be asked for."""

_NEIGHBOURS = 8
_NOISE = 0.3
_QUESTION = 0.55

_CHUNKS = 8
_SENTENCES = 11
_WORDS = 16
_EXPONENT = 1.07
_LEDGER_BATCH = 200
_COLLECTION_BATCH = 1_000


class Cloud:
    """Draws vectors that lie about as those of real passages do, without encoding a text for each.

    Real embeddings lie in clusters; vectors drawn evenly at random do not, and say nothing about an index that relies
    on clusters. So each vector here lies between a real one and one of its nearest neighbours, with a little noise.
    Questions lie farther off: a real question has a cosine of about .5 with the passage nearest to it (MiniLM, 300
    questions, 10,000 passages). `base` (n, dimension) holds the real vectors, of length 1. What is drawn depends on the
    generator alone.
    """

    def __init__(self, base: NDArray[np.float32]) -> None:
        self._base = base
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(base)
        self._near = index.search(base, min(_NEIGHBOURS + 1, len(base)))[1]

    def passages(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Vectors (count, dimension) of passages, of length 1."""
        dimension = self._base.shape[1]
        one = rng.integers(len(self._base), size=count)
        other = self._near[one, rng.integers(self._near.shape[1], size=count)]
        share = rng.uniform(0, 0.5, size=(count, 1)).astype(np.float32)
        noise = rng.standard_normal((count, dimension), dtype=np.float32) * np.float32(_NOISE / dimension**0.5)
        return _unit((1 - share) * self._base[one] + share * self._base[other] + noise)

    def questions(self, rng: np.random.Generator, passages: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each of the passages (n, dimension), of length 1, a vector as far from it as questions are."""
        noise = rng.standard_normal(passages.shape, dtype=np.float32)
        noise -= (noise * passages).sum(axis=1, keepdims=True) * passages
        return _unit(_QUESTION * passages + np.float32((1 - _QUESTION**2) ** 0.5) * _unit(noise))


def open_ledger(folder: Path) -> SqliteLedger:
    """The ledger of the collection in `folder`, created if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    return SqliteLedger(folder / "ledger.sqlite", encoder=FINGERPRINT, dimension=DIMENSION)


def fill_ledger(folder: Path, cloud: Cloud, size: int) -> None:
    """Add documents until the collection in `folder` has at least `size` chunks; the same ones each time.

    A document comes with its chunks as they were drawn: words by Zipf's law, as many as the encoder takes, and vectors
    from `cloud`. Afterwards the ledger, the lexicon and the vectors hold what indexing such documents would have left
    there.
    """
    ledger = open_ledger(folder)
    add_drawn(ledger, cloud, size)
    Lexicon(folder / "lexicon").catch_up(ledger)
    index = VectorIndex(folder, ledger, min_to_save=1)
    index.save()
    index.close()
    ledger.close()


def add_drawn(ledger: Ledger, cloud: Cloud, size: int) -> None:
    """Add drawn documents with their vectors until the ledger has at least `size` chunks; the same ones each time."""
    documents, chunks, _ = ledger.chunks.counts()
    while chunks < size:
        count = min(_LEDGER_BATCH, -(-(size - chunks) // _CHUNKS))
        added = [_chunked_document(number) for number in range(documents, documents + count)]
        ledger.change(added, [])
        hashes = [
            content_hash(embedding_context(item.document, ()), chunk.text) for item in added for chunk in item.chunks
        ]
        ledger.add_vectors(hashes, cloud.passages(np.random.default_rng((1, documents)), len(hashes)))
        documents, chunks = documents + count, chunks + count * _CHUNKS


def chunk_texts(number: int) -> list[str]:
    """The chunks of the document with that number."""
    known, shares = _vocabulary_shares()
    rng = np.random.default_rng((0, number))
    drawn = [known[place] for place in np.searchsorted(shares, rng.random(_CHUNKS * _SENTENCES * _WORDS))]
    starts = range(0, len(drawn), _WORDS)
    sentences = [f"{' '.join(drawn[start : start + _WORDS]).capitalize()}." for start in starts]
    return [" ".join(sentences[start : start + _SENTENCES]) for start in range(0, len(sentences), _SENTENCES)]


class DrawnEncoder:
    """An encoder without a model: it draws vectors by the hash of the text.

    `fingerprint` may be that of a real encoder, so that a collection opens with it. What its searches find then means
    nothing, but they take as long as real ones.
    """

    name = "drawn"
    dimension = 384
    max_tokens = 256

    def __init__(self, fingerprint: str = "drawn@0") -> None:
        self.fingerprint = fingerprint
        self._pieces = SentenceEncoder()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, 384), the same for the same text."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        drawn = np.stack(
            [np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32) for seed in seeds]
        )
        return _unit(drawn)

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Word pieces of the real tokeniser, so that chunking costs what it does otherwise."""
        return self._pieces.token_offsets(text)


def fill_collection(collection: Collection, workload: Path) -> None:
    """Add the documents of a workload (see `workload`), one chunk each, and make their vectors."""
    batch: list[Document] = []
    with (workload / "documents.jsonl").open(encoding="utf-8") as stream:
        for line in stream:
            record = json.loads(line)
            version = hashlib.sha256(record["text"].encode()).hexdigest()
            name = record["id"]
            batch.append(Document(name, version, f"speed:{name}", name, "text/plain", record["text"]))
            if len(batch) == _COLLECTION_BATCH:
                collection.change(add=[(document, None) for document in batch])
                batch.clear()
    collection.change(add=[(document, None) for document in batch])
    collection.embed_pending()


def _chunked_document(number: int) -> ChunkedDocument:
    parts = chunk_texts(number)
    name = f"d{number}"
    document = Document(name, "v", f"speed:{name}", name, "text/plain", "\n\n".join(parts))
    chunks, start = [], 0
    for ordinal, text in enumerate(parts):
        end = start + len(text)
        chunks.append(Chunk(chunk_id(name, "v", start, end), name, "v", ordinal, start, end, text, ()))
        start = end + 2
    return ChunkedDocument(document, chunks)


@cache
def _vocabulary_shares() -> tuple[list[str], NDArray[np.float64]]:
    """The words, and for each the share of all text that it and the words before it make up."""
    words = vocabulary()
    shares: NDArray[np.float64] = np.cumsum(1 / np.arange(1, len(words) + 1) ** _EXPONENT)
    return words, shares / shares[-1]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
