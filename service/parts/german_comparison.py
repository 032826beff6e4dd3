"""German comparisons as one question for each of what is compared: "Was ist teurer, A oder B?" is what each costs. Pure.

By a choice with "oder", by a comparative with "als", by "vergleiche" and "Unterschied zwischen". "länger als vier Stunden"
compares with no second thing and is left alone.
"""

import re
from collections.abc import Callable, Sequence

from service.parts.coordination import label_of
from service.parts.question import PartQuestion
from service.parts.words import as_question, words_of

_ADJECTIVES = {
    "teurer": "teuer",
    "billiger": "teuer",
    "günstiger": "teuer",
    "länger": "lang",
    "kürzer": "lang",
    "schwerer": "schwer",
    "leichter": "schwer",
    "größer": "groß",
    "kleiner": "groß",
    "höher": "hoch",
    "niedriger": "hoch",
    "älter": "alt",
    "jünger": "alt",
    "schneller": "schnell",
    "langsamer": "schnell",
    "breiter": "breit",
    "schmaler": "breit",
    "tiefer": "tief",
    "wärmer": "warm",
    "kälter": "warm",
    "weiter": "weit",
    "näher": "weit",
    "dicker": "dick",
    "dünner": "dick",
    "stärker": "stark",
    "lauter": "laut",
    "leiser": "laut",
    "früher": "früh",
    "später": "früh",
}
"""Comparative -> the adjective that asks for the figure."""
_COMPARATIVE = "|".join(_ADJECTIVES)
_MORE = r"(?:mehr|weniger)"
_VERBS = "kostet|wiegt|dauert|hat|bietet|braucht|verbraucht|fasst|läuft|gilt"
_FLAGS = re.IGNORECASE | re.DOTALL
_PREDICATE = (
    rf"(?:(?P<be>ist|war)\s+(?:der|die|das\s+)?(?P<comp>{_COMPARATIVE})|"
    rf"(?P<verb>{_VERBS})\s+(?:(?P<q>{_MORE})(?:\s+(?P<noun>[^\W\d_][\w -]*?))?|(?P<how>{_COMPARATIVE})))"
)
_CHOICE = re.compile(
    rf"\W*(?:was|wer|welche[rs]?)\s+(?:(?:von\s+beiden\s+)?(?P<of>[^\W\d_]+)\s+)?{_PREDICATE}\s*[,:–-]?\s*(?P<a>[^,:?]+?)\s+oder\s+"
    r"(?P<b>[^,:?]+?)\W*\Z",
    _FLAGS,
)
_IS_THAN = re.compile(
    rf"\W*(?P<be>ist|war)\s+(?P<a>.+?)\s+(?P<comp>{_COMPARATIVE})\s+als\s+(?P<b>[^,:?]+?)\W*\Z", _FLAGS
)
_DOES_THAN = re.compile(
    rf"\W*(?P<verb>{_VERBS})\s+(?P<a>.+?)\s+(?:(?P<q>{_MORE})(?:\s+(?P<noun>[^\W\d_][\w -]*?))?|(?P<how>{_COMPARATIVE}))"
    r"\s+als\s+(?P<b>[^,:?]+?)\W*\Z",
    _FLAGS,
)
_COMPARE = re.compile(
    r"\W*(?:bitte\s+)?(?:vergleich(?:e|en\s+sie)?(?:\s+bitte)?|(?:was|wie\s+groß)\s+ist\s+der\s+unterschied\s+zwischen)\s+"
    r"(?:(?P<what>(?:(?:die|den|das)\s+)?[^\W\d_]+)\s+(?P<of>von|der|des|vom)\s+)?(?P<a>[^,:?]+?)\s+(?:und|mit)\s+"
    r"(?:(?:von|der|des|vom)\s+)?(?P<b>[^,:?]+?)\W*\Z",
    _FLAGS,
)
_STANDS_IN = re.compile(
    r"(?:der|die|das|dem|den)\s+(?=(?:im|in|am|an|auf|aus|bei|vom|von|für|mit|ohne|zu)\b)", re.IGNORECASE
)
_NOT_A_THING = re.compile(
    r"(?:\d|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn)\b|erwartet|üblich|sonst|früher|erlaubt|nötig|ich\b|wir\b|sie\b)",
    re.IGNORECASE,
)
_MOST_WORDS = 6

Ask = Callable[[str], str]


def compared_in_german(text: str) -> list[PartQuestion]:
    """The parts of a German comparison; none for any other question."""
    compare = _COMPARE.match(text)
    if compare is not None:
        what = compare["what"]
        asks_what = f"Was ist {what} {compare['of']}" if what else "Was ist mit"
        return _each((compare["a"], compare["b"]), lambda thing: f"{asks_what} {thing}?")
    match = _CHOICE.match(text) or _IS_THAN.match(text) or _DOES_THAN.match(text)
    if match is None:
        return []
    groups = match.groupdict()
    noun = groups.get("of") or ""
    things = tuple(_STANDS_IN.sub(lambda found: f"{found.group()}{noun} ", thing) for thing in (match["a"], match["b"]))
    return _each(things, _asking(groups))


def _asking(groups: dict[str, str | None]) -> Ask:
    """The question for the figure of one thing: "Wie lang ist A?", "Was kostet A?", "Wie viele Plätze hat A?"."""
    verb = (groups.get("verb") or groups.get("be") or "").lower()
    adjective = _ADJECTIVES.get((groups.get("comp") or groups.get("how") or "").lower(), "")
    noun = groups.get("noun")
    if noun:
        return lambda thing: f"Wie viele {noun} {verb} {thing}?"
    if adjective == "teuer" or verb == "kostet":
        return lambda thing: f"Was kostet {thing}?"
    if adjective == "früh":
        return lambda thing: f"Wann {verb} {thing}?"
    if adjective == "lang" and not groups.get("be"):
        return lambda thing: f"Wie lange {verb} {thing}?"
    if adjective:
        return lambda thing: f"Wie {adjective} {verb} {thing}?"
    return lambda thing: f"Wie viel {verb} {thing}?"


def _each(things: Sequence[str], ask: Ask) -> list[PartQuestion]:
    """One part for each thing; none if they are the same, or no things."""
    bare = [" ".join(thing.split()).strip(" ,;:?.!") for thing in things]
    labels = [label_of(_without_article(thing)) for thing in bare]
    if len({label.casefold() for label in labels}) < len(labels) or not all(words_of(label) for label in labels):
        return []
    if any(_NOT_A_THING.match(label) or len(words_of(label)) > _MOST_WORDS for label in labels):
        return []
    return [PartQuestion(as_question(ask(thing)), label) for thing, label in zip(bare, labels, strict=True)]


def _without_article(thing: str) -> str:
    return re.sub(r"\A(?:der|die|das|dem|den|des|ein|eine|einem|einer)\s+", "", thing, flags=re.IGNORECASE)
