"""Text -> sentence spans: the one definition of a sentence. Pure.

Chunks, the reader's sentence scores, citations and the evaluation all use these spans, so every sentence that is
selected can be quoted. In a paragraph, `full_stops` finds them by the language. In a text without
blocks, line structure comes first: a list item, heading, table row or blank line always ends the sentence before it. A
plain line break does not, because text from PDF and e-mail is hard-wrapped, unless the next word would have fitted on
the line: then the line is a heading, a label or the end of a paragraph.

Everything here takes time in proportion to the length of the text, whatever the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from index.blocks.block import Span
from index.blocks.lines import Line, is_break, is_row, stretches, usual_width
from index.chunking.full_stops import sentence_ends

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
_HAS_WORD = re.compile(r"\w")
_MARKER = re.compile(
    r"""\s*(?:[^\w\s("'“‘«]+\s+)?(?:
        (?i:(?:item|note|part|section|article|chapter|table|figure|exhibit|annex|appendix|step)s?\s+)?
        \(?(?:[a-zA-Z]?[0-9]{1,3}[a-zA-Z]?|[a-zA-Z]|[ivxlcIVXLC]{2,5})(?:\.[0-9]{1,3})*[.):](?=\s)
        |\([^().!?]{1,100}\)(?=\s))?""",
    re.VERBOSE,
)
_LINE_BREAKS = dict.fromkeys(map(ord, "\n\r\f\v\x85\u2028\u2029"), " ")
_STRETCH = 4_000  # a quotation of up to half of it is read whole; 15 ms at most for the worst text


class _Block(NamedTuple):
    """Lines that one sentence may cross. A `whole` block is a table row, which no full stop divides."""

    start: int
    end: int
    whole: bool = False


def paragraph_sentences(text: str, language: str = "en") -> list[Span]:
    """Return the spans of the sentences of one paragraph, in order, without surrounding white space and never overlapping.

    Its line breaks are white space, and a mark or number at its start belongs to the first sentence. Text without a letter
    or digit belongs to no sentence. `language` is an ISO 639 code; an unknown one has the full stops of all languages and
    no abbreviations of its own; an empty one is read as English whose sentences begin with no small letter.
    """
    return _trimmed(text, _sentences(text.translate(_LINE_BREAKS), 0, language))


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """Return the spans of the sentences of a text without blocks, whose lines show paragraphs, items, headings and rows."""
    parts = (
        [block[:2]] if block.whole else _sentences(text[block.start : block.end], block.start, language)
        for block in _blocks(text)
    )
    return _trimmed(text, chain.from_iterable(parts))


def _trimmed(text: str, parts: Iterable[tuple[int, int]]) -> list[Span]:
    spans = (trim_span(text, start, end) for start, end in parts)
    return [span for span in spans if span.start < span.end and _HAS_WORD.search(text, span.start, span.end)]


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
    for end in _ends(body[begin:], language):
        yield base + start, base + begin + end
        start = begin + end


def _ends(text: str, language: str) -> Iterator[int]:
    """The ends of the sentences. sentencex reads at most `_STRETCH` characters at once: its time grows with their square.

    Of a stretch that does not reach the end of the text, the ends in its first half count, so that a quotation is seen
    whole, and the next stretch begins at the last of them. Without any, it begins at white space.
    """
    start = 0
    while len(text) - start > _STRETCH:
        stretch = text[start : start + _STRETCH]
        ends = sentence_ends(stretch, language)[:-1]
        kept = [end for end in ends if end <= _STRETCH // 2] or ends[:1]
        yield from (start + end for end in kept)
        start += kept[-1] if kept else stretch.rfind(" ", _STRETCH // 2) + 1 or _STRETCH
    if start < len(text):
        yield from (start + end for end in sentence_ends(text[start:], language))


def _blocks(text: str) -> Iterator[_Block]:
    for stretch in stretches(text):
        yield from _blocks_of(stretch.lines)


def _blocks_of(stretch: Sequence[Line]) -> Iterator[_Block]:
    width = usual_width(stretch)
    begin, count = stretch[0].start, 0
    previous: Line | None = None
    for line in stretch:
        row = is_row(line.text)
        if previous is not None and count and _ends_sentence(previous, line, width, row=row):
            yield _Block(begin, line.start)
            begin, count = line.start, 0
        count += 1
        if row:
            if count > 2:
                yield _Block(begin, line.start)
                begin = line.start
            yield _Block(begin, line.end, whole=True)
            begin, count = line.end, 0
        previous = line
    if count:
        yield _Block(begin, stretch[-1].end)


def _ends_sentence(previous: Line, line: Line, width: int, *, row: bool) -> bool:
    """Whether the break between two lines ends a sentence."""
    if _STARTS_BLOCK.match(line.text) or _STANDS_ALONE.match(previous.text):
        return True
    if _QUOTED.match(line.text):
        return not _QUOTED.match(previous.text)
    return is_break(previous, line, width, is_row=row)
