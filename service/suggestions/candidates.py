"""Candidates: questions that a document seems to answer, made from its structure and its sentences. Pure.

A heading that is a question is taken as it stands. A definition asks for its term, a table for a cell by its header cell and
the name of its row, an English sentence for what it tells (service/text/question_templates.py). Whether the collection answers
them is for the answerer to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from index.blocks.block import Block, Kind, Span
from index.chunking.units import document_units
from index.languages.detection import document_language
from index.records import Document
from service.text.question_templates import cell_question, propose

Source = Literal["heading", "definition", "cell", "sentence"]

_MAX_CHARS = 110
_NAME = re.compile(r"[^\W\d_][\w'’ -]{1,38}\w")
_WORDS = 5
_FEWEST_WORDS = 3
_TEMPLATES: dict[Source, dict[str, str]] = {
    "definition": {"en": "What is {term}?", "de": "Was ist {term}?"},
    # In quotes, any header reads well; English ones are asked as people ask (service/text/question_templates.py).
    "cell": {"de": "Was steht unter „{column}“ bei {row}?"},
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question, and the range of its document that should answer it."""

    question: str
    source: Source
    span: Span


def candidates(document: Document) -> Iterator[Candidate]:
    """The questions of a document in reading order, those of its structure before those of its sentences."""
    language = document_language(document.text, document.blocks)
    yield from _from_structure(document, language)
    if language != "en":
        return
    for unit in document_units(document):
        if unit.kind in (Kind.PARAGRAPH, Kind.ITEM):
            for proposal in propose(document.text[unit.start : unit.end]):
                if len(proposal.question) <= _MAX_CHARS:
                    yield Candidate(proposal.question, "sentence", Span(unit.start, unit.end))


def _from_structure(document: Document, language: str) -> Iterator[Candidate]:
    text = document.text
    headings = [block for block in document.blocks if block.kind is Kind.HEADING]
    for heading, after in zip_longest(headings, headings[1:]):
        question = _read(text, heading.span).lstrip("# ")
        if question.endswith("?") and len(question.split()) >= _FEWEST_WORDS and len(question) <= _MAX_CHARS:
            yield Candidate(question, "heading", Span(heading.end, len(text) if after is None else after.start))
    first_cells: dict[int | None, Block] = {}
    for block in document.blocks:
        candidate = None
        if block.kind is Kind.MEANING and block.labels:
            candidate = _made("definition", language, block.span, term=_read(text, block.labels[-1]))
        elif block.kind is Kind.CELL and first_cells.setdefault(block.parent, block) is not block:
            candidate = _from_cell(text, block, first_cells[block.parent], language)
        if candidate is not None:
            yield candidate


def _from_cell(text: str, cell: Block, name: Block, language: str) -> Candidate | None:
    """A question for the cell of the row that the cell `name` begins."""
    headers = [span for span in cell.labels if span != name.span]
    if cell.is_header or not headers or not _read(text, cell.span):
        return None
    column, row = _read(text, headers[-1]), _read(text, name.span)
    if language != "en":
        return _made("cell", language, cell.span, column=column, row=row)
    corner = next((_read(text, span) for span in name.labels if span != name.span), "")
    question = cell_question(corner, row, column, _read(text, cell.span)) if _is_short_name(row) else None
    return None if question is None else Candidate(question, "cell", cell.span)


def _made(source: Source, language: str, span: Span, **names: str) -> Candidate | None:
    """The question with its names in place; None if one of them is no short name or there is no template."""
    template = _TEMPLATES[source].get(language)
    if template is None or not all(map(_is_short_name, names.values())):
        return None
    return Candidate(template.format_map(names), source, span)


def _is_short_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and len(text.split()) <= _WORDS


def _read(text: str, span: Span) -> str:
    return " ".join(text[span.start : span.end].replace("*", "").replace("`", "").split()).strip(" :")
