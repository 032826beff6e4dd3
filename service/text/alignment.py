"""Aligns the words of a claim with those of a sentence: which they share, and which each has alone. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from service.text.telling_words import IRREGULAR, KINDS, NEGATIONS, OPPOSITES, PREFIXES, SHORT_UNITS, SYNONYMS, Kind
from service.text.terms import STOP_WORDS, figures

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*(?![^\W_])|[€$£¥₹%]|[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE_END = re.compile(
    r"[;:,]\s|[()]|\s(?:and|but|while|whereas|und|aber|während|et|mais)\s|\s[-–—]\s", re.IGNORECASE
)
_LEADING_ANSWER = re.compile(r"\A\W*(?:yes|no|ja|nein|oui|non)\b\s*[,.:;–-]\s*", re.IGNORECASE)
_PHRASES = tuple(
    (re.compile(rf"\b(?:{words})", re.IGNORECASE), token)
    for words, token in (
        (r"not only\b|nicht nur\b|non seulement\b", " "),
        (r"(?:no|not) (?:more|longer|later|greater|higher) than\b|at (?:the )?(?:most|latest)\b|up to(?= \W?\d)|a maximum of\b"
         r"|höchstens\b|maximal\b|bis zu\b|au (?:plus|maximum)\b", "atmost"),
        (r"(?:no|not) (?:less|fewer|earlier|lower) than\b|at (?:the )?(?:least|earliest)\b|a minimum of\b|mindestens\b"
         r"|au (?:moins|minimum)\b", "atleast"),
        (r"(?:more|longer|greater|higher) than\b|(?:over|above|exceeding)(?= \W?\d)|mehr als\b|plus de\b", "morethan"),
        (r"(?:less|fewer|shorter|lower) than\b|(?:under|below)(?= \W?\d)|weniger als\b|moins de\b", "lessthan"),
        (r"n['’]t\b|(?:can|won|don|doesn|didn|isn|aren|wasn|weren|hasn|haven|hadn|mustn|shouldn|couldn|wouldn|needn)['’]?t\b|cannot\b",
         "not"),
    )
)  # fmt: skip
_TITLES = frozenset("mr mrs ms miss dr prof professor sir herr frau monsieur madame".split())
_TELLING_STOP_WORDS = frozenset(
    "all each every some few more most before after above below up down in out on off no not nor once from until".split()
)
_FUNCTION_WORDS = frozenset(
    "der die das den dem des ein eine einen einem einer und oder ist sind war waren wird werden wurde darf dürfen kann können "
    "muss müssen im am um auf für von zu mit bei nur auch hat haben le la les un une du de des et ou est sont sur dans en au "
    "aux pour par il elle ne peut doit a been being upon per via within".split()
)
_VALUES = {word: (kind, value) for kind, words in reversed(KINDS.items()) for word, value in words.items()}
_MIN_PREFIX = 5  # letters with which two words of different length begin if they say the same
MIN_WINDOW = 0.4
"""The share of the words of the sentence's clauses that the claim has, at least, where what differs is compared."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number as it counts here. `value` is equal for words that say the same; `kind` is None for ordinary words.

    `content`: it is no function word. `clause` numbers the clauses of the text.
    """

    word: str
    value: str
    kind: Kind | None
    content: bool
    clause: int

    @property
    def negates(self) -> bool:
        """Whether the word is a negation."""
        return self.word in NEGATIONS


@lru_cache(maxsize=512)
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text in order, without a leading "Yes," or "No,"."""
    text = _LEADING_ANSWER.sub("", text)
    for pattern, token in _PHRASES:
        text = pattern.sub(token, text)
    ends = [match.end() for match in _CLAUSE_END.finditer(text)]
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        clause = sum(end <= match.start() for end in ends)
        found.append(_token(match[0], found[-1] if found else None, text[match.end() :], clause))
    return tuple(found)


def _token(written: str, before: Token | None, after: str, clause: int) -> Token:
    word = written.casefold().removesuffix("'s").removesuffix("’s")
    if written[0].isdecimal() and word.replace(",", "").replace(".", "").replace(":", "").isdecimal():
        return Token(word, word, Kind.NUMBER, True, clause)
    follows_number = before is not None and before.kind is Kind.NUMBER
    if follows_number and word in SHORT_UNITS:
        return Token(word, SHORT_UNITS[word], Kind.UNIT, True, clause)
    kind, value = _VALUES.get(word, (None, word))
    if word == "second" and follows_number:
        kind, value = Kind.UNIT, word
    if kind is Kind.MONTH and (written.islower() or (word in ("may", "march", "mars") and not _is_date(before, after))):
        kind, value = None, word
    if kind is not None:
        return Token(word, value, kind, True, clause)
    if written == "%":
        return Token(word, "percent", Kind.UNIT, True, clause)
    if any(map(str.isdecimal, written)):
        return Token(word, word, Kind.IDENTIFIER, True, clause)
    function = (word in STOP_WORDS and word not in _TELLING_STOP_WORDS) or word in _FUNCTION_WORDS or word in _TITLES
    is_name = before is not None and written[0].isupper() and not function
    is_name = is_name or (
        before is None and written[0].isupper() and not function and (after[1:2].isupper() or after[:1] == ",")
    )
    return Token(word, stem(word), Kind.NAME if is_name else None, not function and word not in NEGATIONS, clause)


def _is_date(before: Token | None, after: str) -> bool:
    near = before is not None and (
        before.kind is Kind.NUMBER or before.word in ("in", "of", "until", "by", "from", "since")
    )
    return near or bool(re.match(r"\s+\d", after))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The word without its English ending, or the synonym that stands for it: "led", "leads" and "heads" are all "lead"."""
    word = SYNONYMS.get(word, IRREGULAR.get(word, word))
    short = _without_ending(word)
    return SYNONYMS.get(word, SYNONYMS.get(short, SYNONYMS.get(f"{short}e", short))).removesuffix("e")


def _without_ending(word: str) -> str:
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith(("ies", "ied")):
        return f"{word[:-3]}y"
    for ending in ("ing", "ed", "es", "s", "ly"):
        short = word[: -len(ending)]
        if not word.endswith(ending) or len(short) < 3 or not re.search("[aeiouy]", short):
            continue
        if ending == "es" and not short.endswith(("s", "x", "z", "ch", "sh")):
            continue
        if ending == "s" and short.endswith(("s", "u", "i")):
            continue
        doubled = ending in ("ing", "ed") and short[-1] == short[-2] and short[-1] not in "ls"
        return short[:-1] if doubled else short
    return word


def says_the_same(one: Token, other: Token) -> bool:
    """Whether two words say the same: equal values, or one begins with the other ("reimburse", "reimbursement")."""
    if one.value == other.value:
        return True
    if Kind.NAME not in (one.kind, other.kind) and (one.kind or other.kind):
        return False
    short, long = sorted((one.value, other.value), key=len)
    if len(short) >= _MIN_PREFIX and long.startswith(short):
        return True
    return bool(one.kind is other.kind is Kind.NAME) and _is_acronym(one, other)


def _is_acronym(one: Token, other: Token) -> bool:
    short, long = sorted((one.word, other.word), key=len)
    return 2 <= len(short) <= 3 and long.startswith(short)


def are_opposites(one: Token, other: Token) -> bool:
    """Whether two words mean the opposite: a known pair, or one is the other with a negative prefix."""
    if one.value == other.value:
        return False
    if any(frozenset((a, b)) in _OPPOSITE_STEMS for a in (one.word, one.value) for b in (other.word, other.value)):
        return True
    for pair in ((one.value, other.value), (one.word, other.word)):
        short, long = sorted(pair, key=len)
        if len(short) > 3 and any(long == prefix + short for prefix in PREFIXES):
            return True
    return False


_OPPOSITE_STEMS = frozenset({*map(frozenset, OPPOSITES), *(frozenset(map(stem, pair)) for pair in OPPOSITES)})


@dataclass(frozen=True, slots=True)
class Alignment:
    """A claim beside a sentence. `window` are the tokens of those clauses of the sentence that share words with the claim.

    `shared` are the claim's content words that the sentence has, `added` those that neither it nor its context has, `missing`
    those of the window that the claim lacks.
    """

    claim: tuple[Token, ...]
    sentence: tuple[Token, ...]
    window: tuple[Token, ...]
    shared: tuple[Token, ...]
    added: tuple[Token, ...]
    missing: tuple[Token, ...]

    @property
    def coverage(self) -> float:
        """The share of the claim's content words that the sentence has; 0 for a claim without any."""
        shared = _weight(self.shared)
        return shared / ((shared + _weight(self.added)) or 1.0)

    @property
    def window_coverage(self) -> float:
        """The share of the window's content words that the claim has."""
        return 1 - _weight(self.missing) / (_weight([token for token in self.window if token.content]) or 1.0)


def _weight(words: Sequence[Token]) -> float:
    """How much the words count; a name is mostly of two words, which count as one."""
    return sum(0.5 if token.kind is Kind.NAME else 1.0 for token in words)


def with_next(text: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Each token with the next content word after it."""
    for place, token in enumerate(text):
        following = next((other for other in text[place + 1 :] if other.content), None)
        if following is not None:
            yield token, following


def align(claim: str, sentence: str, context: str = "") -> Alignment:
    """The alignment of two texts, each of one sentence. `context` are the headings above the sentence."""
    said, written, above = tokens(claim), tokens(sentence), tokens(context)
    have = _SameNumbers(claim, sentence)
    shared = tuple(t for t in said if t.content and have.holds(t, written, have.in_sentence))
    window = _window(said, written)
    return Alignment(
        said,
        written,
        window,
        shared,
        tuple(t for t in said if t.content and t not in shared and not any(says_the_same(t, other) for other in above)),
        tuple(t for t in window if t.content and not have.holds(t, said, have.in_claim)),
    )


@lru_cache(maxsize=4096)
def _figures(text: str) -> frozenset[str]:
    return figures(text)


class _SameNumbers:
    """The numbers of both texts as digits, so that "twenty-five" and "25" are the same."""

    def __init__(self, claim: str, sentence: str) -> None:
        self.in_claim, self.in_sentence = _figures(claim), _figures(sentence)

    def holds(self, token: Token, others: Sequence[Token], numbers: frozenset[str]) -> bool:
        """Whether the other text has the word."""
        if any(says_the_same(token, other) for other in others):
            return True
        stated = _figures(token.word)
        return bool(stated) and (stated <= numbers or not stated <= self.in_claim | self.in_sentence)


def _window(claim: Sequence[Token], sentence: Sequence[Token]) -> tuple[Token, ...]:
    """The fewest clauses of the sentence that hold every word it shares with the claim, richest first."""
    content = [token for token in claim if token.content]
    held = {
        number: {
            place
            for place, token in enumerate(content)
            for s in sentence
            if s.clause == number and says_the_same(token, s)
        }
        for number in {token.clause for token in sentence}
    }
    chosen: set[int] = set()
    covered: set[int] = set()
    while held:
        best = max(held, key=lambda number: (len(held[number] - covered), -number))
        new = held.pop(best) - covered
        if not new:
            break
        chosen.add(best)
        covered |= new
    return tuple(token for token in sentence if token.clause in chosen)
