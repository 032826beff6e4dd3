"""Collections with drawn vectors: embedding a million chunks takes hours and says nothing of searching them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.collection import Collection
from index.embedding.encoder import SentenceEncoder
from index.records import Document

_BATCH = 1_000


class DrawnEncoder:
    """Vectors drawn by the hash of the text: no model.

    `fingerprint` may be that of a real encoder, so that a collection opens with it: what its searches find means nothing then,
    but takes the time that it takes.
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
        unit: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Word pieces of the real tokeniser: chunking is measured as it is."""
        return self._pieces.token_offsets(text)


def fill(collection: Collection, workload: Path) -> None:
    """Add the documents of a workload (`evaluation.speed.workload`), one chunk each, and make their vectors."""
    batch: list[Document] = []
    with (workload / "documents.jsonl").open(encoding="utf-8") as stream:
        for line in stream:
            record = json.loads(line)
            version = hashlib.sha256(record["text"].encode()).hexdigest()
            name = record["id"]
            batch.append(Document(name, version, f"speed:{name}", name, "text/plain", record["text"]))
            if len(batch) == _BATCH:
                collection.change(add=[(document, None) for document in batch])
                batch.clear()
    collection.change(add=[(document, None) for document in batch])
    collection.embed_pending()
