"""Years, quarters, months and other figures as the names of columns. Pure."""

import re
from collections.abc import Sequence

PERIOD = re.compile(r"(?:(?:FY|Q[1-4]|H[12])\s?)?(?:(?:19|20)\d\d)(?:\s?[-/–]\s?\d\d(?:\d\d)?)?\Z")
"""A year or a part of one, as a table names it: 2024, Q1 2024, FY2024/25."""

_SHORT = re.compile(
    r"(?i)(?:Q[1-4]|H[12]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}\.?)"
    r"(?:[\s/-]?'?(?:(?:19|20)\d\d|\d\d))?\Z"
)
_FIGURE = re.compile(r"[^\w\s]*\s?\d")


def has_period_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row is a word and then periods or figures, and the cells below are of another kind.

    Below periods half the cells at least are none; below other figures no cell begins with a figure.
    """
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    first, *names = (name.strip() for name in rows[0])
    below = [value.strip() for row in rows[1:] for value in row[1:] if value.strip()]
    if not first or not below or _FIGURE.match(first) or len(set(names)) < len(names) or not all(names):
        return False
    if all(_is_period(name) for name in names):
        return 2 * sum(not _is_period(value) for value in below) >= len(below)
    return all(_FIGURE.match(name) for name in names) and not any(_FIGURE.match(value) for value in below)


def _is_period(text: str) -> bool:
    return PERIOD.match(text) is not None or _SHORT.match(text) is not None
