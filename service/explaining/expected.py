"""Find the place of expected words in a collection: in the document that is known to hold them, or by searching for them."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from index.collection import Collection
from index.errors import NotFound
from index.filters import Filter
from index.records import Hit
from service.explaining.explanation import ExpectedWords

ENOUGH = 0.5
"""The share of the shorter of two ranges from which they are the same place, as the metrics of citations count it."""

_WORD = re.compile(r"\w+")
_MAX_PLACES = 8
_CANDIDATES = 20  # passages that are looked through for words whose document is not known


@dataclass(frozen=True, slots=True)
class Place:
    """A range of the current version of a document."""

    document_id: str
    title: str
    start: int
    end: int

    def is_at(self, document_id: str, start: int, end: int) -> bool:
        """Whether a range of a document is this place: it shares enough of the shorter of the two."""
        shared = min(self.end, end) - max(self.start, start)
        shorter = max(1, min(self.end - self.start, end - start))
        return document_id == self.document_id and shared >= ENOUGH * shorter

    def is_in(self, hit: Hit) -> bool:
        """Whether the passage holds this place."""
        return self.is_at(hit.chunk.document_id, hit.chunk.start, hit.chunk.end)


def find_places(expected: ExpectedWords, collection: Collection, where: Filter) -> list[Place]:
    """Where the words stand: in their document, or in any that a search for them finds. Empty if nowhere.

    Words that differ in white space, punctuation or case are the same, and half of them in a row are enough.
    """
    if expected.document_id is not None:
        ids = [expected.document_id]
    else:
        hits = collection.search(expected.text, k=_CANDIDATES, where=where) if expected.text.strip() else []
        ids = list(dict.fromkeys(hit.chunk.document_id for hit in hits))
    return [place for id in ids for place in _places_in(id, expected, collection)]


def _places_in(document_id: str, expected: ExpectedWords, collection: Collection) -> Iterator[Place]:
    try:
        document = collection.documents.get(document_id)
    except NotFound:
        return
    if expected.start is not None and expected.end is not None:
        start, end = expected.start, expected.end
        if _words(document.text[start:end]) == _words(expected.text):
            yield Place(document.id, document.title, start, end)
            return
    for span in find_words(expected.text, document.text):
        yield Place(document.id, document.title, *span)


def find_words(words: str, text: str) -> list[tuple[int, int]]:
    """The first ranges of the text that have the words in a row, all of them or else half of them."""
    wanted, tokens = _words(words), list(_WORD.finditer(text))
    parts = [token.group().casefold() for token in tokens]
    starts = list(accumulate((len(part) + 1 for part in parts), initial=1))
    joined = f" {' '.join(parts)} "
    fewest = -(-len(wanted) // 2)
    for count in dict.fromkeys((len(wanted), fewest)) if wanted else ():
        for first in range(len(wanted) - count + 1):
            found = list(islice(_occurrences(f" {' '.join(wanted[first : first + count])} ", joined), _MAX_PLACES))
            begins = [bisect_left(starts, at + 1) for at in found]
            if begins:
                return [(tokens[begin].start(), tokens[begin + count - 1].end()) for begin in begins]
    return []


def _occurrences(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
