"""A number of days and a date format -> the date, time or duration as a sheet shows it. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_SECONDS_OF_DAY = 86_400
_LAST_DAY = 2_958_465  # 9999-12-31
_MAX_DAYS = 10**9


class _Token(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def text(self) -> str: ...


def is_date_part(token: _Token) -> bool:
    """Whether the token is a part of a date, a time or a duration."""
    return token.kind in ("date", "duration", "half")


def shown_date(days: float, tokens: Sequence[_Token], *, is_1904: bool) -> str:
    """Return the days since the start of the calendar in the format; `#####`, as Excel shows, for what is no date."""
    if abs(days) > _MAX_DAYS:
        return "#####"
    decimals = _decimals(tokens)
    steps = round(abs(days) * _SECONDS_OF_DAY * 10**decimals)
    seconds, fraction = divmod(steps, 10**decimals)
    if any(token.kind == "duration" for token in tokens):
        sign = "-" if days < 0 and steps else ""
        return sign + "".join(_parts(tokens, None, seconds, f"{fraction:0{decimals}d}"))
    day, second = divmod(seconds, _SECONDS_OF_DAY)
    if days < 0 or day > _LAST_DAY:
        return "#####"
    return "".join(_parts(tokens, _date(day, is_1904=is_1904), second, f"{fraction:0{decimals}d}"))


def _date(day: int, *, is_1904: bool) -> date:
    if is_1904:
        return date(1904, 1, 1) + timedelta(days=min(day, _LAST_DAY - 1462))
    # Excel counts a 29 February 1900 that there never was: days before it are one off.
    return date(1899, 12, 30) + timedelta(days=day + 1 if day < 60 else day)


def _decimals(tokens: Sequence[_Token]) -> int:
    """How many decimals the seconds have: the zeros after a point that follows seconds."""
    for place, token in enumerate(tokens):
        if token.kind == "point" and place and _letter(tokens[place - 1]) == "s":
            count = 0
            while place + 1 + count < len(tokens) and tokens[place + 1 + count].text == "0":
                count += 1
            return min(count, 3)
    return 0


def _letter(token: _Token) -> str:
    return token.text[0].lower() if token.kind in ("date", "duration") else ""


def _parts(tokens: Sequence[_Token], day: date | None, second: int, fraction: str) -> list[str]:
    letters = [_letter(token) for token in tokens]
    units = [place for place, letter in enumerate(letters) if letter]
    halves = any(token.kind == "half" for token in tokens)
    shown: list[str] = []
    decimals = 0
    for place, token in enumerate(tokens):
        letter, width = letters[place], len(token.text)
        if letter == "m" and token.kind == "date":
            at = units.index(place)
            is_minute = (at > 0 and letters[units[at - 1]] == "h") or (
                at + 1 < len(units) and letters[units[at + 1]] == "s"
            )
            shown.append(_digits(second // 60 % 60, width) if is_minute else _month(day, width))
        elif token.kind == "duration":
            shown.append(f"{second // {'h': 3600, 'm': 60, 's': 1}[letter]:0{width}d}")
        elif letter == "h":
            hour = second // 3600 % 24
            shown.append(_digits((hour % 12 or 12) if halves else hour, width))
        elif letter == "s":
            shown.append(_digits(second % 60, width))
        elif letter:
            shown.append(_of_day(day, letter, width))
        elif token.kind == "half":
            first = token.text.split("/")[0 if second // 3600 % 24 < 12 else 1]
            shown.append(first)
        elif token.kind == "digit":
            shown.append(fraction[decimals : decimals + 1])
            decimals += 1
        else:
            shown.append(token.text)
    return shown


def _digits(number: int, width: int) -> str:
    return f"{number:0{min(width, 2)}d}"


def _month(day: date | None, width: int) -> str:
    if day is None:
        return ""
    name = _MONTHS[day.month - 1]
    return {1: str(day.month), 2: f"{day.month:02d}", 3: name[:3], 5: name[0]}.get(width, name)


def _of_day(day: date | None, letter: str, width: int) -> str:
    if day is None or letter == "g":
        return ""
    if letter == "d":
        name = _DAYS[day.weekday()]
        return {1: str(day.day), 2: f"{day.day:02d}", 3: name[:3]}.get(width, name)
    year = day.year + (543 if letter == "b" else 0)
    return f"{year % 100:02d}" if letter != "e" and width <= 2 else f"{year:04d}"
