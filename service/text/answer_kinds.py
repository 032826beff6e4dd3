"""What kind of thing a question asks for, and whether a text states one: a time, a year, a quantity, a person. Pure.

In English; times and quantities in German, too.

"When will the bridge open?" is not answered by "The bridge will be opened by the mayor.", however alike they read. Only kinds
are told apart that show in the form of the words; a place does not, and a person only by a name or the name of a role.
"""

import re
from enum import StrEnum

from service.text.calendar_words import MONTHS, WEEKDAYS
from service.text.dates import date_spans
from service.text.terms import STOP_WORDS, figures, stated_figures

_ASKING = r"\A\W*(?:(?:and|but|so|starting|beginning)\s+)*(?:(?:in|on|at|by|from|since|until|till|during|before|after|for)\s+)?"
_YEAR_ASKED = re.compile(rf"{_ASKING}(?:what|which)\s+(?:\w+\s+)?year\b", re.IGNORECASE)
_TIME_ASKED = re.compile(
    rf"{_ASKING}(?:when\s+(?:is|are|was|were|do|does|did|has|have|had|can|could|may|might|must|shall|should|will|would)\b|"
    r"when\W*\Z|(?:(?:ab|bis|seit|von)\s+)?wann\b|(?:an|zu)\s+welche[mr]\s+(?:tag|zeit|monat|wochentag)\b|um\s+wie\s?viel\s+uhr\b|"
    r"(?:what|which)\s+(?:date|day|month|week|weekday|century|decade|season|time|hour)s?\b)",
    re.IGNORECASE,
)
_QUANTITY_ASKED = re.compile(
    r"\A\W*(?:wie\s*viele?|wie\s+(?:lange?|hoch|teuer|alt|weit|schwer|groß|breit|tief|oft)|was\s+(?:kostet|kosten|wiegt))\b|"
    r"\bhow\s+(?:many|much|old|tall|high|long|far|deep|wide|heavy|large|fast)\b|"
    r"\b(?:what|which)\s+(?:is\s+the\s+|was\s+the\s+|are\s+the\s+|were\s+the\s+)?"
    r"(?:total\s+)?(?:number|percentage|percent|share|proportion|amount|fraction|quantity)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\w.,])(?:1\d|20|21)\d\d(?:s\b|(?![\w%]|[.,]\d))")
_STATED_YEAR = re.compile(
    r"(?:\b(?:in|since|during)\s+|\()(?:1\d|20|21)\d\d\b|"
    r"\b(?:from|until|till|to|by|before|after|between|year|and)\s+(?:1\d|20|21)\d\d\b(?!\s+[a-z])",
    re.IGNORECASE,
)
_MONTHS = "|".join(month if month != "may" else "(?-i:May|MAY)" for month in MONTHS)
_DAYS = "|".join(f"{day}s?" for day in (*WEEKDAYS, "weekday", "weekend"))
_SHORT_DAYS = "(?-i:Mon|Tues?|Wed|Thu|Thurs?|Fri|Sat|Sun)"
_HOUR = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_TIME = re.compile(
    rf"\b(?:(?:{_MONTHS}|{_DAYS}|{_SHORT_DAYS})\b|"
    rf"at\s+{_HOUR}\b|(?:from|by|around)\s+{_HOUR}(?=\W*\Z|[.,;]\D|\s+(?:to|until|till|in|on|every|each|or|and)\b)|"
    r"\d{1,2}[:.]\d\d\b|\d{1,2}\s*(?:am|pm|a\.m|p\.m|o['’]clock)|noon|midnight|dawn|dusk|sunrise|sunset|morning|afternoon|evening|night|"
    r"century|centuries|decades?|years?|months?|weeks?|days?|hours?|minutes?|ago|today|yesterday|tomorrow|tonight|now|currently|"
    r"recently|soon|immediately|daily|weekly|monthly|annually|yearly|every|spring|summer|autumn|winter|"
    r"after|before|until|once|upon|when|whenever|within|while|if|during|as\s+soon\s+as|(?:end|beginning|start|middle)\s+of|"
    r"christmas|easter|q[1-4]|uhr|(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|sonnabends?|täglich|werktags|wochentags|"
    r"morgens|mittags|abends|nachts|januar|februar|märz|mai|juni|juli|oktober|dezember|jahr\w*|monat\w*|wochen?|tage?n?|stunden?)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:no|none|nobody|one|once|twice|half|third|quarter|dozens?|several|few|hundreds?|thousands?|millions?|billions?|"
    r"much|little|majority|most|couple|pair|double|triple|unlimited|free)\b",
    re.IGNORECASE,
)


_PERSON_ASKED = re.compile(
    r"\A\W*(?:and\s+)?who\s+(?:is|was|are|were|will|has|had|did|does|do|leads?|led|runs?|ran|manages?|managed|heads?|headed|"
    r"directs?|directed|owns?|owned|teaches|taught|chairs?|chaired|founded|wrote|designed|built|keeps?|kept|decides?|approves?|"
    r"signs?|signed|supplies|supplied|trains?|repairs?|maintains?|made|makes)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![^\W_])(?:[A-ZÄÖÜÉÈÀÁÍÓÚÑŠŽĐØÅ][^\W\d_]+|[A-Z]{2,})(?![^\W_])")
_ROLE = re.compile(
    r"\b(?:[a-z]{3,}(?:ors?|ists?|ians?|ants?|ents)|[a-z]{4,}ees?|(?:[a-z]{2,}[^mhvt]|[a-z]+[mht])ers?|you|we|they|he|she|staff|team|crew|"
    r"departments?|committees?|boards?|council|agency|authority|government|ministry|court|police|"
    r"parliament|people|person|persons|anyone|everyone|nobody|somebody|anybody|guests?|pupils?|nurses?|members?|chair|president|"
    r"presidents|head|captain|king|queen|man|woman|men|women|child|children|parents?|famil(?:y|ies)|clients?|residents?|"
    r"citizens?|volunteers?|public|landlord|tenants?|experts?|judges?|chiefs?|sons?|wife|husband|friends?|army|troops|party|"
    r"parties|group|union|organi[sz]ations?|university|school|bank|church|tribe|band)\b|@|\b[A-Z]\w+\s+[A-Z]\w+"
)
"""A person or a body that may act, by the word for it, an address, or two words with capitals."""
_COUNTED = re.compile(r"\b\d[\d.,]*\s+[a-z]+")


class AnswerKind(StrEnum):
    """What is asked for."""

    YEAR = "year"
    TIME = "time"
    QUANTITY = "quantity"
    PERSON = "person"


def asked_kind(question: str) -> AnswerKind | None:
    """What kind of thing the question asks for; None if its form does not tell."""
    if _YEAR_ASKED.search(question):
        return AnswerKind.YEAR
    if _TIME_ASKED.search(question):
        return AnswerKind.TIME
    if _QUANTITY_ASKED.search(question):
        return AnswerKind.QUANTITY
    return AnswerKind.PERSON if _PERSON_ASKED.search(question) else None


def states_kind(kind: AnswerKind, text: str, question: str) -> bool:
    """Whether the text states something of the kind that the question does not state itself."""
    if kind is AnswerKind.PERSON:
        return _ROLE.search(_COUNTED.sub(" ", text)) is not None or _names_someone(text, question)
    if kind is AnswerKind.QUANTITY:
        rest = _QUANTITY_ASKED.sub(" ", question)  # the "much" of "how much" is no amount
        return bool(stated_figures(_undated(text)) - figures(question)) or _has_other(_VAGUE, text, rest)
    if _has_other(_YEAR, text, question):
        return True
    return kind is AnswerKind.TIME and (len(date_spans(text)) > 0 or _has_other(_TIME, text, question))


def _has_other(form: re.Pattern[str], text: str, question: str) -> bool:
    """Whether the text has a match that the question lacks."""
    asked = {match.group().casefold() for match in form.finditer(question)}
    return any(match.group().casefold() not in asked for match in form.finditer(text))


def _names_someone(text: str, question: str) -> bool:
    """Whether the text has a word with a capital, but for small words, that the question lacks."""
    asked = {word.casefold() for word in _NAME.findall(question)}
    return any(word.casefold() not in asked and word.casefold() not in STOP_WORDS for word in _NAME.findall(text))


def _undated(text: str) -> str:
    for start, end in reversed(date_spans(text)):
        text = f"{text[:start]} {text[end:]}"
    return _STATED_YEAR.sub(" ", text)
