"""Which rows of a table a question asks for all of, or for the number of: "How many plans cost more than 20 euros?". Pure.

In English and German. The rows are those that the question's noun names; a limit ("more than 20 euros", "after 2015") and the
words of their cells ("with milk", "are open") choose among them.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from service.generators.whole_lists import asks_for_all
from service.parts.adjectives import COMPARED, OPPOSITES
from service.parts.figures import DATE, NUMBER, Figure, can_compare, figures_of
from service.parts.superlatives import implied_by, superlative_of
from service.parts.words import words_of
from service.text.terms import STOP_WORDS, stem

_ASKS = re.compile(
    r"\A\W*(?:(?P<count>how\s+many|wie\s*viele)|which|what|welche|(?:please\s+)?(?:list|name|show|give|nenne|liste|zeige)"
    r"(?:\s+(?:me|us|mir|uns))?(?:\s+(?:all|every|the|alle|die))*)\s+(?P<noun>(?!of\b)[^\W\d_]{3,})\b",
    re.IGNORECASE,
)
_IN_DOUBT = re.compile(
    r"\b(?:not|no|never|without|except|or|nor|both|neither|besides|other|than\s+(?:the|a|an|any)\b|per|each|kinds?|types?|"
    r"nicht|kein\w*|oder|ohne|außer|je|pro|arten)\b|n['’]t\b",
    re.IGNORECASE,
)
"""What makes of the rows that are named others than those that are asked for."""
_COMPARATIVE = "|".join(sorted(map(re.escape, COMPARED), key=len, reverse=True))
_MORE = r"more\s+than|over|above|exceed(?:s|ing)?|after|mehr\s+als|über|nach"
_LEAST = r"at\s+least|since|mindestens|seit|ab"
_LESS = r"(?:less|fewer)\s+than|under|below|before|weniger\s+als|unter|vor"
_MOST = r"at\s+most|up\s+to|no\s+more\s+than|höchstens|bis\s+zu"
_BOUND = re.compile(
    rf"\b(?:(?P<comparative>{_COMPARATIVE})\s+(?:than|als)|(?P<most>{_MOST})|(?P<least>{_LEAST})|(?P<more>{_MORE})|"
    rf"(?P<less>{_LESS}))\s+(?P<figure>[€$£]?\d[\d.,]*(?:\s?[%€$£]|\s+[^\W\d_]+\b)?)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_YEARS = re.compile(r"(?<![\w.,])(?:1[5-9]|20|21)\d\d(?![\w,]|\.\d)")
_LOWER = OPPOSITES.keys() | {"cheap", "early"}
_LATER = frozenset("new young late".split())
_NEUTRAL = frozenset(
    stem(word)
    for word in """is are was were has have had do does did cost costs weigh weighs take took takes last lasts contain contains
    contained include includes included offer offers offered sell sells sold own owns list listed lists given exist need needs
    require requires still currently now there present total overall number all among altogether exactly called
    company firm business organisation organization association shop store team club school clinic museum library hotel
    restaurant office centre center
    ist sind war waren hat haben gibt kostet kosten wiegt wiegen dauert dauern enthält enthalten am laut tabelle noch derzeit
    insgesamt es der die das den dem des im in von mit wir euro als""".split()
)
"""Words that do not choose rows: verbs, and whose table it may be."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit for the figures of one column. `year` is that of a limit that is a year, else None."""

    is_more: bool
    is_inclusive: bool
    figure: Figure
    year: int | None

    def holds(self, figure: Figure, text: str) -> bool | None:
        """Whether the figure of a cell with this text is within the limit; None if they cannot be compared."""
        if self.year is not None:
            years = _YEARS.findall(text)
            return self._is_within(Fraction(int(years[0]) - self.year)) if len(years) == 1 else None
        if figure.kind == DATE or figure.low != figure.high:
            return None
        if self.figure.kind == NUMBER:
            return self._is_within(figure.low / figure.unit - self.figure.low)
        return self._is_within(figure.low - self.figure.low) if can_compare(figure, self.figure) else None

    def _is_within(self, above: Fraction) -> bool:
        return self.is_inclusive if above == 0 else (above > 0) == self.is_more


@dataclass(frozen=True, slots=True)
class RowQuestion:
    """A question for all the rows, or for how many there are.

    `noun` is the stem of what the rows are; `words` are the stems of its other words that say something. `bound` limits the
    column that a stem of `implied` names, or one that a word of the question does, if `bound` has a unit of what is implied.
    """

    counts: bool
    noun: str
    words: frozenset[str]
    bound: Bound | None
    implied: frozenset[str]


def row_question(question: str) -> RowQuestion | None:
    """What rows a question asks for; None for any other question."""
    asks = _ASKS.match(question)
    if asks is None or not asks_for_all(question) or superlative_of(question) is not None:
        return None
    found = _BOUND.search(question)
    rest = question if found is None else f"{question[: found.start()]} {question[found.end() :]}"
    if _IN_DOUBT.search(rest):
        return None
    bound = _bound(found) if found is not None else None
    if found is not None and bound is None:
        return None
    words = [word.small for word in words_of(rest[asks.end("noun") :])]
    base = COMPARED.get(found["comparative"].lower(), "") if found is not None and found["comparative"] else ""
    implied = frozenset(map(stem, implied_by(base, words).split())) if bound is not None else frozenset[str]()
    unit = [word.small for word in words_of(found["figure"])][1:] if found is not None else []
    said = frozenset(stem(word) for word in (*words, *unit) if word not in STOP_WORDS) - _NEUTRAL
    return RowQuestion(asks["count"] is not None, stem(asks["noun"]), said, bound, implied)


def _bound(found: re.Match[str]) -> Bound | None:
    written = found["figure"].strip(" .,")
    year = int(written) if _YEAR.fullmatch(written) else None
    figures = figures_of(written)
    if len(figures) != 1:
        return None
    comparative = found["comparative"]
    if comparative:
        base = COMPARED[comparative.lower()]
        is_more = base in _LATER if year is not None else base not in _LOWER
        return Bound(is_more, is_inclusive=False, figure=figures[0], year=year)
    is_more = bool(found["more"] or found["least"])
    return Bound(is_more, is_inclusive=bool(found["least"] or found["most"]), figure=figures[0], year=year)
