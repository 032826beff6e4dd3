"""Splits a question about several things into one for each: "the warranty of the PX-40 and the PX-90". Pure.

Two things belong together if they are built alike: both a name or both an identifier, with the same words around them ("of A in
2018 and of B in 2017"). "between 2018 and 2020" is one period.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.parts.question import Bond, Group, PartQuestion
from service.parts.words import AUXILIARIES, DETERMINERS, PREPOSITIONS, Word, as_question, is_named, words_of

MAX_THINGS = 4
_ARTICLES = DETERMINERS - {"this", "that", "these", "those", "each", "every"}
_SINGULAR = {"are": "is", "were": "was", "do": "does", "have": "has"}
_BETWEEN = re.compile(r"\bbetween\b", re.IGNORECASE)  # one period, or one difference
_CONNECTING = frozenset({"and", "&"})
_NOT_COMMON = PREPOSITIONS | AUXILIARIES | _ARTICLES | {"and", "or", "than", "which"}


@dataclass(frozen=True, slots=True)
class Things:
    """Things of one form in a text, `text[start:end]` in all, each as it is written there."""

    start: int
    end: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A run of words: its places `first` to `last`, and its form (prepositions and kinds of names), which must be equal."""

    first: int
    last: int
    form: tuple[str, ...]


def things_in(text: str, connecting: frozenset[str] = _CONNECTING) -> Things | None:
    """The first things of one form that are joined by one of these words; None without any."""
    words = words_of(text)
    for place in range(1, len(words) - 1):
        if words[place].small in connecting:
            found = _things_around(text, words, place)
            if found is not None:
                return found
    return None


def several(question: str) -> Group | None:
    """The group of a question about several names, or about several common things; None if it is about one."""
    if _BETWEEN.search(question):
        return None
    named = things_in(question)
    if named is not None:
        return group_of(question, named, Bond.NAMED)
    common = _common_things(question)
    return group_of(question, common, Bond.WEAK) if common is not None else None


def group_of(question: str, things: Things, bond: Bond) -> Group:
    """The question once for each thing."""
    parts = []
    before, after = _without_both(question[: things.start]), question[things.end :]
    for name in things.names:
        text = as_question(f"{_as_singular(before)}{name}{after}")
        parts.append(PartQuestion(text, label_of(name)))
    return Group(question, tuple(parts), bond, question[things.start : things.end])


def label_of(name: str) -> str:
    """A name without what stands before it: "PX-40" of "of the PX-40"."""
    words = words_of(name)
    while len(words) > 1 and words[0].small in PREPOSITIONS | _ARTICLES:
        words = words[1:]
    return name[words[0].start : words[-1].end] if words else name


def _things_around(text: str, words: Sequence[Word], place: int) -> Things | None:
    """The things on both sides of the word "and" at `place`."""
    between = [number for number in range(max(0, place - 6), place) if words[number].small == "between"]
    for right in _phrases_after(words, place + 1):
        left = _phrase_before(text, words, place - 1, right)
        if left is None or (between and between[-1] == left.first - 1):
            continue
        phrases = [left, right]
        while len(phrases) < MAX_THINGS and _is_comma(text, words, phrases[0].first):
            further = _phrase_before(text, words, phrases[0].first - 1, right)
            if further is None:
                break
            phrases.insert(0, further)
        if words[phrases[0].first].small in PREPOSITIONS and phrases[0].form[0] != right.form[0]:
            phrases[0] = _Phrase(phrases[0].first + 1, phrases[0].last, phrases[0].form)
        names = tuple(text[words[phrase.first].start : words[phrase.last].end] for phrase in phrases)
        if len({label_of(name).casefold() for name in names}) == len(names):
            return Things(words[phrases[0].first].start, words[right.last].end, names)
    return None


def _phrases_after(words: Sequence[Word], first: int) -> Iterator[_Phrase]:
    """The phrases that begin at `first`, the longest first: "of B in 2017", then "of B"."""
    found: list[_Phrase] = []
    place, form = first, list[str]()
    while place < len(words) and len(found) < 3:
        began = place
        preposition = words[place].small if words[place].small in PREPOSITIONS else ""
        place += bool(preposition)
        if place < len(words) and words[place].small in _ARTICLES:
            place += 1
        noun = place
        while place < len(words) and is_named(words, place) and (place == noun or _is_next(words, place)):
            place += 1
        if place == noun:
            # A common noun before its name: "the office in Porto", "the PX-40 pump".
            while place < len(words) and place - noun < 2 and _is_common(words[place]):
                place += 1
            if place == noun or place >= len(words) or words[place].small not in PREPOSITIONS:
                break
            form += [preposition, words[place - 1].small]
            if place == began:
                break
            continue
        form += [preposition, kind_of(words[noun])]
        found.append(_Phrase(first, place - 1, tuple(form)))
        if place < len(words) and _is_common(words[place]):
            found.append(_Phrase(first, place, (*form, words[place].small)))
    yield from reversed(found)


def _phrase_before(text: str, words: Sequence[Word], last: int, like: _Phrase) -> _Phrase | None:
    """The phrase of the same form that ends at `last`."""
    for first in range(max(0, last - (like.last - like.first) - 2), last + 1):
        for phrase in _phrases_after(words[: last + 1], first):
            if phrase.last == last and _same_form(phrase.form, like.form):
                if "?" in text[words[first].start : words[last].end]:
                    return None
                return phrase
    return None


def _same_form(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two forms are equal; the second phrase may lack the first preposition of the first: "of A and B"."""
    return one == other or (not other[0] and one[1:] == other[1:])


def kind_of(word: Word) -> str:
    """What a word names by its form: a year, an identifier (any other word with a digit), or a name."""
    if word.text.isdecimal() and len(word.text) == 4:
        return "year"
    return "identifier" if word.has_digit else "name"


def _is_next(words: Sequence[Word], place: int) -> bool:
    """Whether only a blank stands before the word."""
    return words[place].start == words[place - 1].end + 1


def _is_common(word: Word) -> bool:
    return word.text.islower() and word.small not in _NOT_COMMON


def _is_comma(text: str, words: Sequence[Word], first: int) -> bool:
    return first > 0 and text[words[first - 1].end : words[first].start].strip() == ","


def _without_both(text: str) -> str:
    words = words_of(text)
    return text[: words[-1].start] if words and words[-1].small == "both" else text


def _as_singular(before: str) -> str:
    """The words before several things as they stand before one: "how much do " is "how much does "."""
    words = words_of(before)
    if words and words[-1].small in _SINGULAR:
        return f"{before[: words[-1].start]}{_SINGULAR[words[-1].small]} "
    return before


def _common_things(question: str) -> Things | None:
    """Two common nouns after one article or two: "the weight and the warranty of the PX-40"."""
    words = words_of(question)
    for place in range(2, len(words) - 2):
        if words[place].small != "and":
            continue
        second = place + 2 if words[place + 1].small in _ARTICLES else place + 1
        if second >= len(words) or not (_is_common(words[place - 1]) and _is_common(words[second])):
            continue
        first = next((n for n in range(place - 1, max(-1, place - 4), -1) if words[n].small in _ARTICLES), None)
        if first is None or (
            words[second].end != len(question.rstrip(" ?.!")) and words[second + 1].small not in PREPOSITIONS
        ):
            continue
        one = question[words[first].start : words[place - 1].end]
        article = words[first].text
        other = question[words[second].start : words[second].end]
        return Things(words[first].start, words[second].end, (one, f"{article} {other}"))
    return None
