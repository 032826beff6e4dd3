"""Two sources that say the same of the same thing with other figures: found, so that the answer can show it. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from service.records import Citation

ALIKE = 0.6  # shared words over all words, figures left out, from which on two quotes speak of the same thing

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_SEPARATOR = re.compile(r"[.,](?=\d{3}(?:\D|$))")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
}


def figures(text: str) -> frozenset[str]:
    """The numbers in a text, as written without thousands separators; number words up to twenty count as numbers."""
    return frozenset(figure for token in _TOKEN.findall(text) if (figure := _figure(token)) is not None)


def words(text: str) -> frozenset[str]:
    """The words of a text in lower case, without its figures."""
    return frozenset(token.casefold() for token in _TOKEN.findall(text) if _figure(token) is None)


def conflicts(citations: Sequence[Citation]) -> Iterator[tuple[Citation, Citation]]:
    """Pairs of quotes from different documents in nearly the same words, each with a figure that the other lacks."""
    for one, other in combinations(citations, 2):
        if one.document_id == other.document_id:
            continue
        ours, theirs = figures(one.quote), figures(other.quote)
        if ours - theirs and theirs - ours and overlap(words(one.quote), words(other.quote)) >= ALIKE:
            yield one, other


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index of two sets; 0 for two empty ones."""
    union = one | other
    return len(one & other) / len(union) if union else 0.0


def _figure(token: str) -> str | None:
    if token[0].isdigit():
        return _SEPARATOR.sub("", token)
    return _NUMBER_WORDS.get(token.casefold())
