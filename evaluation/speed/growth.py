"""Quoth alone as a collection grows: search latency, recall, memory, disk and time to the first search.

Documents and vectors are drawn (see `drawn`); storing, indexing and searching are real, and a query takes the real
encoder's time. One collection grows through all sizes. At each size, one process adds what is missing, and another one,
as a server would, opens the collection and searches. Reading and embedding are measured by `measuring`. Processor time
is reported beside elapsed time, which on a busy machine says more about other programs.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.statistics import percentiles
from evaluation.speed.drawn import COMMON, DIMENSION, FINGERPRINT, Cloud, chunk_texts, fill_ledger, open_ledger
from evaluation.speed.workload import vocabulary
from index.collection import Collection
from index.embedding.encoder import Encoder, SentenceEncoder
from index.ledger.sqlite.ledger import SqliteLedger
from index.vectors.index import VectorIndex

_RARE_WORDS = 6
_COMMON_WORDS = 4
_QUERIES = 200
_RECALL_QUERIES = 50
_RECALL_AT = 10
_MAPPED = re.compile(r"RssFile:\s+(\d+) kB")


class GrowthEncoder:
    """Returns the vector of each of the `questions`, after running `model` on it so that it takes as long."""

    name = "growth"
    fingerprint = FINGERPRINT
    dimension = DIMENSION

    def __init__(self, questions: Mapping[str, NDArray[np.float32]], model: Encoder) -> None:
        self._questions = questions
        self._model = model
        self.max_tokens = model.max_tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, 384)."""
        self._model.encode(texts)
        return np.stack([self._questions[text] for text in texts])

    def token_offsets(self, text: str) -> NDArray[np.int64]:
        """See `Encoder.token_offsets`."""
        return self._model.token_offsets(text)


def base_vectors(like: Path | None, size: int = 20_000) -> NDArray[np.float32]:
    """Real vectors to draw others around: of the collection in the folder `like`, else of some drawn passages."""
    encoder = SentenceEncoder()
    if like is None:
        return encoder.encode([chunk_texts(number)[0] for number in range(min(size, 300))])
    ledger = SqliteLedger(like / "ledger.sqlite", encoder=encoder.fingerprint, dimension=encoder.dimension)
    with ledger.snapshot() as snapshot:
        vectors = snapshot.sample(size)
    ledger.close()
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def grow(folder: Path, vectors: NDArray[np.float32], size: int) -> dict[str, float]:
    """Fill the collection in `folder` until it has at least `size` chunks; return the figures of doing so."""
    begun = time.perf_counter()
    fill_ledger(folder, Cloud(vectors), size)
    ledger = open_ledger(folder)
    chunks = ledger.chunks.counts()[1]
    ledger.close()
    return {
        "chunks": float(chunks),
        "build_s": time.perf_counter() - begun,
        "build_cpu_s": time.process_time(),
        "build_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "disk_mib": sum(path.stat().st_size for path in folder.rglob("*")) / 2**20,
    }


def serve(folder: Path, vectors: NDArray[np.float32], started: float) -> dict[str, float]:
    """Open the collection, search it and return the figures; `started` is when the process was started (seconds since
    1970).

    `start_s` ends with the first result; `open_s` is the part of it for opening the collection and the first search,
    which loads the model. The network is already compiled, as it is at every start of a server but the first. Memory is
    that of the process after the searches; `mapped_mib` of it are pages of files, which the system reclaims when it
    needs them. `recall` is the share of the exact ten nearest that the dense search finds.
    """
    questions = _questions(folder, Cloud(vectors))
    encoder = GrowthEncoder(questions, SentenceEncoder(cache=folder.with_name("cache")))
    prepared, opening = time.time(), time.process_time()
    collection = Collection(folder, encoder)
    queries = list(questions)
    collection.search(queries[0])
    start = time.time() - started
    start_cpu, open_cpu = time.process_time(), time.process_time() - opening
    elapsed, used = [], []
    for query in queries:
        begun, spent = time.perf_counter(), time.process_time()
        collection.search(query)
        elapsed.append((time.perf_counter() - begun) * 1000)
        used.append((time.process_time() - spent) * 1000)
    status = Path("/proc/self/status")
    mapped = _MAPPED.search(status.read_text()) if status.exists() else None
    figures = {
        "start_s": start,
        "start_cpu_s": start_cpu,
        "open_s": start - (prepared - started),
        "open_cpu_s": open_cpu,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "mapped_mib": int(mapped.group(1)) / 1024 if mapped else 0.0,
    }
    collection.close()
    return (
        figures
        | {f"query_ms_{name}": value for name, value in percentiles(elapsed).items()}
        | {f"query_cpu_ms_{name}": value for name, value in percentiles(used).items()}
        | {"recall": _recall(folder, np.stack(list(questions.values())[:_RECALL_QUERIES]))}
    )


def _recall(folder: Path, queries: NDArray[np.float32]) -> float:
    ledger = open_ledger(folder)
    index = VectorIndex(folder, ledger)
    index.catch_up()
    best = np.full((len(queries), _RECALL_AT), -np.inf, dtype=np.float32)
    numbers = np.zeros((len(queries), _RECALL_AT), dtype=np.int64)
    with ledger.snapshot() as snapshot:
        for batch in snapshot.vectors(None):
            scores = np.concatenate([best, queries @ batch.vectors.T], axis=1)
            every = np.concatenate(
                [numbers, np.broadcast_to(batch.numbers, (len(queries), len(batch.numbers)))], axis=1
            )
            order = np.argpartition(-scores, _RECALL_AT - 1, axis=1)[:, :_RECALL_AT]
            best, numbers = np.take_along_axis(scores, order, 1), np.take_along_axis(every, order, 1)
    shares = [
        len({number for number, _ in index.search(query, _RECALL_AT)} & set(exact.tolist())) / _RECALL_AT
        for query, exact in zip(queries, numbers, strict=True)
    ]
    index.close()
    ledger.close()
    return float(np.mean(shares))


def _questions(folder: Path, cloud: Cloud) -> dict[str, NDArray[np.float32]]:
    """Queries from the words of one chunk each, six rarer words and four of the commonest, as in real questions, with a
    vector (384,) near the chunk's."""
    ledger = open_ledger(folder)
    rng = np.random.default_rng(1)
    drawn = np.unique(rng.integers(1, ledger.chunks.counts()[1] + 1, size=_QUERIES))
    numbers, vectors = ledger.chunks.vectors(drawn)
    rows = ledger.chunks.get(numbers.tolist())
    ledger.close()
    common = set(vocabulary()[:COMMON])
    questions = {}
    for number, vector in zip(numbers.tolist(), cloud.questions(rng, vectors), strict=True):
        words = rng.permutation(sorted(set(rows[number].chunk.text.lower().replace(".", "").split()))).tolist()
        rare = [word for word in words if word not in common][:_RARE_WORDS]
        questions[" ".join(rare + [word for word in words if word in common][:_COMMON_WORDS])] = vector
    return questions


if __name__ == "__main__":
    where, around = Path(sys.argv[2]), np.load(sys.argv[3])
    figures = (
        grow(where, around, int(sys.argv[4])) if sys.argv[1] == "grow" else serve(where, around, float(sys.argv[4]))
    )
    sys.stdout.write(json.dumps(figures) + "\n")
