"""The styles of a workbook -> the number format of a cell, and whether it is bold, filled or struck out. Pure."""

from typing import Any, NamedTuple

from index.formats.office.format_codes import built_in_code


class Style(NamedTuple):
    """What the style of a cell says. `is_strong`: bold or filled, as header cells are."""

    code: str = "General"
    is_strong: bool = False
    is_struck: bool = False


class Styles:
    """The styles of a workbook by number."""

    def __init__(self, styles: list[Style]) -> None:
        self._styles = styles

    def of(self, number: str | None) -> Style:
        """Return the style of that number; the plain one if there is none."""
        place = int(number) if number and number.isdigit() else 0
        return self._styles[place] if place < len(self._styles) else Style()


def read_styles(root: Any) -> Styles:
    """Return the styles of the part that holds them, which may be missing."""
    if root is None:
        return Styles([])
    codes = {item.get("numFmtId"): item.get("formatCode", "General") for item in root.iterfind("{*}numFmts/{*}numFmt")}
    bold: list[bool] = []
    struck: list[bool] = []
    for font in root.iterfind("{*}fonts/{*}font"):
        bold.append(_is_on(font.find("{*}b")))
        struck.append(_is_on(font.find("{*}strike")))
    filled = [_is_filled(fill) for fill in root.iterfind("{*}fills/{*}fill")]
    styles: list[Style] = []
    for item in root.iterfind("{*}cellXfs/{*}xf"):
        number, font, fill = item.get("numFmtId", "0"), _number(item, "fontId"), _number(item, "fillId")
        code = codes[number] if number in codes else built_in_code(int(number) if number.isdigit() else 0)
        is_strong = _at(bold, font) or _at(filled, fill)
        styles.append(Style(code, is_strong, _at(struck, font)))
    return Styles(styles)


def _is_on(element: Any) -> bool:
    return element is not None and element.get("val", "1") not in ("0", "false")


def _is_filled(fill: Any) -> bool:
    pattern = fill.find("{*}patternFill")
    return fill.find("{*}gradientFill") is not None or (
        pattern is not None and pattern.get("patternType", "none") not in ("none", "gray125")
    )


def _number(item: Any, name: str) -> int:
    stated = item.get(name, "0")
    return int(stated) if stated.isdigit() else 0


def _at(flags: list[bool], place: int) -> bool:
    return place < len(flags) and flags[place]
