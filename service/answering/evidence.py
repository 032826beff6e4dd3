"""Lowers the scores of passages and units that do not name what the question names. Pure.

A passage or unit that lacks a constraint of the question answers another question, however similar it reads: the row of another
article, the release before, the sister company. The names of a row, item or field count too: where the question names one of
them, the others are other things.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit
from index.chunking.units import chunk_rendering
from index.records import Hit
from index.uris import file_words
from service.answering.rows import NAMED_UNITS, choose_rows
from service.generators.protocol import Passage
from service.scoring.reader import Reading, SentenceReading, passage_context
from service.text.alignment import Token
from service.text.answer_kinds import AnswerKind, asked_kind, states_kind
from service.text.asked_subject import asked_subject, has_subject
from service.text.constraints import Constraint, ConstraintKind, constraints
from service.text.named_words import NamedWords
from service.text.parallel_values import value_asked_for
from service.text.terms import stems
from service.text.ties import TiedName
from service.text.word_cover import WordCover

UNIT_PENALTY = 3.0
"""Logits that a unit loses for each constraint that it lacks with all that it is read with."""
PASSAGE_PENALTY = 3.0
"""Logits that a passage loses for each constraint that it lacks, though another meets more of them."""
MISSING_PENALTIES = {
    ConstraintKind.IDENTIFIER: 12.0,
    ConstraintKind.NAME: 6.0,
    ConstraintKind.YEAR: 5.0,
    ConstraintKind.DATE: 5.0,
    ConstraintKind.QUARTER: 3.0,
    ConstraintKind.NUMBER: 4.0,
    ConstraintKind.WORD: 3.0,
}
"""Logits that every passage and unit loses for a constraint that no passage meets."""
SUBJECT_LOSS = 1.5
"""Logits that a passage and its units lose if they lack the common noun that the question is about: another word may say it."""
KIND_PENALTY = 2.0
"""Logits that a unit loses if it states nothing of the kind that the question asks for: no number after "how many"."""
STRUCTURE_LOSS = 1.0
"""Logits by which a passage is less relevant than its best row, item or the like, read by itself."""
LOOKED_UP = 2.0
"""The least relevance of a passage with the row that the question names by its key and the heading of the value."""
COVER_GAIN = 3.0
"""Logits that a unit gains if it has all the words of a keyword, or of a question in another language than English."""
AHEAD = 2.0
"""By how many logits a row that is looked up stands ahead of all other units: so far that none of them is read beside it."""
_STRUCTURED = frozenset({Kind.ROW, Kind.RECORD, Kind.FIELD, Kind.MEANING, Kind.ITEM, Kind.CODE})
_SENTENCES = frozenset({Kind.PARAGRAPH, Kind.ITEM})
_SUBJECTS = frozenset({ConstraintKind.NAME, ConstraintKind.WORD, ConstraintKind.QUARTER})
"""What all of a document may be about. A date or an identifier of its first page is not that of every row."""
Fronts = Mapping[tuple[str, str], str]
"""The first pages of long documents, by document and version."""
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Weighed:
    """The passages with lowered scores, best first, and the constraints that none of them meets."""

    passages: tuple[Passage, ...]
    missing: tuple[Constraint, ...]


def weigh(
    question: str,
    passages: Sequence[Passage],
    is_common: Callable[[str], bool],
    fronts: Callable[[], Fronts] = dict,
) -> Weighed:
    """Return the passages by how well they answer and name what the question names. `is_common`: see `constraints`.

    What the first page of a long document names, such as the company that reports, all of it is about; `fronts` gives these
    pages, and is called only if the question has a name.
    """
    asked = constraints(question, is_common)
    whole = [NamedWords.of(f"{passage_context(p.hit)}\n{p.text}" if asked else "") for p in passages]
    about = _met_by_documents(asked, [passage.hit for passage in passages], fronts)
    unmet = [
        [c for c in asked if c not in known and not evidence.meets(c)]
        for evidence, known in zip(whole, about, strict=True)
    ]
    missing = [c for c in asked if all(c in lacking for lacking in unmet)]
    present = [c for c in asked if c not in missing]
    fewest = min((sum(c in present for c in lacking) for lacking in unmet), default=0)
    named = stems(question)
    lost_by_all = sum(MISSING_PENALTIES[constraint.kind] for constraint in missing)
    weighed = []
    keys = [key for passage in passages for unit in _named_units(passage) for key in _keys(unit, passage)]
    is_key_named = any(key <= named for key in keys)
    rows = choose_rows(question, passages, [" ".join(constraint.text for constraint in known) for known in about])
    tied = {c: TiedName.of(question, c.text) for c in present if c.kind is ConstraintKind.NAME}
    numbered = {c: _noun_before(c.text, question) for c in present if c.kind is ConstraintKind.NUMBER}
    subject = asked_subject(question)
    cover = WordCover.of(question)
    for number, (passage, evidence, known, lacks) in enumerate(zip(passages, whole, about, unmet, strict=True)):
        lost_by_subject = 0.0 if subject is None or _has_subject(passage, subject) else SUBJECT_LOSS
        lacking = sum(c in present for c in lacks) - fewest
        counts = _count_lacking(passage, evidence, [c for c in present if c not in known], tied, numbered)
        counts = [count + ((number, place) in rows.others) for place, count in enumerate(counts)]
        if is_key_named:
            units = (rendered.unit for rendered in passage.rendering.units)
            counts = [count + _has_other_key(unit, passage, named) for count, unit in zip(counts, units, strict=True)]
        of_kind = _lost_by_kind(question, passage)
        readings = [
            _lowered(
                _marked(sentence, rows.values.get((number, place)) or _parallel_value(question, passage, place)),
                UNIT_PENALTY * count + of_kind[place] + lost_by_all + lost_by_subject,
            )
            for place, (sentence, count) in enumerate(zip(passage.reading.sentences, counts, strict=True))
        ]
        lost = PASSAGE_PENALTY * lacking + _lost_by_units(passage.reading, counts, of_kind, lacking + fewest)
        relevance = passage.reading.relevance - lost - lost_by_all - lost_by_subject
        looked_up = [place for owner, place in rows.found if owner == number] if not missing else []
        for place in looked_up:
            readings[place] = _raised(readings, place)
            relevance = max(relevance, LOOKED_UP)
        covering = _covering(cover, passage) if cover is not None and not missing else []
        for place in covering:
            readings[place] = _lifted(readings[place])
        relevance = max(relevance, LOOKED_UP) if covering else relevance
        reading = Reading(max(relevance, _relevance_of_structure(passage, readings)), tuple(readings))
        weighed.append(Passage(replace(passage.hit, score=reading.relevance), reading))
    if rows.found and not missing:
        weighed = _found_first(weighed, rows.found)
    weighed.sort(key=lambda passage: -passage.hit.score)
    return Weighed(tuple(weighed), tuple(missing))


def _met_by_documents(
    asked: Sequence[Constraint], hits: Sequence[Hit], fronts: Callable[[], Fronts]
) -> list[frozenset[Constraint]]:
    """Of each hit, the names, rare words and quarters that its document's file name or first page has."""
    named = [constraint for constraint in asked if constraint.kind in _SUBJECTS]
    if not named:
        return [frozenset() for _ in hits]
    pages = fronts()
    by_document: dict[tuple[str, str], frozenset[Constraint]] = {}
    for chunk, uri in ((hit.chunk, hit.uri) for hit in hits):
        place = (chunk.document_id, chunk.version)
        if place not in by_document:
            words = NamedWords.of(f"{file_words(uri)}\n{pages.get(place, '')}")
            by_document[place] = frozenset(constraint for constraint in named if words.meets(constraint))
    return [by_document[hit.chunk.document_id, hit.chunk.version] for hit in hits]


def naming_all(
    question: str, hits: Sequence[Hit], is_common: Callable[[str], bool], fronts: Callable[[], Fronts]
) -> list[Hit]:
    """The hits that name all that the question names, themselves or by their documents; none if the question names nothing."""
    asked = constraints(question, is_common)
    if not asked:
        return []
    about = _met_by_documents(asked, hits, fronts)
    return [
        hit
        for hit, known in zip(hits, about, strict=True)
        if all(constraint in known or is_met(constraint, hit) for constraint in asked)
    ]


def is_met(constraint: Constraint, hit: Hit) -> bool:
    """Whether a passage, its headings or its title name what the constraint names."""
    return NamedWords.of(f"{passage_context(hit)}\n{chunk_rendering(hit.chunk).text}").meets(constraint)


def _lost_by_units(reading: Reading, counts: Sequence[int], of_kind: Sequence[float], counted: int) -> float:
    """The logits that the best unit of a passage falls by, beyond `counted` constraints: the passage is no better than it."""
    further = [max(0, count - counted) for count in counts]
    lowered = [
        s.score - UNIT_PENALTY * count - lost
        for s, count, lost in zip(reading.sentences, further, of_kind, strict=True)
    ]
    return reading.best - max(lowered) if lowered else 0.0


def _lost_by_kind(question: str, passage: Passage) -> list[float]:
    """Of each unit, the logits that it loses since it states nothing of the kind that is asked for.

    A lead-in loses none, since its items may state it, nor do items: they can be counted.
    """
    kind, rendering = asked_kind(question), passage.rendering
    if kind is None:
        return [0.0] * len(rendering.units)
    return [
        KIND_PENALTY if _lacks_kind(kind, question, rendered.unit, rendering.alone(place)) else 0.0
        for place, rendered in enumerate(rendering.units)
    ]


def _lacks_kind(kind: AnswerKind, question: str, unit: Unit, text: str) -> bool:
    is_item = unit.kind is Kind.ITEM and kind is not AnswerKind.PERSON
    return not is_item and not text.rstrip().endswith(":") and not states_kind(kind, text, question)


def _relevance_of_structure(passage: Passage, sentences: Sequence[SentenceReading]) -> float:
    """The relevance of the best row, item or the like that was read by itself: the others of its table say nothing of it."""
    units = [rendered.unit for rendered in passage.rendering.units]
    alone = [
        s.alone for s, unit in zip(sentences, units, strict=True) if s.alone is not None and unit.kind in _STRUCTURED
    ]
    return max(alone, default=-math.inf) - STRUCTURE_LOSS


def _lowered(sentence: SentenceReading, loss: float) -> SentenceReading:
    if not loss:
        return sentence
    alone = None if sentence.alone is None else sentence.alone - loss
    return replace(sentence, score=sentence.score - loss, alone=alone)


def _marked(sentence: SentenceReading, value: Span | None) -> SentenceReading:
    """The sentence with the value that is asked for as the answer."""
    return sentence if value is None else replace(sentence, answer=value)


def _has_subject(passage: Passage, subject: Token) -> bool:
    return has_subject(f"{file_words(passage.hit.uri)}\n{passage_context(passage.hit)}\n{passage.text}", subject)


def _parallel_value(question: str, passage: Passage, place: int) -> Span | None:
    """In a sentence with a like value in each clause, the value of the clause that is asked for; else None."""
    marked, (unit, start, end) = passage.reading.sentences[place].answer, passage.rendering.units[place]
    if marked is None or unit.kind not in _SENTENCES or not start <= marked.start < marked.end <= end:
        return None
    found = value_asked_for(question, passage.text[start:end], Span(marked.start - start, marked.end - start))
    return Span(start + found.start, start + found.end)


def _found_first(passages: Sequence[Passage], found: Collection[tuple[int, int]]) -> list[Passage]:
    """The passages with the row that is looked up, the best of several, ahead of all other units."""
    totals = {
        (number, place): passage.reading.relevance + sentence.score
        for number, passage in enumerate(passages)
        for place, sentence in enumerate(passage.reading.sentences)
    }
    number, place = max(found, key=lambda one: (totals[one], one))
    passage, sentences = passages[number], list(passages[number].reading.sentences)
    score = max(totals.values()) + AHEAD - passage.reading.relevance
    sentences[place] = replace(sentences[place], score=score)
    first = list(passages)
    first[number] = replace(passage, reading=replace(passage.reading, sentences=tuple(sentences)))
    return first


def _raised(sentences: Sequence[SentenceReading], place: int) -> SentenceReading:
    """The sentence at a place with a score as high as the best."""
    found = sentences[place]
    best = max(sentence.score for sentence in sentences)
    return replace(found, score=best, alone=max(LOOKED_UP, found.alone or LOOKED_UP))


def _covering(cover: WordCover, passage: Passage) -> list[int]:
    """The places of the units that have all the words of the question."""
    context = passage_context(passage.hit)
    return [
        place
        for place, (unit, _, _) in enumerate(passage.rendering.units)
        if unit.kind is not Kind.HEADING and cover.is_met(passage.rendering.alone(place), context)
    ]


def _lifted(sentence: SentenceReading) -> SentenceReading:
    """The sentence with a higher score, for it has all the words of the question."""
    return replace(sentence, score=sentence.score + COVER_GAIN, alone=max(LOOKED_UP, sentence.alone or LOOKED_UP))


def _count_lacking(
    passage: Passage,
    whole: NamedWords,
    asked: Sequence[Constraint],
    tied: Mapping[Constraint, TiedName],
    numbered: Mapping[Constraint, str],
) -> list[int]:
    """How many constraints each unit lacks, of those that `whole`, the passage with its context, may meet.

    A sentence may be about what the text before it names, so it meets what any sentence before it meets; a row may not. An
    identifier that a sentence replaces by another of its form (PX-90 for PX-40) counts as lacking, and so do a name in whose
    place it has another ("the office in Porto" for "the office in Tampere"), and a number after whose noun it has another
    ("room 9" for "room 5").
    """
    units = passage.rendering.units
    counts = [0] * len(units)
    context = passage_context(passage.hit)
    by_itself: dict[int, NamedWords] = {}
    for constraint in asked:
        is_met = whole.meets(constraint)
        first = _first_named(passage, context, constraint) if is_met else len(units)
        for place, (unit, start, end) in enumerate(units):
            if is_met and (unit.kind in NAMED_UNITS or unit.kind is Kind.ITEM):
                if place not in by_itself:
                    by_itself[place] = NamedWords.of(f"{context}\n{passage.rendering.alone(place)}")
                counts[place] += not by_itself[place].meets(constraint)
            elif place < first:
                counts[place] += 1
            elif unit.kind is Kind.PARAGRAPH and constraint.kind is ConstraintKind.IDENTIFIER:
                counts[place] += _is_replaced(constraint, NamedWords.of(passage.text[start:end]))
            elif unit.kind is Kind.PARAGRAPH and constraint.kind is ConstraintKind.NUMBER:
                counts[place] += _is_renumbered(constraint, numbered[constraint], passage.text[start:end])
            elif unit.kind is Kind.PARAGRAPH and constraint.kind is ConstraintKind.NAME:
                sentence = passage.text[start:end]
                counts[place] += tied[constraint].is_replaced(sentence) and not NamedWords.of(
                    f"{context}\n{sentence}"
                ).meets(constraint)
    return counts


def _first_named(passage: Passage, context: str, constraint: Constraint) -> int:
    """The place of the first unit at whose end the text so far meets the constraint."""
    ends = [end for _, _, end in passage.rendering.units]
    return bisect_left(ends, True, key=lambda end: NamedWords.of(f"{context}\n{passage.text[:end]}").meets(constraint))


def _is_replaced(constraint: Constraint, unit: NamedWords) -> bool:
    form = _form(constraint.text)
    return not unit.meets(constraint) and any(_form(word) == form for word in unit.shown)


def _noun_before(number: str, question: str) -> str:
    """The word before a number of a thing: "room" of "room 5"; empty without one."""
    found = re.search(rf"([^\W\d_]+)\s+(?:no\.?\s+|number\s+)?{re.escape(number)}(?!\w)", question, re.IGNORECASE)
    return found[1] if found else ""


def _is_renumbered(constraint: Constraint, noun: str, sentence: str) -> bool:
    """Whether a sentence has the noun of a numbered thing with other numbers only."""
    numbers = re.findall(rf"\b{re.escape(noun)}\s+(\d+(?:[.,]\d+)*)", sentence, re.IGNORECASE) if noun else []
    return bool(numbers) and constraint.text not in numbers


def _has_other_key(unit: Unit, passage: Passage, named: frozenset[str]) -> bool:
    """Whether what names a row, record, field or meaning is not among the words of the question."""
    keys = _keys(unit, passage) if unit.kind in NAMED_UNITS else []
    return bool(keys) and not any(key & named for key in keys)


def _form(word: str) -> str:
    """The form of an identifier: its runs of letters and digits by kind."""
    return _LETTERS.sub("a", _DIGITS.sub("9", word.casefold()))


def _named_units(passage: Passage) -> Iterator[Unit]:
    return (rendered.unit for rendered in passage.rendering.units if rendered.unit.kind in NAMED_UNITS)


def _keys(unit: Unit, passage: Passage) -> list[frozenset[str]]:
    """The stems of what names a unit: the first cell of a row, the first value of a record and its leads, a key, a term."""
    spans = [*unit.values[:1], *unit.lead] if unit.kind is Kind.RECORD else [Span(*unit.pieces[0][1:])]
    if unit.kind is Kind.ROW:
        spans = [*unit.values[:1]]
    keys = (stems(passage.literal(span)) for span in spans)
    return [key for key in keys if key]
