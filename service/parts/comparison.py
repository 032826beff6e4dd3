"""Splits a comparison into one question for each of what is compared, all asking for the same figure or date. Pure.

"Which pump weighs more, the PX-40 or the PX-90?" is read as "How much does the PX-40 weigh?" and the same of the PX-90, and
"Compare the PX-40 and the PX-90" as a question about each. English comparisons are known here: by a comparative with
"than", by a choice with "or", by "compare" and "difference between".
"longer than four hours" compares with no second thing and is left alone. For those in German see
`service.parts.german_comparison`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from service.parts.adjectives import COMPARED, LONG_BASES, OPPOSITES, base_of, how_many, question_with_be
from service.parts.coordination import Things, kind_of, label_of, several, things_in
from service.parts.german_comparison import compared_in_german
from service.parts.question import Bond, Group, PartQuestion
from service.parts.words import PREPOSITIONS, Word, as_question, is_named, words_of

_FLAGS = re.IGNORECASE | re.DOTALL
_MUCH = r"(?:(?:much|far|a\s+lot|significantly|slightly|any|even|a\s+bit)\s+)?"
_COMP = rf"{_MUCH}(?:(?:more|less|most|least)\s+(?:{'|'.join(LONG_BASES)})|{'|'.join(COMPARED)})"
_QUANTITY = r"(?:more|less|fewer|(?:the\s+)?(?:most|least|fewest))"
_TIME = r"(?:first|last|earlier|later|earliest|latest|sooner|before|after)"
_BE = r"(?:is|are|was|were)"
_DO = r"(?:does|do|did|has|have|had)"
_SUBJECTS = 8  # most words of one thing that is compared
_CHOSEN = 6  # most words of one of two common things to choose from

_TAIL = re.compile(
    r"\s*(?:[,:;.?–-]|\band\b)\s*(?:and\s+)?(?:which|who|what)(?:\s+(?:one|of\s+(?:them|the\s+two|these|both)))?"
    rf"\s+(?:(?:is|was|are|were|has|had)\s+(?:the\s+|a\s+)?(?:{_COMP}|more)|(?:costs?|weighs?|came|comes|has)\s+(?:{_QUANTITY}|{_TIME}))"
    r"[^,;:?]{0,30}[?.\s]*\Z",
    _FLAGS,
)
_COMPARE = re.compile(r"\W*(?:please\s+)?(?:compare|contrast)\s+(?P<body>.+)\Z", _FLAGS)
_HOW_COMPARE = re.compile(
    r"\W*how\s+(?:do|does|did)\s+(?P<one>.+?)\s+compare(?P<other>\s+(?:with|to|against)\s+.+?)?(?P<in>\s+(?:in|by|on)\s+[^,;]+)?\W*\Z",
    _FLAGS,
)
_DIFFERENCE = re.compile(
    rf"\W*(?:what|how\s+(?:big|large|great))\s+{_BE}\s+the\s+difference\s+(?:(?P<in>in\s+.+?)\s+)?between\s+(?P<body>.+)\Z",
    _FLAGS,
)
_IN_TERMS = re.compile(
    r"\s+(?:in\s+terms\s+of|with\s+(?:regard|respect)\s+to|regarding|as\s+to|by|in|on)\s+(?:their\s+|the\s+|its\s+)?"
    r"(?P<what>[^\W\d_][^\W\d_ -]*(?:[ -][^\W\d_]+){0,3})\W*\Z",
    _FLAGS,
)
_FURTHER = re.compile(r"\b(?:in|by|on)\s", re.IGNORECASE)
_CONNECTING = frozenset("and with to against versus vs".split())
_BARE = re.compile(r"\bof\b|['’]s\b|\b(?:in|for|on)\s", re.IGNORECASE)

_THAN = (
    re.compile(
        rf"\W*(?:(?:by\s+)?how\s+(?:much|many\s+\w+)\s+)?(?P<be>{_BE})\s+(?P<a>.+?)\s+(?P<comp>{_COMP})(?:\s+(?P<mid>.+?))?\s+than\s+(?P<b>.+)\Z",
        _FLAGS,
    ),
    re.compile(
        rf"\W*(?:by\s+)?how\s+(?:much|many\s+\w+|far)\s+(?P<comp>{_COMP})\s+(?P<be>{_BE})\s+(?P<a>.+?)\s+than\s+(?P<b>.+)\Z",
        _FLAGS,
    ),
    re.compile(
        rf"\W*(?P<do>{_DO})\s+(?P<a>.+?)\s+(?P<verb>[^\W\d_]+)\s+(?:an?\s+)?(?P<q>{_QUANTITY}|{_COMP})(?:\s+(?P<noun>.+?))?\s+than\s+(?P<b>.+)\Z",
        _FLAGS,
    ),
    re.compile(
        rf"\W*(?:by\s+)?how\s+(?:much|many)\s+(?P<q>{_QUANTITY}|{_COMP})(?:\s+(?P<noun>.+?))?\s+(?P<do>{_DO})\s+(?P<a>.+?)\s+(?P<verb>[^\W\d_]+)\s+than\s+(?P<b>.+)\Z",
        _FLAGS,
    ),
    re.compile(
        r"\W*(?:(?:are|were|is|was)\s+there\s+|(?:do|did|does)\s+|how\s+(?:much|many)\s+)?(?P<q>more|fewer|less)\s+(?P<rest>.+?)\s+than\s+(?P<b>.+)\Z",
        _FLAGS,
    ),
)
_BEFORE = re.compile(
    rf"\W*(?P<aux>{_BE}|does|do|did)\s+(?P<a>.+?)\s+(?P<verb>[^\W\d_]+)\s+(?:before|after|(?:earlier|later|sooner)\s+than)\s+(?P<b>.+)\Z",
    _FLAGS,
)
_PREDICATES = (
    re.compile(rf"(?P<be>{_BE})\s+(?:the\s+)?(?P<comp>{_COMP})\W*\Z", _FLAGS),
    re.compile(rf"(?P<be>{_BE})\s+(?P<verb>[^\W\d_]+)\s+{_TIME}\W*\Z", _FLAGS),
    re.compile(rf"(?P<verb>[^\W\d_]+)\s+{_TIME}\W*\Z", _FLAGS),
    re.compile(rf"(?P<verb>[^\W\d_]+)\s+(?P<q>{_QUANTITY})(?:\s+(?P<noun>\w.*?))?\W*\Z", _FLAGS),
    re.compile(rf"(?P<verb>[^\W\d_]+)\s+(?:an?\s+|the\s+)?(?P<q>{_COMP})(?:\s+(?P<noun>\w.*?))?\W*\Z", _FLAGS),
)
_ASKS = re.compile(r"(?:which|who|what)(?:\s+one)?\s+", re.IGNORECASE)
_IS_OR = re.compile(rf"\W*(?:{_BE}|does|do|did)\s+", re.IGNORECASE)
_OF_FIRST = re.compile(r"\W*(?:out\s+of|between|of|among)\s+", re.IGNORECASE)
_OF_THE = re.compile(r"of\s+(?:the\s+(?:two|three|four)(?:\s+[^\W\d_]+)?|them|these)\s*,?\s*", re.IGNORECASE)
_OR = re.compile(r"(?:[,:;–-]|\A)\s*(?P<one>[^,:;]+?),?\s+or\s+(?P<other>[^,:;]+?)\W*\Z", re.IGNORECASE)
_NOTHING = re.compile(
    r"\W*(?:(?:a|an|the)\s+)?(?:\d|expected|usual|before|normal|ever|allowed|planned|average|that\b(?!\s+(?:of|in|for)\b)|what\b|i\b|"
    r"we\b|you\b|it\b|they\b|one\b|two\b|three\b|four\b|five\b|six\b|seven\b|eight\b|nine\b|ten\b|twelve\b|twenty\b|thirty\b|half\b|"
    r"most\b|any|other|last\b|previous|minimum|maximum)",
    re.IGNORECASE,
)
_THAT = re.compile(r"(?:that|those)\s+(?=(?:of|in|for)\b)", re.IGNORECASE)
_TRAILING = re.compile(r"\s+(?:does|do|did|is|are|was|were|has|have)\W*\Z", re.IGNORECASE)
_FIGURE = re.compile(r"\bof\b|['’]s\s|\bfor\b|\b(?:in|on)\s+(?:[^\W\d_]+\s+)?\d")
_PLACED_FIGURE = re.compile(r"\b(?:in|at|on)\s")

Ask = Callable[[str], str]


def compared(question: str) -> Group | None:
    """The group of a comparison; None for any other question."""
    text = question.strip()
    tail = _TAIL.search(text)
    rest = text[: tail.start()].strip() if tail is not None and tail.start() > 12 else text
    parts = _by_compare(rest) or _by_before(text) or _by_than(text) or _by_choice(text) or compared_in_german(text)
    if parts:
        return Group(question, tuple(parts), Bond.COMPARED)
    if rest == text:
        return None
    found = several(as_question(rest))
    return None if found is None or found.bond is Bond.WEAK else replace(found, text=question, bond=Bond.COMPARED)


def asks_which(question: str) -> bool:
    """Whether the question ends in "..., and which is cheaper?", which is no question of its own."""
    return _TAIL.search(question.strip()) is not None


def _each(things: Sequence[str], ask: Ask) -> list[PartQuestion]:
    """One part for each thing; none if they are the same, or no things."""
    bare = [" ".join(thing.split()).strip(" ,;:?.!") for thing in things]
    labels = [label_of(thing) for thing in bare]
    if len({label.casefold() for label in labels}) < len(labels) or not all(words_of(label) for label in labels):
        return []
    return [PartQuestion(as_question(ask(thing)), label) for thing, label in zip(bare, labels, strict=True)]


def _by_compare(text: str) -> list[PartQuestion]:
    """ "Compare the warranty of A and B", "How do A and B compare in price?", "the difference in price between A and B"."""
    match = _COMPARE.match(text) or _HOW_COMPARE.match(text) or _DIFFERENCE.match(text)
    if match is None:
        return []
    groups = match.groupdict()
    body = (groups.get("body") or f"{groups.get('one')}{groups.get('other') or ''}").strip(" ?.!")
    what = _IN_TERMS.match(f" {groups['in'].strip()}") if groups.get("in") else None
    if what is None and (said := _IN_TERMS.search(body)) is not None and not _ends_in_name(body):
        what, body = said, body[: said.start()]
    things = _things_inside(body)
    if things is None:
        return []
    before, after = body[: things.start], body[things.end :]
    if what is not None:
        attribute = what["what"].strip()
        has_further = bool(after.strip())  # a second comparison follows: "with B in size and with C in price"
        return [] if has_further else _each(things.names, lambda thing: f"What is the {attribute} of {thing}?")
    if before.strip().lower() in ("", "the", "both") and not all(map(_BARE.search, things.names)):
        is_of_one = _FURTHER.search(f"{body} {groups.get('in') or ''}") is None
        return _each(things.names, lambda thing: f"What about {before}{thing}{after}?") if is_of_one else []
    return _each(things.names, lambda thing: f"What is {before}{thing}{after}?")


def _things_inside(body: str) -> Things | None:
    """The things that a stretch from inside a question names. Its first word is a name too if it has a capital."""
    before = "compare "
    found = things_in(f"{before}{body}", _CONNECTING)
    return found and Things(found.start - len(before), found.end - len(before), found.names)


def _by_than(text: str) -> list[PartQuestion]:
    """ "Is A heavier than B?", "Does A have more seats than B?", "How much more does A cost than B?"."""
    match = next((found for pattern in _THAN if (found := pattern.match(text)) is not None), None)
    if match is None:
        return []
    groups = match.groupdict()
    second = _TRAILING.sub("", groups["b"].strip(" ?.!"))
    if _NOTHING.match(second) or not 0 < len(words_of(second)) <= _SUBJECTS:
        return []
    if "rest" in groups:
        return _of_places(groups["rest"], second)
    noun, places = groups.get("noun") or "", _places(groups.get("noun") or "", second)
    if places is not None and "do" in groups:
        ask = _asking(groups["do"].lower(), groups["verb"], groups["q"], places[0])
        return _each((places[1], second), lambda place: f"{ask(groups['a']).rstrip('?')} {place}?")
    things = _two(groups["a"], groups.get("mid") or "", second)
    if "be" in groups:
        return _each(things, _asking_with_be(groups["be"], groups["comp"], things))
    return _each(things, _asking(groups["do"].lower(), groups["verb"], groups["q"], noun))


def _two(first: str, mid: str, second: str) -> tuple[str, ...]:
    """The two things, whole; none if they are not built alike. `mid` is what stands between the comparative and "than"."""
    second = _THAT.sub("", second)
    preposition = words_of(second)[0].small
    if preposition not in PREPOSITIONS:
        return () if mid else (first, second)
    if mid:
        return (f"{first} {mid}", f"{first} {second}") if words_of(mid)[0].small == preposition else ()
    exchanged = _exchanged(first, second)
    return () if exchanged is None else (first, exchanged)


def _exchanged(first: str, second: str) -> str | None:
    """The first thing with its phrase like the second in the place of it: "fee in Moss in 2024", "in Horten" -> "fee in
    Horten in 2024". A year takes the place of a year. None if no phrase begins with the preposition of the second."""
    words, others = words_of(first), words_of(second)
    begins = [place for place, word in enumerate(words[:-1]) if word.small == others[0].small]
    alike = [place for place in begins if _is_year(words[place + 1]) == _is_year(others[1])] if len(others) > 1 else []
    if not begins:
        return None
    place = (alike or begins)[-1]
    ends = (word.start for word in words[place + 1 :] if word.small in PREPOSITIONS - {"of"})
    has_further = any(word.small in PREPOSITIONS - {"of"} for word in others[1:])
    rest = "" if has_further else first[next(ends, len(first)) :]
    return f"{first[: words[place].start].rstrip()} {second} {rest}".strip()


def _is_year(word: Word) -> bool:
    return kind_of(word) == "year"


def _places(noun: str, second: str) -> tuple[str, str] | None:
    """ "employees in Lyon" before "than in Porto" as "employees" and "in Lyon"; None if it does not end so."""
    preposition = words_of(second)[0].small
    before = _before_last(noun, preposition) if preposition in PREPOSITIONS else None
    return None if before is None else (before, noun[len(before) :].strip())


def _before_last(text: str, word: str) -> str | None:
    place = next((found for found in reversed(words_of(text)) if found.small == word), None)
    return text[: place.start].rstrip() if place is not None else None


def _of_places(rest: str, second: str) -> list[PartQuestion]:
    """ "Do more people work in Porto than in Lyon?": how many people work in each."""
    preposition = words_of(second)[0].small
    before = _before_last(rest, preposition) if preposition in PREPOSITIONS else None
    if not before:
        return []
    first = rest[len(before) :].strip()
    verb = "" if len(words_of(before)) > 1 else " are there"
    return _each((first, second), lambda thing: f"{how_many(before)} {before}{verb} {thing}?")


def _asking_with_be(verb: str, comparative: str, things: Sequence[str]) -> Ask:
    """The question for how much each is: "How heavy is A?", "What is the price of A?"."""
    adjective = _adjective(comparative)
    is_figure = _are_figures(things, adjective)
    return lambda thing: question_with_be(verb.lower(), adjective, thing, is_figure=is_figure)


def _asking(auxiliary: str, verb: str, quantity: str, noun: str) -> Ask:
    """The question for how much each does: "How many seats does A have?", "How long does A last?"."""
    noun = noun.strip()
    if noun and words_of(noun)[0].small in PREPOSITIONS:
        ask = _asking(auxiliary, verb, quantity, "")
        return lambda thing: f"{ask(thing).rstrip('?')} {noun}?"
    if _is_quantity(quantity):
        asked = f"{how_many(noun)} {noun}" if noun else "How much"
        return lambda thing: f"{asked} {auxiliary} {thing} {verb}?"
    adjective = _adjective(quantity)
    if noun:
        return lambda thing: f"What is the {noun} of {thing}?"
    return lambda thing: f"How {adjective} {auxiliary} {thing} {verb}?"


def _by_before(text: str) -> list[PartQuestion]:
    """ "Was A founded before B?": when each was founded. B must be built like A: "before Friday" is no second thing."""
    match = _BEFORE.match(text)
    if match is None:
        return []
    things = things_in(f"x {match['a']} and {_TRAILING.sub('', match['b'])}")
    if things is None or len(things.names) != 2 or things.start != 2:
        return []
    auxiliary, verb = match["aux"].lower(), match["verb"]
    return _each(things.names, lambda thing: f"When {auxiliary} {thing} {verb}?")


def _by_choice(text: str) -> list[PartQuestion]:
    """ "Which is heavier, A or B?", "Which of A and B costs more?", "Of A and B, who is older?"."""
    things, rest = _choices(text)
    asks = _ASKS.match(rest)
    if not things or asks is None:
        return []
    rest = _OF_THE.sub("", rest[asks.end() :]).strip(" ,;:–-")
    noun = re.match(r"[^\W\d_]+", rest)
    things = tuple(_THAT.sub(f"the {noun.group()} ", thing) for thing in things) if noun is not None else things
    for skipped in range(4):
        for pattern in _PREDICATES:
            match = pattern.match(rest)
            if match is not None:
                return _each(things, _of_predicate(match.groupdict(), things))
        words = words_of(rest)
        if len(words) < 2 or skipped == 3:
            return []
        rest = rest[words[1].start :]
    return []


def _choices(text: str) -> tuple[tuple[str, ...], str]:
    """What there is to choose from, and the rest of the question, which begins with its question word."""
    for form in (_chosen_by_which, _chosen_by_verb, _chosen_by_opening):
        found = form(text)
        if found is not None:
            return found
    return (), ""


def _chosen_by_which(text: str) -> tuple[tuple[str, ...], str] | None:
    """ "Which of A and B costs more?", "Which is heavier, A or B?"."""
    asks = _ASKS.match(text)
    if asks is None:
        return None
    after = text[asks.end() :]
    things = things_in(after, frozenset(("and", "or"))) if after.lower().startswith("of ") else None
    if things is not None and after[2 : things.start].strip().lower() in ("", "the"):
        return things.names, f"{asks.group()}{after[things.end :].strip()}"
    ending = things_in(text, frozenset(("or",)))
    if ending is not None and not text[ending.end :].strip(" ?.!"):
        asked, _, first = ending.names[0].rpartition(", ")  # "longer, that of A or that of B"
        return (first, *ending.names[1:]), f"{text[: ending.start]}{asked}".rstrip(" ,;:–-")
    choice = _OR.search(text)
    if choice is None or choice.start() == 0:
        return None
    names = (choice["one"], choice["other"])
    return (names, text[: choice.start()]) if all(len(words_of(name)) <= _CHOSEN for name in names) else None


def _chosen_by_verb(text: str) -> tuple[tuple[str, ...], str] | None:
    """ "Is A or B heavier?", "Does A or B cost more?"."""
    asked = _IS_OR.match(text)
    things = things_in(text, frozenset(("or",))) if asked is not None else None
    if asked is None or things is None or text[asked.end() : things.start].strip().lower() not in ("", "the"):
        return None
    verb = asked.group().strip()
    rest = text[things.end :].strip()
    return things.names, f"which {f'{verb} ' if re.fullmatch(_BE, verb, re.IGNORECASE) else ''}{rest}"


def _chosen_by_opening(text: str) -> tuple[tuple[str, ...], str] | None:
    """ "Of A and B, which is heavier?"."""
    opening = _OF_FIRST.match(text)
    things = things_in(text) if opening is not None else None
    if opening is None or things is None or text[opening.end() : things.start].strip().lower() not in ("", "the"):
        return None
    return things.names, text[things.end :].lstrip(" ,;:")


def _of_predicate(groups: dict[str, str | None], things: Sequence[str]) -> Ask:
    be, verb, quantity, noun = (groups.get(name) for name in ("be", "verb", "q", "noun"))
    if be and groups.get("comp"):
        return _asking_with_be(be, groups["comp"] or "", things)
    assert verb is not None
    if be:
        return lambda thing: f"When {be.lower()} {thing} {verb}?"
    auxiliary = "does" if verb.lower().endswith("s") else "did" if base_of(verb) != verb.lower() else "does"
    if quantity is None:
        return lambda thing: f"When did {thing} {base_of(verb)}?"
    return _asking("did" if verb.lower() == "had" else auxiliary, base_of(verb), quantity, noun or "")


def _are_figures(things: Sequence[str], adjective: str) -> bool:
    """Whether the things are figures themselves ("the price of the boat"), and not what has one ("the boat")."""
    return any(_FIGURE.search(thing) or (adjective == "high" and _PLACED_FIGURE.search(thing)) for thing in things)


def _is_quantity(text: str) -> bool:
    return re.fullmatch(_QUANTITY, " ".join(text.split()), re.IGNORECASE) is not None


def _adjective(comparative: str) -> str:
    """The adjective that asks for the figure: "heavy" of "much heavier" and of "lighter", "expensive" of "more expensive"."""
    last = words_of(comparative)[-1].small
    adjective = COMPARED.get(last, last)
    return OPPOSITES.get(adjective, adjective)


def _ends_in_name(text: str) -> bool:
    words = words_of(text)
    return bool(words) and is_named(words, len(words) - 1)
