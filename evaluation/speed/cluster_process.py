"""One process of `quoth eval cluster`: adds and embeds its share of documents, or searches. Prints its figures as JSON."""

import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.metrics.statistics import percentiles
from evaluation.speed.drawn import DrawnEncoder, chunk_texts
from index.collection import Collection
from index.embedding.encoder import Encoder, HashedEncoder, SentenceEncoder
from index.engines.lance.indexes import LanceIndexes
from index.errors import CollectionBusy
from index.ledger.postgres.ledgers import PostgresLedgers
from index.library import Library
from index.records import Document

BATCH = 25
TOP = 8
DEEP = 50


def open_library(place: dict[str, str], encoder: Encoder) -> Library:
    """The collections of a system: in `home`, or in `database` with search tables in `storage`."""
    home = Path(place["home"])
    if "database" not in place:
        return Library(home, encoder)
    ledgers = PostgresLedgers(place["database"], home / "cache" / "collections")
    return Library(home, encoder, LanceIndexes(place["storage"]), ledgers)


def add(place: dict[str, str], name: str, first: int, last: int) -> dict[str, float]:
    """Add the drawn documents from `first` to `last` to the collection `name`, and make their vectors."""
    with closing(open_library(place, DrawnEncoder())) as library:
        collection = library.open_or_create(name)
        collection.cut([_document(first)])  # loads the tokeniser
        begun, used = time.time(), time.process_time()
        for start in range(first, last, BATCH):
            documents = [(_document(number), None) for number in range(start, min(start + BATCH, last))]
            _until_free(partial(collection.change, documents))
            _until_free(collection.embed_pending)
    return {
        "begun": begun,
        "ended": time.time(),
        "cpu_s": time.process_time() - used,
        "rss_mib": _most_memory(),
    }


def _until_free(act: Callable[[], object]) -> None:
    """Do it again for as long as others write: a worker's job is tried again, too."""
    while True:
        with suppress(CollectionBusy):
            act()
            return


def make_encoder(cache: Path | None) -> Encoder:
    """The encoder that ships, its network compiled in `cache`; without one, words hashed into vectors as long as its."""
    return HashedEncoder(384) if cache is None else SentenceEncoder(cache=cache)


def search(place: dict[str, str], name: str, file: str, cache: str) -> dict[str, Any]:
    """Ask the collection the questions of a JSON file. Returns latencies, memory and what was found."""
    questions = json.loads(Path(file).read_text(encoding="utf-8"))
    encoder = make_encoder(Path(cache) if cache else None)
    with closing(open_library(place, encoder)) as library:
        collection = library.open(name)
        begun = time.perf_counter()
        collection.search(questions[0], TOP)
        first = time.perf_counter() - begun
        elapsed, used, hits = [], [], []
        for question in questions:
            begun, spent = time.perf_counter(), time.process_time()
            found = collection.search(question, TOP)
            elapsed.append((time.perf_counter() - begun) * 1000)
            used.append((time.process_time() - spent) * 1000)
            hits.append([hit.chunk.id for hit in found])
        figures: dict[str, Any] = {
            "first_s": first,
            "rss_mib": _most_memory(),
            "hits": hits,
        }
        figures |= {f"query_ms_{key}": value for key, value in percentiles(elapsed).items()}
        figures |= {f"query_cpu_ms_{key}": value for key, value in percentiles(used).items()}
        return figures | _rankings(collection, encoder, questions)


def _rankings(collection: Collection, encoder: Encoder, questions: list[str]) -> dict[str, Any]:
    """Each ranking by itself, as ledger numbers, which are the same in both systems."""
    index = collection._index  # what the fusion of both rankings hides
    vectors = [encoder.encode([question])[0] for question in questions]
    return {
        "dense": [[number for number, _ in index.dense(vector, DEEP, None)] for vector in vectors],
        "words": [[number for number, _ in index.words(question, DEEP, None)] for question in questions],
    }


def _most_memory() -> float:
    """The most memory that this process had, in MiB; what `getrusage` says may be that of the process that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _document(number: int) -> Document:
    name = f"d{number}"
    return Document(name, "v", f"speed:{name}", name, "text/plain", "\n\n".join(chunk_texts(number)))


if __name__ == "__main__":
    what, given, *rest = sys.argv[1:]
    where = json.loads(given)
    figures = add(where, rest[0], int(rest[1]), int(rest[2])) if what == "add" else search(where, *rest)
    sys.stdout.write(json.dumps(figures) + "\n")
