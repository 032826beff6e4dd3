"""Proposal: a question with the places that answer it, and DraftDocument: a document as drafting reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from index.blocks.block import Kind, Span
from index.blocks.unit import Unit, render
from index.chunking.units import document_units
from index.records import Document

QuestionKind = Literal[
    "question heading",
    "definition",
    "property",
    "year",
    "place",
    "agent",
    "count",
    "how to",
    "steps",
    "list",
    "term",
    "cell",
    "field",
    "comparison",
    "two parts",
    "written",
]


class Check(NamedTuple):
    """What another text would have to hold to answer a question too: all the words. A row that holds them is the same
    answer only if it holds the values, too.
    """

    words: frozenset[str]
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question about one document.

    `groups` are alternatives: all spans of one group together answer it. `answer` is a short right answer, literally in
    the gold; empty if the gold itself is the answer. `subject` is the name that a near miss may exchange, `period` the
    date or year, `owner` the organisation; each stands literally in the question. `checks` find other texts that may
    answer it.
    """

    kind: QuestionKind
    question: str
    groups: tuple[tuple[Span, ...], ...]
    answer: str = ""
    subject: str = ""
    period: str = ""
    owner: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class DraftDocument:
    """A document with its units, how each is read, and the number of the section that each stands in."""

    document: Document

    @cached_property
    def units(self) -> Sequence[Unit]:
        """What can be quoted, headings included, in order."""
        return document_units(self.document)

    @cached_property
    def read(self) -> Sequence[str]:
        """Each unit as it is read, header cells and keys included, without its lead."""
        return [
            rendering.text[rendering.units[0].start : rendering.units[0].end]
            for rendering in (render(self.document.text, [unit]) for unit in self.units)
        ]

    @cached_property
    def section_of(self) -> Sequence[int]:
        """The number of headings up to each unit."""
        numbers, above = [], 0
        for unit in self.units:
            above += unit.kind is Kind.HEADING
            numbers.append(above)
        return numbers

    def words(self, span: Span) -> str:
        """The text of a range."""
        return self.document.text[span.start : span.end]

    def lead(self, unit: Unit) -> str:
        """The innermost text that introduces a unit; empty without one."""
        return self.words(unit.lead[-1]) if unit.lead else ""
