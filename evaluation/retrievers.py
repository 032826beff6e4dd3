"""The searches whose rankings are compared, each a function from a query to (document, score), best first.

`hybrid` is what Quoth does; `reranked` adds the reader; `dense` and `bm25` are the two halves alone, over the same
passages; `encoder` is the plain sentence encoder over whole documents, cut off at its maximum input, as BEIR measures
encoders.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from evaluation.cases import SourceDocument
from evaluation.document_matching import DocumentMatcher
from evaluation.targets import Target
from evaluation.tasks.retrieval import DEPTH, Search, rank_documents
from index.collection import Collection
from index.embedding.encoder import Encoder
from index.records import Hit
from index.search.retrieval import Reranker

Retriever = Literal["hybrid", "reranked", "dense", "bm25", "encoder"]
RETRIEVERS: tuple[Retriever, ...] = get_args(Retriever)
_PASSAGES = 3 * DEPTH
_BATCH = 512


def collection_search(
    retriever: Literal["hybrid", "reranked", "dense", "bm25"],
    collection: Collection,
    matcher: DocumentMatcher,
    *,
    reranker: Reranker | None = None,
    depth: int = 50,
) -> Search:
    """Search a collection in one of the four ways.

    For `reranked` the reranker reads `depth` passages; the others follow in the order of the fusion.
    """

    def search(query: str) -> Sequence[tuple[str, float]]:
        hits = collection.search(query, k=2 * _PASSAGES, depth=_PASSAGES)
        if retriever == "reranked":
            ranked = [*collection.search(query, k=depth, depth=depth, reranker=reranker), *hits]
        else:
            ranked = hits if retriever == "hybrid" else _ranked_by(_HALVES[retriever], hits)
        return rank_documents(
            [(matcher.label(hit.chunk.document_id, hit.uri), score) for hit, score in _with_scores(ranked, retriever)]
        )

    return search


def target_search(target: Target, matcher: DocumentMatcher, k: int = DEPTH) -> Search:
    """Search a running Quoth, as it is set there. The server gives at most 100 passages."""

    def search(query: str) -> Sequence[tuple[str, float]]:
        passages = target.search(query, k)
        return rank_documents(
            [(matcher.label(passage.document_id, passage.uri), passage.score) for passage in passages]
        )

    return search


def encoder_search(
    encoder: Encoder, sources: Mapping[str, SourceDocument], on_progress: Callable[[int, int], None] | None = None
) -> Search:
    """Exact cosine search over one vector per document. The vectors are made here and kept in memory."""
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


def _ranked_by(score: Callable[[Hit], float | None], hits: Sequence[Hit]) -> list[Hit]:
    """The hits that one half found, in that half's order. The fusion's hits include each half's best passages."""
    scored = [(value, hit) for hit in hits if (value := score(hit)) is not None]
    return [hit for _, hit in sorted(scored, key=lambda pair: -pair[0])]


def _with_scores(hits: Sequence[Hit], retriever: str) -> list[tuple[Hit, float]]:
    score = _HALVES.get(retriever)
    return [(hit, hit.score if score is None else (score(hit) or 0.0)) for hit in hits]
