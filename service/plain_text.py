"""An answer as plain text with its sources below, for doors that carry text only. Pure."""

from service.records import Answer, Citation
from service.text.plain import plain

HEADING = "Sources:"


def with_sources(answer: Answer) -> str:
    """The text of the answer with its markers, then the numbered sources; a refusal is its sentence alone."""
    sources = source_list(answer)
    return f"{answer.text}\n\n{sources}" if sources else answer.text


def source_list(answer: Answer) -> str:
    """`Sources:` and a line for each citation, with its place and its quote; empty without citations."""
    return "\n".join([HEADING, *(_line(citation) for citation in answer.citations)]) if answer.citations else ""


def without_sources(text: str) -> str:
    """What `with_sources` made, without the sources."""
    return text.partition(f"\n\n{HEADING}\n")[0]


def _line(citation: Citation) -> str:
    page = [] if citation.page is None else [f"page {citation.page}"]
    place = [citation.title, *citation.trail[-1:], *page, f"characters {citation.start}-{citation.end}"]
    # Without links and images: a chat window that shows Markdown would load what a document names.
    return f"[{citation.number}] {' · '.join(plain(part) for part in place)}: “{plain(citation.quote)}”"
