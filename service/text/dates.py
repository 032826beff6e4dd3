"""The dates in a text, in whatever form they are written: `2 July 2023`, `July 2, 2023`, `2023-07-02`, `02.07.2023`. Pure.

A day or a year may be missing (`July 2023`, `2 July`). Of `03/04/2023`, both readings are given.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio januari",
            "february feb februar février febrero febbraio februari",
            "march mar märz maerz mars marzo maart",
            "april apr avril abril aprile",
            "may mai mayo maggio mei",
            "june jun juni juin junio giugno",
            "july jul juli juillet julio luglio",
            "august aug août agosto augustus",
            "september sep sept septembre septiembre settembre",
            "october oct oktober octobre octubre ottobre okt",
            "november nov novembre noviembre",
            "december dec dezember décembre diciembre dicembre dez",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_FIRST = re.compile(
    rf"\b(?:(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+)?)?(?P<month>{_MONTH})\b\.?(?:,?\s+(?:de\s+)?(?P<year>1\d{{3}}|2\d{{3}})\b)?",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTH})\b\.?\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<year>1\d{{3}}|2\d{{3}})\b)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(
    r"(?<![\d-])(?P<year>1\d{3}|2\d{3})[-/.](?P<month>[01]\d|\d(?=[-/.]\d))(?:[-/.](?P<day>[0-3]?\d))?(?![\d-])"
)
_YEAR_LAST = re.compile(
    r"(?<![\d.])(?P<one>[0-3]?\d)(?P<sign>[./-])(?P<other>[0-3]?\d)(?P=sign)(?P<year>1\d{3}|2\d{3})(?!\d)"
)
_MODAL = re.compile(r"(?:may|mar|march|mars)\Z", re.IGNORECASE)  # words that are months only beside a day or year


class Date(NamedTuple):
    """A date; None for what is not given."""

    year: int | None
    month: int
    day: int | None

    def fits(self, other: "Date") -> bool:
        """Whether both may be the same date: they agree where both say something."""
        return all(one is None or two is None or one == two for one, two in zip(self, other, strict=True))


def dates(text: str) -> frozenset[Date]:
    """The dates in a text."""
    return frozenset(date for _, found in dates_in(text) for date in found)


def date_spans(text: str) -> list[tuple[int, int]]:
    """The ranges of the dates in a text, in order."""
    return [span for span, _ in dates_in(text)]


def with_dates_of(question: str, text: str) -> str:
    """Return the text in which a date that the question gives too is written as the question writes it.

    A network does not see that `2023-07-02` is 2 July 2023.
    """
    asked = [(question[start:end], read) for (start, end), read in dates_in(question)]
    if not asked:
        return text
    parts: list[str] = []
    position = 0
    for (start, end), read in dates_in(text):
        said = next((words for words, own in asked if any(a == b for a in own for b in read)), None)
        if said is not None:
            parts += [text[position:start], said]
            position = end
    return "".join([*parts, text[position:]])


def dates_in(text: str) -> list[tuple[tuple[int, int], list[Date]]]:
    """The dates with their ranges, in order; of those that overlap, the first and longest."""
    found = sorted(_found(text), key=lambda entry: (entry[0][0], -entry[0][1]))
    kept: list[tuple[tuple[int, int], list[Date]]] = []
    for span, read in found:
        possible = [date for date in read if 1 <= date.month <= 12 and (date.day is None or 1 <= date.day <= 31)]
        if possible and (not kept or span[0] >= kept[-1][0][1]):
            kept.append((span, possible))
    return kept


def _found(text: str) -> Iterator[tuple[tuple[int, int], list[Date]]]:
    for pattern in (_DAY_FIRST, _MONTH_FIRST):
        for match in pattern.finditer(text):
            if _is_date(match):
                date = Date(_number(match["year"]), _MONTHS[match["month"].casefold()], _number(match["day"]))
                yield match.span(), [date]
    for match in _YEAR_FIRST.finditer(text):
        yield match.span(), [Date(int(match["year"]), int(match["month"]), _number(match["day"]))]
    for match in _YEAR_LAST.finditer(text):
        one, other, year = int(match["one"]), int(match["other"]), int(match["year"])
        yield match.span(), [Date(year, other, one), *([Date(year, one, other)] if match["sign"] == "/" else [])]


def _is_date(match: re.Match[str]) -> bool:
    """Whether the words are a date: "may" alone is a verb."""
    groups = match.groupdict()
    month = groups.get("month") or ""
    is_alone = groups.get("day") is None and groups.get("year") is None
    return not (month and is_alone and (_MODAL.match(month) or month[0].islower()))


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
