"""The question with its typing errors corrected to words of the documents: "vacine" is read as "vaccine". Pure.

Only a word in small letters is corrected that neither the passages nor the reader's vocabulary have; only to an ordinary word,
or to a long one that differs in one letter, so that the name of a substance or program is not taken for another; and only if
one word alone is nearest.
"""

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from service.text.terms import STOP_WORDS, stem

_WORD = re.compile(r"(?<![\w.@/-])[a-zäöüßéèàñç]{3,30}(?![\w@/-]|\.\w|['’]\w)")
_WORDS = re.compile(r"[^\W\d_]{3,}")
_LONG = 9  # letters from which two of them may be wrong
_RARE = 7  # letters of a word that is not ordinary
_LEAST = 5  # letters of a word in which a letter may be wrong, missing or too many; in a shorter one two are exchanged


def misspelt(question: str, is_common: Callable[[str], bool]) -> list[str]:
    """The words of a question that may be typing errors, in order. `is_common`: whether it is an ordinary word."""
    return [word for word in _WORD.findall(question) if word not in STOP_WORDS and not is_common(word)]


def respelt(question: str, texts: Sequence[str], is_common: Callable[[str], bool]) -> str:
    """The question with words that may be typing errors as they are written in the texts."""
    suspects = misspelt(question, is_common)
    if not suspects:
        return question
    known = {word.casefold() for text in texts for word in _WORDS.findall(text)}
    known |= STOP_WORDS
    ordinary = {word for word in known if is_common(word)}
    for word in dict.fromkeys(suspects):
        found = None if word in known else _nearest(word, known, ordinary)
        if found is not None:
            question = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", found, question)
    return question


def _nearest(word: str, known: AbstractSet[str], ordinary: AbstractSet[str]) -> str | None:
    """The nearest word within the distance; None if there is none, or two that are no forms of one word."""
    found: dict[int, list[str]] = {}
    for other in sorted(known):
        if abs(len(other) - len(word)) <= 2 and {word[0], *word[1:2]} & {other[0]}:
            distance = _distance(word, other)
            if _is_near(word, other, distance, is_ordinary=other in ordinary):
                found.setdefault(distance, []).append(other)
    if not found:
        return None
    best = found[min(found)]
    return (
        min(best, key=lambda other: abs(len(other) - len(word))) if len({stem(other) for other in best}) == 1 else None
    )


def _is_near(word: str, other: str, distance: int, *, is_ordinary: bool) -> bool:
    shorter = min(len(word), len(other))
    if not is_ordinary:
        return distance == 1 and shorter >= _RARE
    if distance == 1:
        return shorter >= _LEAST or sorted(word) == sorted(other)
    return distance == 2 and shorter >= _LONG


def _distance(one: str, other: str) -> int:
    """How many letters are wrong, missing, too many, or exchanged with the next (optimal string alignment)."""
    before, row = list[int](), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        further = [i]
        for j, opposite in enumerate(other, 1):
            least = min(row[j] + 1, further[-1] + 1, row[j - 1] + (letter != opposite))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                least = min(least, before[j - 2] + 1)
            further.append(least)
        before, row = row, further
    return row[-1]
