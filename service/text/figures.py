"""The numbers in a text, in digits or in words. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
_LEAST_COUNT = 2  # "one" is more often a pronoun


@dataclass(frozen=True, slots=True)
class _Number:
    digits: str
    in_words: bool


def figures(text: str) -> frozenset[str]:
    """The numbers in a text as digits without thousands separators: "3,000", "3 thousand" and "three thousand" are 3000."""
    return frozenset(number.digits for number in _numbers(text))


def counted(text: str) -> frozenset[str]:
    """The numbers that a text states: all in digits, and those in words from "two" up."""
    return frozenset(n.digits for n in _numbers(text) if not n.in_words or int(n.digits) >= _LEAST_COUNT)


def words(text: str) -> frozenset[str]:
    """The words of a text in lower case, without its figures."""
    return frozenset(token.casefold() for token in _TOKEN.findall(text) if not _is_number(token))


def _numbers(text: str) -> Iterator[_Number]:
    """Each number once, those of several words together ("twenty-five thousand")."""
    tokens = list(_TOKEN.finditer(text))
    at = 0
    while at < len(tokens):
        end = at + 1
        if _is_number(tokens[at][0]):
            parts = [tokens[at][0].casefold()]
            while end < len(tokens) and _goes_on(
                parts, tokens[end][0].casefold(), text[tokens[end - 1].end() : tokens[end].start()]
            ):
                parts.append(tokens[end][0].casefold())
                end += 1
            yield _value(parts)
        at = end


def _is_number(token: str) -> bool:
    word = token.casefold()
    return token[0].isdecimal() or word in _SMALL or word == _HUNDRED or word in _SCALES


def _goes_on(parts: list[str], word: str, gap: str) -> bool:
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


def _value(parts: list[str]) -> _Number:
    first = parts[0]
    if first[0].isdecimal():
        plain = _THOUSANDS.sub("", first)
        return _Number(_scaled(plain, _SCALES[parts[1]]) if len(parts) > 1 else plain, in_words=False)
    total, current = 0, 0
    for part in parts:
        if part in _SCALES:
            total, current = total + (current or 1) * _SCALES[part], 0
        elif part == _HUNDRED:
            current = (current or 1) * 100
        else:
            current += _SMALL[part]
    return _Number(str(total + current), in_words=True)


def _scaled(digits: str, scale: int) -> str:
    """ "4.5" of a million is 4500000; what is no plain number stays as it is."""
    whole, _, part = digits.replace(",", ".").partition(".")
    zeros = len(str(scale)) - 1
    if (not part.isdecimal() and part) or len(part) > zeros:
        return digits
    return (whole + part.ljust(zeros, "0")).lstrip("0") or "0"


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index of two sets; 0 for two empty ones."""
    union = one | other
    return len(one & other) / len(union) if union else 0.0
