"""The quarters of a year that a text names: "the third quarter of fiscal 2023", "Q3 2023", "3Q23". Pure."""

import re
from collections.abc import Sequence

_ORDINALS = {
    word: number
    for number, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th"), 1)
    for word in words.split()
}
_ORDINAL = "|".join(_ORDINALS)
_QUARTER = re.compile(
    rf"\b(?:(?P<ordinal>{_ORDINAL})(?:[\s-]+(?:fiscal|financial|calendar))?[\s-]+quarters?|q(?P<after>[1-4])|(?P<before>[1-4])q)(?![a-z])",
    re.IGNORECASE,
)
_SHORT = re.compile(rf"{_QUARTER.pattern}(?P<of>(?=\s+(?:20|19)\d\d\b))?", re.IGNORECASE)
_ARTICLE = re.compile(r"\bthe\s+\Z", re.IGNORECASE)
_SEVERAL = re.compile(rf"\b(?P<ordinal>{_ORDINAL})\s*(?:,|and|or|to)(?=[^.?!]{{0,40}}\bquarters?\b)", re.IGNORECASE)
_YEAR = re.compile(
    r"\b(?:20|19)\d\d\b|\b(?:fy|cy)\s?['’]?\d\d|\b(?:fiscal|financial|calendar)\b|(?<=\dq)\d\d\b", re.IGNORECASE
)


def quarter_spans(question: str) -> list[tuple[int, int]]:
    """The ranges of the quarters that a question names, in order; none if it names no year that they are of."""
    if not _YEAR.search(question):
        return []
    return [match.span() for match in _QUARTER.finditer(question)]


def with_quarters_as_written(question: str, texts: Sequence[str]) -> str:
    """The question with "Q3 2023" as "the third quarter of 2023" if that is how the texts write it."""
    if not quarter_spans(question):
        return question
    written = [text.casefold() for text in texts]

    def form(match: re.Match[str]) -> str:
        number = match["after"] or match["before"]
        word = next((word for word, place in _ORDINALS.items() if number and place == int(number)), "")
        is_known = any(match.group().casefold() in text for text in written)
        if not word or is_known or not any(f"{word} quarter" in text for text in written):
            return match.group()
        article = "" if _ARTICLE.search(question[: match.start()]) else "the "
        return f"{article}{word} quarter{' of' if match['of'] is not None else ''}"

    return _SHORT.sub(form, question)


def quarters(text: str) -> frozenset[int]:
    """The numbers, from 1, of the quarters that a text names."""
    found = [match["after"] or match["before"] or match["ordinal"] for match in _QUARTER.finditer(text)]
    found += [match["ordinal"] for match in _SEVERAL.finditer(text)]
    return frozenset(_ORDINALS.get(word.casefold()) or int(word) for word in found)
