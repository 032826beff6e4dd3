"""Quoth: a collection with ledger, lexicon and vectors on disk, and its hybrid search."""

import time

BEGUN = time.perf_counter()

import hashlib  # noqa: E402 - the clock starts before the imports, which are part of the cost
import sys  # noqa: E402 - as above
import tempfile  # noqa: E402 - as above
from pathlib import Path  # noqa: E402 - as above

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - as above

workload, _ = arguments()
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from index.collection import Collection  # noqa: E402 - after the threads are set, which the libraries read when they load
from index.embedding.encoder import SentenceEncoder  # noqa: E402 - as above
from index.records import Document  # noqa: E402 - as above

home = tempfile.TemporaryDirectory()
encoder = SentenceEncoder()
encoder.encode(["ready"])
collection = Collection(Path(home.name) / "speed", encoder)


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Store, index and embed all documents."""
    stored = [
        Document(name, hashlib.sha256(text.encode()).hexdigest(), f"speed:{name}", name, "text/plain", text)
        for name, text in documents
    ]
    for begin in range(0, len(stored), 256):
        collection.change(add=[(document, None) for document in stored[begin : begin + 256]])
    collection.embed_pending()


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Hybrid search."""
    return [hit.chunk.document_id for hit in collection.search(query, k=k)]


measure(workload, build, search, BEGUN)
collection.close()
home.cleanup()
