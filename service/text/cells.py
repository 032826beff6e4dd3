"""Rows of tables, records and fields as names and cells, and whether two of them contradict each other. Pure.

Rows read alike: "Total net sales; 2023: 81" and "Percentage of total net sales; 2023: 7" share nearly all words, and say
nothing of each other. Two rows contradict each other if they have one name and another value under one heading.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.text.terms import words

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SIGNS = re.compile(r"[$€£¥\s]+")
_FEWEST_SHARED = 0.5  # of the headings of the row that has fewer


@dataclass(frozen=True, slots=True)
class Cells:
    """A row: the words of its first value, which names it, and its other values by their headings, in small letters."""

    name: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, named: Iterable[tuple[str, str]]) -> "Cells":
        """The row with these headings and values, in order. Of values under one heading the first counts."""
        (_, name), *others = [(_folded(heading), _folded(value)) for heading, value in named] or [("", "")]
        values: dict[str, str] = {}
        for heading, value in others:
            values.setdefault(heading, value)
        return cls(name, values)

    def is_named_like(self, other: "Cells") -> bool:
        """Whether both rows have one name."""
        return bool(self.name) and words(self.name) == words(other.name)

    def denies(self, other: "Cells") -> bool:
        """Whether both name the same and differ in a value under one heading; most headings must be the same.

        Where the tables are of other years or dates, a heading without one ("Change") says something else in each.
        """
        if not self.is_named_like(other):
            return False
        ours, theirs = set(self.values), set(other.values)
        if self._times() != other._times():
            ours, theirs = self._times(), other._times()
        if len(ours & theirs) < _FEWEST_SHARED * min(len(ours), len(theirs)):
            return False
        return any(_bare(self.values[heading]) != _bare(other.values[heading]) for heading in ours & theirs)

    def _times(self) -> set[str]:
        """Its headings with a year."""
        return {heading for heading in self.values if _YEAR.search(heading)}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _bare(value: str) -> str:
    """A value without the sign of its currency, which only the first rows of many tables have."""
    return _SIGNS.sub("", value) or value
