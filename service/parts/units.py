"""Units of measure, currencies and large numbers, in the forms in which texts write them. Pure."""

from fractions import Fraction
from typing import NamedTuple

from service.text.telling_words import KINDS, Kind


class Measure(NamedTuple):
    """What a unit measures, and how many of the base unit one of it is. Only measures of one kind are compared."""

    kind: str
    scale: Fraction


def _measures() -> dict[str, Measure]:
    lines = """
        mass mg 1/1000, milligram 1/1000, g 1, gram 1, kg 1000, kilogram 1000, t 1000000, tonne 1000000, pound-weight 453.59237
        length mm 1/1000, millimetre 1/1000, cm 1/100, centimetre 1/100, m 1, metre 1, km 1000, kilometre 1000, mile 1609.344
        length inch 0.0254, foot 0.3048, ft 0.3048, yard 0.9144, yards 0.9144
        time ms 1/1000, millisecond 1/1000, milliseconds 1/1000, second 1, minute 60, hour 3600, day 86400, week 604800
        calendar month 1, quarter 3, year 12, decade 120, decades 120
        volume ml 1/1000, millilitre 1/1000, cl 1/100, litre 1, l 1, hl 100
        area m² 1, sqm 1, ha 10000, hectare 10000, hectares 10000, km² 1000000
        power w 1, watt 1, kw 1000, kilowatt 1000, mw 1000000, megawatt 1000000, megawatts 1000000
        energy wh 1, kwh 1000, mwh 1000000, gwh 1000000000
        data byte 1, bytes 1, kilobyte 1000, megabyte 1000000, gigabyte 1000000000, terabyte 1000000000000
        frequency hz 1, khz 1000, mhz 1000000, ghz 1000000000
        voltage v 1, volt 1, kv 1000
        current ma 1/1000, a 1, ampere 1, amperes 1
        pressure pa 1, kpa 1000, bar 100000, bars 100000
        percent % 1, percent 1
        celsius °c 1, celsius 1
        fahrenheit °f 1, fahrenheit 1
        speed km/h 1, kmh 1
        mph mph 1
        knots knot 1, knots 1
    """
    found = {}
    for line in lines.strip().splitlines():
        kind, _, units = line.strip().partition(" ")
        for unit in units.split(", "):
            name, scale = unit.split()
            found[name] = Measure(kind, Fraction(scale))
    return found


_MEASURES = _measures()
_CURRENCIES = KINDS[Kind.CURRENCY] | {"us$": "dollar", "eur": "euro", "usd": "dollar", "chf": "franc"}
_CASE_MATTERS = {"mW": Measure("power", Fraction(1, 1000)), "Mb": Measure("bits", Fraction(10**6))}
_SCALES = {
    word: scale
    for words, scale in (
        ("k thousand tausend mille mil mila", 10**3),
        ("mn mio mln million millions millionen millón millones milione milioni milhão milhões", 10**6),
        ("bn mrd billion billions milliarde milliarden milliard milliards miliardo miliardi", 10**9),
        ("trillion trillions", 10**12),
    )
    for word in words.split()
}
SIGNS = frozenset("€$£¥₹")


def measure_of(word: str) -> Measure | None:
    """The measure or currency that a word or sign names; None for any other word."""
    if word in _CASE_MATTERS:
        return _CASE_MATTERS[word]
    small = word.casefold().rstrip(".")
    if small in _CURRENCIES:
        return Measure(_CURRENCIES[small], Fraction(1))
    return _MEASURES.get(KINDS[Kind.UNIT].get(small, small))


def is_currency(kind: str) -> bool:
    """Whether a measure of this kind is of money."""
    return kind in _CURRENCIES.values()


def scale_of(word: str) -> int | None:
    """The number that a word such as "million" or "Mio." stands for; None for any other word."""
    return _SCALES.get(word.casefold().rstrip("."))


def unit_name(word: str) -> str:
    """A word that names a unit, in one form: "days" and "Tage" are "day"."""
    small = word.casefold().rstrip(".")
    return KINDS[Kind.UNIT].get(small) or _CURRENCIES.get(small) or small.removesuffix("s")
