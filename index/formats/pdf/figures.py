"""Figures: which text of a cell is a number, an amount, a share, a year, or a dash in place of one. Pure."""

import re

CURRENCIES = frozenset("$ € £ ¥ US$ EUR USD GBP CHF".split())
"""Signs and codes of currencies, which may stand apart from their figure."""

_FIGURE = re.compile(
    r"[($€£¥+\-−–]*\s*(?:US)?\$?\s*\(?[\d][\d.,'’  ]*\s*[)%]*(?:\[\w{1,3}\])?\Z|[—–-]{1,3}\s*%?\Z|(?:n/?a|nm|\*)\Z",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"\d[\d.,]*\s(?:years?|months?|weeks?|days?|hours?|minutes?)\Z", re.IGNORECASE)
_YEAR = re.compile(r"(?:FY\s?)?(?:19|20)\d\d(?:\s?[-–/]\s?\d{2,4})?\Z", re.IGNORECASE)


def is_figure(text: str) -> bool:
    """Whether the text is a figure, with its currency or percent sign, or a dash for none."""
    return _FIGURE.match(text) is not None


def is_plain_figure(text: str) -> bool:
    """Whether the text is a figure and no year."""
    return is_figure(text) and not _YEAR.match(text)


def is_year(text: str) -> bool:
    """Whether the text is a year."""
    return _YEAR.match(text) is not None


def is_quantity(text: str) -> bool:
    """Whether the text is a figure with a unit of time: "8 years"."""
    return _QUANTITY.match(text) is not None
