"""The styles of a document: which size is the body's, and which rows are headings, of which level. Pure."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from index.formats.pdf.rows import Row

_LARGER = 1.1  # than the body's size
_MAX_WORDS = 25
_MAX_EMPHATIC = 12  # words of a heading that is not larger than the body
_MIN_LETTERS = 400  # of a page that has a body size of its own,
_MIN_WORDS = 9  # in lines of so many words
_MIN_CAPITALS = 8  # letters of a heading in capitals,
_MAX_CAPITALS = 0.05  # of all rows, if they are headings
_LETTERS_OF_LINE = 80  # of a line of prose, without its spaces

MAX_LEVEL = 6
"""Of a heading."""

_NO_HEADING = re.compile(r".*(?:[.,;]|\.{3}|\d{3}|@.*)\Z|[^\w]*\Z|\(.*\)\Z", re.DOTALL)
_WORD = re.compile(r"\w+")

Style = tuple[float, bool]


class RowFacts(NamedTuple):
    """What the whole document is judged by: a row's style, how many letters and words it has, and its right edge."""

    style: Style
    letters: int
    words: int
    right: float
    is_in_capitals: bool


def facts_of(row: Row) -> RowFacts:
    """Return the facts of a row."""
    letters = sum(len(word.text) for word in row.words)
    return RowFacts(style_of(row), letters, len(row.words), row.right, _is_in_capitals(row))


def style_of(row: Row) -> Style:
    """Return the size of the row, in steps of half a point, and whether it is bold or slanted."""
    return round(row.size * 2) / 2, row.is_emphatic


class Styles:
    """The styles of a document by how many letters have them, and its outline: (title, page from 1, level from 1)."""

    def __init__(self, rows: Iterable[RowFacts], outline: Sequence[tuple[str, int, int]]) -> None:
        all_rows = list(rows)
        letters: Counter[Style] = Counter()
        edges: Counter[int] = Counter()
        for row in all_rows:
            letters[row.style] += row.letters
            if row.words >= 4:
                edges[round(row.right)] += 1
        self.right = float(_share(edges, 0.95))
        sizes: Counter[float] = Counter()
        for (size, _), count in letters.items():
            sizes[size] += count
        self.body = max(sizes, key=lambda size: (sizes[size], size), default=10.0)
        of_body = letters[self.body, True], letters[self.body, False]
        self._emphasis_stands_out = of_body[0] * 2 < of_body[1]
        capitals = sum(row.is_in_capitals and row.style == (self.body, False) for row in all_rows)
        self._heads_by_capitals = 2 <= capitals <= _MAX_CAPITALS * len(all_rows)
        larger = sorted({size for size, _ in letters if size >= _LARGER * self.body}, reverse=True)
        self._levels = {size: min(level, MAX_LEVEL - 1) for level, size in enumerate(_merged(larger), start=1)}
        self._larger = larger
        self._outline: dict[int, dict[str, int]] = {}
        for title, page, level in outline:
            self._outline.setdefault(page, {}).setdefault(_bare(title), min(level, MAX_LEVEL))

    def outline_level(self, text: str, page: int) -> int:
        """Return the level of the entry of the outline with that text on that page; 0 if there is none."""
        titles = self._outline.get(page)
        return titles.get(_bare(text), 0) if titles else 0

    def begins_title(self, text: str, page: int) -> bool:
        """Whether an entry of the outline on that page begins with the text."""
        bare = _bare(text)
        return bool(bare) and any(title.startswith(bare) for title in self._outline.get(page, ()))

    def is_larger(self, row: Row, body: float) -> bool:
        """Whether the row is larger than the body."""
        return style_of(row)[0] >= _LARGER * body

    def body_of(self, rows: Sequence[Row]) -> float:
        """Return the body's size on a page; it differs from the document's where a page was drawn at a scale of its own.

        A page with some line of prose in the body's size was not, though tables and notes of a smaller size fill it.
        """
        sizes: Counter[float] = Counter()
        for row in rows:
            if len(row.words) >= _MIN_WORDS:
                sizes[style_of(row)[0]] += sum(len(word.text) for word in row.words)
        most = max(sizes, key=lambda size: (sizes[size], size), default=self.body)
        if sizes[self.body] >= _LETTERS_OF_LINE:
            return self.body
        return most if sizes[most] >= _MIN_LETTERS and sizes[most] * 2 >= sizes.total() else self.body

    def right_of(self, rows: Sequence[Row]) -> float:
        """Return how far to the right lines reach on a page: where two long ones end; else as in the whole document."""
        ends = sorted((row.right for row in rows if len(row.words) >= _MIN_WORDS), reverse=True)
        return next((end for end, after in itertools.pairwise(ends) if end - after < 3), self.right)

    def level(self, row: Row, body: float) -> int:
        """Return the level of a row that looks like a heading by its size or weight beside the body's; 0 if it does not."""
        text = row.text.strip()
        if _NO_HEADING.match(text) or len(text.split()) > _MAX_WORDS or not any(letter.isalpha() for letter in text):
            return 0
        size, is_emphatic = style_of(row)
        if size >= _LARGER * body:
            size *= self.body / body
            return self._levels[min(self._levels, key=lambda known: abs(known - size))] if self._levels else 1
        if self._heads_by_capitals and not is_emphatic and _is_in_capitals(row) and size >= 0.95 * body:
            return min(len(self._levels) + 1, MAX_LEVEL)
        if (
            is_emphatic
            and len(text.split()) <= _MAX_EMPHATIC
            and self._emphasis_stands_out
            and size >= 0.95 * body
            and not text.endswith(":")
        ):
            return min(len(self._levels) + 1 + self._heads_by_capitals, MAX_LEVEL)
        return 0


def _is_in_capitals(row: Row) -> bool:
    """Whether a row is a few words in capitals, such as "NOTE 13 — LEASES"."""
    letters = sum(map(str.isalpha, row.text))
    return row.text.isupper() and 2 <= len(row.words) <= _MAX_EMPHATIC and letters >= _MIN_CAPITALS


def _share(counts: Counter[int], share: float) -> int:
    """The value up to which that share of all counts lies; 0 without any."""
    rest = share * counts.total()
    for value in sorted(counts):
        rest -= counts[value]
        if rest <= 0:
            return value
    return 0


def _merged(sizes: Sequence[float]) -> list[float]:
    """The sizes, from the largest, without those within a twentieth of the one before."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size < 0.95 * kept[-1]:
            kept.append(size)
    return kept


def _bare(title: str) -> str:
    return " ".join(_WORD.findall(title.lower()))
