"""txtai: Embeddings with content and hybrid search, as its documentation shows."""

import time

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, model = arguments()

from txtai import Embeddings  # type: ignore[import-not-found]  # noqa: E402 - in the peer's environment only

embeddings = Embeddings(path=model, content=True, hybrid=True, gpu=False)


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Index all documents."""
    embeddings.index((name, text, None) for name, text in documents)


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Hybrid search."""
    return [hit["id"] for hit in embeddings.search(query, k)]


measure(workload, build, search, BEGUN)
