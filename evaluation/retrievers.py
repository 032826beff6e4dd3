"""The ways to search whose rankings are compared, each a function of the query: (document, score), best first.

`hybrid` is what Quoth does; `reranked` adds the reader; `dense` and `bm25` are its two halves alone, over the same passages;
`encoder` is the plain sentence encoder over whole documents, cut off at its longest input, as BEIR measures encoders.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.cases import Source
from evaluation.naming import Naming
from evaluation.targets.target import Target
from evaluation.tasks.retrieval import DEPTH, Search, by_document
from index.collection import Collection
from index.embedding.encoder import Encoder
from index.records import Hit
from index.search.retrieval import Reranker

Retriever = Literal["hybrid", "reranked", "dense", "bm25", "encoder"]
_PASSAGES = 3 * DEPTH
_BATCH = 512


def of_collection(
    retriever: Literal["hybrid", "reranked", "dense", "bm25"],
    collection: Collection,
    naming: Naming,
    *,
    reranker: Reranker | None = None,
    depth: int = 50,
) -> Search:
    """Search a collection in one of the four ways.

    `reranked` has the reranker read `depth` passages; the others follow in the order of the fusion.
    """

    def search(query: str) -> Sequence[tuple[str, float]]:
        hits = collection.search(query, k=2 * _PASSAGES, depth=_PASSAGES)
        if retriever == "reranked":
            ranked = [*collection.search(query, k=depth, depth=depth, reranker=reranker), *hits]
        else:
            ranked = hits if retriever == "hybrid" else _by(_HALVES[retriever], hits)
        return by_document(
            [(naming.shown(hit.chunk.document_id, hit.uri), score) for hit, score in _scored(ranked, retriever)]
        )

    return search


def of_target(target: Target, naming: Naming, k: int = DEPTH) -> Search:
    """Search a running Quoth, as it is set there. The server gives at most 100 passages."""

    def search(query: str) -> Sequence[tuple[str, float]]:
        found = target.search(query, k)
        return by_document([(naming.shown(passage.document_id, passage.uri), passage.score) for passage in found])

    return search


def of_encoder(
    encoder: Encoder, sources: Mapping[str, Source], on_progress: Callable[[int, int], None] | None = None
) -> Search:
    """Exact cosine search over one vector a document. Vectors are made here, and kept in memory."""
    names = list(sources)
    texts = [source.text for source in sources.values()]
    parts: list[NDArray[np.float32]] = []
    for begin in range(0, len(texts), _BATCH):
        parts.append(encoder.encode(texts[begin : begin + _BATCH]))
        if on_progress is not None:
            on_progress(min(begin + _BATCH, len(texts)), len(texts))
    vectors = np.concatenate(parts)

    def search(query: str) -> Sequence[tuple[str, float]]:
        similarity = vectors @ encoder.encode([query])[0]
        best = np.argsort(-similarity, kind="stable")[:DEPTH]
        return [(names[place], float(similarity[place])) for place in best]

    return search


_HALVES: Mapping[str, Callable[[Hit], float | None]] = {
    "dense": lambda hit: hit.similarity,
    "bm25": lambda hit: hit.bm25,
}


def _by(score: Callable[[Hit], float | None], hits: Sequence[Hit]) -> list[Hit]:
    """The hits that one half found, in that half's order. Each half's best passages are all among the hits of the fusion."""
    found = [(value, hit) for hit in hits if (value := score(hit)) is not None]
    return [hit for _, hit in sorted(found, key=lambda pair: -pair[0])]


def _scored(hits: Sequence[Hit], retriever: str) -> list[tuple[Hit, float]]:
    score = _HALVES.get(retriever)
    return [(hit, hit.score if score is None else (score(hit) or 0.0)) for hit in hits]
