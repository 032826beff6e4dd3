"""Documents with structure -> groups: a question, the passage or unit that answers it, and near misses.

Near misses: the same document without the row, column or sentence that answers; a neighbouring row, item or record read
alone; a question about another key of the same kind, or about something that is not said of this key.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from index.blocks.block import Span
from index.blocks.unit import Rendering
from index.chunking.units import prose_rendering
from training.pretrained import base_tokenizer
from training.sources import Group, PassagePair, Split
from training.structure.documents import StructuredPassage, passage_reader
from training.structure.lists import leads_of_split, paired_lists
from training.structure.passages import asked_files
from training.structure.sheets import CellQuestion, Sheet, SheetMaker, question, questions
from training.structure.vocabulary import vocabulary
from training.structure.writers import WRITERS, Writer

PASSAGE_SHARE = 0.3
"""Share of the groups that are made of the passages of public sets; the others are made up."""
LIST_SHARE = 0.08
"""Share of the groups about two lists side by side."""
_QUESTIONS_OF_A_SHEET = 3


def structure_groups(data: Path, split: Split, rng: random.Random, count: int) -> Iterator[Group]:
    """About `count` groups of a split."""
    read = passage_reader(base_tokenizer())
    words = vocabulary(data, split)
    maker = SheetMaker(words, split)
    from_passages = round(PASSAGE_SHARE * count)
    sheets = round((1 - PASSAGE_SHARE - LIST_SHARE) * count)
    for _ in range(sheets // (_QUESTIONS_OF_A_SHEET + 1)):
        sheet = maker.sheet(rng, rng.choice((2, 3, 3, 4, 4, 5, 6, 8)), rng.choice((1, 2, 2, 3, 3, 4)))
        yield from _SheetGroups(sheet, rng.choice(WRITERS), maker, read, rng).groups()
    lists = (
        paired_lists(words, leads_of_split(is_test=split == "test"), rng) for _ in range(round(LIST_SHARE * count))
    )
    for asked in chain(asked_files(data, split, rng, from_passages), lists):
        source = asked.form
        passages = read(asked.name, asked.text)
        if not asked.needed:
            pairs = [_not_answering(asked.question, passage, source) for passage in passages[:1]]
        else:
            pairs = _answering(asked.question, passages, asked.needed, asked.answer, source, rng)
        if pairs:
            yield tuple(pairs)


@dataclass(frozen=True)
class _SheetGroups:
    sheet: Sheet
    writer: Writer
    maker: SheetMaker
    read: Callable[[str, str], list[StructuredPassage]]
    rng: random.Random

    def groups(self) -> Iterator[Group]:
        """Questions about cells with near misses, and one that the sheet does not answer."""
        passages = self.read(*self.writer(self.sheet, self.rng))
        for asked in questions(self.sheet, self.rng, _QUESTIONS_OF_A_SHEET):
            needed = (self.sheet.keys[asked.row], self.sheet.attributes[asked.column].name)
            cell = self.sheet.cells[asked.row][asked.column]
            pairs = _answering(asked.text, passages, (*needed, cell), asked.answer(self.sheet), self._source, self.rng)
            if pairs:
                yield (*pairs, *self._without_answer(asked))
        if passages:
            unanswerable = self._unanswerable(self.rng.choice(passages))
            if unanswerable:
                yield (unanswerable,)

    @property
    def _source(self) -> str:
        return f"sheet as {self.writer.__name__}"

    def _without_answer(self, asked: CellQuestion) -> Iterator[PassagePair]:
        """The document without the row or the column, at most one pair."""
        rows, columns = len(self.sheet.keys), len(self.sheet.attributes)
        if self.rng.random() < 0.5 and rows > 1:
            smaller = self.sheet.without_row(asked.row)
        elif columns > 1:
            smaller = self.sheet.without_column(asked.column)
        else:
            return
        sought = self.sheet.cells[asked.row][asked.column]
        for passage in self.read(*self.writer(smaller, self.rng))[:1]:
            if not passage.holds(sought) or asked.names_key:
                yield _not_answering(asked.text, passage, self._source)

    def _unanswerable(self, passage: StructuredPassage) -> PassagePair | None:
        if self.rng.random() < 0.5:
            key = self.maker.absent_key(self.sheet, self.rng)
            attribute = self.rng.choice(self.sheet.attributes)
            if key is None or passage.holds(key):
                return None
        else:
            absent = self.maker.absent_attribute(self.sheet, self.rng)
            if absent is None or passage.holds(absent.name):
                return None
            key, attribute = self.rng.choice(self.sheet.keys), absent
        return _not_answering(question(attribute, key, self.rng), passage, self._source)


def _answering(
    asked: str,
    passages: Sequence[StructuredPassage],
    needed: Sequence[str],
    answer: str,
    source: str,
    rng: random.Random,
) -> list[PassagePair]:
    """The passage that answers; now and then its unit read alone, with a neighbour read alone. Empty where no unit answers."""
    for passage in passages:
        gold = passage.units_with(needed)
        if not gold:
            continue
        rendering = passage.rendering
        spans = [Span(rendering.units[n].start, rendering.units[n].end) for n in gold]
        pairs = [PassagePair(asked, rendering.text, True, tuple(spans), _place(rendering.text, spans, answer), source,
                             passage.context, rendering)]  # fmt: skip
        if rng.random() < 0.5:
            pairs += _alone(asked, passage, gold, answer, source, rng)
        return pairs
    return []


def _alone(
    asked: str, passage: StructuredPassage, gold: Sequence[int], answer: str, source: str, rng: random.Random
) -> list[PassagePair]:
    """The unit that answers and one that does not, each read by itself after its lead, as the second reading does."""
    others = [n for n in range(len(passage.rendering.units)) if n not in gold and abs(n - gold[0]) < 3]
    pairs = []
    for number in (gold[0], *rng.sample(others, min(1, len(others)))):
        text = passage.rendering.alone(number)
        whole = (Span(0, len(text)),) if number in gold else ()
        place = _place(text, whole, answer)
        pairs.append(
            PassagePair(asked, text, bool(whole), whole, place, f"{source} alone", passage.context, _one_unit(text))
        )
    return pairs


def _one_unit(text: str) -> Rendering:
    """A text that is read as one unit."""
    prose = prose_rendering(text)
    if len(prose.units) < 2:
        return prose
    whole = prose.units[0]._replace(start=0, end=len(text))
    return prose._replace(units=(whole,))


def _not_answering(asked: str, passage: StructuredPassage, source: str) -> PassagePair:
    return PassagePair(asked, passage.rendering.text, False, (), None, source, passage.context, passage.rendering)


def _place(text: str, spans: Sequence[Span], answer: str) -> Span | None:
    """Where the answer stands in one of the ranges."""
    for span in spans:
        start = text.find(answer, span.start, span.end)
        if start >= 0:
            return Span(start, start + len(answer))
    return None
