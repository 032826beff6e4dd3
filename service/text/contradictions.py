"""Whether a sentence denies a claim that is nearly a copy of it: what differs must not be a word that decides. Pure.

A network that compares meanings takes "Flights are booked in business class" for nearly the same as "... in economy class".
These rules look at what differs between a claim and the sentence that it was made from: a negation, an opposite, a name, a
number, an ordinal, a unit, a date, a quantifier, which value belongs to which name, and who does it to whom. Where claim and
sentence differ in more than that, nothing is decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from index.chunking.sentences import sentence_spans
from service.text.alignment import MIN_WINDOW, Alignment, Token, align, are_opposites, says_the_same, tokens, with_next
from service.text.bindings import binds_otherwise, is_about_another, swaps_ends, swaps_roles
from service.text.plain import plain_line
from service.text.telling_words import EXCEPTIONS, Kind

CONTEXT_SEPARATOR = " > "
_MIN_COVERAGE = 0.55  # the share of the claim's words that a sentence has if the claim may be made from it
_MAX_WORSE = 0.2  # the share by which other sentences of the quote may be below the closest and still count
_STANDS_FOR_NAME = frozenset("it its he his she her they their this that these those both er sie es il elle".split())
_MAX_SENTENCES = 3  # sentences of a quote that a claim may copy
_MAX_ORDINARY = 1  # how many ordinary words may differ besides those that decide
_MIN_COPIED = 2  # content words besides the exchanged one
_BEFORE_NOUN = frozenset(
    "the a an of for in on at by with from to into as im in am der die das ein eine le la un une".split()
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote, of one or more sentences, with the title of its document and the headings above it."""

    quote: str
    context: str = ""


def denies(evidence: Sequence[Evidence], claim: str) -> bool:
    """Whether the evidence denies the claim.

    It does if the claim is nearly a copy of a sentence of it and differs from that in a word that decides, unless another
    sentence has all words of the claim, or more of them, and does not deny it.
    """
    found = [
        (align(claim, part.quote[span.start : span.end], part.context), part.context)
        for part in evidence
        for span in sentence_spans(part.quote)
    ]
    best = max((alignment.coverage for alignment, _ in found), default=0.0)
    near = [entry for entry in found if entry[0].coverage >= max(_MIN_COVERAGE, best - _MAX_WORSE)]
    denied = [alignment for alignment, context in near if _is_denied(alignment, context)]
    closest = max((alignment.coverage for alignment in denied), default=0.0)
    others = [alignment for alignment, _ in near if alignment not in denied]
    return bool(denied) and not any(not other.added or other.coverage > closest for other in others)


def copies(evidence: Sequence[Evidence], claim: str) -> bool:
    """Whether the claim is one or more whole sentences of a quote, word by word."""
    said = _plain(claim)
    for part in evidence:
        spans = sentence_spans(part.quote)
        for first in range(len(spans)):
            for last in range(first, min(first + _MAX_SENTENCES, len(spans))):
                if said and _plain(part.quote[spans[first].start : spans[last].end]) == said:
                    return True
    return False


def _plain(text: str) -> str:
    return plain_line(text).casefold().strip(" .!?…;\"'“”„«»")


def _is_denied(alignment: Alignment, context: str) -> bool:
    return any(
        rule(alignment)
        for rule in (_turns_polarity, _exchanges_value, _exchanges_word, binds_otherwise, swaps_roles, swaps_ends)
    ) or is_about_another(alignment, context)


def _turns_polarity(found: Alignment) -> bool:
    """Whether an odd number of negations and opposites lies between the two."""
    if len(_ordinary(found.added)) > _MAX_ORDINARY + 1 or found.window_coverage < MIN_WINDOW:
        return False
    turned = [(c, s) for c in found.added for s in found.missing if are_opposites(c, s)]
    turned += _turned_prepositions(found)
    flips = len({c for c, _ in turned})
    met = [*found.shared, *(c for c, _ in turned), *(s for _, s in turned)]
    negated = _negates(found.claim, met) != _negates(found.window, met)
    if negated and not flips and _excepts(found):
        return False
    return (flips + negated) % 2 == 1


def _turned_prepositions(found: Alignment) -> list[tuple[Token, Token]]:
    """Opposite function words before the same word: "with a badge", "without a badge"."""
    pairs = []
    for c, c_next in with_next(found.claim):
        for s, s_next in with_next(found.window):
            if not c.content and not s.content and says_the_same(c_next, s_next) and are_opposites(c, s):
                pairs.append((c, s))
    return pairs


def _negates(text: Sequence[Token], met: Sequence[Token]) -> bool:
    """Whether a negation stands before (at the end: after) one of the words that both texts have."""
    for place, token in enumerate(text):
        if token.negates:
            own = [other for other in text if other.clause == token.clause and other.content]
            after = [other for other in text[place + 1 :] if other.clause == token.clause and other.content]
            if any(says_the_same(word, other) for word in after[:2] or own[-1:] for other in met):
                return True
    return False


def _excepts(found: Alignment) -> bool:
    """Whether the sentence makes an exception that the claim is about: "not paid unless ..." and "paid if ..."."""
    text = " ".join(token.word for token in found.sentence)
    for match in EXCEPTIONS.finditer(text):
        after = [token for token in tokens(text[match.end() :]) if token.content]
        held = sum(any(says_the_same(token, said) for said in found.claim) for token in after)
        if after and held >= len(after) / 2:
            return True
    return False


def _exchanges_value(found: Alignment) -> bool:
    """Whether the claim has another value of a kind (a name, a unit, a month) than the sentence, and little else differs."""
    ordinary = len(_ordinary(found.added))
    if ordinary > _MAX_ORDINARY or found.window_coverage < MIN_WINDOW:
        return _units_differ(found)
    for kind in {token.kind for token in found.added if token.kind}:
        if not any(token.kind is kind for token in found.missing):
            continue
        if kind is Kind.NUMBER and ordinary:
            continue
        if kind is Kind.NAME and _has_pronoun(found):
            continue
        return True
    return _units_differ(found)


def _has_pronoun(found: Alignment) -> bool:
    """Whether the sentence begins with "it" or "she", which may stand for a name of the claim."""
    return found.sentence[0].word in _STANDS_FOR_NAME


def _units_differ(found: Alignment) -> bool:
    """Whether a number of the claim has another unit or currency there: "30 minutes", "30 seconds"."""
    written = _quantities(found.sentence)
    for number, unit in _quantities(found.claim).items():
        there = written.get(number)
        if there and not unit & there:
            return True
    return False


def is_in_other_units(quote: str, claim: str) -> bool:
    """Whether a number of the claim stands in the quote with other units or currencies only: "24 weeks", "24 hours"."""
    written = tokens(quote)
    with_unit = _quantities(written)
    numbers = [token.value for token in written if token.kind is Kind.NUMBER]
    measures = [token for token in written if token.kind in (Kind.UNIT, Kind.CURRENCY)]
    for number, unit in _quantities(tokens(claim)).items():
        there = with_unit.get(number)
        is_always_with_unit = numbers.count(number) <= len(there or ())
        if there and not unit & there and is_always_with_unit and not unit & {token.value for token in measures}:
            return True
    return False


def _quantities(text: Sequence[Token]) -> dict[str, set[str]]:
    units: dict[str, set[str]] = {}
    measures = (Kind.UNIT, Kind.CURRENCY)
    for place, token in enumerate(text):
        if token.kind is Kind.NUMBER:
            near = [other for other in text[place + 1 : place + 2] if other.kind in measures]
            near = near or [other for other in text[max(place - 1, 0) : place] if other.kind is Kind.CURRENCY]
            if near:
                units.setdefault(token.value, set()).add(near[0].value)
    return units


def _exchanges_word(found: Alignment) -> bool:
    """Whether the claim is a copy but for one noun or adjective in the place of another: "in business class".

    Verbs are left to the network: they have too many synonyms.
    """
    if len(found.added) != 1 or len(found.shared) < _MIN_COPIED or found.window_coverage < _MIN_COVERAGE:
        return False
    (new,) = found.added
    ours, theirs = [t.value for t in found.claim], [t.value for t in found.sentence]
    for tag, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag != "replace" or (b - a, d - c) != (1, 1) or found.claim[a] is not new or not a:
            continue
        old, before = found.sentence[c], found.claim[a - 1]
        if before.word in _BEFORE_NOUN and old in found.missing and not are_opposites(new, old):
            return new.kind is None and old.kind is None
    return False


def _ordinary(differing: Iterable[Token]) -> list[Token]:
    return [token for token in differing if token.kind is None]
