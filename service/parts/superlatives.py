"""What a question asks to be the most or the least of, of the rows of a table: "Which plan is the cheapest?". Pure.

In English and German. What is asked for is the name of the row with the highest or the lowest figure in one column: the column
is that of a measure that the adjective or verb implies ("cheapest": a price), or one that the question names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.parts.figures import Figure
from service.parts.units import is_currency
from service.parts.words import words_of
from service.text.terms import STOP_WORDS, stem

_PRICE = "price prices cost costs fee fees rate charge fare tariff rent preis preise kosten gebühr"
_DURATION = "duration length time period term dauer laufzeit zeit"
_WEIGHT = "weight mass gewicht masse"
_HEIGHT, _WIDTH, _DEPTH = "height höhe", "width breite", "depth tiefe"
_TEMPERATURE = "temperature temperatur"
_IMPLIED = {
    "cheap": _PRICE,
    "expensive": _PRICE,
    "costly": _PRICE,
    "long": _DURATION,
    "short": _DURATION,
    "heavy": _WEIGHT,
    "light": _WEIGHT,
    "tall": _HEIGHT,
    "high": "",
    "low": "",
    "large": "",
    "big": "",
    "great": "",
    "small": "",
    "few": "",
    "hot": _TEMPERATURE,
    "warm": _TEMPERATURE,
    "cold": _TEMPERATURE,
    "wide": _WIDTH,
    "deep": _DEPTH,
}
_LOW = frozenset("cheap short light low small few cold".split())
_IRREGULAR = {
    "biggest": "big",
    "hottest": "hot",
    "largest": "large",
    "widest": "wide",
    "cheapest": "cheap",
    "heaviest": "heavy",
    "maximum": "high",
    "minimum": "low",
    "günstigste": "cheap",
    "günstigsten": "cheap",
    "billigste": "cheap",
    "billigsten": "cheap",
    "teuerste": "expensive",
    "teuersten": "expensive",
    "höchste": "high",
    "höchsten": "high",
    "niedrigste": "low",
    "niedrigsten": "low",
    "größte": "large",
    "größten": "large",
    "kleinste": "small",
    "kleinsten": "small",
    "längste": "long",
    "längsten": "long",
    "kürzeste": "short",
    "kürzesten": "short",
    "schwerste": "heavy",
    "leichteste": "light",
    "meisten": "high",
    "wenigsten": "low",
}
_MOST = re.compile(r"\b(?P<of>most|least)\s+(?P<adjective>expensive|costly)\b", re.IGNORECASE)
_AMOUNT = re.compile(r"\b(?:the\s+)?(?P<of>most|least|fewest)\b", re.IGNORECASE)
_BOUND = re.compile(
    r"\bat\s+(?:the\s+)?(?:most|least|latest|highest|lowest)\b|\bmost\s+of\b|\bmost\s+(?:people|recent)|"
    r"\b(?:not|no|never|except|other\s+than|apart\s+from|besides|nicht|kein\w*|außer)\b|n['’]t\b",
    re.IGNORECASE,
)
"""What makes of a superlative a limit, or asks for what is not it."""
_VERBS = {
    "cost": _PRICE,
    "weigh": _WEIGHT,
    "take": _DURATION,
    "last": _DURATION,
    "kostet": _PRICE,
    "kosten": _PRICE,
    "wiegt": _WEIGHT,
    "wiegen": _WEIGHT,
}


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_MEASURED = {
    _stems(_DURATION): ("time", "calendar"),
    _stems(_WEIGHT): ("mass",),
    _stems(_HEIGHT): ("length",),
    _stems(_WIDTH): ("length",),
    _stems(_DEPTH): ("length",),
    _stems(_TEMPERATURE): ("celsius", "fahrenheit"),
}
"""The kinds of figures that are of what an adjective implies; for money, see `is_currency`."""
_ASKS = re.compile(
    r"\A\W*(?:(?:in|at|for|by|of|on)\s+)?(?:which|what|who|where|name\s+the|welche[rsmn]?|was|wer|wo)\b", re.IGNORECASE
)
_NEUTRAL = frozenset(
    stem(word)
    for word in """is are was were has have had does did use uses used get gets cost costs weigh weighs take takes last lasts
    run need needs require requires consume consumes offer offers include includes contain contains report reported record
    recorded
    achieve achieved reach reached show shows shown sell sold according table list number amount value figure total overall
    there all among listed given ist sind war waren hat haben kostet dauert braucht am laut tabelle der die das den dem des
    im in welche welcher welches""".split()
)


@dataclass(frozen=True, slots=True)
class Superlative:
    """The rows are compared for the highest figure, or for the lowest.

    `implied` are the stems of the headings that the adjective or verb implies; empty if the question must name the column.
    `words` are the stems of the other words of the question that say something.
    """

    is_highest: bool
    implied: frozenset[str]
    words: frozenset[str]


def superlative_of(question: str) -> Superlative | None:
    """What a question asks to be the most or the least of; None if it asks for no superlative, or for several."""
    if not _ASKS.match(question) or _BOUND.search(question):
        return None
    adjective = _MOST.search(question)
    if adjective is not None:
        base, is_highest = adjective["adjective"].lower(), adjective["of"].lower() == "most"
        return _made(question, [adjective.group()], base, is_highest=is_highest)
    found = [(word.text, base) for word in words_of(question) if (base := _base(word.small))]
    amount = _AMOUNT.search(question)
    if len(found) + (amount is not None) != 1:
        return None
    if amount is not None:
        return _made(question, [amount.group()], "", is_highest=amount["of"].lower() == "most")
    [(written, base)] = found
    return _made(question, [written], base, is_highest=base not in _LOW)


def fits_measure(implied: frozenset[str], figure: Figure) -> bool:
    """Whether a figure has a unit of what `Superlative.implied` names: euros are a price, days a duration."""
    if implied == _stems(_PRICE):
        return is_currency(figure.kind)
    return figure.kind in _MEASURED.get(implied, ())


def implied_by(adjective: str, words: Sequence[str]) -> str:
    """The headings that an adjective implies, else those that the verb among the words does; empty if they imply none."""
    implied = _IMPLIED.get(adjective, "")
    if implied or adjective not in ("", "high", "low", "long", "short"):
        return implied
    return next((said for word in words for verb, said in _VERBS.items() if word in (verb, f"{verb}s")), "")


def _made(question: str, written: list[str], base: str, *, is_highest: bool) -> Superlative:
    rest = question
    for text in written:
        rest = rest.replace(text, " ", 1)
    words = [word.small for word in words_of(rest)]
    implied = implied_by(base, words)
    said = frozenset(stem(word) for word in words if word not in STOP_WORDS) - _NEUTRAL
    return Superlative(is_highest, _stems(implied), said)


def _base(word: str) -> str:
    """The adjective that a superlative is made from; empty for any other word."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    bare = word.removesuffix("est") if word.endswith("est") else ""
    for base in (bare, f"{bare}e", f"{bare[:-1]}y" if bare.endswith("i") else ""):
        if base and base in _IMPLIED:
            return base
    return ""
