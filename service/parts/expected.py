"""Which figures a question asks for, by its words: a weight, a price, a date, a count. Pure."""

import re
from collections.abc import Callable

from service.parts.figures import DATE, NUMBER, Figure, stem
from service.parts.units import measure_of, unit_name
from service.parts.words import words_of
from service.text.telling_words import KINDS, Kind

_CURRENCIES = frozenset(KINDS[Kind.CURRENCY].values())
_KINDS = (
    (re.compile(r"\b(?:weigh\w*|heavy|weight|mass)\b", re.IGNORECASE), frozenset({"mass"})),
    (
        re.compile(
            r"\b(?:cost|costs|price|prices|fee|fees|rent|salary|budget|revenue|sales|turnover|pay|paid|deposit|fine)\b",
            re.IGNORECASE,
        ),
        _CURRENCIES | {NUMBER, "percent"},
    ),
    (
        re.compile(r"\A\W*(?:when|in what year|in which year|what year|which year)\b|\bdate\b", re.IGNORECASE),
        frozenset({DATE}),
    ),
    (re.compile(r"\bhow old\b|\bage\b", re.IGNORECASE), frozenset({DATE, "calendar", NUMBER})),
    (re.compile(r"\bhow long\b|\blength\b", re.IGNORECASE), frozenset({"time", "calendar", "length"})),
    (
        re.compile(r"\b(?:warranty|notice|duration|period|term|leave)\b", re.IGNORECASE),
        frozenset({"time", "calendar", NUMBER}),
    ),
    (
        re.compile(r"\bhow (?:tall|high|wide|deep|far|thick)\b|\b(?:height|width|depth|distance)\b", re.IGNORECASE),
        frozenset({"length"}),
    ),
    (re.compile(r"\b(?:percentage|share|rate)\b", re.IGNORECASE), frozenset({"percent"})),
    (re.compile(r"\bhow fast\b|\bspeed\b", re.IGNORECASE), frozenset({"speed", "mph", "knots", "time", "frequency"})),
    (re.compile(r"\b(?:how (?:hot|cold|warm)|temperature)\b", re.IGNORECASE), frozenset({"celsius", "fahrenheit"})),
)
_HOW_MANY = re.compile(r"\bhow many\s+(?P<noun>.+)", re.IGNORECASE)


def is_expected(question: str) -> Callable[[Figure], bool]:
    """Whether a figure is of the kind that the question asks for; any but a bare number of nothing if it does not tell."""
    counted = _HOW_MANY.search(question)
    if counted is not None:
        nouns = [word.small for word in words_of(counted["noun"])[:2]]
        measured = next((noun for noun in nouns if measure_of(noun) is not None), None)
        if measured is not None:
            return lambda figure: unit_name(measured) in {unit_name(word.text) for word in words_of(figure.after)}
        stems = frozenset(map(stem, nouns))
        return lambda figure: figure.kind == NUMBER and bool(figure.nouns & stems)
    kinds = next((kinds for pattern, kinds in _KINDS if pattern.search(question)), None)
    return lambda figure: kinds is None or figure.kind in kinds or " " in figure.kind
