"""Quoth alone as a collection grows: search latency, recall, memory, disk and time to the first search.

Embedding a million chunks takes hours and says nothing new, so vectors come from a `Cloud` around real ones; storing,
indexing and searching are the real thing, and a query costs the real encoder's time. One collection grows through all sizes.
At each, a process of its own adds what is missing, and another one, as a server would, opens the collection and searches.
Embedding speed is measured by `measuring`.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.latency import percentiles
from evaluation.speed.cloud import Cloud
from evaluation.speed.workload import vocabulary
from index.collection import Collection
from index.encoder import Encoder, SentenceEncoder
from index.ledger import Ledger
from index.records import Document
from index.vectors import VectorIndex

_BATCH = 50
_WORDS = 1_200  # a document, about ten chunks
_SENTENCE = 16
_EXPONENT = 1.07
_COMMON = 200
_QUERY_WORDS = 6
_QUERIES = 200
_RECALL_QUERIES = 50
_RECALL_AT = 10
_MAPPED = re.compile(r"RssFile:\s+(\d+) kB")


class GrowthEncoder:
    """Gives each text its vector in the cloud. `questions` are queries with the text that each asks about."""

    name = "growth"
    fingerprint = "growth@1"
    dimension = 384
    max_tokens = 140

    def __init__(self, cloud: Cloud, questions: Mapping[str, str], model: Encoder | None) -> None:
        self._cloud = cloud
        self._questions = questions
        self._model = model

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, 384). For a question `model` runs, too, for the time that it takes."""
        if self._model is not None:
            self._model.encode(texts)
        if all(text in self._questions for text in texts):
            return self._cloud.questions([self._questions[text] for text in texts])
        return self._cloud.passages(texts)

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """Each word and each other sign: every word of the vocabulary is one token of the real tokeniser."""
        spans = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
        return np.array(spans, dtype=np.int64).reshape(-1, 2)


def base(like: Path | None, size: int = 20_000) -> NDArray[np.float32]:
    """Real vectors to grow around: those of the collection in the folder `like`, else of a few hundred made-up documents."""
    encoder = SentenceEncoder()
    if like is None:
        return encoder.encode([_text(number, _SENTENCE * 7) for number in range(min(size, 300))])
    ledger = Ledger(like / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
    with ledger.snapshot() as snapshot:
        found = snapshot.sample(size)
    ledger.close()
    lengths: NDArray[np.float32] = np.linalg.norm(found, axis=1, keepdims=True)
    return found / lengths


def grow(folder: Path, vectors: NDArray[np.float32], size: int) -> dict[str, float]:
    """Add documents to the collection in `folder` until it has at least `size` chunks; the figures of that."""
    begun = time.perf_counter()
    collection = Collection(folder, GrowthEncoder(Cloud(vectors), {}, None))
    state = collection.state()
    number = state.documents
    while state.chunks < size:
        step = min(_BATCH, max(1, (size - state.chunks) // 12))
        collection.change(add=[(_document(number + place), None) for place in range(step)])
        number += step
        state = collection.state()
    collection.embed_pending()
    state = collection.state()
    collection.close()
    seconds, mib = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "chunks": float(state.chunks),
        "build_s": seconds,
        "build_rss_mib": mib,
        "disk_mib": state.bytes_on_disk / 2**20,
    }


def serve(folder: Path, vectors: NDArray[np.float32], started: float) -> dict[str, float]:
    """Open the collection and search it; `started` is when the process was started (seconds since 1970).

    `start_s` ends with the first result. Memory is that of the process after the searches; `mapped_mib` of it are pages of
    files, which the system takes back when it needs them. `recall` is the share of the exact ten nearest that the dense
    search finds.
    """
    asked = _questions(folder)
    encoder = GrowthEncoder(Cloud(vectors), asked, SentenceEncoder())
    prepared = time.time()
    collection = Collection(folder, encoder)
    queries = list(asked)
    collection.search(queries[0])
    start = time.time() - started
    milliseconds = []
    for query in queries:
        begun = time.perf_counter()
        collection.search(query)
        milliseconds.append((time.perf_counter() - begun) * 1000)
    status = Path("/proc/self/status")
    mapped = _MAPPED.search(status.read_text()) if status.exists() else None
    figures = {
        "start_s": start,
        "open_s": start - (prepared - started),
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "mapped_mib": int(mapped.group(1)) / 1024 if mapped else 0.0,
    }
    collection.close()
    found = percentiles(milliseconds)
    return (
        figures
        | {f"query_ms_{name}": value for name, value in found.items()}
        | {"recall": _recall(folder, encoder, queries)}
    )


def _recall(folder: Path, encoder: GrowthEncoder, queries: Sequence[str]) -> float:
    ledger = Ledger(folder / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
    index = VectorIndex(folder, ledger)
    index.catch_up()
    asked = np.concatenate([encoder.encode([query]) for query in queries[:_RECALL_QUERIES]])
    best = np.full((len(asked), _RECALL_AT), -np.inf, dtype=np.float32)
    numbers = np.zeros((len(asked), _RECALL_AT), dtype=np.int64)
    with ledger.snapshot() as snapshot:
        for batch in snapshot.vectors(None):
            scores = np.concatenate([best, asked @ batch.vectors.T], axis=1)
            every = np.concatenate([numbers, np.broadcast_to(batch.numbers, (len(asked), len(batch.numbers)))], axis=1)
            order = np.argpartition(-scores, _RECALL_AT - 1, axis=1)[:, :_RECALL_AT]
            best, numbers = np.take_along_axis(scores, order, 1), np.take_along_axis(every, order, 1)
    shares = [
        len({number for number, _ in index.search(query, _RECALL_AT)} & set(exact.tolist())) / _RECALL_AT
        for query, exact in zip(asked, numbers, strict=True)
    ]
    index.close()
    ledger.close()
    return float(np.mean(shares))


def _questions(folder: Path) -> dict[str, str]:
    """Queries of six words of one chunk, none among the commonest, each with the chunk's text."""
    ledger = Ledger(folder / "ledger.sqlite", encoder=GrowthEncoder.fingerprint, dimension=GrowthEncoder.dimension)
    rng = np.random.default_rng(1)
    drawn = np.unique(rng.integers(1, ledger.counts()[1] + 1, size=_QUERIES)).tolist()
    common = set(vocabulary()[:_COMMON])
    asked = {}
    for row in ledger.chunks(drawn).values():
        words = sorted({word for word in row.chunk.text.lower().replace(".", "").split() if word not in common})
        asked[" ".join(rng.permutation(words)[:_QUERY_WORDS].tolist())] = row.chunk.text
    ledger.close()
    return asked


def _document(number: int) -> Document:
    return Document(f"d{number}", "v", f"speed:d{number}", f"d{number}", "text/plain", _text(number, _WORDS))


def _text(number: int, words: int) -> str:
    """Made-up sentences whose words follow Zipf's law; the same for the same number."""
    rng = np.random.default_rng(number)
    known, shares = _lexicon()
    drawn = [known[place] for place in np.searchsorted(shares, rng.random(words))]
    sentences = [" ".join(drawn[start : start + _SENTENCE]) for start in range(0, words, _SENTENCE)]
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


@cache
def _lexicon() -> tuple[list[str], NDArray[np.float64]]:
    """The words, and the share of all text that each and those before it make up."""
    words = vocabulary()
    shares: NDArray[np.float64] = np.cumsum(1 / np.arange(1, len(words) + 1) ** _EXPONENT)
    return words, shares / shares[-1]


if __name__ == "__main__":
    where, around = Path(sys.argv[2]), np.load(sys.argv[3])
    made = grow(where, around, int(sys.argv[4])) if sys.argv[1] == "grow" else serve(where, around, float(sys.argv[4]))
    sys.stdout.write(json.dumps(made) + "\n")
