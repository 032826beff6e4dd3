"""What is read again with unit after unit, such as a header cell with every row: a long one in part. Pure.

So the renderings of a document grow with its length, not with the product of the lengths of a header cell and a table.
"""

from collections.abc import Sequence

from index.blocks.block import Span
from index.blocks.lines import end_of_words
from index.chunking.sentences import trim_span

MAX_NAMES = 300
"""The most characters that are read as the names of one value: header cells, keys or terms. They share them evenly."""

MAX_LEAD = 600
"""The most characters that are read of one lead: a lead-in, a caption, the item above."""

_MOST_LEADS = 8  # of one unit; of more, the first and the last half are read
_COLONS = (":", "：")


def read_names(text: str, names: Sequence[Span]) -> list[Span]:
    """Return what is read of the names of a value: their first words, if they are too long together."""
    if sum(end - start for start, end in names) <= MAX_NAMES:
        return list(names)
    share = MAX_NAMES // len(names)
    return [_first_words(text, name, share) for name in names]


def read_leads(text: str, leads: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return what is read of the leads of a unit: the last words of a long lead-in, the first words of any other lead."""
    if len(leads) <= _MOST_LEADS and all(end - start <= MAX_LEAD for start, end in leads):
        return leads
    half = _MOST_LEADS // 2
    kept = leads if len(leads) <= _MOST_LEADS else (*leads[:half], *leads[-half:])
    return tuple(
        _last_words(text, lead) if text.endswith(_COLONS, lead.start, lead.end) else _first_words(text, lead, MAX_LEAD)
        for lead in kept
    )


def _first_words(text: str, span: Span, most: int) -> Span:
    """The words of the range that end within so many characters; a word that is longer than half of them is cut."""
    start, end = span
    if end - start <= most:
        return span
    return trim_span(text, start, end_of_words(text, start, most))


def _last_words(text: str, span: Span) -> Span:
    """The words of the range that begin within its last `MAX_LEAD` characters; a word longer than half of them is cut."""
    start, end = span
    if end - start <= MAX_LEAD:
        return span
    begin = end - MAX_LEAD
    blank = next((place for place in range(begin - 1, begin + MAX_LEAD // 2) if text[place].isspace()), begin)
    return trim_span(text, blank, end)
