"""What Quoth works out: which of several figures is more, with the difference of two; and how many items a list has. Pure.

The same functions make a derived sentence and check it (`service.audit`), so they take nothing but labels, quotes and figures.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from index.languages.frequent_words import likely_language
from service.parts.figures import DATE, Figure, can_compare, difference, order

EQUAL = "equal"
_FEWEST_FREQUENT_WORDS = 2


class Term(NamedTuple):
    """A figure with its label and how it is written."""

    label: str
    quote: str
    figure: Figure


class _Phrases(NamedTuple):
    """How it is said in a language. `{0}` and `{1}` are the figures, each followed by its label."""

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
    years: str
    days: str


_SAID = {
    "en": _Phrases(
        "Calculated by Quoth",
        "{0} is less than {1}",
        "{0} is more than {1}",
        "{0} is earlier than {1}",
        "{0} is later than {1}",
        "{0} and {1} are equal",
        "the difference is",
        "from lowest to highest",
        "from earliest to latest",
        "the list has {0} items",
        "years",
        "days",
    ),
    "de": _Phrases(
        "Von Quoth berechnet",
        "{0} ist weniger als {1}",
        "{0} ist mehr als {1}",
        "{0} ist früher als {1}",
        "{0} ist später als {1}",
        "{0} und {1} sind gleich",
        "der Unterschied ist",
        "vom Niedrigsten zum Höchsten",
        "vom Frühesten zum Spätesten",
        "die Liste hat {0} Punkte",
        "Jahre",
        "Tage",
    ),
    "fr": _Phrases(
        "Calculé par Quoth",
        "{0} est inférieur à {1}",
        "{0} est supérieur à {1}",
        "{0} est antérieur à {1}",
        "{0} est postérieur à {1}",
        "{0} et {1} sont égaux",
        "la différence est de",
        "du plus bas au plus élevé",
        "du plus ancien au plus récent",
        "la liste compte {0} éléments",
        "ans",
        "jours",
    ),
    "es": _Phrases(
        "Calculado por Quoth",
        "{0} es menos que {1}",
        "{0} es más que {1}",
        "{0} es anterior a {1}",
        "{0} es posterior a {1}",
        "{0} y {1} son iguales",
        "la diferencia es",
        "de menor a mayor",
        "de lo más antiguo a lo más reciente",
        "la lista tiene {0} elementos",
        "años",
        "días",
    ),
    "it": _Phrases(
        "Calcolato da Quoth",
        "{0} è meno di {1}",
        "{0} è più di {1}",
        "{0} è precedente a {1}",
        "{0} è successivo a {1}",
        "{0} e {1} sono uguali",
        "la differenza è",
        "dal più basso al più alto",
        "dal meno recente al più recente",
        "l'elenco ha {0} voci",
        "anni",
        "giorni",
    ),
    "pt": _Phrases(
        "Calculado pelo Quoth",
        "{0} é menos que {1}",
        "{0} é mais que {1}",
        "{0} é anterior a {1}",
        "{0} é posterior a {1}",
        "{0} e {1} são iguais",
        "a diferença é",
        "do menor ao maior",
        "do mais antigo ao mais recente",
        "a lista tem {0} itens",
        "anos",
        "dias",
    ),
}
LANGUAGES = tuple(_SAID)


def language_of(question: str) -> str:
    """The language in which a derived sentence is said: that of the question if it is one of LANGUAGES, else English."""
    language = likely_language(question, _FEWEST_FREQUENT_WORDS)
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
    shown = [f"{term.quote} ({term.label})" for term in terms]
    if len(terms) > 2:
        ranked = _ranked(terms) or []
        listed = "; ".join(" = ".join(f"{term.quote} ({term.label})" for term in same) for same in ranked)
        return f"{said.by}: {said.dated if is_date else said.ranked}: {listed}."
    relation = order(terms[0].figure, terms[1].figure)
    if relation == 0:
        return f"{said.by}: {said.equal.format(*shown)}."
    less, more = (said.earlier, said.later) if is_date else (said.less, said.more)
    gap = difference(terms[0].figure, terms[1].figure)
    if is_date:
        gap = gap.replace("years", said.years).replace("days", said.days)
    return f"{said.by}: {(less if relation == -1 else more).format(*shown)}{f'; {said.gap} {gap}' if gap else ''}."


def count_sentence(count: int, language: str) -> str:
    """The sentence that says how many items a list has."""
    said = _SAID[language]
    return f"{said.by}: {said.counted.format(count)}."


def _ranked(terms: Sequence[Term]) -> list[list[Term]] | None:
    """The terms from lowest to highest, equal ones together; None if the order of two is not known."""
    groups: list[list[Term]] = []
    for term in sorted(terms, key=lambda term: (term.figure.low, term.figure.high)):
        if groups and order(groups[-1][0].figure, term.figure) == 0:
            groups[-1].append(term)
        else:
            groups.append([term])
    return groups if all(order(one[0].figure, other[0].figure) == -1 for one, other in pairwise(groups)) else None
