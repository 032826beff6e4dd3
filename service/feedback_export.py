"""Feedback with the answers it is on, as the JSON lines that `quoth eval harvest` reads (evaluation/harvest.py).

A thumb down for a sentence is one for its answer, with the sentence in the comment. A thumb up for a sentence says nothing of
the answer as a whole, so it is left out.
"""

import json
from collections.abc import Iterable, Iterator

from service.records import Answer
from service.store import ConversationStore, Feedback


def exported(feedback: Iterable[Feedback], store: ConversationStore) -> Iterator[str]:
    """Yield a line for each that says something of a whole answer, in the same order."""
    for one in feedback:
        if one.sentence is None or one.rating == "down":
            yield _line(one, store)


def _line(feedback: Feedback, store: ConversationStore) -> str:
    answer = store.answer(feedback.answer_id).answer
    return json.dumps(
        {
            "answer_id": answer.id,
            "verdict": feedback.rating,
            "comment": _comment(feedback, answer),
            "question": answer.question,
            "history": _history(answer, store),
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


def _history(answer: Answer, store: ConversationStore) -> list[dict[str, str]]:
    """The turns before the answer, oldest first."""
    turns = []
    for stored in store.answers(answer.conversation_id):
        if stored.answer.id == answer.id:
            break
        turns.append({"question": stored.answer.question, "answer": stored.answer.text})
    return turns
