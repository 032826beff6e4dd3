"""Rows of tables, records and fields as names and cells, and whether two of them contradict each other. Pure.

Rows read alike: "Total net sales; 2023: 81" and "Percentage of total net sales; 2023: 7" share nearly all words, and say
nothing of each other. Two rows contradict each other if they have one name and another value under one heading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.text.terms import words

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
        """Whether both name the same and differ in a value under one heading; most headings must be the same."""
        shared = self.values.keys() & other.values.keys()
        if not self.is_named_like(other):
            return False
        if len(shared) < _FEWEST_SHARED * min(len(self.values), len(other.values)):
            return False
        return any(self.values[heading] != other.values[heading] for heading in shared)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
