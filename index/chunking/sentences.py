"""Text -> sentence spans: the one definition of a sentence. Pure.

Chunks, the reader's sentence scores, citations and the evaluation all use these spans, so every sentence that is
selected can be quoted. Line structure comes first: a list item, heading, table row or blank line always ends the
sentence before it. A plain line break does not, because text from PDF and e-mail is hard-wrapped, unless the next word
would have fitted on the line: then the line is a heading, a label or the end of a paragraph. Inside each block,
sentencex finds the sentences.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sentencex import get_sentence_boundaries

_STARTS_BLOCK = re.compile(
    r"""[ \t]*(?:
        [-*+•▪◦‣·–●○■□►➢➤✓✔\uf0a7\uf0b7][ \t]+
        |\(?(?:[0-9]{1,3}|[a-zA-Z]|[ivxlcIVXLC]{2,5})[.)][ \t]+
        |[0-9]{1,2}(?:\.[0-9]{1,2})+\.?[ \t]+(?=[A-Z])
        |(?:Item|Note|Part|Section|Article|Chapter|Annex|Appendix)[ ][0-9]{1,3}[A-Z]?[.:][ \t]
        |\#{1,6}[ \t]|\||```)""",
    re.VERBOSE,
)
_STANDS_ALONE = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||```)")
_QUOTED = re.compile(r"[ \t]*>")
_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]*(?:\r\n|[\n\r\f\v\x85\u2028\u2029]|\Z)")
_RULE = re.compile(r"[-*_=~+|:. \t]{3,}\Z")
_HAS_WORD = re.compile(r"\w")
_FIGURE = re.compile(r"[-–—+(]*[$€£¥]?[-–(]*[0-9][0-9.,:/'’]*[)%*x]*\Z|[$€£¥%—–)-]+\Z|(?i:n/?[am])\Z")
_MARKER = re.compile(
    r"""\s*(?:[^\w\s("'“‘«]+\s+)?(?:
        (?i:(?:item|note|part|section|article|chapter|table|figure|exhibit|annex|appendix|step)s?\s+)?
        \(?(?:[a-zA-Z]?[0-9]{1,3}[a-zA-Z]?|[a-zA-Z]|[ivxlcIVXLC]{2,5})(?:\.[0-9]{1,3})*[.):](?=\s)
        |\([^().!?]{1,100}\)(?=\s))?""",
    re.VERBOSE,
)
_MAX_FIGURE = 40  # in characters; the pattern takes quadratic time
_WINDOW = 20_000  # code points; as a whole, half a million alternating quotation marks take 10 s
_RUNS_ON = (",", ";", "-", "–", "—", "/", "&")
_MAX_FILL = 0.8  # of the usual line width: a line and the next word that are shorter were broken on purpose


class Span(NamedTuple):
    """Half-open range of code points, `text[start:end]`."""

    start: int
    end: int


class _Block(NamedTuple):
    """Lines that one sentence may cross. A `whole` block is a table row, which no full stop divides."""

    start: int
    end: int
    whole: bool = False


class _Line(NamedTuple):
    start: int
    end: int
    text: str


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """Spans of the sentences of `text`, in order, without surrounding white space and never overlapping.

    Text without a letter or digit (rules, table separators) belongs to no sentence. `language` is an ISO 639 code that
    selects abbreviations and full stops (https://github.com/wikimedia/sentencex); an unknown code counts as English.
    """
    spans: list[Span] = []
    for block in _blocks(text):
        parts = [block[:2]] if block.whole else _sentences(text[block.start : block.end], block.start, language)
        for start, end in parts:
            span = trim_span(text, start, end)
            if span.start < span.end and _HAS_WORD.search(text, span.start, span.end):
                spans.append(span)
    return spans


def trim_span(text: str, start: int, end: int) -> Span:
    """The span without white space at either end; an empty span at `start` if it is all white space."""
    body = text[start:end]
    stripped = body.strip()
    if not stripped:
        return Span(start, start)
    lead = len(body) - len(body.lstrip())
    return Span(start + lead, start + lead + len(stripped))


def _sentences(body: str, base: int, language: str) -> Iterator[tuple[int, int]]:
    """Sentences of one block. A bullet or number ("•", "4.2.", "Item 1.", "(b)") stays with the sentence after it.

    sentencex 1.0 takes "4.2." for a sentence, and finds no sentence end in a text that begins with "•" or "(b)".
    """
    marker = _MARKER.match(body)
    begin = marker.end() if marker else 0
    start = 0
    for end in _ends(body, begin, language):
        yield base + start, base + end
        start = end


def _ends(body: str, begin: int, language: str) -> Iterator[int]:
    """Where the sentences of `body` after `begin` end.

    sentencex reads a window at a time, because it takes quadratic time on quotation marks; a window begins where a sentence
    does. A sentence longer than a window is cut.
    """
    while begin < len(body):
        window = body[begin : begin + _WINDOW]
        ends = [boundary["end_index"] for boundary in get_sentence_boundaries(language, window)]
        if begin + len(window) < len(body) and len(ends) > 1:
            ends.pop()  # this sentence may go on behind the window
        yield from (begin + end for end in ends)
        begin += ends[-1]


def _blocks(text: str) -> Iterator[_Block]:
    for stretch in _stretches(text):
        yield from _blocks_of(stretch)


def _stretches(text: str) -> Iterator[list[_Line]]:
    """Runs of lines between blank lines, rules and form feeds."""
    stretch: list[_Line] = []
    position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        line = match.group()
        content = line.strip()
        if content and not _RULE.match(line.rstrip()):
            stretch.append(_Line(position, match.end(), content))
        elif stretch:
            yield stretch
            stretch = []
        position = match.end()
        if line.endswith("\f") and stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _blocks_of(stretch: Sequence[_Line]) -> Iterator[_Block]:
    width = sorted(len(line.text) for line in stretch)[len(stretch) * 9 // 10]
    begin, count = stretch[0].start, 0
    previous: _Line | None = None
    for line in stretch:
        is_row = _is_row(line.text)
        if previous is not None and count and _ends_sentence(previous, line, width, is_row=is_row):
            yield _Block(begin, line.start)
            begin, count = line.start, 0
        count += 1
        if is_row:
            if count > 2:
                yield _Block(begin, line.start)
                begin = line.start
            yield _Block(begin, line.end, whole=True)
            begin, count = line.end, 0
        previous = line
    if count:
        yield _Block(begin, stretch[-1].end)


def _ends_sentence(previous: _Line, line: _Line, width: int, *, is_row: bool) -> bool:
    """Whether the break between two lines ends a sentence."""
    if _STARTS_BLOCK.match(line.text) or _STANDS_ALONE.match(previous.text):
        return True
    if _QUOTED.match(line.text):
        return not _QUOTED.match(previous.text)
    first = line.text[0]
    if first.islower() or previous.text.endswith(_RUNS_ON):
        return False
    if is_row:
        return True
    word = line.text.split(None, 1)[0]
    return len(previous.text) + 1 + len(word) < _MAX_FILL * width


def _is_row(line: str) -> bool:
    """Whether the line is a row of a table without rules: it ends in a figure, and figures are much of it."""
    tokens = line.split()
    if len(tokens) < 3 or not _is_figure(tokens[-1]):
        return False
    figures = sum(map(_is_figure, tokens))
    return figures >= 2 and figures >= 0.4 * len(tokens)


def _is_figure(token: str) -> bool:
    return len(token) <= _MAX_FIGURE and _FIGURE.match(token) is not None
