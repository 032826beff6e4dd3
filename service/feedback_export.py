"""Feedback with the answers it is on, as the JSON lines that `quoth eval harvest` reads (evaluation/harvest.py).

A thumb down for a sentence is one for its answer, with the sentence in the comment. A thumb up for a sentence says nothing of
the answer as a whole, so it is left out. `sentence` is its index, from 0; null for the whole answer.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

from service.feedback import Feedback
from service.records import Answer, Turn

Exchange = tuple[Answer, tuple[Turn, ...]]
"""An answer with the turns before it, oldest first."""


def exported(feedback: Iterable[Feedback], exchange: Callable[[str], Exchange | None]) -> Iterator[str]:
    """Yield a line for each that says something of a whole answer, in the same order.

    `exchange` finds an answer by its id; one that it does not give is left out.
    """
    known: dict[str, Exchange | None] = {}
    for one in feedback:
        if one.sentence is None or one.rating == "down":
            if one.answer_id not in known:
                known[one.answer_id] = exchange(one.answer_id)
            if (found := known[one.answer_id]) is not None:
                yield _line(one, *found)


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
