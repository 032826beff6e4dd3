"""The parts of a question as they were read, and which of them the answer is made of. Pure.

What the documents know as one name is one ("Marks and Spencer"). What is compared is answered as a whole where only that is
answered, and several things are parts only if each is answered in another place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from index.chunking.units import chunk_rendering
from index.records import Hit
from service.answering.rankings import Ranking
from service.answering.row_lists import RowList
from service.generators.protocol import Passage
from service.parts.question import Bond, Group, PartQuestion, whole
from service.parts.splitting import split_question
from service.records import Part
from service.scoring.calibration import Signals
from service.text.constraints import Constraint


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group with the passages that were found for each part, and for the whole of it if that is read too, else None."""

    group: Group
    whole: Sequence[Hit] | None
    parts: tuple[Sequence[Hit], ...]

    def questions(self) -> Iterator[tuple[PartQuestion, Sequence[Hit]]]:
        """Everything to read: the whole, then the parts."""
        if self.whole is not None:
            yield PartQuestion(self.group.text), self.whole
        yield from zip(self.group.parts, self.parts, strict=True)


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part with the passages that were read for it, best first, and the probability that they answer it.

    `missing` is what the part names and no passage does. The probability comes from the `signals`. `group` is the group that
    it is a part of, None for a whole question. `ranking`: the rows of a table whose highest or lowest figure it asks for.
    `rows`: the rows of a table that it asks for all of.
    """

    question: PartQuestion
    passages: tuple[Passage, ...]
    missing: tuple[Constraint, ...]
    signals: Signals | None
    confidence: float
    group: Group | None = None
    ranking: Ranking | None = None
    rows: RowList | None = None

    def shown(self, count: int) -> "ReadPart":
        """The part with its best `count` passages."""
        return replace(self, passages=self.passages[:count])


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """A group as it was read: as a whole, if that was read, and by parts."""

    group: Group
    whole: ReadPart | None
    parts: tuple[ReadPart, ...]

    def answering(self, threshold: float) -> tuple[ReadPart, ...]:
        """The parts that the answer is made of; one, if the group is answered as a whole."""
        parts = tuple(replace(part, group=self.group if len(self.parts) > 1 else None) for part in self.parts)
        if self.whole is None:
            return parts
        answered = [part.confidence >= threshold for part in self.parts]
        is_whole_answered = self.whole.confidence >= threshold
        if self.group.bond is Bond.WEAK:
            is_split = all(answered) and len(set(map(_best_place, self.parts))) == len(self.parts)
        else:
            is_split = all(answered) or not is_whole_answered
        return parts if is_split else (self.whole,)


def found_before(question: str, hits: Sequence[Hit], parts: Sequence[Part]) -> list[FoundGroup]:
    """The passages of an earlier answer with these parts; of the whole question if it is split in another way now."""
    if not parts:
        return [FoundGroup(whole(question), None, (hits,))]
    of_part = {part.question: [hits[place] for place in part.passages if 0 <= place < len(hits)] for part in parts}
    found = []
    for group in split_question(question).groups:
        texts = [part.text for part in group.parts]
        if all(text in of_part for text in texts):
            found.append(FoundGroup(group, None, tuple(of_part[text] for text in texts)))
        elif group.text in of_part:
            found.append(FoundGroup(whole(group.text), None, (of_part[group.text],)))
        else:
            return [FoundGroup(whole(question), None, (hits,))]
    return found


def is_one_name(phrase: str, hits: Sequence[Hit]) -> bool:
    """Whether a passage has the phrase as it was typed, so that it may be the name of one thing: "Marks and Spencer"."""
    wanted = _folded(phrase)
    return any(wanted in _folded(f"{hit.title}\n{chunk_rendering(hit.chunk).text}") for hit in hits)


def in_turn(parts: Sequence[ReadPart]) -> list[Passage]:
    """The passages of the parts, the best of each first, each passage once."""
    found: dict[str, Passage] = {}
    for passages in zip_longest(*(part.passages for part in parts)):
        for passage in passages:
            if passage is not None:
                found.setdefault(passage.hit.chunk.id, passage)
    return list(found.values())


def best_units(part: ReadPart) -> Iterator[tuple[str, int, float]]:
    """The units of the part's passages, as passage id, place and how well they answer, in the order of the passages."""
    for passage in part.passages:
        for place, sentence in enumerate(passage.reading.sentences):
            yield passage.hit.chunk.id, place, passage.reading.relevance + sentence.score


def _best_place(part: ReadPart) -> tuple[str, int]:
    id, place, _ = max(best_units(part), key=lambda unit: unit[2], default=("", 0, 0.0))
    return id, place


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
