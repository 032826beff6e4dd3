"""Works out the derived sentences of an answer again, from the documents. Pure.

The units of a citation are found again in its document; the labels must be words of a part that cites the figure. A ranking
must compare all the rows of its table that the question asks for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from index.blocks.unit import Unit
from index.records import Document
from service.answering.citations import quoted_units
from service.answering.row_lists import rows_asked_for, table_context
from service.answering.tables import MAX_ROWS, compared_rows, rows_of, tables_of
from service.audit.cited_units import CitedUnits, Opener
from service.audit.findings import AnswerFault, Finding
from service.parts.cited import figures_in
from service.parts.derivation import (
    Term,
    comparison_result,
    comparison_sentence,
    count_of_rows_sentence,
    count_sentence,
    extreme_result,
    extreme_sentence,
)
from service.parts.figures import Figure
from service.parts.lists import quoted_items
from service.parts.row_questions import row_question
from service.parts.superlatives import superlative_of
from service.phrases.table import LANGUAGES
from service.records import Answer, Citation, Derivation, Operand, Sentence
from service.text.plain import plain_line

MAX_OPERANDS = MAX_ROWS

_Cited = Sequence[tuple[Citation, Document]]


class _Quoted:
    """The figures and the items that citations quote, found once, however many sentences cite them."""

    def __init__(self, opener: Opener, units: CitedUnits) -> None:
        self._opener, self._units = opener, units
        self.figures = cache(self._figures)
        self.names = cache(self._names)
        self.items = cache(self._items)
        self.tables = cache(self._tables)

    def _figures(self, citation: Citation) -> dict[tuple[int, int], Figure]:
        """By their ranges. The units of the citation are those that its document has there."""
        units = quoted_units(self._units.touched(citation))
        return {
            (found.figure.start, found.figure.end): found.figure for found in figures_in(replace(citation, units=units))
        }

    def _names(self, citation: Citation) -> dict[int, str]:
        """The first values of the rows that a citation quotes, by where the rows begin."""
        document = self._opener(citation.document_id, citation.version)
        rows = (unit for unit in self._units.touched(citation) if unit.values)
        return {unit.start: plain_line(document.text[slice(*unit.values[0])]) for unit in rows} if document else {}

    def _tables(self, document_id: str, version: str) -> dict[int, list[Unit]]:
        """The tables of a document, each by where its rows begin."""
        document = self._opener(document_id, version)
        units = self._units.of_document(document_id, version)
        return {unit.start: table for table in tables_of(document.text, units) for unit in table} if document else {}

    def _items(self, citation: Citation) -> list[tuple[int, int]]:
        document = self._opener(citation.document_id, citation.version)
        return [(span.start, span.end) for span in quoted_items(document, citation)] if document is not None else []


def derivation_findings(answer: Answer, opener: Opener, units: CitedUnits) -> tuple[int, list[Finding]]:
    """How many derived sentences come out the same, with their operands and their words, and what is wrong with others."""
    same, findings, quoted = 0, list[Finding](), _Quoted(opener, units)
    for number, sentence in enumerate(answer.sentences, start=1):
        if sentence.kind == "derived":
            problem = _problem(sentence, answer, opener, quoted)
            same += problem == ""
            if problem:
                findings.append(
                    Finding(f"sentence {number}", AnswerFault.DERIVATION_DIFFERS, problem, claimed=sentence.text)
                )
        elif sentence.derivation is not None:
            findings.append(
                Finding(
                    f"sentence {number}",
                    AnswerFault.DERIVATION_DIFFERS,
                    "A sentence with a derivation is derived.",
                    claimed=sentence.kind,
                    found="derived",
                )
            )
    return same, findings


def _problem(sentence: Sentence, answer: Answer, opener: Opener, quoted: _Quoted) -> str | None:
    """What is wrong with a derived sentence; empty if it holds, None if its document is not here, which is found elsewhere."""
    derivation = sentence.derivation
    if derivation is None or not 0 < len(derivation.operands) <= MAX_OPERANDS:
        return f"A derived sentence says from what it was worked out, at most {MAX_OPERANDS} figures or items."
    if sentence.citations != tuple(dict.fromkeys(operand.citation for operand in derivation.operands)):
        return "A derived sentence cites what it was worked out from, in that order."
    cited = []
    for citation in answer.citations:
        if citation.number in sentence.citations:
            document = opener(citation.document_id, citation.version)
            if document is None:
                return None
            cited.append((citation, document))
    if not all(_is_literal(operand, cited) for operand in derivation.operands):
        return "What it was worked out from does not stand there in what it cites."
    match derivation.operation:
        case "count":
            problem = _count_problem(sentence, derivation, answer, cited, quoted)
        case "compare":
            problem = _comparison_problem(sentence, derivation, answer, cited, quoted)
        case "highest" | "lowest":
            problem = _extreme_problem(sentence, derivation, answer, cited, quoted)
    return problem


def _is_literal(operand: Operand, cited: _Cited) -> bool:
    return any(
        citation.number == operand.citation
        and citation.start <= operand.start < operand.end <= citation.end
        and document.text[operand.start : operand.end] == operand.quote
        for citation, document in cited
    )


def _count_problem(sentence: Sentence, derivation: Derivation, answer: Answer, cited: _Cited, quoted: _Quoted) -> str:
    counted = [(operand.start, operand.end) for operand in derivation.operands]
    number = len(counted)
    if counted in [quoted.items(citation) for citation, _ in cited]:
        texts = {count_sentence(number, language) for language in LANGUAGES}
    elif any(counted == rows for rows in _rows_counted(answer, cited, quoted, counted[0][0])):
        texts = {count_of_rows_sentence(number, language) for language in LANGUAGES}
    else:
        return "What was counted is not all the items of one list, nor all the rows of one table that are asked for."
    return "" if derivation.result == str(number) and sentence.text in texts else f"It is {number}, in other words."


def _rows_counted(answer: Answer, cited: _Cited, quoted: _Quoted, place: int) -> Iterator[list[tuple[int, int]]]:
    """For each part, the names of all the rows that it asks for, of the table with the row that has `place` in it."""
    citation, document = cited[0]
    tables = quoted.tables(citation.document_id, citation.version)
    first = next((start for start, table in tables.items() for unit in table if unit.start <= place < unit.end), None)
    if first is None or any(one.document_id != citation.document_id for one, _ in cited):
        return
    rows = rows_of(document.text, tables[first])
    context = table_context(citation.uri, citation.title, citation.trail)
    for question in [part.question for part in answer.parts] or [answer.rewritten_question]:
        asked = row_question(question)
        chosen = rows_asked_for(asked, rows, context) if asked is not None and asked.counts else []
        yield [(row.name.span.start, row.name.span.end) for row in chosen]


def _comparison_problem(
    sentence: Sentence, derivation: Derivation, answer: Answer, cited: _Cited, quoted: _Quoted
) -> str:
    figures = {citation.number: quoted.figures(citation) for citation, _ in cited}
    terms = [
        Term(operand.label, operand.quote, figure)
        for operand in derivation.operands
        if (figure := figures[operand.citation].get((operand.start, operand.end))) is not None
    ]
    result = comparison_result(terms) if len(terms) == len(derivation.operands) else None
    if result is None:
        return "These are not figures or dates of one unit."
    if not all(_is_label(operand, answer) for operand in derivation.operands):
        return "A figure is given to something that no part asks about where it is cited."
    texts = {comparison_sentence(terms, language) for language in LANGUAGES}
    return "" if derivation.result == result and sentence.text in texts else f"The result is {result!r}."


def _extreme_problem(sentence: Sentence, derivation: Derivation, answer: Answer, cited: _Cited, quoted: _Quoted) -> str:
    terms, named, starts = [], True, list[int]()
    for operand in derivation.operands:
        citation = next(citation for citation, _ in cited if citation.number == operand.citation)
        figure = quoted.figures(citation).get((operand.start, operand.end))
        if figure is None or not figure.row:
            return "A figure that was compared is in no cell of a table."
        terms.append(Term(operand.label, operand.quote, figure))
        starts.append(int(figure.row.rpartition(":")[2]))
        named = named and quoted.names(citation).get(starts[-1]) == operand.label
    result = extreme_result(terms, derivation.operation)
    if result is None:
        return "These are not figures of one unit in one column."
    if not named:
        return "A figure is given to another row than the one that it stands in."
    questions = [part.question for part in answer.parts] or [answer.rewritten_question]
    if not any(_compares_all(derivation, starts, question, cited, quoted) for question in questions):
        return "The rows that were compared are not all those of one table that the question asks for."
    texts = {extreme_sentence(terms, derivation.operation, language) for language in LANGUAGES}
    return "" if derivation.result == result and sentence.text in texts else f"The result is {result!r}."


def _compares_all(derivation: Derivation, starts: Sequence[int], question: str, cited: _Cited, quoted: _Quoted) -> bool:
    """Whether the operands, in the rows that begin at `starts`, are all figures of one table that the question compares."""
    asked = superlative_of(question)
    places = {(citation.document_id, citation.version) for citation, _ in cited}
    if asked is None or asked.is_highest != (derivation.operation == "highest") or len(places) > 1:
        return False
    table = quoted.tables(*places.pop()).get(starts[0], [])
    if not 1 < len(table) <= MAX_ROWS:
        return False
    rows = rows_of(cited[0][1].text, table)
    first = next(row for row in rows if row.unit.start == starts[0])
    place = derivation.operands[0].start
    heading = next((name for name, cell in first.values.items() if cell.span.start <= place < cell.span.end), None)
    return heading is not None and starts == [row.unit.start for row in compared_rows(asked, rows, heading)[0]]


def _is_label(operand: Operand, answer: Answer) -> bool:
    """Whether a part asks about the label, and a sentence of that part cites what the operand was taken from."""
    return any(
        bool(operand.label)
        and operand.label.casefold() in part.question.casefold()
        and any(
            operand.citation in answer.sentences[place].citations
            for place in part.sentences
            if 0 <= place < len(answer.sentences)
        )
        for part in answer.parts
    )
