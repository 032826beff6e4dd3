"""Finds the passages for a question, for each part of a group, and the first pages of the documents that they are of."""

from collections.abc import Callable, Sequence
from functools import partial

from index.chunking.units import chunk_rendering
from index.collection import Collection
from index.filters import Filter
from index.lexicon.analysis import identifiers
from index.records import Hit
from index.search.copies import split_copies
from index.search.fusion import reciprocal_rank
from index.search.retrieval import POOL, modified_ns
from service.answering.evidence import Fronts
from service.answering.parts import FoundGroup, is_one_name
from service.followups.rules import FUSION_CONSTANT, QUERY_WEIGHTS
from service.parts.question import Bond, Group, whole
from service.scoring.reader import passage_context

MAX_POOL = 1600  # how many passages are looked through for `depth` that are no copies of each other
FRONT_CHARACTERS, LONG_DOCUMENT = 1000, 20_000  # a first page, and how long a document is that has one
FUSION_POOL = 100  # how many passages of each query are fused; the measurements in followups/rules.py used 100


def hits_with_identifiers(question: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that name an identifier of the question (`max_connections`) in their text or the headings above; else all.

    The default of one setting is not given in the text about another setting, however similar the two texts are. Of 60
    questions for the default of a PostgreSQL setting, over PostgreSQL's and Python's documentation, 45 are answered, 35 of
    them from the right place; without this rule, 50 and 32.
    """
    names = identifiers(question)
    if not names:
        return list(hits)

    def is_named(hit: Hit) -> bool:
        return bool(names & identifiers(f"{passage_context(hit)} {chunk_rendering(hit.chunk).text}"))

    return [hit for hit in hits if is_named(hit)] or list(hits)


def search_hits(collection: Collection, queries: Sequence[str], depth: int, where: Filter) -> list[Hit]:
    """The best `depth` passages over all queries, near-copies left out. One that several queries find is that of the first."""
    pool = max(depth, POOL if len(queries) == 1 else FUSION_POOL)
    while True:
        rankings = [collection.search(query, k=pool, where=where) for query in queries]
        hits = {hit.chunk.id: hit for ranking in reversed(rankings) for hit in ranking}
        ids = [[hit.chunk.id for hit in ranking] for ranking in rankings]
        fused = reciprocal_rank(ids, FUSION_CONSTANT, QUERY_WEIGHTS[: len(ids)])
        ranked = [hits[id] for id, _ in fused][:pool]
        read, _ = split_copies(" ".join(queries), ranked, partial(modified_ns, collection.documents))
        if len(read) >= depth or len(ranked) < pool or pool >= MAX_POOL:
            return read[:depth]
        pool *= 2


def find_group(group: Group, search: Callable[[str], list[Hit]]) -> FoundGroup:
    """The passages for each part of a group, and for the whole of it; only for this if the documents know it as one."""
    hits = search(group.text)
    is_one = group.bond in (Bond.NAMED, Bond.WEAK) and is_one_name(group.phrase, hits)
    if len(group.parts) == 1 or is_one:
        return FoundGroup(whole(group.text), None, (hits,))
    return FoundGroup(group, hits, tuple(search(part.text) for part in group.parts))


def fronts(collection: Collection, hits: Sequence[Hit]) -> Fronts:
    """The beginning of every long document among the hits: it says what all of the document is about."""
    places = {(hit.chunk.document_id, hit.chunk.version) for hit in hits}
    return collection.documents.beginnings(places, FRONT_CHARACTERS, longer_than=LONG_DOCUMENT)
