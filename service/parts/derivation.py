"""What Quoth works out: which of several figures is more, with the difference of two; the highest or lowest figure of a column;
and how many items a list has, or rows a table. Pure.

The same functions make a derived sentence and check it (`service.audit`), so they take nothing but labels, quotes and figures.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from service.parts.figures import DATE, Figure, can_compare, difference, order
from service.phrases.table import LANGUAGES, texts
from service.records import Operation
from service.text.question_language import question_language

EQUAL = "equal"


class Term(NamedTuple):
    """A figure with its label and how it is written."""

    label: str
    quote: str
    figure: Figure


class _Phrases(NamedTuple):
    """How it is said in a language. `{one}` and `{other}` are the figures, each followed by its label in brackets."""

    by: str
    less: str
    more: str
    earlier: str
    later: str
    equal: str
    gap: str
    ranked: str
    dated: str
    counted: str
    counted_rows: str
    years: str
    days: str
    lowest: str
    highest: str


_SAID = {language: _Phrases(**texts(language, "derived")) for language in LANGUAGES}


def language_of(question: str) -> str:
    """The language in which a derived sentence is said: that of the question if it is one of LANGUAGES, else English."""
    language = question_language(question)
    return language if language in _SAID else "en"


def comparison_result(terms: Sequence[Term]) -> str | None:
    """The difference of two figures, or the labels of more from lowest to highest; None if they cannot be compared.

    A tie of two is "equal". Empty for two figures whose difference cannot be written in their unit.
    """
    if len(terms) < 2 or not all(can_compare(terms[0].figure, term.figure) for term in terms[1:]):
        return None
    ranked = _ranked(terms)
    if ranked is None:
        return None
    if len(terms) > 2:
        return " < ".join(" = ".join(term.label for term in same) for same in ranked)
    return EQUAL if len(ranked) == 1 else difference(terms[0].figure, terms[1].figure)


def comparison_sentence(terms: Sequence[Term], language: str) -> str:
    """The sentence about terms that have a `comparison_result`."""
    said = _SAID[language]
    is_date = terms[0].figure.kind == DATE
    if len(terms) > 2:
        listed = "; ".join(" = ".join(map(_shown, same)) for same in _ranked(terms) or [])
        return said.by.format(said=(said.dated if is_date else said.ranked).format(listed=listed))
    relation = order(terms[0].figure, terms[1].figure)
    less, more = (said.earlier, said.later) if is_date else (said.less, said.more)
    form = said.equal if relation == 0 else less if relation == -1 else more
    text = form.format(one=_shown(terms[0]), other=_shown(terms[1]))
    gap = difference(terms[0].figure, terms[1].figure) if relation else ""
    if is_date:
        gap = gap.replace("years", said.years).replace("days", said.days)
    return said.by.format(said=said.gap.format(said=text, gap=gap) if gap else text)


def count_sentence(count: int, language: str) -> str:
    """The sentence that says how many items a list has."""
    said = _SAID[language]
    return said.by.format(said=said.counted.format(count=count))


def count_of_rows_sentence(count: int, language: str) -> str:
    """The sentence that says how many rows of a table are asked for."""
    said = _SAID[language]
    return said.by.format(said=said.counted_rows.format(count=count))


def _shown(term: Term) -> str:
    return f"{term.quote} ({term.label})"


def extreme_result(terms: Sequence[Term], operation: Operation) -> str | None:
    """The labels of the terms with the highest or lowest figure, joined by "="; None if the figures cannot be compared."""
    best = _extreme(terms, operation)
    return " = ".join(term.label for term in best) if best else None


def extreme_sentence(terms: Sequence[Term], operation: Operation, language: str) -> str:
    """The sentence about terms that have an `extreme_result`."""
    said = _SAID[language]
    best = " = ".join(map(_shown, _extreme(terms, operation)))
    phrase = said.highest if operation == "highest" else said.lowest
    return said.by.format(said=phrase.format(count=len(terms), best=best))


def _extreme(terms: Sequence[Term], operation: Operation) -> list[Term]:
    """The terms with the highest or lowest figure; none if the figures are not of one column and unit."""
    columns = {term.figure.header for term in terms}
    if len(terms) < 2 or len(columns) != 1 or not all(can_compare(terms[0].figure, term.figure) for term in terms[1:]):
        return []
    ranked = _ranked(terms)
    return [] if ranked is None else ranked[-1 if operation == "highest" else 0]


def _ranked(terms: Sequence[Term]) -> list[list[Term]] | None:
    """The terms from lowest to highest, equal ones together; None if the order of two is not known."""
    groups: list[list[Term]] = []
    for term in sorted(terms, key=lambda term: (term.figure.low, term.figure.high)):
        if groups and order(groups[-1][0].figure, term.figure) == 0:
            groups[-1].append(term)
        else:
            groups.append([term])
    return groups if all(order(one[0].figure, other[0].figure) == -1 for one, other in pairwise(groups)) else None
