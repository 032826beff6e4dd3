"""Stale answers: those that cite a document version which has been replaced or removed, and what stands there now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from index.blocks.unit import Unit
from index.chunking.units import document_units
from index.errors import CollectionMissing, NotFound
from index.library import Library
from index.records import Document
from service.records import Answer, Citation, StaleCitation
from service.storage.citations import CitedVersion
from service.storage.conversations import StoredAnswer
from service.text.terms import content_words

MIN_SHARED = 0.5
"""A sentence is the successor of a quote if they share at least this part of all their content words (Jaccard index)."""


class _Current:
    """A current document with its units and their content words, which are found once, when first needed."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @cached_property
    def units(self) -> list[tuple[Unit, frozenset[str]]]:
        text = self.document.text
        return [(unit, _words(text[unit.start : unit.end])) for unit in document_units(self.document)]


def stale_answers(cited: Iterable[CitedVersion], library: Library) -> tuple[str, ...]:
    """The ids of the answers that cite a version which is no longer current, in the order of `cited`."""
    by_collection: dict[str, list[CitedVersion]] = defaultdict(list)
    for version in cited:
        by_collection[version.collection].append(version)
    current = {
        name: _current_versions(name, {version.document_id for version in versions}, library)
        for name, versions in by_collection.items()
    }
    stale = (
        version.answer_id
        for versions in by_collection.values()
        for version in versions
        if current[version.collection].get(version.document_id) != version.version
    )
    stale_ids = frozenset(stale)
    return tuple(dict.fromkeys(version.answer_id for version in cited if version.answer_id in stale_ids))


def stale_citations(answer: Answer, collection: str, library: Library) -> tuple[StaleCitation, ...]:
    """The citations of an answer from `collection` whose version is no longer current, in order of their numbers."""
    current = _current_versions(collection, {citation.document_id for citation in answer.citations}, library)
    documents: dict[str, _Current | None] = {}
    stale = []
    for citation in answer.citations:
        version = current.get(citation.document_id)
        if version != citation.version:
            if citation.document_id not in documents:
                document = _document(collection, citation.document_id, version, library)
                documents[citation.document_id] = None if document is None else _Current(document)
            stale.append(_stale(citation, documents[citation.document_id]))
    return tuple(stale)


def stale_by_answer(answers: Iterable[StoredAnswer], library: Library) -> dict[str, tuple[StaleCitation, ...]]:
    """The stale citations of each of the answers that has any, by the answer's id."""
    stale = {one.answer.id: stale_citations(one.answer, one.collection, library) for one in answers}
    return {id: citations for id, citations in stale.items() if citations}


def _current_versions(collection: str, ids: Iterable[str], library: Library) -> Mapping[str, str]:
    try:
        opened = library.open(collection)
    except CollectionMissing:
        return {}
    return {summary.id: summary.version for summary in opened.documents.list(sorted(ids))}


def _document(collection: str, document_id: str, version: str | None, library: Library) -> Document | None:
    if version is None:
        return None
    try:
        return library.open(collection).documents.get(document_id, version)
    except (CollectionMissing, NotFound):
        return None  # removed in the meantime


def _stale(citation: Citation, current: _Current | None) -> StaleCitation:
    place = (citation.number, citation.document_id, citation.version)
    if current is None:
        return StaleCitation(*place, None, "gone")
    document = current.document
    start = document.text.find(citation.quote)
    if start >= 0:
        end = start + len(citation.quote)
        return StaleCitation(*place, document.version, "unchanged", start, end, citation.quote)
    wanted = _words(citation.quote)
    best, successor = MIN_SHARED, None
    for unit, words in current.units:
        shared = len(wanted & words) / (len(wanted | words) or 1)
        if shared > best or (shared == best and successor is None):
            best, successor = shared, unit
    if successor is None:
        return StaleCitation(*place, document.version, "gone")
    text = document.text[successor.start : successor.end]
    return StaleCitation(*place, document.version, "changed", successor.start, successor.end, text)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in content_words(text))
