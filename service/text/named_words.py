"""NamedWords: the words of a text, and whether they name what a constraint names. Pure.

Names are compared without case, accents and endings, with and without their initials and dashes. A name of several words is
met where its last word stands, unless the text gives that word to another name: "Spree Commission" for "Oder Commission".
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from service.text.constraints import TITLES, TOKEN, Constraint, ConstraintKind, is_sentence_start
from service.text.dates import Date, dates
from service.text.quarters import quarters
from service.text.terms import STOP_WORDS, figures

_FISCAL_YEAR = re.compile(r"\b[FC]Y\s?['’]?(\d\d)\b")
_PARTS = re.compile(r"[-‐‑–./:]")
_DASHES_AND_PARTS = re.compile(r"[-‐‑–./:_]")
_DASHES = re.compile(r"[-‐‑–_\s]")
_LETTERS_WITH_STOPS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\Z")  # U.S
_QUARTER = re.compile(r"[qh](?P<number>[1-4])\Z", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth")
_LEGAL_FORMS = frozenset("inc corp corporation co company ltd limited llc plc gmbh ag sa nv ab as oy".split())
_STEM = 5  # letters that two forms of a rare word share
_LONG = 9  # letters from which two forms of a name may differ in the last two: Designation, Designated
_NAME_STEM = 4  # letters that two forms of a name share: Italy, Italian
_ENDINGS = frozenset(
    frozenset(pair.split("/"))
    for pair in "/s /es /n /ns /an /ans /ian /ians /ish /ese /i /ic y/ y/ian y/ies a/ese en/ish e/ian um/an".split()
)
"""The endings by which two forms of a name may differ. Not more: Austria is not Australia, nor Peterson Petersen."""


@dataclass(frozen=True, slots=True)
class NamedWords:
    """The words of a text as constraints are looked up in it. Make one with `NamedWords.of`."""

    words: tuple[str, ...]
    shown: tuple[str, ...]
    openers: frozenset[int]
    joined: frozenset[str]
    figures: frozenset[str]
    initials: frozenset[str]
    dates: frozenset[Date]
    quarters: frozenset[int]

    @classmethod
    def of(cls, text: str) -> "NamedWords":
        """The named words of a text."""
        matches = list(TOKEN.finditer(text))
        shown = tuple(match.group() for match in matches)
        words = tuple(_plain(word) for word in shown)
        parts = [part for word in words for part in _PARTS.split(word)]
        pairs = ("".join(pair) for pair in pairwise(parts))
        triples = ("".join(three) for three in zip(parts, parts[1:], parts[2:], strict=False))
        fiscal = (f"20{year}" for year in _FISCAL_YEAR.findall(text))
        joined = frozenset({*words, *parts, *pairs, *triples, *fiscal, *(_bare(word) for word in words)})
        openers = frozenset(place for place, match in enumerate(matches) if is_sentence_start(text, match.start()))
        return cls(
            words, shown, openers, joined, figures(text), frozenset(_initials(shown)), dates(text), quarters(text)
        )

    def meets(self, constraint: Constraint) -> bool:
        """Whether the text names what the constraint names."""
        if constraint.kind is ConstraintKind.DATE:
            return self._has_date(constraint.text)
        if constraint.kind is ConstraintKind.QUARTER:
            return quarters(constraint.text) <= self.quarters
        if constraint.kind in (ConstraintKind.NUMBER, ConstraintKind.YEAR):
            return constraint.text in self.figures or constraint.text in self.joined
        if constraint.kind is ConstraintKind.IDENTIFIER:
            return self._has_identifier(constraint.text)
        if constraint.kind is ConstraintKind.WORD:
            parts = (part for word in self.words for part in (word, *_DASHES_AND_PARTS.split(word)))
            return any(_same_word(part, constraint.text) for part in parts)
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

    def _has_name(self, shown: list[str]) -> bool:
        if len(shown) > 1 and _plain(shown[-1]) in _LEGAL_FORMS:
            shown = shown[:-1]
        parts = [_plain(part) for part in shown]
        if len(parts) == 1:
            return (shown[0].isupper() and parts[0] in self.initials) or self._has_word(parts[0], shown[0])
        if self._has_initials("".join(part[0] for part in parts)) or all(map(self._has_word, parts, shown)):
            return True
        places = [place for place, word in enumerate(self.words) if same_name(word, parts[-1])]
        return bool(places) and not any(self._has_other_name_before(place) for place in places)

    def _has_word(self, name: str, shown: str) -> bool:
        if name in STOP_WORDS:  # US, WHO
            return (
                any(_plain(word) == name and word.isupper() for word in self.shown) or shown.casefold() in self.initials
            )
        return _bare(name) in self.joined or any(same_name(word, name) for word in self.words)

    def _has_initials(self, initials: str) -> bool:
        return any(word == initials and shown.isupper() for word, shown in zip(self.words, self.shown, strict=True))

    def _has_other_name_before(self, place: int) -> bool:
        """Whether another name stands before the last word of the name: "Spree Commission" for "Oder Commission"."""
        if place == 0 or place in self.openers:
            return False
        return self.shown[place - 1][0].isupper() and self.words[place - 1] not in (*TITLES, *STOP_WORDS)


def _same_word(word: str, rare: str) -> bool:
    """Whether a word is a form of a rare word: the same but for its ending."""
    name = _plain(rare)
    shared = max(_STEM, min(len(word), len(name)) - 2)
    return word == name or (len(word) >= shared <= len(name) and word[:shared] == name[:shared])


def same_name(word: str, name: str) -> bool:
    """Whether a word is a form of a name, both in small letters: the same but for the ending of a plural or adjective."""
    if word == name:
        return True
    shared = next((at for at, (one, two) in enumerate(zip(word, name, strict=False)) if one != two), None)
    shared = min(len(word), len(name)) if shared is None else shared
    if min(len(word), len(name)) >= _LONG and shared >= min(len(word), len(name)) - 2:
        return not _has_digit(word + name)
    tails = frozenset((word[shared:], name[shared:]))
    return shared >= (_NAME_STEM if tails != _PLURAL else 2) and tails in _ENDINGS and not _has_digit(word + name)


_PLURAL = frozenset(("", "s"))


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _plain(word: str) -> str:
    """The word in lower case, without accents, a possessive ending, and the full stops of `U.S`."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).removesuffix("'s")
    return (plain.replace(".", "") if _LETTERS_WITH_STOPS.match(plain) else plain).replace("ø", "o")


def _bare(word: str) -> str:
    """The word without the dashes inside it, and a version without its `v`."""
    bare = _DASHES.sub("", word)
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
