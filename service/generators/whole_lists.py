"""Which questions ask for all of a list, and which units are the whole list that an item belongs to. Pure.

"Which offices are there?" and "How do I renew a card?" are answered by every item, in order, after the lead-in; "How many
people work in the Lyon office?" by the one item that names what the question names. A row is never widened to its table.
"""

import re
from collections.abc import Iterable, Sequence

from index.blocks.block import Kind
from index.blocks.statement import is_lead_in
from index.blocks.unit import Rendering, Unit
from service.text.terms import STOP_WORDS, content_words, stem

MAX_ITEMS = 40  # a longer list is not answered whole

_PLURAL = r"(?:(?!(?:is|was|has|does)\b)[^\W\d_]{2,}(?<!s)(?<!u)(?<!i)s|people|children|men|women|criteria|staff)"
_VERB = r"(?:are|were|do|did|does|have|has|had|can|could|must|should|may|might|will|would|need|shall)"
_STEPS = re.compile(
    r"\b(?:steps?|procedure|instructions|how (?:do|can|should|would|could|must) (?:i|you|we|one|they|people)|how to|"
    r"what (?:do|must|should|shall) (?:i|you|we|one|they|people) (?:(?:have|need) to )?do|"
    r"schritte?|anleitung|wie (?:kann|muss|soll|mache?) (?:ich|man|wir)|étapes?|comment (?:faire|puis-je|peut-on|dois-je)|"
    r"pasos?|cómo (?:puedo|se|debo))\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"\A\W*(?:please\s+|can you\s+|could you\s+)?(?:list|enumerate|(?:name|give|show)\s+(?:me\s+|us\s+)?(?:all|the|every))\b|"
    rf"\bwhich\s+(?!of\b)(?:[\w-]+\s+){{0,2}}{_PLURAL}\b|"
    rf"\bwhat\s+(?:kinds?\s+of\s+|types?\s+of\s+|sorts?\s+of\s+)?(?:[\w-]+\s+){{0,2}}{_PLURAL}\s+{_VERB}\b|"
    rf"\bwhat\s+(?:are|were)\s+(?:(?:the|my|our|your|all|some)\s|(?:[\w.&-]+\s+){{0,4}}[\w.&-]+['’]s?\s)|\bhow\s+many\b|\bopening\s+(?:hours|times)\b|"
    rf"\ball\s+(?:the\s+|of\s+the\s+)?{_PLURAL}\b|"
    r"\bwelche\s+\w+(?:e|en|er|s)\b|\bwas\s+sind\b|\bwie\s+viele\b|\bwieviele\b|\A\W*(?:nenne|liste)\b|\balle\s+\w|"
    r"\bquel(?:le)?s\b|\bcombien\s+(?:de|d['’])|\btou(?:te)?s\s+les\b|\A\W*(?:énumère|cite)\b|"
    r"\bcuáles\b|\bcuánt[oa]s\b|\btod[oa]s\s+l[oa]s\b|\bqué\s+\w+s\s",
    re.IGNORECASE,
)
_WHEN, _OPEN = re.compile(r"\bwhen\s+(?:is|are)\s", re.IGNORECASE), re.compile(r"\bopen\b", re.IGNORECASE)
_COMPRISED = re.compile(
    r"\bwhat\s+(?:do|does|did|must|should|shall|will)\s+(?:[\w'’-]+\s+){1,5}?"
    r"(?:need|require|bring|submit|provide|include|contain|comprise|cover|pack|prepare)\b|"
    r"\bwas\s+(?:brauch|benötig|enthält|umfasst|muss\s+\w+\s+mitbring)",
    re.IGNORECASE,
)
"""Asks for what is needed or contained: all of a list, or the one item that has a further word of the question."""
_ONE_STEP = re.compile(
    r"\b(?:step|rule|item|point|article|clause|number|schritt|punkt|artikel|regel|étape|règle|paso|punto|artículo)\s+"
    r"\(?(?:[0-9]{1,3}|[ivxlc]{1,6})\b",
    re.IGNORECASE,
)
_WHAT = re.compile(
    r"\W*(?:what|which|who|was|welche\w*|wer|que|qué|quels?|quelles?|quiénes|cuáles|che|quali)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:[-./:][^\W_]+)*")


def asks_for_all(question: str) -> bool:
    """Whether the question asks for all items of a list, or for all steps; not for "step 3"."""
    if _ONE_STEP.search(question):
        return False
    when = _WHEN.search(question)
    asks_for_hours = when is not None and _OPEN.search(question, when.end()) is not None
    return asks_for_hours or _STEPS.search(question) is not None or _ALL.search(question) is not None


def whole_list(question: str, rendering: Rendering, place: int) -> range | None:
    """The places of the units of the list that the item at `place` belongs to; None if the question does not ask for all.

    The items below an item belong to the list. Where the question names what only this item names, it asks for the item.
    """
    units = [rendered.unit for rendered in rendering.units]
    if units[place].kind is not Kind.ITEM:
        return None
    asks_for_contents = _COMPRISED.search(question) is not None and not _ONE_STEP.search(question)
    asks = asks_for_all(question) or asks_for_contents or _asks_for_lead(question, rendering, place)
    found = _run_of_items(units, place) if asks else range(0)
    if not 1 < len(found) <= MAX_ITEMS:
        return None
    texts = [rendering.text[rendering.units[number].start : rendering.units[number].end] for number in found]
    asked_for_one = _is_only_in(place - found.start, list(map(_words, texts)), _named(question))
    if asks_for_contents and not asks_for_all(question):
        in_stems = [frozenset(map(stem, content_words(text))) for text in texts]
        asked_for_one |= _is_only_in(place - found.start, in_stems, map(stem, content_words(question)))
    return None if asked_for_one and not _STEPS.search(question) else found


def _asks_for_lead(question: str, rendering: Rendering, place: int) -> bool:
    """Whether a question asks what the line above the list says: "What does a pupil need?" after "Every pupil needs:"."""
    leads = [rendering.literal(lead) for lead in rendering.units[place].unit.lead]
    if _ONE_STEP.search(question) or not _WHAT.match(question) or not leads or not is_lead_in(leads[-1]):
        return False
    asked = set(map(stem, content_words(question)))
    return bool(asked) and asked <= set(map(stem, content_words(leads[-1])))


def _is_only_in(place: int, texts: Sequence[frozenset[str]], words: Iterable[str]) -> bool:
    """Whether the text at `place` has one of the words, and not all of the texts have it."""
    return any(word in texts[place] and not all(word in text for text in texts) for word in words)


def is_list_named(question: str, lead_in: str) -> bool:
    """Whether the question asks for all of something, and the lead-in has all its words: at least two, names apart."""
    asked = {stem(word) for word in content_words(question) if word.islower()}
    return len(asked) > 1 and asks_for_all(question) and asked <= set(map(stem, content_words(lead_in)))


def _run_of_items(units: Sequence[Unit], place: int) -> range:
    """The items next to the one at `place` that have the same lead-in, with those below them."""
    lead = units[place].lead
    first = last = place
    while first > 0 and _belongs(units[first - 1], lead):
        first -= 1
    while last + 1 < len(units) and _belongs(units[last + 1], lead):
        last += 1
    return range(first, last + 1)


def _belongs(unit: Unit, lead: Sequence[object]) -> bool:
    return unit.kind is Kind.ITEM and tuple(unit.lead[: len(lead)]) == tuple(lead)


def _named(question: str) -> list[str]:
    """The figures of a question, and its words with a capital that do not begin it."""
    words = [match.group() for match in _WORD.finditer(question)]
    return [
        word.casefold()
        for number, word in enumerate(words)
        if any(map(str.isdecimal, word)) or (number and word[0].isupper() and word.casefold() not in STOP_WORDS)
    ]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(text))
