"""Quoth alone at growing size: search latency, memory and disk at 10k, 100k, 1M chunks.

Embedding a million chunks takes hours and says nothing new, so vectors are drawn at random (unit length, seeded) by an
encoder that does nothing else; storing, indexing and searching are the real thing. Embedding speed is measured by
`measuring`.
"""

import hashlib
import json
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.latency import percentiles
from evaluation.speed.workload import write
from index.collection import Collection
from index.encoder import SentenceEncoder
from index.records import Document

_BATCH = 1_000
_QUERIES = 200


class DrawnEncoder:
    """Vectors drawn by the hash of the text: no model, so that growth is not a measurement of embedding."""

    name = "drawn"
    fingerprint = "drawn@0"
    dimension = 384
    max_tokens = 256

    def __init__(self) -> None:
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


def grow(folder: Path, size: int) -> dict[str, float]:
    """Build a collection of `size` chunks (one a document) below `folder`, search it, and remove it; the figures."""
    home = folder / f"growth-{size}"
    shutil.rmtree(home, ignore_errors=True)
    workload = write(home / "workload", size, _QUERIES)
    collection = Collection(home / "collection", DrawnEncoder())
    begun = time.perf_counter()
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
    built = time.perf_counter() - begun
    queries = [json.loads(line)["text"] for line in (workload / "queries.jsonl").read_text().splitlines()]
    for query in queries[:5]:
        collection.search(query)
    milliseconds = []
    for query in queries:
        start = time.perf_counter()
        collection.search(query)
        milliseconds.append((time.perf_counter() - start) * 1000)
    state = collection.state()
    collection.close()
    shutil.rmtree(home)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "chunks": float(state.chunks),
        "build_s": built,
        "rss_mib": peak,
        "disk_mib": state.bytes_on_disk / 2**20,
    }
    return figures | {f"query_ms_{name}": value for name, value in percentiles(milliseconds).items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(grow(Path(sys.argv[1]), int(sys.argv[2]))) + "\n")
