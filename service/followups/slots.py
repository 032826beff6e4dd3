"""Slot follow-ups: "And in Lyon?" after "Who leads the office in Porto?" asks "Who leads the office in Lyon?". Pure.

The earlier question is asked again with one phrase exchanged for one of the same kind: after the same preposition, a name for a
name, an identifier for one of like form, a year for a year, a weekday for a weekday. A date or a phrase with a preposition that
has no counterpart is added at the end.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from service.followups.dependence import OPENING
from service.text.terms import STOP_WORDS

MAX_WORDS = 6  # of what a slot follow-up brings

_CORRECTION = re.compile(
    r"\W*(?:(?:no|nein|non|sorry|pardon|actually|oops)\b[\s,.:;–-]*)*(?:i (?:meant|mean)|ich mein(?:t)?e|je voulais dire|"
    r"quise decir|quiero decir|no|nein|non|sorry|actually)\b[\s,.:;–-]*",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"[\s,]*\b(?:please|then|instead|bitte|s['’]il vous plaît|por favor|aus)?[\s?.!¿]*\Z", re.IGNORECASE
)
_STAND_IN = re.compile(
    r"(?:the|that|this|those) (?:ones?|same)\b\s*|(?:that|those)\b\s+(?=of|in|for|from|at)", re.IGNORECASE
)
_MODIFIER = re.compile(
    r"\b(?:the|a|an)\s+(?P<modifier>[^\W\d_]+)\s+(?:ones?|version|model|type|variant)[\s?.!]*\Z", re.IGNORECASE
)
_ADDS = re.compile(r"\W*(?:and|und|et|y)\b", re.IGNORECASE)
_FAMILIES = (
    "in im dans inside", "at", "on am an", "of von vom der", "for für", "to zu zum zur nach", "from aus", "with mit avec con",
    "without ohne sans sin", "by", "under unter", "over über", "during während pendant durante", "before vor avant",
    "after après", "since seit depuis desde", "until bis hasta jusqu'au", "near", "between", "within", "per", "bei beim chez",
    "pour", "para", "de du des del", "à au aux", "en", "a al", "auf sur sobre", "ab", "via", "par por",
)  # fmt: skip
_FAMILY = {word: number for number, family in enumerate(_FAMILIES) for word in family.split()}
PREPOSITIONS = frozenset(_FAMILY)
_PREPOSITION = "|".join(sorted(map(re.escape, _FAMILY), key=len, reverse=True))
_DETERMINER = (
    r"(?:(?:the|a|an|my|our|your|its|der|die|das|den|dem|des|ein|eine|einen|einem|einer|le|la|les|un|une|el|los|las|una)\s+|"
    r"l['’])"
)
_PHRASE = re.compile(
    rf"(?:(?P<preposition>{_PREPOSITION})\s+)?(?P<determiner>{_DETERMINER})?(?P<core>\S.*)", re.IGNORECASE | re.DOTALL
)
_NOT_A_PHRASE = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|if|it|its|they|them|their|he|him|his|she|her|this|these|those|there|is|"
    r"are|was|were|do|does|did|has|have|had|can|could|will|would|should|(?-i:may)|might|must|not|wer|was|wann|wo|warum|wie|welche|"
    r"ist|sind|hat|haben|kann|qui|que|quand|où|est|sont|qué|quién|cuándo|dónde|es|son)\b",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|"
    r"oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|"
    r"abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
)
_WEEKDAY = (
    r"(?:mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|weekdays?|weekends?|holidays|montags?|dienstags?|"
    r"mittwochs?|donnerstags?|freitags?|samstags?|sonnabends?|sonntags?|feiertagen?|lundis?|mardis?|mercredis?|jeudis?|"
    r"vendredis?|samedis?|dimanches?|lunes|martes|miércoles|jueves|viernes|sábados?|domingos?)"
)
_YEAR = r"(?:1[5-9]|20|21)\d\d"


class SlotKind(StrEnum):
    """What a phrase is."""

    WEEKDAY = "weekday"
    MONTH = "month"
    YEAR = "year"
    IDENTIFIER = "identifier"
    NAME = "name"
    NOUN = "noun"


_FORMS = {
    SlotKind.MONTH: rf"(?:\d{{1,2}}\.?\s+)?\b{_MONTH}\b(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b)?(?:,?\s+{_YEAR}\b)?",
    SlotKind.WEEKDAY: rf"\b{_WEEKDAY}\b",
    SlotKind.YEAR: rf"\b{_YEAR}\b(?:[-/–]\d\d(?:\d\d)?\b)?",
    SlotKind.IDENTIFIER: r"(?<![\w-])(?=[\w./-]*\d)(?=[\w./-]*[^\W\d_])[\w]+(?:[./-]\w+)*|\b\d+(?:\.\d+){1,3}\b",
    SlotKind.NAME: r"\b[A-ZÄÖÜÉÈÀÁÍÓÚÑ][\w&-]*(?:\s+(?:(?:of|de|van|von|al|der)\s+)?[A-ZÄÖÜÉÈÀÁÍÓÚÑ][\w&-]*)*"
    rf"(?:\s+(?!{_YEAR}\b)\d+(?:\.\d+)*\b)?",
}
_FINDERS = {kind: re.compile(form, 0 if kind is SlotKind.NAME else re.IGNORECASE) for kind, form in _FORMS.items()}
_DATES = (SlotKind.WEEKDAY, SlotKind.MONTH, SlotKind.YEAR)
_ON = {SlotKind.WEEKDAY: "on", SlotKind.MONTH: "in", SlotKind.YEAR: "in"}
_WORD = re.compile(r"\w+(?:['’-]\w+)*")
_SUBJECT_ONLY = re.compile(
    r"\b(?:do|does|did)\s+(?:(?:the|a|an|my|our|your)\s+)?(?!you|we|i|they\b)\w+\s*\Z", re.IGNORECASE
)
_VERB_BEFORE = re.compile(
    r"\b(?:do|does|did|can|could|may|must|should|will|would|kann|muss|darf|soll|wird)\s+\Z", re.IGNORECASE
)
_SAID_OF = re.compile(
    r"open|closed|free|due|available|ready|valid|allowed|required|needed|geöffnet|offen|geschlossen|frei|erlaubt|\w+ed",
    re.IGNORECASE,
)
"""What is said of the noun before it at the end of a question."""
_PLURAL_SUBJECT = re.compile(r"\b(?:are|were|do|did|have|can|may|must|should)\s+(?P<noun>[a-z]{3,}s)\b(?=\s)")
_DIGIT, _LETTER = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of a question: `core` stands from `start` to `end`, after its preposition and determiner, if it has them."""

    kind: SlotKind
    core: str
    start: int
    end: int
    preposition: str | None = None
    has_determiner: bool = False


def exchanged(question: str, earlier: str) -> str | None:
    """`earlier` with the slot that `question` fills anew; None if `question` is no slot follow-up of it."""
    said = brought_phrase(question)
    if said is None:
        return None
    said = _without_repeated_noun(said, earlier)
    slot = _slot(said, earlier, is_added=_ADDS.match(question) is not None)
    if slot is not None:
        old = earlier[slot.start : slot.end]
        new = _with_year_of(old, said.core) if said.kind is SlotKind.MONTH else said.core
        if said.has_determiner and said.kind is SlotKind.NAME:
            slot = replace(slot, start=slot.start - len(_adjectives_before(earlier[: slot.start])))
        return None if old.casefold() == new.casefold() else f"{earlier[: slot.start]}{new}{earlier[slot.end :]}"
    if said.preposition is None and said.kind not in _DATES:
        return _of_modifier(question, earlier)
    body = earlier.rstrip(" ?.!\n")
    lead = said.preposition or _ON[said.kind]
    return f"{body} {lead} {said.core}{earlier[len(body) :].strip() or '?'}"


def _adjectives_before(text: str) -> str:
    """The words between the last determiner and the end: "professionelle " of "die professionelle ", before a German noun."""
    found = re.search(rf"\b{_DETERMINER}((?:[^\W\d_]+(?:e|en|er|es)\s+){{1,2}})\Z", text)
    return found[1] if found else ""


def _with_year_of(old: str, new: str) -> str:
    """A month with the year of the one in whose place it stands: "May" for "January 2024" is "May 2024"."""
    year = _FINDERS[SlotKind.YEAR].search(old)
    return new if year is None or _FINDERS[SlotKind.YEAR].search(new) else f"{new} {year.group()}"


def _of_modifier(question: str, earlier: str) -> str | None:
    """The earlier question about "the red one": with that word before the noun of "the blue pump", or after a name."""
    said = _MODIFIER.search(question)
    if said is None:
        return None
    modifier = said["modifier"]
    phrases = [phrase for phrase in _determined(earlier) if " " in phrase.core.split(" ", 1)[1]]
    if phrases:
        determiner, _, rest = phrases[-1].core.partition(" ")
        noun = rest.rpartition(" ")[2]
        return f"{earlier[: phrases[-1].start]}{determiner} {modifier} {noun}{earlier[phrases[-1].end :]}"
    name = _last(list(_phrases_of(SlotKind.NAME, earlier)))
    return None if name is None else f"{earlier[: name.end]} {modifier}{earlier[name.end :]}"


def brought_phrase(question: str) -> Phrase | None:
    """The phrase that a slot follow-up consists of, after "And", "What about", "No, I meant"; None for other questions.

    Without such words it must be a phrase with a preposition, a date or an identifier.
    """
    opening = _CORRECTION.match(question) or OPENING.match(question)
    rest = _POLITE.sub("", question[opening.end() :] if opening else question).strip(" \t\n,.:;?!¿")
    rest = _STAND_IN.sub("", rest, count=1)
    match = _PHRASE.fullmatch(rest)
    if match is None or len(rest.split()) > MAX_WORDS or _NOT_A_PHRASE.search(rest):
        return None
    preposition, determiner, core = match["preposition"], match["determiner"], match["core"]
    kind = _kind_of(core)
    if opening is None and preposition is None and kind not in (*_DATES, SlotKind.IDENTIFIER):
        return None
    if kind is SlotKind.NOUN and preposition and preposition.casefold() == "a":
        preposition, determiner = None, f"{preposition} "  # the English article, not the Spanish preposition
    keeps_determiner = kind is SlotKind.NOUN and determiner
    return Phrase(
        kind, f"{determiner}{core}" if keeps_determiner else core, 0, len(core), preposition, determiner is not None
    )


def _without_repeated_noun(said: Phrase, earlier: str) -> Phrase:
    """The phrase without a noun that the earlier question has, too: "3.4.10" of "version 3.4.10"."""
    noun, _, last = said.core.rpartition(" ")
    kind = _kind_of(last)
    if said.kind is not SlotKind.NOUN or kind is SlotKind.NOUN or noun.casefold() not in earlier.casefold():
        return said
    return Phrase(kind, last, 0, len(last), said.preposition, said.has_determiner)


def _kind_of(core: str) -> SlotKind:
    return next((kind for kind, finder in _FINDERS.items() if finder.fullmatch(core)), SlotKind.NOUN)


def _slot(said: Phrase, earlier: str, *, is_added: bool) -> Phrase | None:
    """The phrase of the earlier question that `said` stands in for; the last one among equals."""
    phrases = list(_phrases_of(said.kind, earlier)) if said.kind is not SlotKind.NOUN else []
    if said.kind is SlotKind.IDENTIFIER:
        phrases = [phrase for phrase in phrases if _form(phrase.core) == _form(said.core)] or phrases
    if said.preposition is None and said.kind is SlotKind.NOUN:
        return _noun_like(said, earlier, is_added=is_added)
    if said.preposition is None:
        return max(
            phrases, key=lambda phrase: (phrase.has_determiner == said.has_determiner, phrase.start), default=None
        )
    family = _family(said.preposition)
    alike = [phrase for phrase in phrases if _family(phrase.preposition) == family]
    if alike or said.kind in _DATES:
        return _last(alike or phrases)
    nouns = [phrase for phrase in _nouns(earlier) if _family(phrase.preposition) == family]
    return _last(nouns or phrases)


def _noun_like(said: Phrase, earlier: str, *, is_added: bool) -> Phrase | None:
    """The noun that a noun without a preposition stands in for: "the strings department" for "the brass department".

    After a determiner it is the phrase with a determiner that ends in the same noun, else, if the question `is_added` with
    "and", the only one without a preposition; a plural by itself stands in for the plural after the verb ("When are puppies
    vaccinated?").
    """
    if not said.has_determiner:
        subject = (
            _PLURAL_SUBJECT.search(earlier) if said.core.casefold().endswith("s") and " " not in said.core else None
        )
        return subject and Phrase(SlotKind.NOUN, subject["noun"], *subject.span("noun"))
    phrases = list(_determined(earlier))
    noun = said.core.split()[-1].casefold()
    alike = [phrase for phrase in phrases if phrase.core.split()[-1].casefold() == noun]
    others = [phrase for phrase in phrases if phrase.preposition is None]
    return _last(alike) or (others[0] if is_added and len(others) == 1 and not _MODIFIER.search(said.core) else None)


def _determined(earlier: str) -> Iterator[Phrase]:
    """The phrases with a determiner, each up to a preposition, a verb or the end; without a name in them."""
    for opening in re.finditer(rf"\b{_DETERMINER}", earlier, re.IGNORECASE):
        words: list[re.Match[str]] = []
        for word in _WORD.finditer(earlier, opening.end()):
            small = word.group().casefold()
            is_next = not earlier[words[-1].end() if words else opening.end() : word.start()].strip()
            if not is_next or small in PREPOSITIONS | {"and", "or", "und", "oder"} or _NOT_A_PHRASE.fullmatch(small):
                break
            words.append(word)
        is_last = bool(words) and not _WORD.search(earlier, words[-1].end())
        if len(words) > 1 and is_last and _VERB_BEFORE.search(earlier[: opening.start()]):
            words = words[:-1]  # the verb of "What does the card cost?"
        elif len(words) > 1 and is_last and _SAID_OF.fullmatch(words[-1].group()):
            words = words[:-1]  # "When is the library open?"
        if words:
            start, end = opening.start(), words[-1].end()
            before = re.search(rf"\b({_PREPOSITION})\s+\Z", earlier[:start], re.IGNORECASE)
            yield Phrase(SlotKind.NOUN, earlier[start:end], start, end, before and before[1], has_determiner=True)


def _last(phrases: Sequence[Phrase]) -> Phrase | None:
    return phrases[-1] if phrases else None


def _phrases_of(kind: SlotKind, earlier: str) -> Iterator[Phrase]:
    """The names, dates or identifiers of a question, without words that only open it."""
    taken = [match.span() for other in _FINDERS if other is not kind for match in _FINDERS[other].finditer(earlier)]
    for match in _FINDERS[kind].finditer(earlier):
        start, end = match.span()
        if kind is SlotKind.NAME:
            words = list(_WORD.finditer(earlier, start, end))
            while words and (words[0].group().casefold() in STOP_WORDS or words[0].start() == _first_word(earlier)):
                words = words[1:]
            if not words or any(_is_in_part(words[0].start(), words[-1].end(), *span) for span in taken):
                continue
            start = words[0].start()
        before = re.search(
            rf"(?:\b(?P<preposition>{_PREPOSITION})\s+)?(?P<determiner>{_DETERMINER})?\Z",
            earlier[:start],
            re.IGNORECASE,
        )
        assert before is not None
        yield Phrase(kind, earlier[start:end], start, end, before["preposition"], before["determiner"] is not None)


def _is_in_part(start: int, end: int, low: int, high: int) -> bool:
    """Whether a range overlaps another that is not at its end: the "S2" of "Corda S2" is part of the name."""
    return low < end and start < high and not start < low < high == end


def _nouns(earlier: str) -> Iterator[Phrase]:
    """The phrases after a preposition, each up to the next preposition, the verb or the end."""
    openings = list(re.finditer(rf"\b(?P<preposition>{_PREPOSITION})\s+", earlier, re.IGNORECASE))
    for number, opening in enumerate(openings):
        limit = openings[number + 1].start() if number + 1 < len(openings) else len(earlier)
        words = list(_WORD.finditer(earlier, opening.end(), limit))
        cut = next(
            (place for place, word in enumerate(words) if place and _NOT_A_PHRASE.fullmatch(word.group())), len(words)
        )
        words = words[:cut]
        if len(words) > 1 and limit == len(earlier) and _SUBJECT_ONLY.search(earlier[: opening.start()]):
            words = words[:-1]  # the verb of "How much does parking for guests cost?"
        if words:
            start, end = words[0].start(), words[-1].end()
            yield Phrase(SlotKind.NOUN, earlier[start:end], start, end, opening["preposition"])


def _first_word(text: str) -> int:
    word = _WORD.search(text)
    return word.start() if word else 0


def _family(preposition: str | None) -> int | None:
    return None if preposition is None else _FAMILY[preposition.casefold()]


def _form(identifier: str) -> str:
    return _LETTER.sub("a", _DIGIT.sub("9", identifier.casefold()))
