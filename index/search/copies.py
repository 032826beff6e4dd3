"""Find near-copies among hits: passages with the same words, apart from a number or date here and there. Pure.

A line that stands in twenty-five newsletters would take the place of twenty-five passages, and a passage that says something
else would not be read. So of passages with the same words only the newest is read, and of those that differ in a number or a
date the two newest: an older and a newer figure are both seen. A passage that differs in any other word is no copy, nor is one
that has a word of the query that the others lack, in its text, its title or its headings.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from index.records import Hit

MAX_SIMILAR = 2
"""How many passages are read that differ only in numbers and dates."""

WORDS_PER_NUMBER = 15
"""Passages with more numbers than one in so many words are tables and lists of figures: their numbers are what they say."""

_WORD = re.compile(r"\w+")
_DAYS_AND_MONTHS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december
    """.split()
)
_Words = tuple[str, ...]


def split_copies(
    query: str, hits: Sequence[Hit], modified_ns: Callable[[Sequence[str]], Mapping[str, int]]
) -> tuple[list[Hit], list[Hit]]:
    """Return the hits that are read, and their copies, which are left out; both in the order of the hits.

    The newest of several copies gets the place of the first of them. `modified_ns` gives the times at which documents were
    modified, by their ids; it is called only if there are copies.
    """
    asked = frozenset(_words(query))
    similar: dict[_Words, list[int]] = {}
    for place, hit in enumerate(hits):
        similar.setdefault(_form(hit, asked), []).append(place)
    groups = [places for places in similar.values() if len(places) > 1]
    if not groups:
        return list(hits), []
    modified = modified_ns(sorted({hits[place].chunk.document_id for places in groups for place in places}))
    read = list(hits)
    copies: set[int] = set()
    for places in groups:
        newest = sorted(places, key=lambda place: -modified.get(hits[place].chunk.document_id, 0))
        different: dict[_Words, int] = {}
        for place in newest:
            different.setdefault(_words(hits[place].chunk.text), place)
        chosen = list(different.values())[:MAX_SIMILAR]
        others = [place for place in places if place not in chosen]
        for place, source in zip(places, (*chosen, *others), strict=True):
            read[place] = hits[source]
        copies.update(places[len(chosen) :])
    return (
        [hit for place, hit in enumerate(read) if place not in copies],
        [hit for place, hit in enumerate(read) if place in copies],
    )


def _form(hit: Hit, asked: frozenset[str]) -> _Words:
    """Return what all copies of the hit have in common: its words without numbers, and the words of the query above it."""
    words = _words(hit.chunk.text)
    above = asked.intersection(_words(" ".join((hit.title, *hit.chunk.trail))))
    form: list[str] = []
    numbers = 0
    for word in words:
        if word in asked or not (word in _DAYS_AND_MONTHS or any(map(str.isdigit, word))):
            form.append(word)
        elif not form or form[-1]:
            form.append("")
            numbers += 1
    common = form if numbers * WORDS_PER_NUMBER <= len(words) else words
    return (*common, "", *sorted(above))


def _words(text: str) -> _Words:
    return tuple(_WORD.findall(text.lower()))
