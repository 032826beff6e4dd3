"""Finds the citation markers in a language model's text: which passages it says it used. Pure, in linear time.

Models are asked for `[1]`, and also write `[1, 2]`, `[1][2]`, `[1-3]`, `【1†source】`, `(1)`, `^1`, `¹`, `[^1]`,
`[Passage 1]` and "According to passage 1, ...". A number in code, in the text of a link, or used as a year, an exponent or
the number of a list item is not a marker.
"""

import re
from typing import NamedTuple

OPEN_FOR = 120  # code points within which an open bracket must close to be a marker
_WIDEST_RANGE = 30
LABEL = r"(?:(?:passage|source|document|doc|reference|ref|citation|quote)s?[ :#.]{0,2})"
_JOIN = r"[ ]?(?:,[ ]?(?:and[ ])?|;|&|/|\+|-|–|—|and[ ]|to[ ])[ ]?"
NUMBERS = rf"{LABEL}?\#?\d{{1,3}}(?:{_JOIN}{LABEL}?\#?\d{{1,3}}){{0,{_WIDEST_RANGE}}}"
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = r"[^\W\d_]"
_AFTER_WORD = rf"""(?:(?<={_LETTER * 4})|(?<=[.,;:!?"”’')\]]))[ ]?"""  # km² and x^2 are not markers
_URL = r"(?:\((?=[^()\s]{0,300}[./\#:])[^()\s]{1,300}\))"
_TOKEN = re.compile(
    rf"""
      (?P<code> `[^`\n]{{1,200}}` | ``[^\n]{{1,200}}?`` )
    | (?P<note> ^[ \t]*\[\^\d{{1,3}}\]:[^\n]*$ | ^[ \t]*\[\d{{1,3}}\]:[ ]*<?https?:[^\n]*$ )
    | (?P<bracket> \\?\[\[?\^?\\?[ ]?(?P<in_bracket>{NUMBERS})(?:[ ]?[:†‡|][^\[\]\n]{{0,60}})?[ ]?\\?\]\]?{_URL}?
        | [【［〔]\^?[ ]?(?P<in_wide>{NUMBERS})(?:[ ]?[:†‡|][^【】［］〔〕\n]{{0,60}})?[ ]?[】］〕] )
    | (?P<link> !?\[[^\[\]\n]{{1,200}}\]\([^()\s]{{0,300}}\) )
    | (?P<sup> <sup>[ ]?\[?(?P<in_sup>{NUMBERS})\]?[ ]?</sup> )
    | (?P<named> [(（](?:see[ ])?{LABEL}(?P<in_named>{NUMBERS})[)）] )
    | (?P<round> (?P<after_stop>(?<=[.!?]|[”"’'])[ ]?)? [(（](?P<in_round>\d{{1,2}}(?:[ ]?[,;][ ]?\d{{1,2}}){{0,8}})[)）]
        (?P<before_stop>(?=[ \t]*(?:[.,;:!?\[【]|\(\d|$)))? )
    | (?P<caret> {_AFTER_WORD}\^\[?(?P<in_caret>\d{{1,2}}(?:,[ ]?\d{{1,2}}){{0,8}})\]?\^?(?!\w) )
    | (?P<raised> {_AFTER_WORD}(?P<in_raised>[{_SUPERSCRIPT}]{{1,3}}(?:[ ]?[,⸴˒ ][ ]?[{_SUPERSCRIPT}]{{1,3}}){{0,8}}) )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BETWEEN = re.compile(r"[ \t]*(?:,|;|&|and)?[ \t]*\Z")
_RANGE = re.compile(r"(\d{1,3})[ ]?(?:-|–|—|to)[ ]?(\d{1,3})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}")


class Marker(NamedTuple):
    """A range of the text that is not part of the sentence, and the passage numbers in it."""

    start: int
    end: int
    numbers: tuple[int, ...]


def markers(text: str, count: int, *, fenced: bool) -> list[Marker]:
    """All markers of a text, in order. Markers with only blanks, commas or "and" between them are merged into one.

    `count` is the number of passages that may be cited. `fenced`: the text begins inside a fenced block of code.
    """
    found: list[Marker] = []
    fences = [match.start() for match in FENCE.finditer(text)]
    inside = fenced
    for match in _TOKEN.finditer(text):
        while fences and fences[0] <= match.start():
            fences.pop(0)
            inside = not inside
        if inside:
            continue
        numbers = _marker_numbers(match, count)
        if numbers is None:
            continue
        if found and _BETWEEN.match(text[found[-1].end : match.start()][:OPEN_FOR]):
            found[-1] = Marker(found[-1].start, match.end(), found[-1].numbers + numbers)
        else:
            found.append(Marker(match.start(), match.end(), numbers))
    return found


def _marker_numbers(match: re.Match[str], count: int) -> tuple[int, ...] | None:
    """The numbers of a token; empty for a footnote definition, which is removed too; None when the token is not a marker."""
    kind = match.lastgroup
    if match["code"] or match["link"]:
        return None
    if match["note"]:
        return ()
    if match["raised"]:
        return _raised_numbers(match["in_raised"], count)
    if match["round"]:
        numbers = numbers_in(match["in_round"])
        cites = match["after_stop"] is not None or match["before_stop"] is not None
        opens_line = match.start() == 0 or match.string[match.start() - 1] == "\n"
        return numbers if cites and not opens_line and all(1 <= number <= count for number in numbers) else None
    body = match["in_bracket"] or match["in_wide"] or match["in_sup"] or match["in_named"] or match["in_caret"]
    assert body is not None, kind
    return numbers_in(body)


def numbers_in(body: str) -> tuple[int, ...]:
    """`1, 3-5` -> 1, 3, 4, 5. A range that runs backwards or is too long counts as its two ends."""
    numbers: list[int] = []
    position = 0
    while match := _NUMBER.search(body, position):
        span = _RANGE.match(body, match.start())
        if span and 0 <= int(span[2]) - int(span[1]) <= _WIDEST_RANGE:
            numbers += range(int(span[1]), int(span[2]) + 1)
            position = span.end()
        else:
            numbers.append(int(match.group()))
            position = match.end()
    return tuple(numbers)


def _raised_numbers(body: str, count: int) -> tuple[int, ...]:
    """`¹²` is 12 if there are at least 12 passages, else 1 and 2."""
    numbers: list[int] = []
    for run in re.findall(f"[{_SUPERSCRIPT}]+", body):
        digits = [_SUPERSCRIPT.index(character) for character in run]
        whole = int("".join(map(str, digits)))
        numbers += [whole] if whole <= count else digits
    return tuple(numbers)
