"""Words -> rows: what stands side by side on a page, from left to right, superscripts in the row that they belong to. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from index.formats.pdf.words import HYPHEN_AT_LINE_END, PageWords

_SAME_LINE = 0.3  # of the lower height: baselines closer than that are one row's
_SMALL = 0.82  # of the page's usual height: words that may be marks of a larger line
_MARK_SIZE = 0.88  # of the row's size: a superscript or subscript, if it is raised or lowered; browsers make them 0.83
_RAISED = 0.12  # of the row's size, from baseline to baseline


class Word(NamedTuple):
    """A word, or a piece of one that `touches` what is before it. `place` is its number among the words of the page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    baseline: float
    is_emphatic: bool
    touches: bool
    place: int

    @property
    def height(self) -> float:
        """The height of its font, about 1.15 times the font's size."""
        return self.bottom - self.top


@dataclass(slots=True)
class Row:
    """Words from left to right on one line of a page; `baseline` and `size` (a height) are those of most of its letters."""

    words: list[Word]
    baseline: float = 0.0
    size: float = 0.0
    left: float = 0.0
    right: float = 0.0
    is_emphatic: bool = False
    raised: frozenset[int] = field(default_factory=frozenset)  # places of superscripts
    lowered: frozenset[int] = field(default_factory=frozenset)

    @property
    def top(self) -> float:
        """The upper edge of its letters."""
        return min(word.top for word in self.words)

    @property
    def bottom(self) -> float:
        """The lower edge of its letters."""
        return max(word.bottom for word in self.words)

    @property
    def text(self) -> str:
        """Its words with spaces."""
        parts: list[str] = []
        for word in self.words:
            parts.append(word.text if word.touches or not parts else f" {word.text}")
        return "".join(parts).replace(HYPHEN_AT_LINE_END, "-")

    @property
    def ends_in_hyphen(self) -> bool:
        """Whether PDFium says that its last word goes on in the next line."""
        return self.words[-1].text.endswith(HYPHEN_AT_LINE_END)


def rows_of(words: PageWords, is_emphatic: Sequence[bool]) -> list[Row]:
    """Return the rows of a page, from top to bottom."""
    left, top, right, bottom, baseline = (
        values.tolist() for values in (words.left, words.top, words.right, words.bottom, words.baseline)
    )
    touches = words.touches.tolist()
    every = [*map(Word, words.texts, left, top, right, bottom, baseline, is_emphatic, touches, range(len(left)))]
    usual = sorted(word.height for word in every)[len(every) // 2] if every else 0.0
    groups = _groups(word for word in every if word.height >= _SMALL * usual)
    alone = _with_small_words(groups, [word for word in every if word.height < _SMALL * usual])
    rows = [row_of(group) for group in (*_merged(groups), *_merged(_groups(alone)))]
    return sorted(rows, key=lambda row: row.baseline)


def _groups(words: Iterable[Word]) -> list[list[Word]]:
    """The words in groups with one baseline, from top to bottom."""
    groups: list[list[Word]] = []
    baseline = height = 0.0
    for word in sorted(words, key=lambda word: word.baseline):
        if not groups or word.baseline - baseline > _SAME_LINE * min(height, word.height):
            groups.append([])
            baseline, height = word.baseline, word.height
        groups[-1].append(word)
    return groups


def row_of(words: Iterable[Word]) -> Row:
    """Return the row of these words."""
    ordered = sorted(words, key=_from_left)
    letters: dict[tuple[int, int], int] = {}
    emphatic = total = 0
    for word in ordered:
        key = (round((word.bottom - word.top) * 2), round(word.baseline))
        length = len(word.text)
        letters[key] = letters.get(key, 0) + length
        total += length
        emphatic += length if word.is_emphatic else 0
    most = max(letters, key=lambda key: (letters[key], key[0]))
    first = next(word for word in ordered if (round((word.bottom - word.top) * 2), round(word.baseline)) == most)
    size, baseline = first.height, first.baseline
    row = Row(ordered, baseline, size, ordered[0].left, max(word.right for word in ordered))
    row.is_emphatic = emphatic * 10 >= total * 9
    if len(letters) == 1:
        return row
    small = [word for word in ordered if word.height < _MARK_SIZE * size]
    row.raised = frozenset(word.place for word in small if word.baseline < baseline - _RAISED * size)
    row.lowered = frozenset(word.place for word in small if word.baseline > baseline + _RAISED * size)
    return row


def _from_left(word: Word) -> tuple[float, int]:
    return word.left, word.place


def _with_small_words(groups: list[list[Word]], small: Sequence[Word]) -> list[Word]:
    """Add superscripts and subscripts to the group whose word they stand beside; return the small words that stand alone."""
    sizes = [max(word.height for word in group) for group in groups]
    baselines = [group[0].baseline for group in groups]
    alone: list[Word] = []
    for word in small:
        place = bisect_left(baselines, word.baseline)
        near = (other for other in (place, place - 1) if 0 <= other < len(groups))
        target = next((other for other in near if _belongs(word, groups[other], sizes[other])), None)
        if target is None:
            alone.append(word)
        else:
            groups[target].append(word)
    return alone


def _merged(groups: list[list[Word]]) -> list[list[Word]]:
    """The groups, with words that are small beside those of the next or last group moved there: marks of a larger line."""
    for number, group in enumerate(groups):
        for other in (number + 1, number - 1):
            if 0 <= other < len(groups) and groups[other] and group:
                size = max(word.height for word in groups[other])
                if min(word.height for word in group) < _MARK_SIZE * size:
                    moved = [word for word in group if _belongs(word, groups[other], size)]
                    groups[other].extend(moved)
                    group[:] = [word for word in group if word not in moved]
    return [group for group in groups if group]


def _belongs(word: Word, group: list[Word], size: float) -> bool:
    if word.height >= _MARK_SIZE * size or not group:
        return False
    top, bottom = min(other.top for other in group[:1]), max(other.bottom for other in group[:1])
    if min(bottom, word.bottom) - max(top, word.top) < 0.5 * word.height:
        return False
    return any(
        -0.3 * size < word.left - other.right < 0.3 * size or -0.3 * size < other.left - word.right < 0.3 * size
        for other in group
        if other.height >= size * _MARK_SIZE
    )


def segments(row: Row, gap: float) -> list[list[Word]]:
    """Return the words of the row in groups that gaps wider than `gap` times its size part."""
    found: list[list[Word]] = []
    end = 0.0
    for word in row.words:
        if not found or word.left - end > gap * row.size:
            found.append([])
            end = word.right
        found[-1].append(word)
        end = max(end, word.right)
    return found


def parted(row: Row, x: float) -> tuple[Row | None, Row | None]:
    """Return the row's words left and right of `x`."""
    middle = bisect_left([(word.left + word.right) / 2 for word in row.words], x)
    before, after = row.words[:middle], row.words[middle:]
    if not before or not after:
        return (row, None) if before else (None, row)
    return row_of(before), row_of(after)
