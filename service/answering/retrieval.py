"""The queries of a question -> the passages to read, best first: one search, or several fused for a follow-up."""

from collections.abc import Sequence

from index.collection import Collection
from index.filters import Filter
from index.lexicon.analysis import identifiers
from index.records import Hit
from service.followups.rules import fused
from service.scoring.reader import context

FUSION_POOL = 100  # passages of each query that are fused; as measured


def naming(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that name an identifier of the question (`max_connections`), in their text or above it; all, if none does.

    What the default of one setting is does not stand where another is told of, however alike the two read. Of 60 questions
    for the default of a PostgreSQL setting over its documentation and Python's, 45 are answered, 35 of them from the right
    place; without this, 50 and 32.
    """
    names = identifiers(question)
    if not names:
        return list(hits)
    return [hit for hit in hits if names & identifiers(f"{context(hit)} {hit.chunk.text}")] or list(hits)


def found(collection: Collection, queries: Sequence[str], depth: int, where: Filter) -> list[Hit]:
    """The best `depth` passages of all queries. One that several find is the hit of the first of them."""
    if len(queries) == 1:
        return collection.search(queries[0], k=depth, where=where)
    rankings = [collection.search(query, k=max(depth, FUSION_POOL), where=where) for query in queries]
    hits = {hit.chunk.id: hit for ranking in reversed(rankings) for hit in ranking}
    return [hits[id] for id, _ in fused([[hit.chunk.id for hit in ranking] for ranking in rankings])[:depth]]
