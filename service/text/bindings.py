"""Whether a claim and a sentence tie the same words together in another way: values, roles, the ends of a journey. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from service.text.alignment import MIN_WINDOW, Alignment, Token, are_opposites, says_the_same, tokens, with_next
from service.text.telling_words import IRREGULAR, SYMMETRIC_VERBS, Kind

_BE = frozenset("is are was were be been being am gets got get wird werden wurde est sont".split())
_MODALS = frozenset("may must can could shall should will would might do does did to".split())
_BY = frozenset({"by", "von", "par"})
_MIN_IN_ROLES = 0.8  # the share of the claim's words that the sentence has if roles are compared
_MAX_SIDE = 4  # how many words on each side of a verb are compared
_PRONOUNS = frozenset("i you he she it we they who er sie es il elle".split())
_VALUES_OF = frozenset({Kind.NUMBER, Kind.ORDINAL, Kind.MONTH, Kind.WEEKDAY})


def binds_otherwise(found: Alignment) -> bool:
    """Whether a value of the claim belongs to something else in the sentence: "45 in Germany and 60 in Switzerland"."""
    clauses = {token.clause for token in found.sentence}
    if found.added or len(clauses) < 2 or found.window_coverage < MIN_WINDOW:
        return False
    by_clause = {number: [t for t in found.sentence if t.clause == number] for number in clauses}
    for value in (token for token in found.shared if token.kind in _VALUES_OF):
        there = _clauses_with(value, by_clause)
        for owner in found.shared:
            own = _clauses_with(owner, by_clause)
            if not own or not there or own & there or owner.kind is value.kind:
                continue
            if all(_has_other(value, by_clause[number], found.claim) for number in own) and all(
                _has_other(owner, by_clause[number], found.claim) or _is_parallel(by_clause, number, own, found.claim)
                for number in there
            ):
                return True
    return False


def _is_parallel(by_clause: dict[int, list[Token]], number: int, own: set[int], claim: Sequence[Token]) -> bool:
    """Whether the clause has words of the others and one of its own that the claim lacks: "members pay", "guests pay"."""
    members = [token for token in by_clause[number] if token.content]
    others = [token for place in own for token in by_clause[place] if token.content]
    shares = any(says_the_same(token, other) for token in members for other in others)
    return shares and any(
        token.kind is None and not any(says_the_same(token, said) for said in claim) for token in members
    )


def _clauses_with(token: Token, by_clause: dict[int, list[Token]]) -> set[int]:
    return {number for number, members in by_clause.items() if any(says_the_same(token, other) for other in members)}


def _has_other(token: Token, members: Iterable[Token], claim: Sequence[Token]) -> bool:
    """Whether the clause has another value of the token's kind, or its opposite, that the claim lacks."""
    return any(
        (other.kind is token.kind if token.kind else are_opposites(token, other))
        and not any(says_the_same(other, said) for said in claim)
        for other in members
    )


def swaps_roles(found: Alignment) -> bool:
    """Whether one does to the other what the other does to it in the sentence; passive and active count as the same."""
    if found.coverage < _MIN_IN_ROLES:
        return False
    for verb in found.shared:
        if verb.kind is not None or verb.value in SYMMETRIC_VERBS:
            continue
        if not (_is_verb(found.claim, verb) or _is_verb(found.sentence, verb)):
            continue
        ours, theirs = _sides(found.claim, verb), _sides(found.sentence, verb)
        as_patients, as_agents = _common(ours[0], theirs[1]), _common(ours[1], theirs[0])
        if as_patients and as_agents:
            return True
        stays = _common(ours[0], theirs[0]) or _common(ours[1], theirs[1])
        if not stays and any(token.kind for token in (*as_patients, *as_agents)):
            return True
    return False


def _common(some: Sequence[Token], others: Sequence[Token]) -> list[Token]:
    return [token for token in some if any(says_the_same(token, other) for other in others)]


def _sides(text: Sequence[Token], verb: Token) -> tuple[list[Token], list[Token]]:
    """The words just before and just after the verb, those of who does it first.

    Words that stand on both sides are left out: they tell neither side apart.
    """
    place = _place(text, verb)
    clause = text[place].clause
    before = [t for t in text[:place] if t.content and t.clause == clause][-_MAX_SIDE:]
    after = [t for t in text[place + 1 :] if t.content and t.clause == clause][:_MAX_SIDE]
    own_before = [t for t in before if not _common([t], after)]
    own_after = [t for t in after if not _common([t], before)]
    passive = (text[place - 1].word in _BE or _is_participle(text[place])) and any(
        t.word in _BY for t in text[place + 1 : place + 3]
    )
    return (own_after, own_before) if passive else (own_before, own_after)


def _place(text: Sequence[Token], word: Token) -> int:
    return next((number for number, token in enumerate(text) if says_the_same(token, word)), 0)


def _is_verb(text: Sequence[Token], word: Token) -> bool:
    place = _place(text, word)
    if not place:
        return _is_participle(text[0]) and any(token.word in _BY for token in text[1:3])
    written, before = text[place].word, text[place - 1]
    if before.word in _BE or before.word in _MODALS or before.word in _PRONOUNS or before.negates:
        return True
    if not before.content:
        return False
    after_plural = before.word.endswith("s") or before.word in IRREGULAR
    return written.endswith("s") or after_plural or _is_participle(text[place])


def _is_participle(token: Token) -> bool:
    return token.word.endswith(("ed", "t")) or token.word in IRREGULAR


def swaps_ends(found: Alignment) -> bool:
    """Whether "from A to B" is "from B to A" in the sentence."""
    ours, theirs = _ends(found.claim), _ends(found.sentence)
    return ours is not None and theirs is not None and ours != theirs and ours == theirs[::-1]


def _ends(text: Sequence[Token]) -> tuple[str, str] | None:
    following = {token.word: after.value for token, after in with_next(text) if token.word in ("from", "to")}
    return (following["from"], following["to"]) if len(following) == 2 else None


def is_about_another(found: Alignment, context: str) -> bool:
    """Whether the context names another of what the claim names: the policy 2023, and not the policy 2025."""
    said = [token for token in found.claim if token.content]
    for one, other in pairwise([token for token in tokens(context) if token.content]):
        for first, second in pairwise(said):
            for named, own, fixed, beside in ((other, second, one, first), (one, first, other, second)):
                if named.kind is None or named.kind is not own.kind or not says_the_same(fixed, beside) or fixed.kind:
                    continue
                context_names = any(says_the_same(own, token) for token in tokens(context))
                known = any(says_the_same(own, token) for token in found.sentence)
                if not says_the_same(named, own) and not known and not context_names:
                    return True
    return False
