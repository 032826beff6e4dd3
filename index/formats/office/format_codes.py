"""A number format as a sheet states it -> its sections. Pure.

The codes are those of Excel (ECMA-376 part 1, 18.8.31), which XLS shares.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from index.formats.office.date_formats import is_date_part

_MAX_CODE = 300  # Excel allows 255 characters
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<pad>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<general>General)|(?P<exponent>E[+-])|(?P<half>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+|g+|e+|b+)"
    r"|(?P<digit>[0#?])|(?P<rest>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\Z")
_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0;-#,##0", 6: "#,##0;-#,##0", 7: "#,##0.00;-#,##0.00",
    8: "#,##0.00;-#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0_);(#,##0)", 38: "#,##0_);(#,##0)", 39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);(#,##0.00)", 41: "#,##0;-#,##0;-;@", 42: "#,##0;-#,##0;-;@", 43: "#,##0.00;-#,##0.00;-;@",
    44: "#,##0.00;-#,##0.00;-;@", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip


class Token(NamedTuple):
    """A part of a number format: literal text, a place for a digit, a part of a date and so on."""

    kind: str
    text: str


class Section(NamedTuple):
    """The part of a format for some numbers: for those that the condition names, if it has one."""

    tokens: tuple[Token, ...]
    condition: tuple[str, Decimal] | None
    is_date: bool


def built_in_code(number: int) -> str:
    """Return the code of a format that files refer to by its number alone; `General` for those that have none."""
    if 27 <= number <= 36 or 50 <= number <= 58:  # dates in East Asian notations
        return "yyyy-mm-dd"
    return _BUILT_IN.get(number, "General")


@lru_cache(maxsize=2048)
def sections(code: str) -> tuple[Section, ...]:
    """Return the sections of the code, at least one and at most four: for positive numbers, negative ones, zero, text."""
    if len(code) > _MAX_CODE:
        code = "General"
    parts: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup or "rest", match.group()
        if kind == "rest" and text == ";":
            parts.append([])
            continue
        if kind in ("quoted", "escaped"):
            parts[-1].append(Token("text", match.group(kind) or ""))
        elif kind == "pad" or (kind == "fill" and match.group(kind) == " "):
            is_sign = bool(parts[-1]) and parts[-1][-1].text in ("-", "(")  # a wide column parts it from its number
            parts[-1].append(Token("text", "" if is_sign else " "))
        elif kind == "bracket":
            parts[-1].append(_bracket(match.group(kind)))
        elif kind == "rest":
            special = {".": "point", ",": "comma", "%": "percent", "/": "slash", "@": "at"}
            parts[-1].append(Token(special.get(text, "text"), text))
        elif kind != "fill":
            parts[-1].append(Token(kind, text))
    return tuple(_section(part) for part in parts[:4])


def _bracket(text: str) -> Token:
    if text.startswith("$"):
        symbol, _, locale = text[1:].partition("-")
        if locale.upper() in ("F800", "F400"):
            return Token("system", "date" if locale.upper() == "F800" else "time")
        return Token("text", symbol)
    if re.fullmatch(r"(?i)h+|m+|s+", text):
        return Token("duration", text)
    return Token("condition", text) if _CONDITION.match(text) else Token("text", "")


def _section(tokens: list[Token]) -> Section:
    condition = next((_CONDITION.match(token.text) for token in tokens if token.kind == "condition"), None)
    kept = tuple(token for token in tokens if token.kind != "condition")
    system = next((token.text for token in kept if token.kind == "system"), "")
    if system:
        code = "yyyy-mm-dd" if system == "date" else "h:mm:ss"
        return Section(sections(code)[0].tokens, None, True)
    is_date = not any(token.kind in ("general", "exponent") for token in kept) and any(map(is_date_part, kept))
    return Section(kept, (condition[1], Decimal(condition[2])) if condition else None, is_date)
