"""Finds the citation markers in a language model's text: which passages it says it used. Pure, in linear time.

Models are asked for `[1]`, and also write `[1, 2]`, `[1][2]`, `[1-3]`, `[ID:1]`, `[1, p. 3]`, `【1†source】`, `(1)`, `{1}`,
`^1`, `¹`, `[^1]`, `<cite>1</cite>`, `[Passage 1]`, `(Source: title)` and "According to passage 1, ...". A number in code,
in the text of a link, behind the name of a list (`rows[1]`), or used as a year, an exponent, a count in words ("two (2)"),
the number of a section or of a list item is not a marker.
"""

import re
from typing import NamedTuple

from service.text.terms import figures

OPEN_FOR = 120  # code points within which an open bracket must close to be a marker
_WIDEST_RANGE = 30
_WORDS = (
    "id|passage|source|document|doc|reference|ref|citation|cite|quote|chunk|context|excerpt|footnote|fn|note|result"
    "|quelle|beleg|dokument|fuente|fonte|bron"
)
LABEL = rf"(?:(?:{_WORDS}|no|nr)s?[ :#._-]{{0,2}})"
_JOIN = r"[ ]?(?:,[ ]?(?:and[ ])?|;|&|/|\+|-|–|—|and[ ]|to[ ])[ ]?"
NUMBERS = rf"{LABEL}?\#?\d{{1,3}}(?:{_JOIN}{LABEL}?\#?\d{{1,3}}){{0,{_WIDEST_RANGE}}}"
_PLACE = (
    r"(?:(?:pp?|pages?|pgs?|s|seiten?|lines?|l|sec|sections?|para|paragraphs?|ch|chapters?|abs)\.?[ ]?|§{1,2}[ ]?)"
    r"\d{1,4}(?:[ ]?[-–—,][ ]?\d{1,4}){0,4}"
)
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = r"[^\W\d_]"
_AFTER_WORD = rf"""(?:(?<={_LETTER * 4})|(?<=[.,;:!?"”’')\]]))[ ]?"""  # km² and x^2 are not markers
_URL = r"(?:\((?=[^()\s]{0,300}[./\#:])[^()\s]{1,300}\))"
TAGS = r"(?:cite|citation|ref|reference|source|src|document|doc|passage|footnote|quote)"
_NUMBERED = r"(?:id|n|no|num|number|index|idx|ref|source|src|doc|document|passage|chunk|target|href)?[ ]?=[ ]?"
_FROM = r"(?:(?:see|cf\.?|per|from|according[ ]to)[ ])?"
_BEFORE_STOP = r"(?=[*_]{0,3}[ \t]*(?:[.,;:!?\[【]|\(\d|\{\d|$))"
_TOKEN = re.compile(
    rf"""
      (?P<ticked> `[ ]?\[(?P<in_ticked>\d{{1,3}})\][ ]?`{_BEFORE_STOP} )
    | (?P<code> `[^`\n]{{1,200}}` | ``[^\n]{{1,200}}?`` )
    | (?P<note> ^[ \t]*\[\^\w{{1,9}}\]:[^\n]*$ | ^[ \t]*\[\d{{1,3}}\]:[ ]*<?https?:[^\n]*$ )
    | (?P<bracket> \^?\\?\[\[?[\^@]?\\?[ ]?(?:{_PLACE}[ ]?[,;:][ ]?)?(?P<in_bracket>{NUMBERS})
        (?:[ ]?[,;:]?[ ]?{_PLACE})?(?:[ ]?[:†‡|][^\[\]\n]{{0,60}})?[ ]?[.)^]?\\?\]\]?{_URL}?
        | [【［〔⟦]\^?[ ]?(?P<in_wide>{NUMBERS})(?:[ ]?[,;][ ]?{_PLACE})?(?:[ ]?[:†‡|][^【】［］〔〕⟦⟧\n]{{0,60}})?
          [ ]?[】］〕⟧] )
    | (?P<titled> \[(?P<in_titled>\d{{1,3}})(?:[,;]|[ ]?[-–—])[ ](?=[^\W\d_])[^\[\]\n]{{1,80}}\]{_BEFORE_STOP} )
    | (?P<link> !?\[[^\[\]\n]{{1,200}}\]\([^()\s]{{0,300}}\) )
    | (?P<named_title> [(（\[](?:see[ ]|from[ ])?(?:{_WORDS})s?:[ ]?(?:[^()\[\]\n]|\([^()\n]{{0,60}}\)|\[\d{{1,3}}\]){{1,110}}
        [)）\]] )
    | (?P<dashed> [ ]?[—–-]{{1,2}}[ ]{LABEL}(?P<in_dashed>{NUMBERS}){_BEFORE_STOP} )
    | (?P<sup> <sup>[ ]?\[?(?P<in_sup>{NUMBERS})\]?[ ]?</sup> )
    | (?P<tag> <{TAGS}\b[^<>\n]{{0,80}}>[ ]?\[?(?P<in_tag>{NUMBERS})\]?[ ]?</{TAGS}> )
    | (?P<tag_alone> </?{TAGS}(?:[ ]{_NUMBERED}["']?(?P<in_tag_alone>{NUMBERS})["']?)?(?:[ ][^<>\n]{{0,80}})?[ ]?/?> )
    | (?P<angle> <\[?(?P<in_angle>\d{{1,2}})\]?> )
    | (?P<latex> \\(?:cite|ref|footnote)[a-z]{{0,8}}\{{(?P<in_latex>{NUMBERS})\}}
        | \{{\{{?(?:{_WORDS})s?[ :|\#_-]{{1,2}}(?P<in_curly>{NUMBERS})\}}\}}? )
    | (?P<private> \ue200[^\ue200\ue201\n]{{0,110}}\ue201 | </?co(?::[ ]?[\d,: ]{{1,20}})?>
        | (?<=[.!?])[ ]?<{TAGS}>(?P<in_private>[^<>\n]{{1,110}})</{TAGS}> )
    | (?P<named> [(（]{_FROM}(?:{_PLACE}[ ]?[,;:][ ]?)?{LABEL}(?P<in_named>{NUMBERS})(?:[ ]?[,;:][ ]?{_PLACE})?[)）] )
    | (?P<paged> [(（](?P<in_paged>\d{{1,2}})[ ]?[,;:][ ]?{_PLACE}[)）] )
    | (?P<placed> [(\[](?=[^\W\d_])[^()\[\]\n]{{3,90}}?,[ ]?{_PLACE}[)\]]{_BEFORE_STOP} )
    | (?P<round> (?P<after_stop>(?<=[.!?]|[”"’'])[ ]?)?
        (?:[(（]{_FROM}(?P<in_round>\d{{1,2}}(?:[ ]?[,;][ ]?\d{{1,2}}){{0,8}})[)）]
          |\{{\{{?[ ]?(?P<in_brace>\d{{1,2}}(?:[ ]?[,;][ ]?\d{{1,2}}){{0,8}})[ ]?\}}\}}?)
        (?P<before_stop>{_BEFORE_STOP})? )
    | (?P<caret> {_AFTER_WORD}\^\[?(?P<in_caret>\d{{1,2}}(?:,[ ]?\d{{1,2}}){{0,8}})\]?\^?(?!\w) )
    | (?P<raised> (?:{_AFTER_WORD}|(?<=[ ]))
        \[?(?P<in_raised>[{_SUPERSCRIPT}]{{1,3}}(?:[ ]?[,⸴˒ ][ ]?[{_SUPERSCRIPT}]{{1,3}}){{0,8}})\]? )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_SURE = ("bracket", "wide", "ticked", "dashed", "sup", "tag", "latex", "curly", "named")
_ONLY_PASSAGES = ("titled", "angle", "paged")  # markers only if the number is that of a passage
_NOTHING = ("note", "named_title", "placed", "private")  # markers whatever is in them
_ONLY_NUMBERS = re.compile(rf"[ ]?{NUMBERS}[ ]?", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(\d{1,3})\]")
_LISTS = re.compile(
    r"(?:\b(?:array|list|arr|lst|vec|vector|matrix|args?|argv|params|items?|rows?|cols|columns|data|elements?|values?)|[\])])\Z"
)
_VARIABLE = re.compile(r"(?:\b[A-Za-z]|\w*_\w+)\Z")
_COUNTED = re.compile(
    r"(?:\b(?:section|clause|paragraph|article|art\.|para\.|rule|step|equation|eq\.|item|point|phase|level|class|type|§)[ ]?"
    r"(?:\d+[ ]?)?|[=∈∪∩+/^$][ ]?)\Z",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"(?:\\\w+|\b[A-Za-z]|[_^$])\Z")
_LAST_WORDS = re.compile(r"[\w-]+[ ]?\Z")
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BETWEEN = re.compile(r"[ \t]*(?:,|;|&|/|-|–|—|and|to)?[ \t]*\Z")
_STOP = re.compile(r"[ \t]*(?:[.,;:!?][\"'”’)]*(?:\s|$)|$)", re.MULTILINE)
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
    if match["code"] or match["link"]:
        return None
    if any(match[kind] for kind in _NOTHING):
        inside = match["in_private"] or ""
        numbers = numbers_in(inside) if _ONLY_NUMBERS.fullmatch(inside) else ()
        return numbers + tuple(map(int, _BRACKETED.findall(match["named_title"] or inside)))
    if match["raised"]:
        return _raised_numbers(match["in_raised"], count)
    if match["tag_alone"]:
        return numbers_in(match["in_tag_alone"] or "")
    return _bracket_numbers(match, count)


def _bracket_numbers(match: re.Match[str], count: int) -> tuple[int, ...] | None:
    """The numbers of a token in brackets; None when they are content."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    if match["round"]:
        return _round_numbers(match, before, count)
    for kind in _ONLY_PASSAGES:
        if match[kind]:
            number = int(match[f"in_{kind}"])
            return (number,) if 1 <= number <= count else None
    if match["bracket"] and not match[0].startswith("\\") and _is_subscript(before, match):
        return None
    body = next(match[f"in_{kind}"] for kind in (*_SURE, "caret") if match[f"in_{kind}"])
    return numbers_in(body)


def _round_numbers(match: re.Match[str], before: str, count: int) -> tuple[int, ...] | None:
    """The numbers in round brackets or braces, at the beginning or the end of a sentence or clause."""
    numbers = numbers_in(match["in_round"] or match["in_brace"])
    cites = match["after_stop"] is not None or match["before_stop"] is not None
    opens_line = not before or before[-1] == "\n"
    if not cites or opens_line or _COUNTED.search(before) or not all(1 <= number <= count for number in numbers):
        return None
    words = _LAST_WORDS.search(before)
    counted = words and {str(number) for number in numbers} == figures(words[0])
    return None if counted or (match["in_brace"] and _FORMULA.search(before)) else numbers


def _is_subscript(before: str, match: re.Match[str]) -> bool:
    """Whether the bracket is the index of a list: `rows[1] is`, `x[1]`."""
    ends = _STOP.match(match.string, match.end())
    return bool(_VARIABLE.search(before) or (_LISTS.search(before) and not ends))


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
