"""Whether two statements give one value at two times, and which is the newer: a price of 2021 and one of 2023. Pure.

The time of a statement is the one year or date that it states; without any, the one of the title and headings above it.
"""

import re
from dataclasses import dataclass

from service.text.alignment import Token, says_the_same, tokens
from service.text.contradictions import Evidence
from service.text.dates import Date, date_spans, dates
from service.text.telling_words import Kind
from service.text.terms import figures

_YEAR = re.compile(r"(?<![\w.,])(?:19|20)\d\d(?![\w%]|[.,]\d)")
_MIN_SHARED = 3  # words that both statements have
_MIN_SHARE = 0.6  # and their share of the words of the shorter one
_TIMELESS = frozenset({Kind.MONTH, Kind.WEEKDAY, Kind.NUMBER})


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A year, a month or a day; 0 for what is not given."""

    year: int
    month: int = 0
    day: int = 0


def is_newer(one: Evidence, other: Evidence) -> bool | None:
    """Whether the first statement is the newer of two that give another figure for the same thing; None if they do not."""
    first, second = _time(one), _time(other)
    if first is None or second is None or first == second or not _differ_in_figures(one.quote, other.quote):
        return None
    if first.year == second.year and 0 in (first.month, second.month):
        return None
    return first > second


def names_time(text: str) -> bool:
    """Whether a question asks for a value at a time that it names: a year or a date."""
    return bool(_YEAR.search(text) or date_spans(text))


def years_of(text: str) -> set[int]:
    """The years that stand in a text by themselves or in a date."""
    return {int(year) for year in _YEAR.findall(text)}


def _time(evidence: Evidence) -> Time | None:
    """When a statement holds; None if that is not said, or several times are."""
    for text in (evidence.quote, evidence.context):
        years = years_of(text) | {date.year for date in dates(text) if date.year}
        if years:
            return _only(years, dates(text))
    return None


def _only(years: set[int], stated: frozenset[Date]) -> Time | None:
    if len(years) != 1 or len(stated) > 1:
        return None
    [year] = years
    return next((Time(year, date.month, date.day or 0) for date in stated), Time(year))


def _differ_in_figures(one: str, other: str) -> bool:
    """Whether both say the same of the same, but for the figure."""
    ours, theirs = (figures(_undated(text)) for text in (one, other))
    if not ours - theirs or not theirs - ours:
        return False
    said, written = ([t for t in tokens(text) if t.content and t.kind not in _TIMELESS] for text in (one, other))
    shared = sum(_has(written, token) for token in said)
    if shared < max(_MIN_SHARED, _MIN_SHARE * min(len(said), len(written))):
        return False
    return not (_names_else(said, written) and _names_else(written, said))


def _undated(text: str) -> str:
    for start, end in reversed(date_spans(text)):
        text = f"{text[:start]} {text[end:]}"
    return _YEAR.sub(" ", text)


def _names_else(some: list[Token], others: list[Token]) -> bool:
    return any(token.kind in (Kind.NAME, Kind.IDENTIFIER) and not _has(others, token) for token in some)


def _has(words: list[Token], token: Token) -> bool:
    return any(says_the_same(token, word) for word in words)
