"""The list styles of an OpenDocument file -> the mark of each item and numbered heading as it is shown. Pure."""

from typing import Any

from index.formats.office.list_numbers import BULLET, base_letters, bullet, roman
from index.formats.office.office_package import local_name
from index.formats.office.open_document import attribute

_LEVELS = 10


class Counter:
    """Counts the items of one list, or the headings of a document. `element` is the style; None marks nothing."""

    def __init__(self, element: Any) -> None:
        self._numbers: list[int | None] = [None] * _LEVELS
        self._levels: dict[int, Any] = {}
        for level in element if element is not None else ():
            place = attribute(level, "level")
            if place.isdecimal() and 1 <= int(place) <= _LEVELS:
                self._levels[int(place) - 1] = level

    def mark(self, depth: int, start: str = "") -> str:
        """Return the mark of the next item of that depth, from 0; `start` is the number that the item states, if any."""
        depth = min(depth, _LEVELS - 1)
        level = self._levels.get(depth)
        last = self._numbers[depth]
        first = _whole(attribute(level, "start-value") if level is not None else "", 1)
        self._numbers[depth] = _whole(start, first if last is None else last + 1)
        self._numbers[depth + 1 :] = [None] * (_LEVELS - depth - 1)
        if level is None:
            return ""
        if local_name(level) == "list-level-style-bullet":
            return bullet(attribute(level, "bullet-char"))
        if local_name(level) == "list-level-style-image":
            return BULLET
        return self._shown(level, depth)

    def _shown(self, level: Any, depth: int) -> str:
        stated = attribute(level, "num-list-format")
        if stated:
            for place in range(depth + 1):
                stated = stated.replace(f"%{place + 1}%", self._number(place))
            return stated.strip()
        count = max(1, min(_whole(attribute(level, "display-levels"), 1), depth + 1))
        numbers = [number for place in range(depth + 1 - count, depth + 1) if (number := self._number(place))]
        if not numbers or not attribute(level, "num-format"):
            return ""
        return f"{attribute(level, 'num-prefix')}{'.'.join(numbers)}{attribute(level, 'num-suffix')}".strip()

    def _number(self, depth: int) -> str:
        level = self._levels.get(depth)
        number = self._numbers[depth]
        if level is None:
            return ""
        if number is None:
            number = self._numbers[depth] = _whole(attribute(level, "start-value"), 1)
        style = attribute(level, "num-format")
        shown = base_letters(number) if style in ("a", "A") else roman(number) if style in ("i", "I") else str(number)
        return (shown.upper() if style in ("A", "I") else shown) if style else ""


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else default
