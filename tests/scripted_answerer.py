"""An answerer with one answer, to serve the OpenAI door without models. The fixture `serve_scripted` serves it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from index.records import Chunk, Hit
from service.answering.answerer import AnswerReady, PassagesFound, SentenceReady
from service.progress import Stages
from service.records import Answer, Citation, Question, Sentence


def make_answer(question: Question, *notes: str) -> Answer:
    quote = "See ![x](http://elsewhere/leak) the **channel**."
    citation = Citation(1, "d", "v", "T", "file:///t", 3, 0, len(quote), quote, "c", 0.5, ("Top", "Below"), None)
    chunk = Chunk("c", "d", "v", 0, 0, len(quote), quote)
    return Answer(
        "a1", question.conversation_id or "c1", question.text, question.text, "It is. [1]", False, 0.9,
        (Sentence("It is.", (1,), True, 0.9),), (citation,), (Hit(chunk, "T", "file:///t", 3, 0.5),), "scripted", None,
        notes=notes,
    )  # fmt: skip


class ScriptedAnswerer:
    """Yields one sentence, then raises the error it was given, or ends with the answer. Records the questions."""

    def __init__(self, error: Exception | None = None, notes: tuple[str, ...] = ()) -> None:
        self.error = error
        self.notes = notes
        self.questions: list[Question] = []

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
        self.questions.append(question)
        answer = replace(make_answer(question, *self.notes), id=f"a{len(self.questions)}")
        yield PassagesFound(answer.passages)
        yield SentenceReady(answer.sentences[0], answer.citations)
        if self.error:
            raise self.error
        yield AnswerReady(answer)
