"""Exports: feedback as the JSON lines that `quoth eval harvest` reads (evaluation/harvest.py), and a conversation as Markdown.

A thumb down for a sentence counts for its answer, with the sentence in the comment. A thumb up for a sentence says nothing
about the answer as a whole, so it is left out. `sentence` is its index, from 0; null for the whole answer.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from service.records import NONE_STALE, Answer, Citation, StaleCitation, Turn
from service.storage.conversation_list import Conversation
from service.storage.conversations import StoredAnswer
from service.storage.feedback import Feedback

Exchange = tuple[Answer, tuple[Turn, ...]]
"""An answer with the turns before it, oldest first."""


def feedback_lines(feedback: Iterable[Feedback], exchange: Callable[[str], Exchange | None]) -> Iterator[str]:
    """Yield a line for each feedback that says something about a whole answer, in the same order.

    `exchange` finds an answer by its id; feedback on an answer for which it gives None is left out.
    """
    known: dict[str, Exchange | None] = {}
    for rating in feedback:
        if rating.sentence is None or rating.rating == "down":
            if rating.answer_id not in known:
                known[rating.answer_id] = exchange(rating.answer_id)
            if (answer := known[rating.answer_id]) is not None:
                yield _line(rating, *answer)


def _line(feedback: Feedback, answer: Answer, history: Sequence[Turn]) -> str:
    return json.dumps(
        {
            "answer_id": answer.id,
            "verdict": feedback.rating,
            "sentence": feedback.sentence,
            "comment": _comment(feedback, answer),
            "label": feedback.label,
            "question": answer.question,
            "history": [asdict(turn) for turn in history],
            "answer": {
                "text": answer.text,
                "refused": answer.refused,
                "citations": [{"uri": citation.uri, "quote": citation.quote} for citation in answer.citations],
            },
            "created_at": feedback.created_at.isoformat(),
        }
    )


def _comment(feedback: Feedback, answer: Answer) -> str:
    if feedback.sentence is None:
        return feedback.comment
    return f"Sentence {feedback.sentence + 1}, “{answer.sentences[feedback.sentence].text}”: {feedback.comment}".rstrip(
        ": "
    )


_CHANGES = {
    "unchanged": "The document has changed since; the quote still stands in it.",
    "changed": "The document has changed since. In place of the quote it says:",
    "gone": "The document was changed or removed since, and the quote is gone.",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def markdown(
    conversation: Conversation,
    answers: Sequence[StoredAnswer],
    stale: Mapping[str, Sequence[StaleCitation]] = NONE_STALE,
) -> str:
    """A conversation as Markdown. Text of documents and people stays text: it makes no headings, links or HTML."""
    return "\n".join(_lines(conversation, answers, stale)) + "\n"


def _lines(
    conversation: Conversation, answers: Sequence[StoredAnswer], stale: Mapping[str, Sequence[StaleCitation]]
) -> Iterator[str]:
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
            if citation.context:
                yield from (" · ".join(_plain(" ".join(excerpt.quote.split())) for excerpt in citation.context), "")
            yield from (f"> {_plain(line)}".rstrip() for line in citation.quote.splitlines())
        yield ""
        if answer.kind == "talk":
            continue
        closing = (
            f"Confidence {answer.confidence:.2f}, {_plain(answer.generator)}, {stored.created_at:%Y-%m-%d %H:%M} UTC."
        )
        yield " ".join((closing, *(_plain(note) for note in answer.notes)))
        for change in stale.get(answer.id, ()):
            yield from ("", f"**{change.number}. {_CHANGES[change.change]}**")
            if change.change == "changed":
                yield from ("", *(f"> {_plain(line)}".rstrip() for line in (change.text or "").splitlines()))


def _place(citation: Citation) -> str:
    parts = [citation.title, *(heading for heading in citation.trail if heading.strip() != citation.title.strip())]
    if citation.page is not None:
        parts.append(f"page {citation.page}")
    parts.append(f"characters {citation.start}–{citation.end}")
    return " · ".join(_plain(part) for part in (*parts, f"version {citation.version[:12]}", citation.uri))


def _plain(text: str) -> str:
    """The text on one line, with Markdown's special characters escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
