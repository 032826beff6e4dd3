"""A language model proposes questions on one passage, and what it claims is checked before anybody sees it.

A question is kept when its quote stands literally in the passage, its answer literally in the quote, the support checker finds
that the passage supports the statement of the answer, and the question can be understood without the passage. What
fails is dropped and counted by reason, and nothing is repaired.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, StringConstraints

from evaluation.asking import Asker, Form
from evaluation.errors import NoReply
from evaluation.tasks.verification import SUPPORTED_FROM, Checker
from evaluation.templating import content
from service.generators.openai_client import Server

MOST = 3
_LONGEST_QUESTION = 300
_FEWEST_WORDS = 2
_OPEN = re.compile(
    r"(?i)\b(?:th(?:is|e|ese|at) (?:passage|text|document|excerpt|article|section|author|paragraph)s?|above|below|it|this|"
    r"these|they|he|she)\b"
)

NOT_THE_FORM = "replies in another form"
REFUSED = "requests without a whole reply"
NO_QUOTE = "quotes that the passage does not hold"
NO_ANSWER = "answers that the quote does not hold"
OPEN = "questions that lean on the passage or give themselves away"
UNSUPPORTED = "answers that the passage does not support"

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Proposed(Form):
    """One question as the model must give it."""

    question: Words
    answer: Words
    statement: Words
    quote: Words


class ProposedList(Form):
    """What the model must reply."""

    questions: list[Proposed] = Field(max_length=MOST)


@dataclass(frozen=True, slots=True)
class Sound:
    """A question that passed every check. `start` and `end` of its quote count in the passage."""

    question: str
    answer: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Proposals:
    """What came of one passage: sound questions, and how many were dropped for which reason."""

    questions: tuple[Sound, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)


class Questioner:
    """Asks the model at `server`, which may write `longest` tokens a passage; `checker` says what a passage supports."""

    def __init__(self, server: Server, checker: Checker, *, longest: int = 1024) -> None:
        settled = {"most": str(MOST)}
        self._asker = Asker(server, "draft", {"title", "passage"}, ProposedList, settled=settled, longest=longest)
        self._checker = checker

    @property
    def model(self) -> str:
        """The model's name, as it is asked for."""
        return self._asker.model

    def close(self) -> None:
        """Close the connections."""
        self._asker.close()

    def ask(self, title: str, passage: str) -> Proposals:
        """Questions on the passage. Raises ModelUnavailable."""
        try:
            reply = self._asker.ask(self._asker.messages(title=title, passage=passage))
        except NoReply:
            return Proposals((), {REFUSED: 1})
        if reply.form is None:
            return Proposals((), {NOT_THE_FORM: 1})
        dropped: Counter[str] = Counter()
        sound = []
        for proposed in reply.form.questions:
            reason = fault(proposed, passage)
            if reason is None and self._checker.check([(proposed.statement, passage)])[0] < SUPPORTED_FROM:
                reason = UNSUPPORTED
            if reason is not None:
                dropped[reason] += 1
                continue
            start = passage.index(proposed.quote)
            sound.append(Sound(proposed.question, proposed.answer, start, start + len(proposed.quote)))
        return Proposals(tuple(sound), dropped)


def fault(proposed: Proposed, passage: str) -> str | None:
    """Why the question is dropped, as far as the words alone tell; None when they are sound. Pure."""
    if proposed.quote not in passage:
        return NO_QUOTE
    if proposed.answer not in proposed.quote:
        return NO_ANSWER
    question = proposed.question
    asks = question.endswith("?") and len(question) <= _LONGEST_QUESTION and question.isprintable()
    if not asks or _OPEN.search(question) or proposed.answer.casefold() in question.casefold():
        return OPEN
    return OPEN if len(content(question)) < _FEWEST_WORDS else None
