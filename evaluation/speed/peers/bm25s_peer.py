"""bm25s: BM25 in memory, with its own tokeniser and its stop words, as its documentation shows. It knows words only."""

import time

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, _ = arguments()

import bm25s  # type: ignore[import-not-found]  # noqa: E402 - in the peer's environment only

retriever = bm25s.BM25()
names: list[str] = []


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Tokenise and index all documents."""
    names.extend(name for name, _ in documents)
    tokens = bm25s.tokenize([text for _, text in documents], stopwords="en", show_progress=False)
    retriever.index(tokens, show_progress=False)


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Tokenise the query and rank the documents."""
    tokens = bm25s.tokenize(query, stopwords="en", show_progress=False)
    places, _ = retriever.retrieve(tokens, k=min(k, len(names)), show_progress=False)
    return [names[place] for place in places[0]]


measure(workload, build, search, BEGUN)
