"""The items of a list that a citation quotes whole, and whether they are what a question wants counted. Pure."""

import re
from collections.abc import Sequence

from index.blocks.block import Block, Kind, Span
from index.records import Document
from service.parts.figures import NUMBER, figures_of, stem
from service.parts.words import words_of
from service.records import Citation
from service.text.terms import STOP_WORDS

_HOW_MANY = re.compile(
    r"\A\W*(?:how\s+many|wie\s*viele|combien\s+(?:de\s|d['’])|cu[áa]nt[oa]s|quant[ie]|quant[oa]s)\s*(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
_NOT_ALL = re.compile(
    r"\b(?:includ(?:e|es|ing)|such as|for example|for instance|e\.g|among others|some of|amongst|mainly|z\. ?b|zum beispiel|"
    r"unter anderem|par exemple|notamment|por ejemplo|entre otr[oa]s|ad esempio|por exemplo|etc|and (?:others|more)|or)\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = frozenset(map(stem, "list listed item thing things point exist need needed entry all total".split()))
_MARKER = re.compile(r"\s*(?:[-*+•▪◦‣·–]|\(?\w{1,3}[.)])\s+")


def quoted_items(document: Document, citation: Citation) -> list[Span]:
    """The items, without those below them, of the one list that the citation quotes whole; empty without one."""
    lists: dict[int, list[Block]] = {}
    for block in document.blocks:
        if block.kind is Kind.ITEM and block.parent is not None:
            lists.setdefault(block.parent, []).append(block)
    for items in lists.values():
        if len(items) > 1 and all(_is_quoted(item, document, citation) for item in items):
            return [_quoted(item, document, citation) for item in items]
    return []


def asks_for_count(question: str) -> bool:
    """Whether the question asks how many there are of something."""
    return _HOW_MANY.match(question) is not None


def is_counted(question: str, citation: Citation, items: Sequence[str]) -> bool:
    """Whether the question asks how many there are of what the list is a list of, and the list is all of them.

    Every word of the question must introduce the list: its lead-in, the headings above it, or its title. An item that is itself
    a number of things ("3 kayaks") is not one thing.
    """
    asked = _HOW_MANY.match(question)
    lead = " ".join(excerpt.quote for excerpt in citation.context)
    if asked is None or _NOT_ALL.search(lead) or _NOT_ALL.search(items[-1]):
        return False
    known = {stem(word.text) for word in words_of(" ".join((lead, citation.title, *citation.trail)))} | _SAYS_NOTHING
    words = [stem(word.text) for word in words_of(asked["rest"]) if word.small not in STOP_WORDS]
    numbered = (figures_of(_MARKER.sub("", item, count=1)) for item in items)
    return all(word in known for word in words) and not any(
        found and found[0].start == 0 and found[0].kind == NUMBER for found in numbered
    )


def _is_quoted(item: Block, document: Document, citation: Citation) -> bool:
    """Whether the item is quoted from its first word on; its marker may be left out."""
    left_out = document.text[item.start : max(item.start, citation.start)]
    return (
        item.start < citation.end and item.end > citation.start and (not left_out or bool(_MARKER.fullmatch(left_out)))
    )


def _quoted(item: Block, document: Document, citation: Citation) -> Span:
    start, end = max(item.start, citation.start), min(item.end, citation.end)
    return Span(start, start + len(document.text[start:end].rstrip()))
