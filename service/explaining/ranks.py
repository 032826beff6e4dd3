"""The rank of each passage by its words, by its meaning, and fused, for the queries that were searched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.collection import Collection
from index.filters import Filter
from index.records import Hit
from service.answering.finding import search_hits
from service.explaining.expected import Place
from service.explaining.explanation import Ranks

RANKED = 200
"""Ranks are known down to this one."""


@dataclass(frozen=True, slots=True)
class Rankings:
    """The first passages by their words, by their meaning and fused, best first; copies are left out of `fused` only."""

    words: Sequence[Hit]
    vectors: Sequence[Hit]
    fused: Sequence[Hit]

    @classmethod
    def of(cls, collection: Collection, queries: Sequence[str], where: Filter) -> "Rankings":
        """Search again, further down than the answer did. The first query is ranked by words and by meaning."""
        hits = collection.search(queries[0], k=RANKED, where=where)
        by_words = [(-hit.bm25, place) for place, hit in enumerate(hits) if hit.bm25 is not None]
        by_meaning = [(-hit.similarity, place) for place, hit in enumerate(hits) if hit.similarity is not None]
        return cls(
            [hits[place] for _, place in sorted(by_words)],
            [hits[place] for _, place in sorted(by_meaning)],
            search_hits(collection, queries, RANKED, where),
        )

    def at(self, place: Place) -> Ranks:
        """The ranks of the first passage that holds a place."""
        rankings = (self.words, self.vectors, self.fused)
        return Ranks(*(next((n for n, hit in enumerate(hits, 1) if place.is_in(hit)), None) for hits in rankings))

    def by_passage(self) -> Mapping[str, Ranks]:
        """The ranks of every passage, by the id of its chunk."""
        places = [{hit.chunk.id: n for n, hit in enumerate(hits, 1)} for hits in (self.words, self.vectors, self.fused)]
        ids = {id: None for ranking in places for id in ranking}
        return {id: Ranks(*(ranking.get(id) for ranking in places)) for id in ids}
