"""A conversation as Markdown that a person reads: the questions, the answers, and each quote with its exact place. Pure."""

import re
from collections.abc import Iterator, Sequence

from service.conversation_list import Conversation
from service.records import Citation
from service.store import StoredAnswer

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def markdown(conversation: Conversation, answers: Sequence[StoredAnswer]) -> str:
    """The whole conversation. What documents and people wrote stays text: it makes no headings, links or HTML."""
    return "\n".join(_lines(conversation, answers)) + "\n"


def _lines(conversation: Conversation, answers: Sequence[StoredAnswer]) -> Iterator[str]:
    yield f"# {_plain(conversation.title)}"
    yield ""
    yield f"Collection {_plain(conversation.collection)}, {conversation.created_at:%Y-%m-%d %H:%M} UTC."
    for stored in answers:
        answer = stored.answer
        yield from ("", f"## {_plain(answer.question)}", "")
        if answer.rewritten_question != answer.question:
            yield from (f"Read as: {_plain(answer.rewritten_question)}", "")
        yield _plain(answer.text)
        for citation in answer.citations:
            yield from ("", f"**{citation.number}.** {_place(citation)}", "")
            yield from (f"> {_plain(line)}".rstrip() for line in citation.quote.splitlines())
        yield ""
        closing = (
            f"Confidence {answer.confidence:.2f}, {_plain(answer.generator)}, {stored.created_at:%Y-%m-%d %H:%M} UTC."
        )
        yield " ".join((closing, *(_plain(note) for note in answer.notes)))


def _place(citation: Citation) -> str:
    parts = [citation.title, *(heading for heading in citation.trail if heading.strip() != citation.title.strip())]
    if citation.page is not None:
        parts.append(f"page {citation.page}")
    parts.append(f"characters {citation.start}–{citation.end}")
    return " · ".join(_plain(part) for part in (*parts, f"version {citation.version[:12]}", citation.uri))


def _plain(text: str) -> str:
    """The text on one line, with what Markdown would read as its own made literal."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
