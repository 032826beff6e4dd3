"""Have a language model propose questions about a passage, and check every claim it makes before anybody sees them.

A question is kept if its quote is literally in the passage, its answer literally in the quote, the support checker
finds that the passage supports the statement of the answer, and the question can be understood without the passage.
What fails is dropped and counted by reason; nothing is repaired.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, StringConstraints

from evaluation.drafting.wording import content_words
from evaluation.errors import NoReply
from evaluation.structured_replies import ReplyForm, StructuredClient
from evaluation.tasks.verification import SUPPORTED_FROM, Checker
from service.generators.openai_client import ModelEndpoint

MAX_QUESTIONS = 3
_MAX_QUESTION_CHARS = 300
_MIN_WORDS = 2
_NOT_ALONE = re.compile(
    r"(?i)\b(?:th(?:is|e|ese|at) (?:passage|text|document|excerpt|article|section|author|paragraph)s?|above|below|it|this|"
    r"these|they|he|she)\b"
)

NOT_THE_FORM = "replies in another form"
REFUSED = "requests without a whole reply"
NO_QUOTE = "quotes that the passage does not hold"
NO_ANSWER = "answers that the quote does not hold"
OPEN = "questions that lean on the passage or give themselves away"
UNSUPPORTED = "answers that the passage does not support"

NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class ProposedQuestion(ReplyForm):
    """The form of one question in the model's reply."""

    question: NonBlank
    answer: NonBlank
    statement: NonBlank
    quote: NonBlank


class ProposedQuestions(ReplyForm):
    """The form of the model's reply."""

    questions: list[ProposedQuestion] = Field(max_length=MAX_QUESTIONS)


@dataclass(frozen=True, slots=True)
class CheckedQuestion:
    """A question that passed every check. `start` and `end` are the quote's place in the passage, in characters."""

    question: str
    answer: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CheckedQuestions:
    """The questions about one passage that passed every check, and how many were dropped for each reason."""

    questions: tuple[CheckedQuestion, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)


class QuestionWriter:
    """Asks the model at `server`, which may write `max_tokens` for each passage; `checker` checks support."""

    def __init__(self, server: ModelEndpoint, checker: Checker, *, max_tokens: int = 1024) -> None:
        constants = {"most": str(MAX_QUESTIONS)}
        self._client = StructuredClient(
            server, "draft", {"title", "passage"}, ProposedQuestions, constants=constants, max_tokens=max_tokens
        )
        self._checker = checker

    @property
    def model(self) -> str:
        """The model's name, as sent in requests."""
        return self._client.model

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, title: str, passage: str) -> CheckedQuestions:
        """Questions about the passage. Raises ModelUnavailable."""
        try:
            reply = self._client.ask(self._client.messages(title=title, passage=passage))
        except NoReply:
            return CheckedQuestions((), {REFUSED: 1})
        if reply.form is None:
            return CheckedQuestions((), {NOT_THE_FORM: 1})
        dropped: Counter[str] = Counter()
        questions = []
        for proposed in reply.form.questions:
            reason = drop_reason(proposed, passage)
            if reason is None and self._checker.check([(proposed.statement, passage)])[0] < SUPPORTED_FROM:
                reason = UNSUPPORTED
            if reason is not None:
                dropped[reason] += 1
                continue
            start = passage.index(proposed.quote)
            questions.append(CheckedQuestion(proposed.question, proposed.answer, start, start + len(proposed.quote)))
        return CheckedQuestions(tuple(questions), dropped)


def drop_reason(proposed: ProposedQuestion, passage: str) -> str | None:
    """Why the question is dropped, by its words alone; None if it passes. Pure."""
    if proposed.quote not in passage:
        return NO_QUOTE
    if proposed.answer not in proposed.quote:
        return NO_ANSWER
    question = proposed.question
    asks = question.endswith("?") and len(question) <= _MAX_QUESTION_CHARS and question.isprintable()
    if not asks or _NOT_ALONE.search(question) or proposed.answer.casefold() in question.casefold():
        return OPEN
    return OPEN if len(content_words(question)) < _MIN_WORDS else None
