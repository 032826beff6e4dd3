"""The markers of list items as a browser shows them: `3.`, `c.`, `iv.`. Pure."""

from collections.abc import Iterator

from index.formats.html.element import Element
from index.formats.html.styles import StyleSheet

_TYPES = {
    "a": "a", "A": "A", "i": "i", "I": "I", "1": "1", "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A",
    "upper-latin": "A", "lower-roman": "i", "upper-roman": "I", "decimal": "1",
}  # fmt: skip
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
    (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_MAX_ROMAN = 3999
BULLET = "-"


def item_markers(element: Element, styles: StyleSheet) -> Iterator[str]:
    """Yield the marker of each item in turn, hidden ones included: `-` in a list without numbers."""
    if element.tag != "ol":
        style = _TYPES.get(styles.of(element).list_type, "") if element.tag == "ul" else ""
        if not style:
            while True:
                yield BULLET
    items = [part for part in element.content if isinstance(part, Element) and part.tag == "li"]
    step = -1 if "reversed" in element.attributes else 1
    number = _integer(element.get("start"), len(items) if step < 0 else 1)
    kind = _kind(element, styles)
    for item in items:
        number = _integer(item.get("value"), number)
        yield f"{_shown(number, _kind(item, styles) or kind or '1')}."
        number += step


def _kind(element: Element, styles: StyleSheet) -> str:
    return _TYPES.get(styles.of(element).list_type) or _TYPES.get(element.get("type"), "")


def _shown(number: int, kind: str) -> str:
    if kind in "aA" and number > 0:
        letters = ""
        while number > 0:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord(kind) + rest) + letters
        return letters
    if kind in "iI" and 0 < number <= _MAX_ROMAN:
        numerals = ""
        for value, numeral in _ROMAN:
            count, number = divmod(number, value)
            numerals += numeral * count
        return numerals.upper() if kind == "I" else numerals
    return str(number)


def _integer(value: str, default: int) -> int:
    text = value.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else default
