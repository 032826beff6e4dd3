"""The number of a list item -> how it is shown: 3, c, iii, 03. Pure."""

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MOST = 100_000
BULLET = "•"
"""What marks an item without a number; the characters of symbol fonts mean nothing without their font."""


def letters(number: int) -> str:
    """Return the letter of a number as Word counts: 1 is a, 26 is z, 27 is aa, 28 is bb."""
    return chr(97 + (number - 1) % 26) * min((number - 1) // 26 + 1, 20) if number > 0 else str(number)


def base_letters(number: int) -> str:
    """Return the letter of a number as spreadsheets and web pages count: 27 is aa, 28 is ab."""
    shown = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        shown = chr(97 + rest) + shown
    return shown


def roman(number: int) -> str:
    """Return the number in small Roman numerals."""
    if not 0 < number < 4000:
        return str(number)
    shown = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        shown += sign * count
    return shown


def ordinal(number: int) -> str:
    """Return the number as an English ordinal: 1st, 22nd."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def shown_number(number: int, style: str) -> str:
    """Return the number in a style of Word: `decimal`, `lowerLetter`, `upperRoman`, ... An unknown style counts 1, 2, 3."""
    number = max(-_MOST, min(number, _MOST))
    if style in ("lowerLetter", "upperLetter"):
        shown = letters(number)
        return shown.upper() if style == "upperLetter" else shown
    if style in ("lowerRoman", "upperRoman"):
        shown = roman(number)
        return shown.upper() if style == "upperRoman" else shown
    if style == "decimalZero":
        return f"{number:02d}"
    if style == "ordinal":
        return ordinal(number)
    return "" if style == "none" else str(number)


def bullet(sign: str) -> str:
    """Return the sign of an item as plain text: itself, or the usual bullet for a sign of a symbol font."""
    is_plain = len(sign) == 1 and not sign.isalnum() and not sign.isspace() and not "\ue000" <= sign <= "\uf8ff"
    return sign if is_plain else BULLET
