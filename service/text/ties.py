"""Whether a sentence says of another name what a question asks of its name: "the office in Porto" for "in Tampere". Pure.

A name is tied to the word that it stands beside: the noun before its preposition ("the office in Porto"), the noun that it
owns or qualifies ("Porto's office", "the Porto office"), the verb after or before it ("Porto opened", "joined Porto").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.text.calendar_words import MONTHS, WEEKDAYS
from service.text.constraints import TITLES, TOKEN, is_sentence_start
from service.text.named_words import same_name
from service.text.terms import STOP_WORDS

_PREPOSITIONS = frozenset(
    "in at of for from to by with near on within inside outside under against between through via into".split()
)
_AUXILIARIES = frozenset(
    """is are was were be been being has have had do does did will would can could may might must shall should not also
    then now first recently""".split()
)
_NO_NAMES = STOP_WORDS.union(TITLES, MONTHS, WEEKDAYS)
_MIN_STEM = 3
_STEM = 5
_FEWEST_CAPITALS = 2
_POSSESSIVE = re.compile(r"['’]")
_CLAUSE = re.compile(r"[,;:.()]")
_OWN, _DOES, _DONE_TO = ("own ",), ("does ",), ("done to ",)
_BY = _OWN + _DOES  # "led by Porto"


@dataclass(frozen=True, slots=True)
class _Name:
    """A run of words with capitals: its words, and the stems of the words that it is tied to."""

    words: tuple[str, ...]
    ties: frozenset[str]


@dataclass(frozen=True, slots=True)
class TiedName:
    """A name of a question: what it is tied to there, and all names of the question."""

    ties: frozenset[str]
    asked: tuple[_Name, ...]

    @classmethod
    def of(cls, question: str, name: str) -> "TiedName":
        """The name as it stands in the question."""
        asked = tuple(_names(question))
        return cls(
            frozenset(tie for found in asked for tie in found.ties if _is_part(found.words, name.split())), asked
        )

    def is_replaced(self, sentence: str) -> bool:
        """Whether a sentence that lacks the name has another in its place: one tied to the same word as in the question."""
        return bool(self.ties) and any(
            found.ties & self.ties and not any(_shares_word(found.words, other.words) for other in self.asked)
            for found in _names(sentence)
        )


def _names(text: str) -> Iterator[_Name]:
    """The runs of words with capitals in a text; one word that opens a sentence is none."""
    tokens = list(TOKEN.finditer(text))
    place = 0
    while place < len(tokens):
        end = place
        while end < len(tokens) and _is_capital(tokens[end].group()) and (end == place or _is_next(text, tokens, end)):
            end += 1
        if end > place and not _only_opens(text, tokens[place:end]):
            words = tuple(token.group() for token in tokens[place:end])
            yield _Name(words, frozenset(_ties(text, tokens, place, end)))
        place = max(end, place + 1)


def _ties(text: str, tokens: Sequence[re.Match[str]], start: int, end: int) -> Iterator[str]:
    """The ties of the name from `start` to `end`: what it does, what is done to it, or what is its own, each with a stem."""
    before = [token.group().casefold() for token in tokens[:start]]
    is_verb = bool(before) and before[-1] in _AUXILIARIES
    while before and before[-1] in STOP_WORDS - _PREPOSITIONS - _AUXILIARIES:
        before.pop()
    preposition = before.pop() if before and before[-1] in _PREPOSITIONS else ""
    if before and before[-1] not in STOP_WORDS | _AUXILIARIES | _PREPOSITIONS:
        kinds = _BY if preposition == "by" else _OWN if preposition else _DONE_TO
        yield from (kind + stem for stem in _stem(before[-1]) for kind in kinds)
    for place in range(end, len(tokens)):
        word, gap = tokens[place].group(), text[tokens[place - 1].end() : tokens[place].start()]
        if _CLAUSE.search(gap):
            return
        if word.casefold() in _AUXILIARIES:
            is_verb = True
        elif word not in ("s", "S"):
            if word.islower() and word not in STOP_WORDS:
                owns = _POSSESSIVE.match(text, tokens[end - 1].end())
                kinds = _OWN if owns else _DOES if is_verb else _OWN + _DOES
                yield from (kind + stem for stem in _stem(word) for kind in kinds)
            return


def _stem(word: str) -> Iterator[str]:
    if len(word) >= _MIN_STEM and not any(map(str.isdecimal, word)):
        yield word[:_STEM].removesuffix("s")


def _is_capital(word: str) -> bool:
    folded = word.casefold()
    return word[0].isupper() and len(word) > 1 and folded not in _NO_NAMES


def _is_next(text: str, tokens: Sequence[re.Match[str]], place: int) -> bool:
    return text[tokens[place - 1].end() : tokens[place].start()] == " "


def _only_opens(text: str, run: Sequence[re.Match[str]]) -> bool:
    """Whether the run is one ordinary word that has a capital because a sentence begins with it."""
    word = run[0].group()
    inner = sum(map(str.isupper, word)) >= _FEWEST_CAPITALS
    return len(run) == 1 and not inner and is_sentence_start(text, run[0].start())


def _is_part(words: Sequence[str], name: Sequence[str]) -> bool:
    return all(any(part.casefold() == word.casefold() for word in words) for part in name)


def _shares_word(words: Sequence[str], others: Sequence[str]) -> bool:
    return any(same_name(word.casefold(), other.casefold()) for word in words for other in others)
