"""The queries of a question -> the passages to read, best first: one search, or several fused for a follow-up."""

from collections.abc import Sequence

from index.collection import Collection
from index.filters import Filter
from index.records import Hit
from service.conversations import fused

FUSION_POOL = 100  # passages of each query that are fused; as measured


def found(collection: Collection, queries: Sequence[str], depth: int, where: Filter) -> list[Hit]:
    """The best `depth` passages of all queries. One that several find is the hit of the first of them."""
    if len(queries) == 1:
        return collection.search(queries[0], k=depth, where=where)
    rankings = [collection.search(query, k=max(depth, FUSION_POOL), where=where) for query in queries]
    hits = {hit.chunk.id: hit for ranking in reversed(rankings) for hit in ranking}
    return [hits[id] for id, _ in fused([[hit.chunk.id for hit in ranking] for ranking in rankings])[:depth]]
