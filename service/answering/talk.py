"""The answer to small talk: a fixed reply, for which nothing is searched, read or quoted. Pure."""

from collections.abc import Callable

from service.records import Answer, Question

GENERATOR = "fixed"


def talk_answer(question: Question, reply: str, new_id: Callable[[], str]) -> Answer:
    """Return the answer that says `reply`."""
    return Answer(
        id=new_id(),
        conversation_id=question.conversation_id or new_id(),
        question=question.text,
        rewritten_question=question.text,
        text=reply,
        refused=False,
        confidence=0.0,
        sentences=(),
        citations=(),
        passages=(),
        generator=GENERATOR,
        prompt_hash=None,
        kind="talk",
    )
