"""Works out the derived sentences of an answer again, from the documents. Pure.

The units of a citation are found again in its document; the labels must be words of a part that cites the figure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.chunking.units import document_units
from index.records import Document
from service.answering.citations import quoted_units
from service.audit.cited_units import Opener
from service.audit.findings import AnswerFault, Finding
from service.parts.cited import figures_in
from service.parts.derivation import LANGUAGES, Term, comparison_result, comparison_sentence, count_sentence
from service.parts.lists import quoted_items
from service.records import Answer, Citation, Derivation, Operand, Sentence

MAX_OPERANDS = 200


def derivation_findings(answer: Answer, opener: Opener) -> Iterator[Finding]:
    """Check each derived sentence: its operands, its result and its words."""
    for number, sentence in enumerate(answer.sentences, start=1):
        if sentence.kind == "derived":
            problem = _problem(sentence, answer, opener)
            if problem:
                yield Finding(f"sentence {number}", AnswerFault.DERIVATION_DIFFERS, problem, claimed=sentence.text)
        elif sentence.derivation is not None:
            yield Finding(
                f"sentence {number}",
                AnswerFault.DERIVATION_DIFFERS,
                "A sentence with a derivation is derived.",
                claimed=sentence.kind,
                found="derived",
            )


def _problem(sentence: Sentence, answer: Answer, opener: Opener) -> str:
    """What is wrong with a derived sentence; empty if it holds, or if its document is not here, which is found elsewhere."""
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
                return ""
            cited.append((citation, document))
    if not all(_is_literal(operand, cited) for operand in derivation.operands):
        return "What it was worked out from does not stand there in what it cites."
    if derivation.operation == "count":
        return _count_problem(sentence, derivation, cited)
    return _comparison_problem(sentence, derivation, answer, cited)


def _is_literal(operand: Operand, cited: Sequence[tuple[Citation, Document]]) -> bool:
    return any(
        citation.number == operand.citation
        and citation.start <= operand.start < operand.end <= citation.end
        and document.text[operand.start : operand.end] == operand.quote
        for citation, document in cited
    )


def _count_problem(sentence: Sentence, derivation: Derivation, cited: Sequence[tuple[Citation, Document]]) -> str:
    counted = [(operand.start, operand.end) for operand in derivation.operands]
    lists = [[(span.start, span.end) for span in quoted_items(document, citation)] for citation, document in cited]
    if counted not in lists:
        return "What was counted is not all the items of one list."
    number = len(counted)
    texts = {count_sentence(number, language) for language in LANGUAGES}
    return "" if derivation.result == str(number) and sentence.text in texts else f"The list has {number} items."


def _comparison_problem(
    sentence: Sentence, derivation: Derivation, answer: Answer, cited: Sequence[tuple[Citation, Document]]
) -> str:
    found_at = {
        (found.citation.number, found.figure.start, found.figure.end): found
        for citation, document in cited
        for found in figures_in(_with_units(citation, document))
    }
    figures = [found_at.get((operand.citation, operand.start, operand.end)) for operand in derivation.operands]
    terms = [
        Term(operand.label, operand.quote, found.figure)
        for operand, found in zip(derivation.operands, figures, strict=True)
        if found is not None
    ]
    result = comparison_result(terms) if len(terms) == len(derivation.operands) else None
    if result is None:
        return "These are not figures or dates of one unit."
    if not all(_is_label(operand, answer) for operand in derivation.operands):
        return "A figure is given to something that no part asks about where it is cited."
    texts = {comparison_sentence(terms, language) for language in LANGUAGES}
    return "" if derivation.result == result and sentence.text in texts else f"The result is {result!r}."


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


def _with_units(citation: Citation, document: Document) -> Citation:
    """The citation with the units that its document has there."""
    inside = [unit for unit in document_units(document) if unit.start < citation.end and citation.start < unit.end]
    return replace(citation, units=quoted_units(inside))
