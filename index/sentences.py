"""Text -> sentence spans. Pure; the one place that says what a sentence is.

Retrieval chunks, the reader's sentence scores, citations and the evaluation all use these spans, so a sentence that is
selected is a sentence that can be quoted. Line structure goes first (a list item, heading, table row or blank line always
ends what stands before it; a plain line break does not, since text from PDF and e-mail is hard-wrapped), then sentencex's
segmentation inside each block.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sentencex import get_sentence_boundaries

_STARTS_BLOCK = re.compile(r"[ \t]*(?:[-*+•▪◦‣·–][ \t]+|\(?[0-9a-zA-Z]{1,3}[.)][ \t]+|#{1,6}[ \t]|>|\||```)")
_STANDS_ALONE = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||```)")
_LINE = re.compile(r"[^\n\r\f\v\x85\u2028\u2029]*(?:\r\n|[\n\r\f\v\x85\u2028\u2029]|\Z)")
_RULE = re.compile(r"[ \t]*[-*_=~+|:. \t]{3,}\Z")
_HAS_WORD = re.compile(r"\w")


class Span(NamedTuple):
    """Half-open range of code points, `text[start:end]`."""

    start: int
    end: int


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """Spans of the sentences of `text`, in order, without surrounding white space and never overlapping.

    Stretches without a letter or digit (rules, table separators) belong to no sentence. `language` is an ISO 639 code
    that picks abbreviations and full stops (https://github.com/wikimedia/sentencex); unknown codes fall back to English.
    """
    spans: list[Span] = []
    for block in _blocks(text):
        body = text[block.start : block.end]
        for boundary in get_sentence_boundaries(language, body):
            span = trimmed(text, block.start + boundary["start_index"], block.start + boundary["end_index"])
            if span.start < span.end and _HAS_WORD.search(text, span.start, span.end):
                spans.append(span)
    return spans


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without white space at either end; empty at `start` if nothing else is in it."""
    body = text[start:end]
    stripped = body.strip()
    if not stripped:
        return Span(start, start)
    lead = len(body) - len(body.lstrip())
    return Span(start + lead, start + lead + len(stripped))


def _blocks(text: str) -> Iterator[Span]:
    """Runs of lines that one sentence may cross."""
    begin = position = 0
    alone = False
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        line = match.group()
        end = match.end()
        blank = not line.strip() or bool(_RULE.match(line.rstrip()))
        if (blank or alone or _STARTS_BLOCK.match(line)) and begin < position:
            yield Span(begin, position)
            begin = position
        alone = bool(_STANDS_ALONE.match(line)) or line.endswith("\f")
        if blank:
            begin = end
        position = end
    if begin < len(text):
        yield Span(begin, len(text))
