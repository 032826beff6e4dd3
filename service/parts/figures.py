"""Figures and dates of a text with their literal ranges, and whether two of them can be compared. Pure.

A figure is a number with its unit, its rate ("a day") and what limits it ("up to"); a range ("10 to 20 kg") is none. Two
figures can be compared if they measure the same in the same way: 24 months and 3 years, but not euros and francs, nor a price
a month and one a year. Numbers without a unit must count the same thing, or stand in the same column.
"""

import calendar
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from operator import itemgetter

from index.languages.frequent_words import likely_language
from service.parts.units import SIGNS, measure_of, scale_of, unit_name
from service.text.dates import Date, dates_in
from service.text.telling_words import IRREGULAR, SYNONYMS
from service.text.terms import STOP_WORDS

_SPELLED = {
    word: number
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen twenty".split(),
        start=2,
    )
}
_NUMBER = re.compile(
    rf"(?<![\w.,/-])(?:(?P<sign>US\$|[€$£¥₹]|(?:EUR|USD|GBP|CHF)(?=[ \d]))[ \u00a0]?)?"
    rf"(?P<minus>[-−])?(?:(?P<digits>\d+(?:[.,'’\u00a0\u202f]\d+|[ ]\d{{3}}(?!\d))*)|(?P<word>{'|'.join(_SPELLED)})(?![\w-]))",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[ \u00a0-]?(?P<unit>%|°[CF]|[€$£¥₹]|[^\W\d_]+(?:[²³]|/h\b)?\.?)")
_PER = re.compile(r"[ ]?(?:/[ ]?|(?:a|an|per|each|every|pro|je|par|por|al|à)[ ])(?P<per>[^\W\d_]+)", re.IGNORECASE)
_RANGE_AFTER = re.compile(r"[ \u00a0]?(?:–|-|to|bis|à|hasta|±)[ \u00a0]?[€$£]?\d", re.IGNORECASE)
_RANGE_BEFORE = re.compile(
    r"(?:\d[^\W\d_]*[ ]?(?:–|-)|\d[ ]?(?:to|bis|à|hasta)[ ]|\bbetween\s[^.;]{1,30}\band\s|±)[ ]?[€$£]?\Z", re.IGNORECASE
)
_BETWEEN = re.compile(r"\bbetween\s+[€$£]?\Z", re.IGNORECASE)
_LIMITS = tuple(
    (
        name,
        re.compile(
            rf"(?:(?<!\w)(?:{words})\s+|~\s*)[€$£]?\Z" if name == "about" else rf"(?<!\w)(?:{words})\s+[€$£]?\Z",
            re.IGNORECASE,
        ),
    )
    for name, words in (
        (
            "most",
            "up to|at most|no more than|not more than|a maximum of|less than|under|below|bis zu|höchstens|jusqu['’]à|hasta",
        ),
        (
            "least",
            "at least|no less than|not less than|a minimum of|more than|over|above|mindestens|über|au moins|al menos",
        ),
        ("about", "about|around|approximately|roughly|nearly|almost|circa|etwa|rund|environ|ca\\."),
    )
)
_YEAR = re.compile(r"(?<![\w.,/-])(?:1[5-9]|20|21)\d\d(?![\w/-]|[.,]\d)")
_IN_YEAR = re.compile(
    r"\b(?:in|since|from|until|by|of|during|after|before|year|to|seit|im|bis|en|depuis|desde|nel|em)\s\Z", re.IGNORECASE
)
_COUNTED = re.compile(r"[ \u00a0-]?(?P<noun>[^\W\d_][\w-]*)")
_ADJECTIVES_OF_DAYS = frozenset("working business calendar school banking werktage square cubic".split())
_LOOK_BACK = 40
_MOST_DIGITS = 40  # a longer run of digits is a key or a hash
_COMMA_LANGUAGES = frozenset(("de", "fr", "es", "it", "pt", "nl"))
_GROUPS = re.compile(r"\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+\Z")
_STEM = 6
_NEGATIVE = re.compile(
    r"\s*(?:[€$£¥]?\s?\([€$£¥]?\s?\d[\d.,'’\s]*%?\)|[-−–]\s?[€$£¥]?\s?\d[\d.,'’\s]*|[€$£¥]\s?[-−–]\s?\d[\d.,'’\s]*)\s?%?\s*\Z"
)
"""A whole cell with a negative number: in brackets, as in accounts, or with a minus or dash before its sign."""
DATE = "date"
NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure or date at `text[start:end]`.

    `low` and `high` are its value in the base unit of its `kind`, equal but for a date: the days of its year or month.
    `unit` is what one unit as written is worth. `before` and `after` are what is written around the number. `nouns` are the
    words that may say what is counted. `header` names its column, and `row` its row, if it stands in a table.
    """

    start: int
    end: int
    kind: str
    low: Fraction
    high: Fraction
    unit: Fraction = Fraction(1)
    before: str = ""
    after: str = ""
    per: str = ""
    limit: str = ""
    nouns: frozenset[str] = frozenset()
    header: str = ""
    row: str = ""


def figures_of(text: str) -> list[Figure]:
    """The figures and dates of a text, in order. A year by itself is a date, and so is no number of a date a figure."""
    dates = dates_in(text)
    spans = [span for span, _ in dates]
    years = [
        match.span()
        for match in _YEAR.finditer(text)
        if not _inside(match.start(), spans) and _is_year(text, *match.span())
    ]
    read = (_of_date(*span, found[0]) for span, found in dates if len(found) == 1)
    read_years = (_of_date(start, end, Date(int(text[start:end]), 0, None)) for start, end in years)
    dated = [figure for figure in (*read, *read_years) if figure is not None]
    taken = sorted([*spans, *years])
    uses_comma = likely_language(text, 2) in _COMMA_LANGUAGES
    numbers = [
        figure
        for match in _NUMBER.finditer(text)
        if not _inside(match.start(), taken) and (figure := _of_number(match, text, uses_comma=uses_comma)) is not None
    ]
    return sorted([*dated, *numbers], key=lambda figure: figure.start)


def can_compare(one: Figure, other: Figure) -> bool:
    """Whether the figures measure the same in the same way."""
    if (one.kind, one.per, one.limit) != (other.kind, other.per, other.limit):
        return False
    if one.kind != NUMBER:
        return True
    same_column = bool(one.header) and one.header == other.header
    periods = one.row == other.row and bool(one.row) and _is_period(one.header) and _is_period(other.header)
    return same_column or periods or bool(one.nouns & other.nouns)


def order(one: Figure, other: Figure) -> int | None:
    """-1, 0 or 1 as the first is less than, equal to or more than the second; None for dates of which neither is known."""
    if (one.low, one.high) == (other.low, other.high):
        return 0
    if one.high < other.low:
        return -1
    return 1 if one.low > other.high else None


def difference(one: Figure, other: Figure) -> str:
    """The difference as the figures are written, "4.7 kg"; years, or days of full dates. Empty if it cannot be written so."""
    if one.kind == DATE:
        return _date_difference(one, other)
    finer, coarser = sorted((one, other), key=lambda figure: figure.unit)
    gap = abs(one.low - other.low) / finer.unit
    written = _decimal(gap)
    if not written:
        return ""
    shown = max((one, other), key=lambda f: abs(f.low)) if finer.unit == coarser.unit else finer
    after = shown.after
    if gap == 1 and after.endswith("s") and measure_of(after.strip()) is not None and len(after.strip()) > 3:
        after = after[:-1]
    return f"{shown.before}{written}{after}"


def in_cell(text: str, header: str, row: str) -> list[Figure]:
    """The figures of a table's cell under its header, which may give the unit: "Weight (kg)", "Price in EUR"."""
    found = _negative(text) if _NEGATIVE.match(text) else figures_of(text)
    nouns = frozenset(stem(word) for word in re.findall(r"[^\W\d_]{3,}", header) if word.casefold() not in STOP_WORDS)
    united = (_with_unit_of(figure, header) if figure.kind == NUMBER else figure for figure in found)
    per = _PER.search(header)
    rate = unit_name(per["per"]) if per else ""
    return [
        replace(figure, header=_fold(header), row=row, nouns=figure.nouns | nouns, per=figure.per or rate)
        for figure in united
    ]


def _negative(text: str) -> list[Figure]:
    """The figure of a cell that holds nothing but a negative number, with its brackets or minus."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    sign = "".join(mark for mark in text if mark in SIGNS)
    number = "".join(mark for mark in text if mark.isdecimal() or mark in ".,'’ \u00a0\u202f").strip()
    read = figures_of(f"{sign or '-'}{number}{'%' if '%' in text else ''}")
    return [
        replace(one, start=start, end=end, low=-abs(one.low), high=-abs(one.high)) for one in read if one.kind != DATE
    ]


def _of_number(match: re.Match[str], text: str, *, uses_comma: bool) -> Figure | None:
    digits, sign = match["digits"], match["sign"] or ""
    number = Fraction(_SPELLED[match["word"].casefold()]) if digits is None else _value(digits, uses_comma=uses_comma)
    before_text = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    if number is None or _RANGE_BEFORE.search(before_text) or _BETWEEN.search(before_text):
        return None
    if match["minus"]:
        number = -number
    end = match.end()
    scale = Fraction(1)
    word = _UNIT.match(text, end)
    large = scale_of(word["unit"]) if word else None
    if word and large is None and sign and word["unit"].casefold() == "m" and text[end] == "m":
        large = 10**6
    if word and large is not None:
        scale, end = Fraction(large), word.end("unit")
    kind, unit_scale, nouns = NUMBER, Fraction(1), frozenset[str]()
    after = _UNIT.match(text, end)
    named = measure_of(sign) if sign else (measure_of(after["unit"]) if after else None)
    if sign and named:
        kind = named.kind
    elif named and after:
        kind, unit_scale, end = named.kind, named.scale, after.end("unit") - after["unit"].endswith(".")
    else:
        nouns, kind, end = _counted(text, end)
    if _RANGE_AFTER.match(text, match.end()) or _RANGE_AFTER.match(text, end):
        return None
    per = _PER.match(text, end)
    value = number * scale * unit_scale
    return Figure(
        start=match.start(),
        end=end,
        kind=kind,
        low=value,
        high=value,
        unit=scale * unit_scale,
        before=sign,
        after=text[match.end() : end],
        per=unit_name(per["per"])
        if per and per["per"].casefold() not in ("time", "maximum", "minimum", "result")
        else "",
        limit=next((name for name, pattern in _LIMITS if pattern.search(before_text)), ""),
        nouns=nouns,
    )


def _counted(text: str, end: int) -> tuple[frozenset[str], str, int]:
    """What a number counts: the stems of up to three words after it, its kind, and where it ends with its noun.

    "5 working days" are a kind of their own.
    """
    nouns: list[str] = []
    first_end = end
    place = end
    while len(nouns) < 3:
        match = _COUNTED.match(text, place)
        if (
            match is None
            or match["noun"].casefold() in STOP_WORDS - {"people"}
            or measure_of(match["noun"]) is not None
        ):
            break
        nouns.append(match["noun"])
        place = match.end()
        first_end = place if len(nouns) == 1 else first_end
    if nouns and nouns[-1].casefold() in _ADJECTIVES_OF_DAYS:
        unit = _COUNTED.match(text, place)
        if unit is not None and measure_of(unit["noun"]) is not None:
            return frozenset(), f"{nouns[-1].casefold()} {unit_name(unit['noun'])}", unit.end()
    stems = frozenset(stem(noun) for noun in nouns if len(noun) > 2 and noun.islower())
    is_noun = len(nouns) == 1 or (bool(nouns) and (nouns[0].endswith("s") or nouns[0] == "people"))
    return stems, NUMBER, first_end if stems and is_noun else end


def _value(digits: str, *, uses_comma: bool) -> Fraction | None:
    """The number that the digits write; None if they write none (a version, a list, a key)."""
    plain = re.sub(r"['’\u00a0\u202f ]", "", digits)
    if len(plain) > _MOST_DIGITS:
        return None
    dots, commas = plain.count("."), plain.count(",")
    if dots and commas:
        decimal = max(plain.rfind("."), plain.rfind(","))
        if plain.count(plain[decimal]) > 1:
            return None
        other = "," if plain[decimal] == "." else "."
        return Fraction(plain.replace(other, "").replace(plain[decimal], "."))
    if not dots and not commas:
        return Fraction(plain)
    mark = "." if dots else ","
    in_groups = _GROUPS.match(plain) is not None and not plain.startswith("0")
    if dots + commas > 1:
        return Fraction(plain.replace(mark, "")) if in_groups else None
    is_grouping = in_groups and (mark == ",") != uses_comma
    return Fraction(plain.replace(mark, "" if is_grouping else "."))


def _with_unit_of(figure: Figure, header: str) -> Figure:
    """A bare number with the unit that its column's header gives."""
    scale, found = 1, None
    header = _PER.sub("", header)
    for word in re.findall(r"%|°[CF]|[€$£¥₹]|[^\W\d_]+[²³]?", header):
        scale = scale_of(word) or scale if len(word) > 1 else scale
        measure = measure_of(word)
        in_brackets = re.search(rf"(?:\(|\[|/|\bin\s)[^()]*{re.escape(word)}", header) is not None
        if measure is not None and (in_brackets or word in SIGNS or word == "%"):
            found = measure
    if found is None:
        return figure
    factor = found.scale * scale
    return replace(
        figure,
        kind=found.kind,
        low=figure.low * factor,
        high=figure.high * factor,
        unit=figure.unit * factor,
    )


def _of_date(start: int, end: int, found: Date) -> Figure | None:
    """A date as the range of its days since year 1; None for a date without its year."""
    year, month, day = found
    if year is None:
        return None
    try:
        if day is not None:
            first = last = date(year, month, day)
        elif month:
            first, last = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        else:
            first, last = date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return None
    return Figure(start, end, DATE, Fraction(first.toordinal()), Fraction(last.toordinal()))


def _date_difference(one: Figure, other: Figure) -> str:
    first, second = (date.fromordinal(int(figure.low)) for figure in (one, other))
    lengths = {int(figure.high - figure.low) for figure in (one, other)}
    if lengths == {0}:
        days = abs((first - second).days)
        return f"{days} days"
    if lengths <= {364, 365}:
        return f"{abs(first.year - second.year)} years"
    return ""


def _decimal(value: Fraction) -> str:
    """The value in digits; empty if it has more than six decimals."""
    millionths = value * 10**6
    if millionths.denominator != 1:
        return ""
    whole, part = divmod(int(millionths), 10**6)
    digits = f"{part:06d}".rstrip("0")
    return f"{whole:,}{f'.{digits}' if digits else ''}"


def stem(word: str) -> str:
    """The form in which words are compared: "employees" and "staff" are one, and so are "cost" and "price"."""
    small = word.casefold()
    small = IRREGULAR.get(small, small)
    small = SYNONYMS.get(small) or SYNONYMS.get(small.removesuffix("s")) or small
    return small[:_STEM].removesuffix("s")


def _is_year(text: str, start: int, end: int) -> bool:
    """Whether four digits are a year: "2000 kg" and "2000 visitors" are none, "in 2000" is."""
    match = _UNIT.match(text, end)
    before = text[max(0, start - _LOOK_BACK) : start]
    if match is None or text[end : end + 1] == "-":
        return not before.rstrip().endswith(tuple(SIGNS))
    follows = match["unit"]
    if measure_of(follows) is not None or scale_of(follows) is not None:
        return False
    return not follows[0].islower() or follows.casefold() in STOP_WORDS or _IN_YEAR.search(before) is not None


def _is_period(header: str) -> bool:
    return bool(re.search(r"(?:19|20)\d\d|\bq[1-4]\b", header))


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the place is in one of the ranges, which are in order and do not overlap."""
    after = bisect_right(spans, place, key=itemgetter(0))
    return after > 0 and place < spans[after - 1][1]


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()
