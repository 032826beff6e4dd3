"""The lists of a Word document -> the mark of each numbered paragraph as Word shows it, in document order. Pure."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from index.formats.office.docx_styles import attribute, is_on, value
from index.formats.office.list_numbers import bullet, shown_number

_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")


class Mark(NamedTuple):
    """The mark of a paragraph: as shown, its depth from 0, and the list that it belongs to."""

    text: str
    depth: int
    listing: str


@dataclass(slots=True)
class _Level:
    style: str = "decimal"
    text: str = ""
    start: int = 1
    restarts_after: int | None = None  # the level, from 1, whose next number starts this one again; 0: none does
    is_legal: bool = False


@dataclass(slots=True)
class _Listing:
    """A list: its levels, and the last number on each, None before the first."""

    levels: list[_Level]
    numbers: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)


class Numbering:
    """Counts the numbered paragraphs of a document. A list goes on wherever it was interrupted."""

    def __init__(self, root: Any) -> None:
        self._listings: dict[str, _Listing] = {}
        self._instances: dict[str, tuple[str, dict[int, int]]] = {}
        self._own_levels: dict[tuple[str, int], _Level] = {}
        self._restarted: set[tuple[str, int]] = set()
        if root is None:
            return
        links: dict[str, str] = {}
        styles: dict[str, str] = {}
        for element in root.iterfind("{*}abstractNum"):
            name = attribute(element, "abstractNumId")
            self._listings[name] = _Listing(_levels(element))
            if value(element, "numStyleLink"):
                links[name] = value(element, "numStyleLink")
            if value(element, "styleLink"):
                styles[value(element, "styleLink")] = name
        for element in root.iterfind("{*}num"):
            number, name = attribute(element, "numId"), value(element, "abstractNumId")
            name = styles.get(links[name], name) if name in links else name
            starts: dict[int, int] = {}
            for override in element.iterfind("{*}lvlOverride"):
                level = _whole(attribute(override, "ilvl"), 0)
                start = value(override, "startOverride")
                if start:
                    starts[level] = _whole(start, 1)
                own = override.find("{*}lvl")
                if own is not None:
                    self._own_levels[number, level] = _level(own)
            self._instances[number] = (name, starts)

    def mark(self, number: str | None, level: int | None) -> Mark | None:
        """Return the mark of the next paragraph of that list and level; None if it shows none."""
        level = min(level or 0, _LEVELS - 1)
        name, starts = self._instances.get(number or "", ("", {}))
        listing = self._listings.get(name)
        if number is None or listing is None:
            return None
        self._count(listing, number, level, starts)
        shown = self._own_levels.get((number, level), listing.levels[level])
        if shown.style == "bullet":
            return Mark(bullet(shown.text.strip()), level, name)
        text = _PLACE.sub(lambda match: self._number(listing, number, int(match[1]) - 1, shown), shown.text).strip()
        return Mark(text, level, name) if text else None

    def _count(self, listing: _Listing, number: str, level: int, starts: dict[int, int]) -> None:
        last = listing.numbers[level]
        first = self._own_levels.get((number, level), listing.levels[level]).start
        if level in starts and (number, level) not in self._restarted:
            listing.numbers[level] = starts[level]
        else:
            listing.numbers[level] = first if last is None else last + 1
        self._restarted.add((number, level))
        for deeper in range(level + 1, _LEVELS):
            restarts = listing.levels[deeper].restarts_after
            if restarts is None or (restarts and level < restarts):
                listing.numbers[deeper] = None
        for upper in range(level):
            if listing.numbers[upper] is None:
                listing.numbers[upper] = listing.levels[upper].start

    def _number(self, listing: _Listing, number: str, level: int, shown: _Level) -> str:
        stated = self._own_levels.get((number, level), listing.levels[level])
        count = listing.numbers[level]
        style = "decimal" if shown.is_legal and stated.style != "decimalZero" else stated.style
        return shown_number(stated.start if count is None else count, style)


def _levels(element: Any) -> list[_Level]:
    levels = [_Level() for _ in range(_LEVELS)]
    for child in element.iterfind("{*}lvl"):
        place = _whole(attribute(child, "ilvl"), 0)
        if place < _LEVELS:
            levels[place] = _level(child)
    return levels


def _level(element: Any) -> _Level:
    restart = value(element, "lvlRestart")
    return _Level(
        value(element, "numFmt") or "decimal",
        value(element, "lvlText")[:60],
        _whole(value(element, "start"), 1),
        _whole(restart, 0) if restart else None,
        bool(is_on(element, "isLgl")),
    )


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else default
