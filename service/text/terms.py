"""The terms of a text: its words, its content words, and its figures, in digits or in words. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.text.plain import is_heading

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {"thousand": 1_000, "million": 10**6, "billion": 10**9}
_SMALL = {word: number for number, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_HUNDRED = "hundred"
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:\D|$))")
_GAP = re.compile(r"[ \u00a0\u2010\u2011-]")
_MIN_COUNT = 2  # "one" is more often a pronoun
_STEM = 6  # two words with the same first letters, this many, count as one
_PARTS = re.compile(r"[^\W_]+")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are aren't as at be because been before being below between
    both but by can can't could did didn't do does doesn't doing don't done during each else every few for from
    further get gets give given go had has have having how i if in into is isn't just know let like list make many
    may me might more most much must my name no nor not of off on once only or other our out over own people please
    said same say says shall should so some such take tell than that the their them then there these they this those
    through to too under until up us use used very want was wasn't we were weren't what when where whether which
    while who whom whose why will with would you your explain describe show find happen happened thing things it its
    he him his she her hers one ones both former latter
    """.split()
)

MIN_SHARED_WORDS = 0.6
"""Jaccard index of their words, without figures, from which two texts are about the same thing."""


@dataclass(frozen=True, slots=True)
class _Number:
    digits: str
    in_words: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of a text in lower case and its numbers as digits."""

    words: frozenset[str]
    figures: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Terms":
        """The terms of a text."""
        return cls(words(text), figures(text))


def figures(text: str) -> frozenset[str]:
    """The numbers in a text, as digits without thousands separators: "3,000", "3 thousand", "three thousand" are all 3000."""
    return frozenset(number.digits for number in _numbers(text))


def stated_figures(text: str) -> frozenset[str]:
    """The numbers that a text states: all that are in digits, and those in words from "two" up."""
    return frozenset(n.digits for n in _numbers(text) if not n.in_words or int(n.digits) >= _MIN_COUNT)


def words(text: str) -> frozenset[str]:
    """The words of a text in lower case, without its figures."""
    return frozenset(token.casefold() for token in _TOKEN.findall(text) if not _is_number(token))


def content_words(text: str) -> list[str]:
    """The words of `text` that are not stop words, as written and in order."""
    return [word for word in _WORD.findall(text) if word.casefold() not in STOP_WORDS]


def stem(word: str) -> str:
    """The first letters of a word, in small letters and without the s of a plural; of a word with digits, all of it."""
    word = word.casefold()
    return word if any(map(str.isdecimal, word)) else word[:_STEM].removesuffix("s")


def stems(text: str) -> frozenset[str]:
    """The stems of the content words of a text. Parts of joined names count too."""
    return frozenset(stem(part) for word in content_words(text) for part in (word, *_PARTS.findall(word)))


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index of two sets; 0 for two empty ones."""
    union = one | other
    return len(one & other) / len(union) if union else 0.0


def gives_other_figures(one: Terms, other: Terms) -> bool:
    """Whether both have nearly the same words, and each a figure that the other lacks: "two days", "three days"."""
    differ = one.figures - other.figures and other.figures - one.figures
    return bool(differ) and overlap(one.words, other.words) >= MIN_SHARED_WORDS


def statement_terms(text: str, asked: Terms) -> Terms | None:
    """The terms of a line that states something; None for a heading, and for a line that only repeats words of the question.

    Such a line is, for example, a table's label, a date, or the question itself in a list of frequent questions.
    """
    if is_heading(text):
        return None
    said = Terms.of(text)
    return None if said.words <= asked.words and said.figures <= asked.figures else said


def _numbers(text: str) -> Iterator[_Number]:
    """Each number in order; a number of several words ("twenty-five thousand") is one."""
    tokens = list(_TOKEN.finditer(text))
    at = 0
    while at < len(tokens):
        end = at + 1
        if _is_number(tokens[at][0]):
            parts = [tokens[at][0].casefold()]
            while end < len(tokens) and _continues(
                parts, tokens[end][0].casefold(), text[tokens[end - 1].end() : tokens[end].start()]
            ):
                parts.append(tokens[end][0].casefold())
                end += 1
            yield _parse_number(parts)
        at = end


def _is_number(token: str) -> bool:
    word = token.casefold()
    return token[0].isdecimal() or word in _SMALL or word == _HUNDRED or word in _SCALES


def _continues(parts: list[str], word: str, gap: str) -> bool:
    """Whether `word` continues the number: "twenty-five", "six hundred", "3 million"; not "five six"."""
    if not _GAP.fullmatch(gap):
        return False
    last = parts[-1]
    if word in _SCALES:
        return last not in _SCALES
    if last[0].isdecimal() or word[0].isdecimal():
        return False
    if word == _HUNDRED:
        return last in _SMALL
    if word in _SMALL:
        after_tens = _SMALL.get(last, 0) >= 20 and 0 < _SMALL[word] < 10
        return after_tens or last == _HUNDRED or last in _SCALES
    return False


def _parse_number(parts: list[str]) -> _Number:
    first = parts[0]
    if first[0].isdecimal():
        plain = _THOUSANDS.sub("", first)
        return _Number(_scale(plain, _SCALES[parts[1]]) if len(parts) > 1 else plain, in_words=False)
    total, current = 0, 0
    for part in parts:
        if part in _SCALES:
            total, current = total + (current or 1) * _SCALES[part], 0
        elif part == _HUNDRED:
            current = (current or 1) * 100
        else:
            current += _SMALL[part]
    return _Number(str(total + current), in_words=True)


def _scale(digits: str, scale: int) -> str:
    """The number times `scale`: "4.5" million is 4500000. Digits that are not a plain decimal number are returned unchanged."""
    whole, _, part = digits.replace(",", ".").partition(".")
    zeros = len(str(scale)) - 1
    if (not part.isdecimal() and part) or len(part) > zeros:
        return digits
    return (whole + part.ljust(zeros, "0")).lstrip("0") or "0"
