"""Questions from the outline of a document: headings that are questions, lists, steps, and lists of terms. Pure."""

import re
from collections.abc import Iterator, Sequence

from evaluation.drafting.contents import heading_key
from evaluation.drafting.goals import goal_question
from evaluation.drafting.names import Names
from evaluation.drafting.proposal import Check, DraftDocument, Proposal
from evaluation.drafting.sentences import asked_subject, inner
from evaluation.drafting.wording import content_words, one_line
from index.blocks.block import Kind, Span
from service.text.noun_phrases import DEIXIS, is_plural

_NUMBER = re.compile(r"^(?:[\dA-Z]{1,2}(?:\.\d+)*[.)]?|Q\d*[:.])\s+")
_ASKS = re.compile(
    r"(?:Can|Could|Do|Does|Did|Is|Are|Was|Should|May|Must|Will|Has|Have)\b[^?]+\?|(?:What|How|Why|Where|When|Who|Which)\b"
    r"(?=[^?]*\b(?:is|are|was|were|do|does|did|can|could|should|shall|will|would|must|may|might|has|have|to|[a-z]{3,}s)\b)[^?]+\?"
)
_HOW_TO = re.compile(r"How to (?P<goal>[a-z].{6,80}[^?.:!])")
_MAX_SECTION_UNITS = 10
_MIN_GOLD_WORDS = 3
_ALIKE_LETTERS = 3
_MIN_ITEMS, _MAX_ITEMS = 2, 12
_ARE = re.compile(
    r"(?P<what>(?:The|All|Some|Examples of|Different)? ?[A-Za-z].{4,90}?) (?:is|are)(?: (?:as follows|the following))?:"
)
_THERE = re.compile(r"There (?:is|are) (?:[a-z]+|\d+) (?P<what>[a-z].{4,90}?):")
_HAS = re.compile(
    r"(?P<subject>[A-Za-z].{1,60}?) (?P<verb>includes|contains|comprises|provides|supports|requires|offers|has|consists of)"
    r"(?: the following(?: [a-z-]+){0,3})?:"
)
_VAGUE_LIST = re.compile(r"\b(?:few|things?|points?|ways?|options?|possibilities|to \w+ about)\b")
_BASES = {"has": "have", "consists of": "consist of"}
_STEPS = re.compile(
    r"(?:To|In order to|If you (?:want|wish|need|choose) to) .+(?:steps?|procedure|instructions|as follows|following)\b.*:"
)
_TERM_WORDS = 4
_IS_WHAT = re.compile(r"(?i)(?:an?|any|one) [^.]*?\b(?:of|that|which|who|for|used|to|in|by|with|containing)\b")
_SMALL, _COUNTABLE = re.compile(r"[a-z]+(?:[ -][a-z]+)*"), re.compile(r"An? ")
_VERBAL = re.compile(
    r"(?i)\b(?:you|is|are|do|can|if|when|how|why|what|the following|note|example|warning|tip|caution|see also|not)\b"
)


def outline_proposals(document: DraftDocument, names: Names, contents: frozenset[int]) -> Iterator[Proposal]:
    """The questions that the outline carries. What stands on a contents page carries none."""
    yield from _heading_questions(document, contents)
    yield from _list_questions(document, names, contents)
    yield from _term_questions(document, names)


def _heading_questions(document: DraftDocument, contents: frozenset[int]) -> Iterator[Proposal]:
    """What a heading asks; every sentence of a short section below it is evidence."""
    for place, unit in enumerate(document.units):
        if unit.kind is not Kind.HEADING:
            continue
        heading = _NUMBER.sub("", one_line(document.read[place]).strip("# "))
        how_to = _HOW_TO.fullmatch(heading)
        question = f"How do I {how_to['goal']}?" if how_to else heading
        if not (how_to or _ASKS.fullmatch(heading)) or DEIXIS.search(heading) or len(content_words(heading)) < 2:
            continue
        below = _section_below(document, place)
        if below and not contents.intersection(below):
            says = [number for number in below if len(content_words(document.read[number])) >= _MIN_GOLD_WORDS]
            spans = [Span(document.units[number].start, document.units[number].end) for number in says]
            yield Proposal("question heading", question, tuple((span,) for span in spans))


def _section_below(document: DraftDocument, place: int) -> range:
    """The units below a heading up to the next one; empty if there are none or too many to be one answer."""
    stop = place + 1
    while stop < len(document.units) and document.units[stop].kind is not Kind.HEADING:
        stop += 1
    below = range(place + 1, stop)
    is_prose = any(document.read[number].rstrip().endswith((".", "!")) for number in below)
    return below if len(below) <= _MAX_SECTION_UNITS and is_prose else range(0)


def _list_questions(document: DraftDocument, names: Names, contents: frozenset[int]) -> Iterator[Proposal]:
    """What the line before a list says that the list holds: all items together answer."""
    for lead, places in _lists(document):
        if contents.intersection(places) or not _MIN_ITEMS <= len(places) <= _MAX_ITEMS:
            continue
        spans = tuple(Span(document.units[place].start, document.units[place].end) for place in places)
        steps = goal_question(lead) if _STEPS.fullmatch(lead) else None
        question = steps or list_question(lead, names)
        if question:
            yield Proposal("steps" if steps else "list", question, (spans,), checks=(Check(content_words(question)),))


def list_question(lead: str, names: Names) -> str | None:
    """The question that a lead-in answers with its list; None if only the context says what the list is of."""
    has = _HAS.fullmatch(lead)
    if has is not None:
        subject = asked_subject(has["subject"], names)
        return f"What does {subject} {_BASES.get(has['verb'], has['verb'].removesuffix('s'))}?" if subject else None
    there, are = _THERE.fullmatch(lead), _ARE.fullmatch(lead)
    match = there or are
    if match is None:
        return None
    what = match["what"].strip()
    if (
        DEIXIS.search(what)
        or _VAGUE_LIST.search(what)
        or len(content_words(what)) < 2
        or not is_plural(what)
        or "," in what
    ):
        return None
    return f"Which {what} are there?" if there else f"What are {inner(what, names)}?"


def _lists(document: DraftDocument) -> Iterator[tuple[str, Sequence[int]]]:
    """Each list with a lead-in that ends in a colon: the lead-in, and the places of its items, in order."""
    place = 0
    while place < len(document.units):
        unit = document.units[place]
        stop = place + 1
        lead = unit.lead[-1:] if unit.kind is Kind.ITEM else ()
        while lead and stop < len(document.units) and lead[0] in document.units[stop].lead:
            stop += 1
        text = one_line(document.lead(unit))
        if lead and text.endswith(":"):
            places = [number for number in range(place, stop) if document.units[number].lead[-1:] == lead]
            if len(places) == stop - place:  # items within items would be half of the list
                yield text, places
        place = stop


def _term_questions(document: DraftDocument, names: Names) -> Iterator[Proposal]:
    """What a term means; and how two that stand beside each other differ, and what both are."""
    found: list[tuple[str, Span, int]] = []
    before = ""
    for place, unit in enumerate(document.units):
        if unit.kind is not Kind.MEANING:
            continue
        term, glue, meaning = one_line(document.read[place]).partition(": ")
        term = term.strip(" :“”\"'‘’")
        is_first, before = term != before, term
        if glue and is_first and is_term(term) and is_meaning(term, meaning, names):
            name = inner(term, names)
            span = Span(unit.start, unit.end)
            question = _term_question(name, meaning, not names.holds_name(name))
            yield Proposal("term", question, ((span,),), subject=name, checks=(Check(content_words(name)),))
            found.append((name, span, place))
    for (name, span, place), (other, other_span, other_place) in zip(found[::2], found[1::2], strict=False):
        is_next = all(document.units[number].kind is Kind.MEANING for number in range(place, other_place + 1))
        if is_next and are_of_a_kind(name, other):
            checks = (Check(content_words(f"{name} {other}")),)
            question = f"What is the difference between {name} and {other}?"
            yield Proposal("comparison", question, ((span, other_span),), checks=checks)
            if not name.startswith("-") and not is_plural(name) and not is_plural(other):
                both = f"What is {name} and what is {other}?"
                yield Proposal("two parts", both, ((span, other_span),), checks=checks)


def are_of_a_kind(name: str, other: str) -> bool:
    """Whether two terms look alike, so that somebody may confuse them: a word, a beginning or an end in common."""
    first, second = name.casefold(), other.casefold()
    if heading_key(name) == heading_key(other):
        return False
    begins, ends = (
        first[:_ALIKE_LETTERS] == second[:_ALIKE_LETTERS],
        first[-_ALIKE_LETTERS:] == second[-_ALIKE_LETTERS:],
    )
    return begins or ends or bool(content_words(name) & content_words(other))


def is_term(text: str) -> bool:
    """Whether the text names something: up to four words, none of which makes a sentence of it."""
    return bool(
        0 < len(text.split()) <= _TERM_WORDS
        and any(map(str.isalpha, text))
        and not _VERBAL.search(text)
        and not re.search(r"[?!,;=<>|]", text)
    )


def is_meaning(term: str, meaning: str, names: Names) -> bool:
    """Whether a meaning says what the term is. A text under a heading that stands in its line does not."""
    if len(content_words(meaning)) < 4 or (DEIXIS.match(meaning) and not meaning.startswith("This ")):
        return False
    return names.is_named(term.split(maxsplit=1)[0]) if len(term.split()) == 1 else bool(_IS_WHAT.match(meaning))


def _term_question(name: str, meaning: str, is_ordinary: bool) -> str:
    if name.startswith("-"):
        return f"What does the option {name} do?"
    if is_ordinary and _SMALL.fullmatch(name) and _COUNTABLE.match(meaning):
        return f"What is {'an' if name[0] in 'aeio' else 'a'} {name}?"
    return f"What {'are' if is_plural(name) and ' ' in name else 'is'} {name}?"
