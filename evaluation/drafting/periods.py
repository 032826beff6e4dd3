"""Periods in the headers of tables: "Three Months Ended June 25, 2022 Fair Value" is a period and what is measured. Pure."""

import re
from dataclasses import dataclass
from itertools import pairwise

from evaluation.drafting.wording import one_line
from service.text.question_templates import MONTH

DATE = rf"(?:{MONTH}) \d{{1,2}}, (?:19|20)\d\d"
_LENGTH = r"(?i:(?:three|six|nine|twelve) months|quarter|(?:fiscal )?year)(?i: ended)?"
_PERIOD = re.compile(
    rf"(?P<length>{_LENGTH})?,?\s*(?P<date>{DATE})|(?P<length_of_year>{_LENGTH}(?:\s+(?:{MONTH}) \d{{1,2}},?)?)?,?\s*"
    r"(?P<year>\b(?:19|20)\d\d\b)"
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Header:
    """What a column holds: `period` as it is asked for ("in the three months ended June 25, 2022"), and `measure`."""

    period: str
    measure: str

    @property
    def year(self) -> str:
        """The year of the period; empty without one."""
        found = _YEAR.findall(self.period)
        return found[-1] if found else ""


def header_of(labels: list[str], corner: str) -> Header | None:
    """The header that these cells make, with the one over the first column, which may begin the period; None if the
    period is not clear.
    """
    begins_period = re.search(r"(?i)(?:months|quarter|year) ended", corner) is not None
    text = one_line(" ".join(labels))
    if begins_period and _PERIOD.search(text) and not re.search("(?i)ended", text):
        text = one_line(f"{corner.strip(' ,:')}, {text}")
    found = list(_PERIOD.finditer(text))
    if len(found) > 1:
        return None
    if not found:
        return Header("", text) if text and not _YEAR.search(text) else None
    match = found[0]
    measure = one_line(f"{text[: match.start()]} {text[match.end() :]}").strip(" ,:")
    if re.search(r"(?i)\b(?:months|quarter|ended|year)\b", measure):
        return None
    return Header(_asked(match), measure)


def _asked(match: re.Match[str]) -> str:
    length, date, year = match["length"], match["date"], match["year"]
    if date:
        return f"in the {length.lower()} {date}" if length else f"as of {date}"
    of_year = match["length_of_year"]
    if not of_year:
        return f"in {year}"
    words = one_line(of_year).rstrip(",").split()
    small = " ".join(word if re.fullmatch(MONTH, word) else word.lower() for word in words)
    return f"in the {small}, {year}" if words[-1].isdigit() else f"in the {small} {year}"


def are_in_order(years: list[str]) -> bool:
    """Whether the years never fall."""
    return all(first <= second for first, second in pairwise(years))
