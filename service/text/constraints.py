"""The constraints of a question: what it names, and so what the text that answers it must name. Pure.

Identifiers (`QL-7731-C`, `3.4.1`, `B87`), years and the numbers of things (`step 3`) are compared exactly, but for dashes and
blanks inside them; dates in whatever form they are written. Names are compared without case, accents and endings, and with
their initials (`EPA`). A question in which most words have capitals, as all nouns of German do, names nothing by its capitals.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from service.text.dates import Date, date_spans, dates
from service.text.terms import STOP_WORDS, figures

_TOKEN = re.compile(r"[^\W_]+(?:[-‐‑–./:_+][^\W_]+)*\+{0,2}")
_SENTENCE_START = re.compile(r"(?:\A|[.!?:]\s+|[\"“(]\s*)\Z")
_DASHES = re.compile(r"[-‐‑–_\s]")
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d\Z")
_PLAIN_NUMBER = re.compile(r"\d+(?:[.,]\d+)*\Z")
_DATE_OR_TIME = re.compile(r"\d{1,4}[-/.:]\d{1,2}(?:[-/.:]\d{1,4})?\Z")
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*[a-zµ%]{1,4}\Z", re.IGNORECASE)  # 5kg, 100mm, 3rd
_QUARTER = re.compile(r"[qh](?P<number>[1-4])\Z", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth")
_TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir lady lord president minister king queen saint st herr frau".split()
)
_CALENDAR = frozenset(
    """january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday jan feb mar apr jun jul aug sep sept oct nov dec english i""".split()
)
_NUMBERED = re.compile(
    r"(?<!\w)(?!(?:the|of|in|to|at|by|for|than|least|most|about|over|under|after|before|and|or|within|every|until|from|only"
    r"|between|around|nearly|up|last|next|first|past|are|is|were|was|have|has)[ ])"
    r"[a-zA-Z][^\W\d_]{2,}[ ](?:no\.?[ ]|number[ ])?\Z",
    re.IGNORECASE,
)  # a noun before a number
_MAX_CAPITALS = 0.5
_MIN_RARE = 4  # letters of a rare word
_STEM = 5  # letters that two forms of a name share: Germany, German


class ConstraintKind(StrEnum):
    """What a constraint is, which decides how it is compared."""

    IDENTIFIER = "identifier"
    YEAR = "year"
    DATE = "date"
    NUMBER = "number"  # of a thing: step 3, room 12
    NAME = "name"
    WORD = "word"  # a rare one: a program, a substance, a term of a trade


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that the question names, as it is written there."""

    kind: ConstraintKind
    text: str


@dataclass(frozen=True, slots=True)
class NamedWords:
    """The words of a text as constraints are looked up in it. Make one with `NamedWords.of`."""

    words: tuple[str, ...]
    shown: tuple[str, ...]
    joined: frozenset[str]
    figures: frozenset[str]
    initials: frozenset[str]
    dates: frozenset[Date]

    @classmethod
    @lru_cache(maxsize=4096)
    def of(cls, text: str) -> "NamedWords":
        """The named words of a text."""
        shown = tuple(match.group() for match in _TOKEN.finditer(text))
        words = tuple(_plain(word) for word in shown)
        parts = [part for word in words for part in re.split(r"[-./:]", word)]
        pairs = ("".join(pair) for pair in pairwise(parts))
        triples = ("".join(three) for three in zip(parts, parts[1:], parts[2:], strict=False))
        joined = frozenset({*words, *parts, *pairs, *triples, *(_bare(word) for word in words)})
        return cls(words, shown, joined, figures(text), frozenset(_initials(shown)), dates(text))

    def meets(self, constraint: Constraint) -> bool:
        """Whether the text names what the constraint names."""
        if constraint.kind is ConstraintKind.DATE:
            return self._has_date(constraint.text)
        if constraint.kind is ConstraintKind.NUMBER:
            return constraint.text in self.figures or constraint.text in self.joined
        if constraint.kind is ConstraintKind.YEAR:
            return constraint.text in self.figures or constraint.text in self.joined
        if constraint.kind is ConstraintKind.IDENTIFIER:
            return self._has_identifier(constraint.text)
        return self._has_name(constraint.text.split())

    def _has_date(self, text: str) -> bool:
        """Whether a date fits one of the readings of `text`; its year may stand elsewhere, as in a heading."""
        asked = dates(text)
        return any(
            one.fits(other) and (one.year is None or other.year is not None or str(one.year) in self.joined)
            for one in asked
            for other in self.dates
        )

    def _has_identifier(self, text: str) -> bool:
        quarter = _QUARTER.match(text)
        if quarter is not None and _ORDINALS[int(quarter["number"]) - 1] in self.words:
            return True
        return _bare(_plain(text)) in self.joined

    def _has_name(self, parts: list[str]) -> bool:
        last = _plain(parts[-1])
        if len(parts) == 1 and parts[0].isupper() and parts[0].casefold() in self.initials:
            return True
        if len(parts) > 1 and "".join(part[0] for part in parts).casefold() in self.words:
            return True
        places = [place for place, word in enumerate(self.words) if _same_name(word, last)]
        if len(parts) == 1 or not places:
            return bool(places)
        if all(any(_same_name(word, _plain(part)) for word in self.words) for part in parts):
            return True
        return any(not self._has_other_name_before(place, parts) for place in places)

    def _has_other_name_before(self, place: int, parts: list[str]) -> bool:
        """Whether another name stands where the name's earlier words would: "Oder Commission" for "Spree Commission"."""
        if place == 0:
            return False
        before = self.shown[place - 1]
        return before[0].isupper() and self.words[place - 1] not in (*_TITLES, *STOP_WORDS) and before not in parts


def constraints(question: str, is_common: Callable[[str], bool] = lambda _: True) -> tuple[Constraint, ...]:
    """The constraints of a question, in order, each once.

    `is_common` says of a word in small letters whether it is an ordinary one of the language that the models know. If most
    words of the question are, the others are constraints too.
    """
    tokens = list(_TOKEN.finditer(question))
    found: list[Constraint] = []
    spans = date_spans(question)
    found += [Constraint(ConstraintKind.DATE, question[start:end]) for start, end in spans]
    tokens = [token for token in tokens if not any(start <= token.start() < end for start, end in spans)]
    named = _names_by_capitals(question, tokens)
    phrase: list[re.Match[str]] = []
    for token in tokens:
        word = token.group()
        if phrase and (token not in named or question[phrase[-1].end() : token.start()] != " "):
            found.append(_name(phrase))
            phrase = []
        if token in named:
            phrase.append(token)
        elif _YEAR.match(word):
            found.append(Constraint(ConstraintKind.YEAR, word))
        elif _is_identifier(word):
            found.append(Constraint(ConstraintKind.IDENTIFIER, word))
        elif word.isdecimal() and _NUMBERED.search(question[: token.start()]):
            found.append(Constraint(ConstraintKind.NUMBER, word))
    if phrase:
        found.append(_name(phrase))
    small = [t.group() for t in tokens if t.group().isalpha() and t.group().islower() and len(t.group()) >= _MIN_RARE]
    rare = [word for word in small if word not in STOP_WORDS and not is_common(word)]
    if len(rare) * 2 <= len(small):
        found += [Constraint(ConstraintKind.WORD, word) for word in rare]
    return tuple(dict.fromkeys(found))


def _name(phrase: list[re.Match[str]]) -> Constraint:
    words = [re.sub(r"['’]s\Z", "", token.group()) for token in phrase]
    return Constraint(ConstraintKind.NAME, " ".join(words))


def _names_by_capitals(question: str, tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    """The words that are names because they begin with a capital, but for the first word of a sentence."""
    content = [token for token in tokens if token.group().casefold() not in STOP_WORDS and token.group()[0].isalpha()]
    capital = [token for token in content if token.group()[0].isupper() and not _is_identifier(token.group())]
    if not any(token.group().islower() for token in tokens):
        return []  # all in capitals
    inner = [token for token in capital if not _SENTENCE_START.search(question[: token.start()])]
    if len(content) > 3 and len(capital) > _MAX_CAPITALS * len(content) and any(t.group().istitle() for t in inner):
        lower = [token for token in content if token.group()[0].islower()]
        if len(lower) < 2:
            return []
    return [token for token in inner if token.group().casefold() not in _CALENDAR and len(token.group()) > 1]


def _is_identifier(word: str) -> bool:
    if not any(map(str.isdecimal, word)) or (_DATE_OR_TIME.match(word) and not _has_letter(word)):
        return word.count(".") > 1 and all(part.isdecimal() for part in word.split("."))
    if _PLAIN_NUMBER.match(word):
        return word.count(".") > 1
    if _AMOUNT.match(word):
        return False
    return _has_letter(word) or any(sign in word for sign in "-/:_")


def _has_letter(word: str) -> bool:
    return any(map(str.isalpha, word))


def _same_name(word: str, name: str) -> bool:
    """Whether a word is a form of the name: the same, or the same but for its ending."""
    if word == name or word in (f"{name}s", f"{name}es") or name in (f"{word}s", f"{word}es"):
        return True
    shared = max(_STEM, min(len(word), len(name)) - 2)
    return (
        len(word) >= shared and len(name) >= shared and word[:shared] == name[:shared] and not _has_digit(word + name)
    )


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _plain(word: str) -> str:
    """The word in lower case, without accents and a possessive ending."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    return (
        "".join(letter for letter in folded if not unicodedata.combining(letter)).removesuffix("'s").replace("ø", "o")
    )


def _bare(word: str) -> str:
    """The word without the dashes inside it, and a version without its `v`."""
    bare = _DASHES.sub("", word).replace("‑", "").replace("–", "")
    return bare[1:] if bare[:1] == "v" and bare[1:2].isdecimal() else bare


def _initials(words: tuple[str, ...]) -> list[str]:
    """The initials of each run of two to six words with capitals, small words between them left out."""
    found: list[str] = []
    run: list[str] = []
    for word in words:
        if word[0].isupper():
            run.append(word[0].casefold())
            found += ["".join(run[start:]) for start in range(max(0, len(run) - 6), len(run) - 1)]
        elif word.casefold() not in ("of", "and", "the", "for", "de", "la", "der", "und", "on", "in"):
            run = []
    return found
