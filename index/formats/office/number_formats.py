"""A cell's value and its number format -> the text that the sheet shows. Pure.

What a code leaves to the settings of the person who looks is shown in one way: a decimal point, commas between thousands,
English names of months and days, and system dates as `2024-03-09`.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import isfinite

from index.formats.office.date_formats import shown_date
from index.formats.office.format_codes import Section, Token, sections

_PLAIN_BELOW = 10**9
_MAX_WHOLE_DIGITS = 15  # Excel keeps 15 digits of a number


def shown(value: float | str | bool, code: str, *, is_1904: bool = False) -> str:
    """Return the value as a sheet shows it in that number format. Dates are numbers of days; `is_1904` says since when."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return _shown_text(value, sections(code))
    if not isfinite(value):
        return "#NUM!"
    if code == "General" and 1 <= abs(value) < _PLAIN_BELOW:  # most cells, in a tenth of the time
        return str(int(value)) if value == int(value) else _without_zeros(f"{value:.10g}")
    return _shown_number_or_date(value, sections(code), is_1904=is_1904)


def _shown_number_or_date(value: float, found: tuple[Section, ...], *, is_1904: bool) -> str:
    number = Decimal(f"{value:.15g}")
    section, is_signed = _section_for(number, found)
    if section is None:
        return "#####"
    if section.is_date:
        return _trimmed(shown_date(float(value), section.tokens, is_1904=is_1904))
    return _trimmed(_shown_number(number if is_signed else abs(number), section.tokens))


def is_date_code(code: str) -> bool:
    """Whether the format shows its first section as a date, a time or a duration."""
    return sections(code)[0].is_date


def general(number: Decimal) -> str:
    """Return the number as the format General shows it: up to 10 significant digits, but whole numbers with all theirs."""
    if number == 0:
        return "0"
    exponent = number.adjusted()
    if number == number.to_integral_value() and exponent < _MAX_WHOLE_DIGITS:
        return f"{number:f}".split(".", 1)[0]
    if exponent >= _MAX_WHOLE_DIGITS or exponent < -9:
        mantissa, power = f"{number:.5E}".split("E")
        return f"{_without_zeros(mantissa)}E{power[0]}{int(power[1:]):02d}"
    return _without_zeros(f"{_rounded(number, max(0, min(9, 9 - exponent))):f}")


def _section_for(number: Decimal, found: tuple[Section, ...]) -> tuple[Section | None, bool]:
    """The section that shows the number, and whether it shows the minus sign of a negative one."""
    if any(section.condition for section in found):
        for section in found[:3]:
            if section.condition is None:
                return section, True
            if _holds(number, section.condition):
                sign, bound = section.condition
                return section, not (sign in ("<", "<=") and bound <= 0)
        return None, True
    if number < 0 and len(found) > 1:
        return found[1], False
    if number == 0 and len(found) > 2:
        return found[2], True
    return found[0], True


def _holds(number: Decimal, condition: tuple[str, Decimal]) -> bool:
    sign, bound = condition
    if sign in ("<", "<="):
        return number < bound or (sign == "<=" and number == bound)
    if sign in (">", ">="):
        return number > bound or (sign == ">=" and number == bound)
    return (number == bound) == (sign == "=")


def _shown_text(value: str, found: tuple[Section, ...]) -> str:
    section = found[3] if len(found) > 3 else found[-1]
    if len(found) < 4 and not any(token.kind == "at" for token in section.tokens):
        return value
    return "".join(
        value if token.kind == "at" else token.text for token in section.tokens if token.kind in ("at", "text")
    )


def _shown_number(number: Decimal, tokens: tuple[Token, ...]) -> str:
    kinds = [token.kind for token in tokens]
    if "general" in kinds or "at" in kinds:
        return _signed(number, "".join(general(abs(number)) if k in ("general", "at") else t for k, t in tokens))
    if "digit" not in kinds:
        return _signed(number, "".join(token.text for token in tokens)) if tokens else ""
    size = abs(number).scaleb(2 * kinds.count("percent"))
    slash = _fraction_slash(tokens)
    if slash is not None:
        text = _shown_fraction(size, tokens, slash)
    elif "exponent" in kinds:
        text = _shown_scientific(size, tokens)
    else:
        text = _shown_decimal(size, tokens)
    return _signed(number, text)


def _shown_decimal(size: Decimal, tokens: tuple[Token, ...]) -> str:
    point, scale, is_grouped, decimals = _decimal_places(tokens)
    digits, _, behind = f"{_rounded(size.scaleb(-3 * scale), decimals):f}".partition(".")
    front = _whole_digits(digits.lstrip("0"), tokens[:point], is_grouped=is_grouped)
    shown_behind = _decimal_digits(behind, tokens[point:])
    return front + shown_behind


@lru_cache(256)
def _decimal_places(tokens: tuple[Token, ...]) -> tuple[int, int, bool, int]:
    """Where the point stands, how many thousands the number is divided by, whether it is grouped, and its decimals."""
    last = max(place for place, token in enumerate(tokens) if token.kind == "digit")
    point = next((place for place, token in enumerate(tokens) if token.kind == "point"), len(tokens))
    last_whole = max((place for place, t in enumerate(tokens[:point]) if t.kind == "digit"), default=-1)
    first = next(place for place, token in enumerate(tokens) if token.kind == "digit")
    scale = sum(
        token.kind == "comma" for place, token in enumerate(tokens) if last_whole < place < point or place > last
    )
    is_grouped = any(token.kind == "comma" for token in tokens[first : last_whole + 1])
    return point, scale, is_grouped, sum(token.kind == "digit" for token in tokens[point:])


def _whole_digits(digits: str, tokens: tuple[Token, ...], *, is_grouped: bool) -> str:
    """The digits in their places, from the right; the first place takes all that are left."""
    places = sum(token.kind == "digit" for token in tokens)
    parts: list[str] = []
    written = 0
    for token in reversed(tokens):
        if token.kind != "digit":
            parts.append("" if token.kind == "comma" else token.text)
            continue
        places -= 1
        taken = digits[: len(digits) - written][::-1] if not places else digits[::-1][written : written + 1]
        for digit in taken or {"0": "0", "?": " "}.get(token.text, ""):
            if is_grouped and written and written % 3 == 0 and digit != " ":
                parts.append(",")
            parts.append(digit)
            written += 1
    if not written and digits:
        parts.append(digits)
    return "".join(reversed(parts))


def _decimal_digits(digits: str, tokens: tuple[Token, ...]) -> str:
    significant = len(digits.rstrip("0"))
    parts: list[str] = []
    place = 0
    for token in tokens:
        if token.kind == "digit":
            digit = digits[place : place + 1] or "0"
            is_kept = place < significant or token.text == "0"
            parts.append(digit if is_kept else {"?": " "}.get(token.text, ""))
            place += 1
        elif token.kind != "comma":
            parts.append(token.text)
    return "".join(parts)


def _shown_scientific(size: Decimal, tokens: tuple[Token, ...]) -> str:
    at = next(place for place, token in enumerate(tokens) if token.kind == "exponent")
    mantissa, rest = tokens[:at], tokens[at + 1 :]
    point = next((place for place, token in enumerate(mantissa) if token.kind == "point"), len(mantissa))
    step = max(1, sum(token.kind == "digit" for token in mantissa[:point]))
    decimals = sum(token.kind == "digit" for token in mantissa[point:])
    power = (size.adjusted() // step) * step if size else 0
    scaled = _rounded(size.scaleb(-power), decimals)
    if scaled >= Decimal(10) ** step:
        power += step
        scaled = _rounded(size.scaleb(-power), decimals)
    whole, _, behind = f"{scaled:f}".partition(".")
    front = _whole_digits(whole.lstrip("0") or "0", mantissa[:point], is_grouped=False)
    sign = "-" if power < 0 else "+" if tokens[at].text.endswith("+") else ""
    width = sum(token.kind == "digit" and token.text == "0" for token in rest)
    after = "".join(token.text for token in rest if token.kind not in ("digit", "comma"))
    return f"{front}{_decimal_digits(behind, mantissa[point:])}E{sign}{abs(power):0{max(1, width)}d}{after}"


def _fraction_slash(tokens: tuple[Token, ...]) -> int | None:
    """The place of the slash of a fraction: digits before it, digits or a number after it."""
    for place, token in enumerate(tokens):
        if token.kind == "slash" and "digit" in (t.kind for t in tokens[:place]) and place + 1 < len(tokens):
            after = tokens[place + 1]
            return place if after.kind == "digit" or after.text.isdigit() else None
    return None


def _shown_fraction(size: Decimal, tokens: tuple[Token, ...], slash: int) -> str:
    start = slash
    while start and tokens[start - 1].kind == "digit":
        start -= 1
    end = slash + 1
    while end < len(tokens) and (tokens[end].kind == "digit" or tokens[end].text.isdigit()):
        end += 1
    below = "".join(token.text for token in tokens[slash + 1 : end])
    has_whole = any(token.kind == "digit" for token in tokens[:start])
    whole = int(size) if has_whole else 0
    upper, lower = _closest_fraction(size - whole, below)
    if has_whole and upper == lower:
        whole, upper = whole + 1, 0
    after = "".join(token.text for token in tokens[end:])
    front = "".join(token.text for token in tokens[:start] if token.kind not in ("digit", "comma"))
    if has_whole and not upper:
        return f"{front.rstrip()}{whole}{after}"
    return f"{front.rstrip()}{f'{whole} ' if whole else ''}{upper}/{lower}{after}"


def _closest_fraction(part: Decimal, below: str) -> tuple[int, int]:
    """The closest fraction with the denominator that is given, or one of so many digits."""
    if below.isdigit() and int(below):
        return int(_rounded(part * int(below), 0)), int(below)
    most = 10 ** min(len(below), 3) - 1
    best = min(range(1, most + 1), key=lambda lower: (abs(_rounded(part * lower, 0) / lower - part), lower))
    return int(_rounded(part * best, 0)), best


def _rounded(number: Decimal, decimals: int) -> Decimal:
    """The number with so many decimals, halves rounded away from zero as Excel does."""
    if number.adjusted() > 300 - decimals or number.as_tuple().exponent == -decimals:
        return number
    context_digits = max(28, number.adjusted() + decimals + 2)
    sign, digits, exponent = number.as_tuple()
    if context_digits <= 28:
        return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert isinstance(exponent, int)
    whole = int("".join(map(str, digits)) or "0")
    shift = exponent + decimals
    scaled = whole * 10**shift if shift >= 0 else (whole + 5 * 10 ** (-shift - 1)) // 10**-shift
    return Decimal(f"{'-' if sign else ''}{scaled}E-{decimals}")


def _signed(number: Decimal, text: str) -> str:
    is_zero = not any(digit in text for digit in "123456789")
    return f"-{text}" if number < 0 and not is_zero else text


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _trimmed(text: str) -> str:
    return re.sub(" +", " ", text).strip(" ")
