"""Plain text: a quote without its Markdown, and an answer with its notes and sources for doors that carry text only. Pure."""

import re

from service.records import Answer, Citation

HEADING = "Sources:"
NOTES_HEADING = "Notes:"
_MAX_CONTEXT = 300
_HEADING_LINE = re.compile(r"\s*#{1,6}\s")
_LIST_MARK = re.compile(r"^\s*(?:[-*+•▪◦‣·–>]\s+|\(?\d{1,3}[.)]\s+|#{1,6}\s+)+")
_LINK = re.compile(r"!?\[([^\]\n]+)\]\([^()\s]*\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)


def plain_line(quote: str) -> str:
    """The quote as one line of running text, without list and heading marks, emphasis and link targets."""
    text = _LIST_MARK.sub("", quote)
    text = _LINK.sub(r"\1", text)
    text = _STRONG.sub(r"\2", text)
    return " ".join(text.split())


def is_heading(text: str) -> bool:
    """Whether a line is marked as a heading in Markdown."""
    return _HEADING_LINE.match(text) is not None


def context_line(citation: Citation) -> str:
    """What the quote is read with, on one line: a lead-in, the header cells of a row, a term; empty without any.

    A long line ends in an ellipsis; the citation holds all of it.
    """
    parts = [plain_line(excerpt.quote) for excerpt in citation.context]
    line = " · ".join(part for part in parts if part).rstrip(":：").rstrip()
    return line if len(line) <= _MAX_CONTEXT else f"{line[:_MAX_CONTEXT].rsplit(' ', 1)[0]} …"


def with_sources(answer: Answer) -> str:
    """The text of the answer with its markers, then its notes and the numbered sources, as far as there are any."""
    return "\n\n".join(part for part in (answer.text, note_list(answer), source_list(answer)) if part)


def note_list(answer: Answer) -> str:
    """`Notes:` and a line for each note; empty without notes. No line looks like one of the list of sources."""
    return "\n".join([NOTES_HEADING, *(f"- {plain_line(note)}" for note in answer.notes)]) if answer.notes else ""


def source_list(answer: Answer) -> str:
    """`Sources:` and a line for each citation, with its place, what it is read with and its quote; empty without citations."""
    return "\n".join([HEADING, *(_source_line(citation) for citation in answer.citations)]) if answer.citations else ""


def without_sources(text: str) -> str:
    """The text that `with_sources` returned, without the notes and the list of sources."""
    return text.partition(f"\n\n{HEADING}\n")[0].partition(f"\n\n{NOTES_HEADING}\n- ")[0]


def _source_line(citation: Citation) -> str:
    page = [] if citation.page is None else [f"page {citation.page}"]
    heading = [heading for heading in citation.trail[-1:] if heading != citation.title]
    place = [citation.title, *heading, *page, f"characters {citation.start}-{citation.end}"]
    context = context_line(citation)
    # Without links and images: a chat window that renders Markdown would load whatever a document links to.
    where = " · ".join(plain_line(part) for part in place)
    return f"[{citation.number}] {where}: {f'{context}: ' if context else ''}“{plain_line(citation.quote)}”"
