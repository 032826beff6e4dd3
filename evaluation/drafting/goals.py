"""Questions about how something is done, from sentences that say "To do this, use that". Pure."""

import re
from collections.abc import Iterator

from evaluation.drafting.proposal import Check, DraftDocument, Proposal
from evaluation.drafting.wording import content_words, one_line
from index.blocks.block import Kind, Span
from service.text.noun_phrases import DEIXIS

_ENDS = (".", "!", ")")
_GOAL = re.compile(
    r"(?P<opening>To|In order to|If you (?:want|wish|would like|need) to) (?P<goal>[a-z]+ [^,:;()]{3,90}?), (?P<main>.+)"
)
_MAIN = re.compile(
    r"(?i)(?:then |simply |just |please |first )?(?:you (?:can|should|must|may|need|have to|could|will)\b|(?:use|run|type|add|"
    r"set|edit|open|send|put|select|choose|install|call|check|see|contact|create|make|write|remove|specify|include|execute|"
    r"enter|mark|start|visit|look at|place|give|take|follow|change|upload|file|mail|subscribe|do|try|download|"
    r"copy|configure)\b)"
)
_POINTERS = re.compile(r"(?i)^(?:please )?(?:see|check|refer to|read|you (?:should|can) (?:see|read))\b")
_NOT_HOW = re.compile(
    r"(?i)\b(?:be careful|be aware|be prepared|take care|note that|remember|keep in mind|think|must not|should not|cannot)\b|"
    r"following \w+\.$"
)
_VAGUE_GOAL = re.compile(
    r"(?i)^(?:be|have|do|avoid doing|determine|compete|help|know|see|read|find|learn more|continue|sum|summarize|work|"
    r"accomplish|achieve|say|use|consider|think|decide|wonder|make changes|make sure)\b|\b(?:any reason|extent|yourself|"
    r"something|someone|things?|way|same|the whole system|required)\b"
)


def goal_proposals(document: DraftDocument) -> Iterator[Proposal]:
    """How to reach each goal that a sentence names with the way to it, or with the code or list that follows."""
    for place, unit in enumerate(document.units):
        text = one_line(document.read[place])
        goal = goal_question(text) if unit.kind in (Kind.PARAGRAPH, Kind.ITEM) else None
        led = () if goal is None or text.endswith(_ENDS) else _led_units(document, place)
        if goal is not None and (led or text.endswith(_ENDS)):
            checks = (Check(content_words(goal)),)
            yield Proposal("how to", goal, ((Span(unit.start, unit.end), *led),), checks=checks)


def goal_question(text: str) -> str | None:
    """ "How do I GOAL?" of "To GOAL, use ...", if the goal can be understood alone; else None."""
    match = _GOAL.fullmatch(text)
    if (
        match is None
        or not _MAIN.match(match["main"])
        or _POINTERS.match(match["main"])
        or _NOT_HOW.search(match["main"])
    ):
        return None
    goal = match["goal"]
    if DEIXIS.search(goal) or _VAGUE_GOAL.search(goal) or len(content_words(goal)) < 2:
        return None
    goal = re.sub(r"\byour\b", "my", re.sub(r"\byou\b", "I", goal))
    return f"How do I {goal}?"


def _led_units(document: DraftDocument, place: int) -> tuple[Span, ...]:
    """The units that a sentence without an end introduces: those that it leads, or the code that follows it."""
    lead = Span(document.units[place].start, document.units[place].end)
    led: list[Span] = []
    for unit in document.units[place + 1 : place + 12]:
        is_led = any(lead.start <= span.start and span.end <= lead.end for span in unit.lead)
        if not (is_led or (unit.kind is Kind.CODE and not led)):
            break
        led.append(Span(unit.start, unit.end))
    return tuple(led)
