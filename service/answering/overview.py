"""Answers questions about documents as a whole from their structure: titles, first paragraphs, and how sections begin.

"What is the travel policy about?" is answered by its first sentences and the first of each section, "What does the section Fees
say?" by how that section begins, "Which documents do you have?" by their titles. Every sentence is a quote.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from index.blocks.block import Kind, Span
from index.blocks.statement import statement
from index.blocks.unit import Unit
from index.chunking.units import chunk_rendering
from index.collection import Collection
from index.filters import Filter
from index.records import Hit
from index.uris import file_words
from service.answering.notes import Notes
from service.generators.extractive import ExtractiveGenerator, last_introduced
from service.generators.protocol import Draft, Passage, Quote
from service.scoring.reader import Reading, SentenceReading
from service.text.overviews import Overview, OverviewRequest
from service.text.plain import plain_line
from service.text.terms import content_words, stems

MOST_DOCUMENTS = 20  # that are listed
MOST_NAMED = 3  # documents that one name may mean
MOST_CHUNKS = 400  # of a document that are looked through
MOST_SECTIONS = 6
OPENING_SENTENCES = 3
MIN_WORDS = 4  # of a line that states something
SHORT_DOCUMENT = 3  # chunks
POOL = 60  # passages that a name is looked for in

_NUMBERING = re.compile(
    r"\A\W*(?:(?:section|chapter|part|note|item|§)\s+)?(?P<number>\d+(?:\.\d+)*)\.?(?=\s|\Z)", re.IGNORECASE
)
_ABSTRACT = re.compile(
    r"\W*[\d.]*\s*(?:abstract|(?:executive )?summary|overview|zusammenfassung|überblick|résumé|resumen)\W*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OverviewFound:
    """The passages that answer a request, and notes for the caller."""

    passages: tuple[Passage, ...]
    notes: tuple[str, ...] = ()


def find_overview(request: OverviewRequest, collection: Collection, where: Filter, said: Notes) -> OverviewFound | None:
    """Return what answers the request, with notes as `said` words them; None if no document or section has the name."""
    if request.kind is Overview.ABOUT:
        hits = _mentioning(request.name, collection, where)
        return OverviewFound(as_passages(hits)) if hits else None
    documents = collection.documents.matching(where)
    notes: list[str] = []
    if request.kind is Overview.DOCUMENTS or (not request.name and len(documents) > 1):
        hits = collection.opening([id for id, _, _ in documents[:MOST_DOCUMENTS]], 1)
        if len(documents) > MOST_DOCUMENTS:
            notes.append(said.listed(len(documents), MOST_DOCUMENTS))
        if request.kind is Overview.GIST:
            notes.append(said.which(documents[0][1]))
    elif named := _documents_named(request.name, documents):
        chunks = collection.opening(named, MOST_CHUNKS)
        groups = (list(group) for _, group in groupby(chunks, key=lambda hit: hit.chunk.document_id))
        hits = [hit for group in groups for hit in _opening_chunks(group)]
    else:
        hits = _sections(request.name, collection, where)
    return OverviewFound(as_passages(hits), tuple(notes)) if hits else None


@dataclass(frozen=True, slots=True)
class OverviewGenerator:
    """Quotes what answers the request from the passages that `find_overview` found."""

    request: OverviewRequest
    name: str = ExtractiveGenerator.name

    def generate(self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()) -> Iterator[Draft]:
        """Yield the sentences, in the order of the passages."""
        count = len({passage.hit.chunk.document_id for passage in passages})
        lists = self.request.kind is not Overview.GIST or (not self.request.name and count > 1)
        before = ""
        for number, passage in enumerate(passages):
            document = passage.hit.chunk.document_id
            size = sum(other.hit.chunk.document_id == document for other in passages)
            if lists:
                places = [self._entry(passage)]
            else:
                places = list(self._gist(passage, is_first=document != before, is_short=size <= SHORT_DOCUMENT))
            before = document
            yield from (_draft(number, passage, place) for place in places if place is not None)

    def _entry(self, passage: Passage) -> range | None:
        """The units that show what a listed document is: those with the words of the topic, or its title."""
        units = [rendered.unit for rendered in passage.rendering.units]
        if self.request.kind is Overview.ABOUT:
            asked = stems(self.request.name)
            texts = (stems(passage.text[start:end]) for _, start, end in passage.rendering.units)
            found = [place for place, stems in enumerate(texts) if asked <= stems]
            stating = [place for place in found if units[place].kind is not Kind.HEADING]
            place = next(iter(stating or found), None)
            return _whole(units, place) if place is not None else next(_statements(passage, 0), None)
        titles = (place for place, unit in enumerate(units) if unit.kind is Kind.HEADING)
        title = next((place for place in titles if _text(passage, place) == plain_line(passage.hit.title)), None)
        return next(_statements(passage, 0), None) if title is None else range(title, title + 1)

    def _gist(self, passage: Passage, *, is_first: bool, is_short: bool) -> Iterator[range]:
        """How the document or the section begins, and of a short document, how each of its sections begins."""
        units = [rendered.unit for rendered in passage.rendering.units]
        heads = [place for place, unit in enumerate(units) if unit.kind is Kind.HEADING]
        named = [place for place in heads if _is_heading_named(self.request.name, _text(passage, place))]
        is_section = bool(self.request.name) and not _is_named(self.request.name, passage.hit.title, passage.hit.uri)
        begin = named[0] if is_section and named else 0
        ends = [place for place in heads if place > begin and not set(range(begin, place)) <= set(heads)]
        yield from _opening(passage, begin, ends[0] if ends else len(units), OPENING_SENTENCES if is_first else 1)
        if is_short and not is_section:
            for place, end in zip(ends[:MOST_SECTIONS], [*ends[1:], len(units)], strict=False):
                yield from _opening(passage, place, end, 1)


def _opening(passage: Passage, begin: int, end: int, most: int) -> Iterator[range]:
    """The first statements between two places: up to `most` sentences of the first paragraph, or the first other unit."""
    last: range | None = None
    for count, place in enumerate(_statements(passage, begin)):
        if place.start >= end or count == most:
            return
        if last is not None:
            gap = passage.text[passage.rendering.units[last.stop - 1].end : passage.rendering.units[place.start].start]
            if "\n" in gap or passage.rendering.units[place.start].unit.kind is not Kind.PARAGRAPH:
                return
        yield place
        last = place


def _statements(passage: Passage, begin: int) -> Iterator[range]:
    """The units from `begin` on that state something, each lead-in with what it introduces."""
    units = [rendered.unit for rendered in passage.rendering.units]
    place = begin
    while place < len(units):
        found = _whole(units, place)
        rendered = passage.rendering.units
        words = passage.text[rendered[place].start : rendered[found.stop - 1].end].split()
        if units[place].kind is not Kind.HEADING and len(words) >= MIN_WORDS:
            yield found
        place = found.stop


def _whole(units: Sequence[Unit], place: int) -> range:
    return range(place, last_introduced(units, place) + 1)


def _draft(number: int, passage: Passage, places: range) -> Draft:
    rendered = passage.rendering.units[places.start : places.stop]
    span = Span(rendered[0].start, rendered[-1].end)
    return Draft(statement([one.unit for one in rendered], passage.literal, plain_line), (Quote(number, span),))


def _text(passage: Passage, place: int) -> str:
    _, start, end = passage.rendering.units[place]
    return plain_line(passage.text[start:end])


def is_unread(hits: Sequence[Hit]) -> bool:
    """Whether these hits were chosen by their place, not by how well they answer: their score is exactly 0."""
    return not any(hit.score for hit in hits)


def as_passages(hits: Sequence[Hit]) -> tuple[Passage, ...]:
    """The hits as passages that nobody has read, with scores of 0: there is nothing to compare."""
    return tuple(
        Passage(
            replace(hit, score=0.0),
            Reading(0.0, tuple(SentenceReading(*span, 0.0, None) for span in chunk_rendering(hit.chunk).spans())),
        )
        for hit in hits
    )


def _documents_named(name: str, documents: Sequence[tuple[str, str, str]]) -> list[str]:
    """The ids of the documents with this title or file name; else of the few whose title or file name has all its words."""
    if not name:
        return [id for id, _, _ in documents]
    exact = [id for id, title, uri in documents if stems(name) in (stems(title), stems(file_words(uri)))]
    named = exact or [id for id, title, uri in documents if _is_named(name, title, uri)]
    return named if len(named) <= MOST_NAMED else []


def _is_named(name: str, title: str, uri: str) -> bool:
    asked = stems(name)
    return bool(asked) and asked <= stems(title) | stems(file_words(uri))


def _opening_chunks(chunks: Sequence[Hit]) -> list[Hit]:
    """The chunks of a document that show what it is about: the abstract or the first, and the first of each section."""
    if len(chunks) <= SHORT_DOCUMENT:
        return list(chunks)
    abstract = next((hit for hit in chunks if hit.chunk.trail and _ABSTRACT.match(hit.chunk.trail[-1])), None)
    first = abstract or next((hit for hit in chunks if any(_statements(as_passages([hit])[0], 0))), chunks[0])
    depth = next(
        (depth for depth in range(max(len(hit.chunk.trail) for hit in chunks)) if len(_headings(chunks, depth)) > 1),
        None,
    )
    if depth is None:
        return [first]
    starts = {_heading(hit, depth): hit for hit in reversed(chunks) if _heading(hit, depth)}
    sections = sorted(starts.values(), key=lambda hit: hit.chunk.ordinal)
    return [first, *[hit for hit in sections if hit.chunk.ordinal > first.chunk.ordinal][:MOST_SECTIONS]]


def _headings(chunks: Sequence[Hit], depth: int) -> set[str]:
    return {_heading(hit, depth) for hit in chunks} - {""}


def _heading(hit: Hit, depth: int) -> str:
    return hit.chunk.trail[depth] if len(hit.chunk.trail) > depth else ""


def _sections(name: str, collection: Collection, where: Filter) -> list[Hit]:
    """The chunks in which a section of this name begins, of up to `MOST_NAMED` documents."""
    found: dict[str, Hit] = {}
    for hit in collection.search(name, k=POOL, where=where):
        document = hit.chunk.document_id
        if (
            len(found) == MOST_NAMED
            or document in found
            or not any(_is_heading_named(name, one) for one in _heads(hit))
        ):
            continue
        chunks = collection.opening([document], hit.chunk.ordinal + 1)
        found[document] = next(one for one in chunks if any(_is_heading_named(name, head) for head in _heads(one)))
    return list(found.values())


def _heads(hit: Hit) -> list[str]:
    """The headings above a chunk and inside it."""
    [passage] = as_passages([hit])
    inside = [place for place, one in enumerate(passage.rendering.units) if one.unit.kind is Kind.HEADING]
    return [*hit.chunk.trail, *(_text(passage, place) for place in inside)]


def _is_heading_named(name: str, heading: str) -> bool:
    """Whether a heading is the one that is named: by its words without their numbering, or by its number."""
    number = _NUMBERING.match(heading)
    asked = _NUMBERING.fullmatch(name)
    if asked is not None:
        return number is not None and number["number"] == asked["number"]
    bare = heading[number.end() :] if number else heading
    return bool(name) and stems(name) in (stems(bare), stems(heading))


def _mentioning(topic: str, collection: Collection, where: Filter) -> list[Hit]:
    """The best passage of each document that has all words of the topic, those with them in the title first.

    Words with a capital count whole: Nuance is not nuanced.
    """
    asked = stems(topic)
    names = frozenset(word.casefold() for word in content_words(topic) if word[0].isupper())
    found: dict[str, Hit] = {}
    for hit in collection.search(topic, k=POOL, where=where) if asked else []:
        words = " ".join((hit.title, *hit.chunk.trail, chunk_rendering(hit.chunk).text))
        if asked <= stems(words) and names <= {word.casefold() for word in content_words(words)}:
            found.setdefault(hit.chunk.document_id, hit)
    return sorted(found.values(), key=lambda hit: not asked <= stems(hit.title))[:MOST_DOCUMENTS]
