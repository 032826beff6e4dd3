"""The derived sentences of an answer: the comparison of parts that give figures of one unit, the count of a list, and the row
of a table with the highest or lowest figure.

Nothing is derived in doubt: the figure of a part must stand in what the part cites, in the place that answers best, beside what
the part is about; a part that cites two such figures has none. A list is counted only if it is about what was asked for, all of
it is cited, and nothing says that it is not complete.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.blocks.block import Kind, Span
from index.records import Document
from service.answering.citations import Numbering
from service.answering.parts import ReadPart
from service.answering.row_lists import RowList
from service.generators.protocol import Quote
from service.parts.cited import CitedFigure, figures_of_unit
from service.parts.derivation import (
    Term,
    comparison_result,
    comparison_sentence,
    count_of_rows_sentence,
    count_sentence,
    extreme_result,
    extreme_sentence,
    language_of,
)
from service.parts.expected import is_expected
from service.parts.figures import NUMBER, can_compare, order, stem
from service.parts.lists import asks_for_count, is_counted, quoted_items
from service.parts.question import PartQuestion
from service.parts.words import words_of
from service.records import Citation, Derivation, Operand, Operation, QuotedUnit, Sentence
from service.text.subjects import lacks_subject
from service.text.terms import STOP_WORDS

DocumentOf = Callable[[str, str], Document]
"""(document id, version) -> that version."""
_CLAUSE = re.compile(r"[,;:]\s|\b(?:and|but|while|whereas|und|aber|et|y|e)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Place:
    """A cited unit of a part: how well it answers, and where in it the answer stands, if the reader says so.

    `before` is the sentence before it, if it has no subject of its own ("It weighs 3 kg").
    """

    citation: Citation
    unit: QuotedUnit
    score: float
    answer: tuple[Span, ...]
    before: str = ""

    @property
    def start(self) -> int:
        """Where its quoted text begins in the document."""
        return max(self.unit.start, self.citation.start)

    @property
    def text(self) -> str:
        """Its quoted text."""
        return self.citation.quote[self.start - self.citation.start : self.unit.end - self.citation.start]


def comparison(question: str, parts: Sequence[ReadPart], cited: Sequence[Sequence[Citation]]) -> Sentence | str | None:
    """The sentence that compares the parts, which cite these citations; why there is none, in words; None without a figure."""
    found = [_figure(part, citations) for part, citations in zip(parts, cited, strict=True)]
    figures = [figure for figure in found if figure is not None]
    if len(figures) < len(parts) or len({(f.citation.document_id, f.figure.start) for f in figures}) < len(figures):
        return None
    terms = [Term(part.question.label, f.quote, f.figure) for part, f in zip(parts, figures, strict=True)]
    result = comparison_result(terms)
    if result is None:
        shown = " and ".join(f"“{term.quote}” ({term.label})" for term in terms)
        return f"Not compared, since they are not figures of one unit: {shown}."
    operands = tuple(f.operand(part.question.label) for part, f in zip(parts, figures, strict=True))
    return Sentence(
        text=comparison_sentence(terms, language_of(question)),
        citations=tuple(dict.fromkeys(operand.citation for operand in operands)),
        supported=True,
        support=1.0,
        kind="derived",
        derivation=Derivation("compare", operands, result),
    )


def count(question: str, citations: Sequence[Citation], document: DocumentOf) -> Sentence | None:
    """The sentence that says how many items the list has that is cited whole; None if that does not answer the question."""
    for citation in citations if asks_for_count(question) else ():
        if not citation.units or any(unit.kind is not Kind.ITEM for unit in citation.units):
            continue
        spans = quoted_items(document(citation.document_id, citation.version), citation)
        operands = [
            Operand(citation.number, *span, citation.quote[span.start - citation.start : span.end - citation.start])
            for span in spans
        ]
        if operands and is_counted(question, citation, [operand.quote for operand in operands]):
            return Sentence(
                text=count_sentence(len(operands), language_of(question)),
                citations=(citation.number,),
                supported=True,
                support=1.0,
                kind="derived",
                derivation=Derivation("count", tuple(operands), str(len(operands))),
            )
    return None


def count_of_rows(question: str, rows: RowList, citations: Sequence[Citation]) -> Sentence | None:
    """The sentence that says how many rows there are that the question asks for; None unless each of them is cited."""
    if not rows.counts:
        return None
    operands: list[Operand] = []
    places = {(passage.hit.chunk.document_id, passage.hit.chunk.version) for passage in rows.passages}
    for cell in rows.names.values():
        cited = (
            citation
            for citation in citations
            if (citation.document_id, citation.version) in places
            and citation.start <= cell.span.start
            and cell.span.end <= citation.end
        )
        citation = next(cited, None)
        if citation is None:
            return None
        quote = citation.quote[cell.span.start - citation.start : cell.span.end - citation.start]
        operands.append(Operand(citation.number, *cell.span, quote))
    return Sentence(
        text=count_of_rows_sentence(len(operands), language_of(question)),
        citations=tuple(dict.fromkeys(operand.citation for operand in operands)),
        supported=True,
        support=1.0,
        kind="derived",
        derivation=Derivation("count", tuple(operands), str(len(operands))),
    )


def extreme(question: str, part: ReadPart, numbering: Numbering) -> Sentence | None:
    """The sentence that says which row of a table has the highest or lowest figure, with all that are compared cited.

    None if the part asks for none, or not all the rows are in the passages that may be cited.
    """
    ranking = part.ranking
    if ranking is None:
        return None
    cited: dict[int, Citation] = {}
    for number, passage in enumerate(part.passages):
        wanted = {row.start for row in ranking.rows} - cited.keys()
        held = [one for one in passage.rendering.units if one.unit.start in wanted]
        if held and any(passage.hit.chunk.id == other.hit.chunk.id for other in ranking.passages):
            citation = numbering.cite(Quote(number, Span(held[0].start, held[-1].end)))
            cited |= {one.unit.start: citation for one in held}
    if any(row.start not in cited for row in ranking.rows):
        return None
    found = [CitedFigure(cited[row.start], row.figure, row.value) for row in ranking.rows]
    operands = tuple(one.operand(row.name) for one, row in zip(found, ranking.rows, strict=True))
    terms = [
        Term(operand.label, operand.quote, row.figure) for operand, row in zip(operands, ranking.rows, strict=True)
    ]
    operation: Operation = "highest" if ranking.is_highest else "lowest"
    return Sentence(
        text=extreme_sentence(terms, operation, language_of(question)),
        citations=tuple(dict.fromkeys(operand.citation for operand in operands)),
        supported=True,
        support=1.0,
        kind="derived",
        derivation=Derivation(operation, operands, extreme_result(terms, operation) or ""),
    )


def _figure(part: ReadPart, citations: Sequence[Citation]) -> CitedFigure | None:
    """The one figure of what a part cites that answers it; None if there is none, or more than one."""
    places = sorted(_places(part, citations), key=lambda place: -place.score)
    named = [place for place in places if _names(place, part.question.label)]
    if not named:
        return None
    best, *others = [_in_place(place, part.question) for place in named]
    if best is None:
        return None
    for other in others:
        if other is not None and can_compare(best.figure, other.figure) and order(best.figure, other.figure) != 0:
            return None
    return best


def _in_place(place: _Place, question: PartQuestion) -> CitedFigure | None:
    """The figure of a unit that is asked for; None if that is not sure."""
    expected = is_expected(question.text)
    figures = [found for found in figures_of_unit(place.citation, place.unit) if expected(found.figure)]
    if any(found.figure.row for found in figures):
        return _of_cells(figures, question.text)
    if len(figures) < 2:
        return figures[0] if figures else None
    beside = _beside(figures, place, question.label)
    if beside:
        return beside[0] if len(beside) == 1 else None
    inside = [found for found in figures if _touches(found, place.answer)]
    return inside[0] if len(inside) == 1 else None


def _of_cells(figures: Sequence[CitedFigure], question: str) -> CitedFigure | None:
    """The figure in the column that the question names, else the only one with a unit that the question asks for."""
    asked = {stem(word.text) for word in words_of(question) if word.small not in STOP_WORDS}
    shared = [len(asked & {stem(word.text) for word in words_of(found.figure.header)}) for found in figures]
    most = max(shared)
    fitting = [found for found, count in zip(figures, shared, strict=True) if count == most]
    if not most:
        fitting = [found for found in figures if found.figure.kind != NUMBER] or fitting
    return fitting[0] if len(fitting) == 1 else None


def _beside(figures: Sequence[CitedFigure], place: _Place, label: str) -> list[CitedFigure]:
    """The figures in the clauses that name the label: "lunch costs 7 euros", of "lunch costs 7 euros and dinner 12"."""
    wanted = {stem(word.text) for word in words_of(label) if word.small not in STOP_WORDS}
    begin, text = place.start, place.text
    edges = [0, *(match.end() for match in _CLAUSE.finditer(text)), len(text)]
    clauses = list(pairwise(edges))
    said = [wanted & {stem(word.text) for word in words_of(text[one:other])} for one, other in clauses]
    most = max(map(len, said), default=0)
    if not most:
        return []
    named = [clause for clause, words in zip(clauses, said, strict=True) if len(words) == most]
    return [f for f in figures if any(one <= f.figure.start - begin < other for one, other in named)]


def _touches(found: CitedFigure, answer: Sequence[Span]) -> bool:
    start, end = found.figure.start, found.figure.end
    return any(span.start < end and start < span.end for span in answer)


def _places(part: ReadPart, citations: Sequence[Citation]) -> Iterator[_Place]:
    """The cited units of a part's passages, each once."""
    seen = set()
    for passage in part.passages:
        chunk = passage.hit.chunk
        units = passage.rendering.units
        for number, (rendered, sentence) in enumerate(zip(units, passage.reading.sentences, strict=True)):
            before = passage.text[units[number - 1].start : units[number - 1].end] if number else ""
            leans = rendered.unit.kind is Kind.PARAGRAPH and lacks_subject(passage.text[rendered.start : rendered.end])
            for citation in citations:
                if (citation.document_id, citation.version) != (chunk.document_id, chunk.version):
                    continue
                unit = next((unit for unit in citation.units if unit.start == rendered.unit.start), None)
                key = (citation.number, rendered.unit.start)
                if unit is None or key in seen:
                    continue
                seen.add(key)
                answer = passage.rendering.source_spans(*sentence.answer) if sentence.answer is not None else []
                score = passage.reading.relevance + sentence.score
                yield _Place(citation, unit, score, tuple(answer), before if leans else "")


def _names(place: _Place, label: str) -> bool:
    """Whether a unit, with what it is read with and the headings above it, has every word of the label."""
    citation = place.citation
    excerpts = (excerpt.quote for excerpt in citation.context)
    read = " ".join((place.before, place.text, citation.title, *citation.trail, *excerpts))
    said = {stem(word.text) for word in words_of(read)}
    return all(stem(word.text) in said for word in words_of(label) if word.small not in STOP_WORDS)
