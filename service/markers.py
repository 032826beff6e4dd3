"""What a model writes -> whole sentences and the passage numbers that each cites. Pure, streaming, in linear time.

Models are asked for `[1]`, and write `[1, 2]`, `[1][2]`, `[1-3]`, `【1†source】`, `(1)`, `^1`, `¹`, `[^1]`,
`[Passage 1]` and "According to passage 1, ..." too. A number that stands in code, in the text of a link, as a year, an exponent
or an item's number is no marker. How the text was cut into pieces on its way here never changes the result.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from index.sentences import Span, sentence_spans

LONGEST_SENTENCE = 800  # code points; longer ones are cut, which bounds the work for each character that arrives
_LOOK_EVERY = 24  # code points between two looks for the end of a sentence
_OPEN_FOR = 120  # code points that an opened bracket is waited for
_WIDEST_RANGE = 30
_MARK = "\x00"  # stands for a marker while a sentence is cleaned; taken out of what the model wrote beforehand

_LABEL = r"(?:(?:passage|source|document|doc|reference|ref|citation|quote)s?[ :#.]{0,2})"
_JOIN = r"[ ]?(?:,[ ]?(?:and[ ])?|;|&|/|\+|-|–|—|and[ ]|to[ ])[ ]?"
_NUMBERS = rf"{_LABEL}?\#?\d{{1,3}}(?:{_JOIN}{_LABEL}?\#?\d{{1,3}}){{0,{_WIDEST_RANGE}}}"
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = r"[^\W\d_]"
_AFTER_WORD = rf"""(?:(?<={_LETTER * 4})|(?<=[.,;:!?"”’')\]]))[ ]?"""  # km² and x^2 are no markers
_URL = r"(?:\((?=[^()\s]{0,300}[./\#:])[^()\s]{1,300}\))"
_TOKEN = re.compile(
    rf"""
      (?P<code> `[^`\n]{{1,200}}` | ``[^\n]{{1,200}}?`` )
    | (?P<note> ^[ \t]*\[\^\d{{1,3}}\]:[^\n]*$ | ^[ \t]*\[\d{{1,3}}\]:[ ]*<?https?:[^\n]*$ )
    | (?P<bracket> \\?\[\[?\^?\\?[ ]?(?P<in_bracket>{_NUMBERS})(?:[ ]?[:†‡|][^\[\]\n]{{0,60}})?[ ]?\\?\]\]?{_URL}?
        | [【［〔]\^?[ ]?(?P<in_wide>{_NUMBERS})(?:[ ]?[:†‡|][^【】［］〔〕\n]{{0,60}})?[ ]?[】］〕] )
    | (?P<link> !?\[[^\[\]\n]{{1,200}}\]\([^()\s]{{0,300}}\) )
    | (?P<sup> <sup>[ ]?\[?(?P<in_sup>{_NUMBERS})\]?[ ]?</sup> )
    | (?P<named> [(（](?:see[ ])?{_LABEL}(?P<in_named>{_NUMBERS})[)）] )
    | (?P<round> (?P<after_stop>(?<=[.!?]|[”"’'])[ ]?)? [(（](?P<in_round>\d{{1,2}}(?:[ ]?[,;][ ]?\d{{1,2}}){{0,8}})[)）]
        (?P<before_stop>(?=[ \t]*(?:[.,;:!?\[【]|\(\d|$)))? )
    | (?P<caret> {_AFTER_WORD}\^\[?(?P<in_caret>\d{{1,2}}(?:,[ ]?\d{{1,2}}){{0,8}})\]?\^?(?!\w) )
    | (?P<raised> {_AFTER_WORD}(?P<in_raised>[{_SUPERSCRIPT}]{{1,3}}(?:[ ]?[,⸴˒ ][ ]?[{_SUPERSCRIPT}]{{1,3}}){{0,8}}) )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)
_BETWEEN = re.compile(r"[ \t]*(?:,|;|&|and)?[ \t]*\Z")
_ITEM_NUMBER = re.compile(r"\(?\d{1,3}[.)]")
_STEP = re.compile(r"\s|\S+")
_WORD_BEGUN = re.compile(r"\w\S*\s")
_ENDED = re.compile(r"[.!?…。！？؟।]\W*\Z")
_REFERENCES = re.compile(
    r"\W*(?:sources?|references?|citations?|footnotes?|bibliography|works cited)(?: used)?(?:\W*\Z|\W*:)", re.IGNORECASE
)
_LEAD_IN = re.compile(
    rf"""\W*(?:(?:according[ ]to|as[ ](?:stated|noted|described|reported|mentioned|shown|seen)[ ](?:in|by)|based[ ]on
        |as[ ]per|per|in|from)[ ]
        (?:the[ ])?(?:information[ ]|text[ ])?(?:in[ ]|from[ ])?(?:{_LABEL}(?P<said>{_NUMBERS})|{_LABEL}?[ ]?{_MARK})[ ]?,[ ]?
      | (?:the[ ])?(?:{_LABEL}(?P<says>{_NUMBERS})|{_LABEL}?[ ]?{_MARK})[ ]?
        (?:states?|says?|notes?|mentions?|reports?|explains?|indicates?|shows?|tells[ ]us|describes[ ]how)[ ]that[ ])""",
    re.VERBOSE | re.IGNORECASE,
)
_EMPTY_ROUND = re.compile(rf"[ \t]*\((?:see|cf\.?|from|source:?|per)?[ ]?{_MARK}[ ]?\)", re.IGNORECASE)
_STOP_TWICE = re.compile(rf"([.!?])[ \t]*{_MARK}[ \t]*\.")
_RANGE = re.compile(r"(\d{1,3})[ ]?(?:-|–|—|to)[ ]?(\d{1,3})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}")


@dataclass(frozen=True, slots=True)
class Written:
    """One sentence as a model wrote it, without its markers.

    `cited` are the passage numbers that exist (1 to the count), `invented` those that do not; in order of use.
    """

    text: str
    cited: tuple[int, ...] = ()
    invented: tuple[int, ...] = ()


class _Marker(NamedTuple):
    start: int
    end: int
    numbers: tuple[int, ...]


def written_sentences(
    pieces: Iterable[str], count: int, was_cut: Callable[[], bool] = lambda: False
) -> Iterator[Written]:
    """Yield each sentence of the text that arrives in `pieces` as soon as it is complete.

    `count` is the number of passages that may be cited. `was_cut` is asked once, after the last piece: when it says
    that the writer was stopped, an unfinished last sentence is left out. A list of sources at the end is left out
    too.
    """
    listing = False
    for raw, fenced in _raw_sentences(pieces, count, was_cut):
        sentence = read_sentence(raw, count, fenced=fenced)
        listing = listing or bool(_REFERENCES.match(sentence.text))
        if sentence.text and not listing:
            yield sentence


def read_sentence(raw: str, count: int, *, fenced: bool = False) -> Written:
    """One sentence with its markers taken out of the text and read. In a `fenced` block of code nothing is a marker."""
    raw = raw.replace(_MARK, "")
    numbers: list[int] = []
    shaped = []
    position = 0
    for marker in _markers(raw, count, fenced=fenced):
        shaped += [raw[position : marker.start], _MARK]
        numbers += marker.numbers
        position = marker.end
    text = "".join([*shaped, raw[position:]])
    lead = _LEAD_IN.match(text)
    if lead:
        numbers = [*_numbers(lead["said"] or lead["says"] or ""), *numbers]
        text = text[lead.end() :]
        text = text[:1].upper() + text[1:]
    numbers = list(dict.fromkeys(numbers))
    return Written(
        " ".join(_without_marks(text).split()),
        tuple(number for number in numbers if 1 <= number <= count),
        tuple(number for number in numbers if not 1 <= number <= count),
    )


def _raw_sentences(pieces: Iterable[str], count: int, was_cut: Callable[[], bool]) -> Iterator[tuple[str, bool]]:
    """Sentences with their markers still in them, and whether each begins inside a fenced block of code."""
    buffer = ""
    looked = 0
    fenced = False
    for piece in pieces:
        for step in _STEP.findall(piece):
            rest = step
            while rest:
                room = LONGEST_SENTENCE - len(buffer)
                buffer, rest = buffer + rest[:room], rest[room:]
                full = len(buffer) == LONGEST_SENTENCE
                if full or (step.isspace() and len(buffer) >= looked + _LOOK_EVERY):
                    looked = len(buffer)
                    while cut := _first_end(buffer, count, fenced=fenced) or (full and len(buffer)):
                        yield buffer[:cut], fenced
                        fenced ^= _turns(buffer[:cut])
                        buffer, looked, full = buffer[cut:], 0, False
    spans = _sentences(_masked(buffer, count, fenced=fenced))
    cuts = [_between(buffer, one, other) for one, other in pairwise(spans)]
    for start, end in zip([0, *cuts], [*cuts, len(buffer)], strict=True):
        raw = buffer[start:end]
        if end < len(buffer) or not was_cut() or _ENDED.search(_masked(raw, count, fenced=fenced)):
            yield raw, fenced
        fenced ^= _turns(raw)


def _turns(raw: str) -> bool:
    """Whether a block of code is begun or ended in this text, not both."""
    return len(_FENCE.findall(raw)) % 2 == 1


def _sentences(masked: str) -> list[Span]:
    """The spans of the sentences; the number of a list item is one with its item."""
    spans: list[Span] = []
    for span in sentence_spans(masked):
        if spans and _ITEM_NUMBER.fullmatch(masked, *spans[-1]) and "\n" not in masked[spans[-1].end : span.start]:
            spans[-1] = Span(spans[-1].start, span.end)
        else:
            spans.append(span)
    return spans


def _first_end(buffer: str, count: int, *, fenced: bool) -> int:
    """Where the first sentence ends, markers behind it included; 0 while that may still change."""
    if not fenced and _unclosed(buffer):
        return 0
    masked = _masked(buffer, count, fenced=fenced)
    spans = _sentences(masked)
    if len(spans) < 2 or not _WORD_BEGUN.search(masked, spans[1].start):
        return 0
    return _between(buffer, spans[0], spans[1])


def _between(buffer: str, one: Span, other: Span) -> int:
    """Where to cut between two sentences.

    Markers behind a sentence are its own; those that open a line, or a clause like "[1] says that ...", are not.
    """
    line = buffer.rfind("\n", one.end, other.start)
    if line >= 0:
        return line + 1
    return one.end if buffer[other.start].islower() else other.start


def _unclosed(buffer: str) -> bool:
    """Whether what stands last could still become a marker, or code."""
    tail = buffer[-_OPEN_FOR:]
    tail = tail[tail.rfind("\n", 0, len(tail) - 1) + 1 :]
    return (
        any(tail.rfind(left) > tail.rfind(right) for left, right in ("[]", "【】", "［］", "〔〕", "()", "（）"))
        or tail.count("`") % 2 == 1
        or tail.lower().rfind("<sup>") > tail.lower().rfind("</sup>")
    )


def _masked(text: str, count: int, *, fenced: bool) -> str:
    """The text with a blank for every code point of a marker, so that sentences are found as if it had none."""
    parts = []
    position = 0
    for marker in _markers(text, count, fenced=fenced):
        parts += [text[position : marker.start], " " * (marker.end - marker.start)]
        position = marker.end
    return "".join([*parts, text[position:]])


def _markers(text: str, count: int, *, fenced: bool) -> list[_Marker]:
    """All markers, those that only blanks, commas or "and" part as one."""
    found: list[_Marker] = []
    fences = [match.start() for match in _FENCE.finditer(text)]
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
        if found and _BETWEEN.match(text[found[-1].end : match.start()][:_OPEN_FOR]):
            found[-1] = _Marker(found[-1].start, match.end(), found[-1].numbers + numbers)
        else:
            found.append(_Marker(match.start(), match.end(), numbers))
    return found


def _marker_numbers(match: re.Match[str], count: int) -> tuple[int, ...] | None:
    """The numbers of a token; none for a note that goes with its marker; None when the token is no marker."""
    kind = match.lastgroup
    if match["code"] or match["link"]:
        return None
    if match["note"]:
        return ()
    if match["raised"]:
        return _raised_numbers(match["in_raised"], count)
    if match["round"]:
        numbers = _numbers(match["in_round"])
        cites = match["after_stop"] is not None or match["before_stop"] is not None
        opens_line = match.start() == 0 or match.string[match.start() - 1] == "\n"
        return numbers if cites and not opens_line and all(1 <= number <= count for number in numbers) else None
    body = match["in_bracket"] or match["in_wide"] or match["in_sup"] or match["in_named"] or match["in_caret"]
    assert body is not None, kind
    return _numbers(body)


def _numbers(body: str) -> tuple[int, ...]:
    """`1, 3-5` -> 1, 3, 4, 5. A range that runs backwards or too far counts as its two ends."""
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
    """`¹²` is 12 when there are as many passages, else 1 and 2."""
    numbers: list[int] = []
    for run in re.findall(f"[{_SUPERSCRIPT}]+", body):
        digits = [_SUPERSCRIPT.index(character) for character in run]
        whole = int("".join(map(str, digits)))
        numbers += [whole] if whole <= count else digits
    return tuple(numbers)


def _without_marks(text: str) -> str:
    """Markers leave no gap, no doubled full stop and no empty bracket; the fences of code blocks go too."""
    text = _EMPTY_ROUND.sub("", text)
    text = _STOP_TWICE.sub(r"\1", text)
    text = re.sub(rf"\A\s*{_MARK}[ \t:]*", "", text)
    text = re.sub(rf"(?<=\w)[ \t]*{_MARK}(?=\w)|(?<=[.!?]){_MARK}(?=\w)|[ \t]*{_MARK}[ \t]+(?=[\w(\"“])", " ", text)
    return _FENCE_LINE.sub("", re.sub(rf"[ \t]*{_MARK}", "", text))
