"""A follow-up -> how it is read: rewritten by a language model where there is one, checked, else by rules.

Where a model does not reply, or writes what may not be asked in the follow-up's place, the follow-up is read as without a
model, and the answer says why.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.errors import GeneratorUnavailable
from service.followups.guard import rejection_reason, strip_quotation
from service.followups.rules import Rewriting, rewrite
from service.generators.protocol import LanguageModel
from service.prompts import Messages, Prompts
from service.records import Turn, Usage

MAX_TURNS = 6  # the last ones
QUESTION_CHARACTERS = 500
ANSWER_CHARACTERS = 700  # the beginning of each earlier answer
_MARKER = re.compile(r"\s*\[\d+\]")

Outcome = Literal["taken", "rejected", "failed"]
"""What became of a language model's rewriting: it was used, was none that may be used, or did not come."""


@dataclass(frozen=True, slots=True)
class RewriteResult:
    """How a question is read, and what a language model had to do with it.

    `outcome` is None when none was asked, `prompt_hash` None unless its words are used. `notes` are for the asker.
    """

    rewriting: Rewriting
    outcome: Outcome | None = None
    usage: Usage = field(default_factory=Usage)
    prompt_hash: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The question as it is read."""
        return self.rewriting.text


class Rewriter:
    """Has a language model rewrite follow-ups. Thread-safe. `room` is the number of tokens that it may be sent."""

    def __init__(self, model: LanguageModel, prompts: Prompts, room: int) -> None:
        self._model = model
        self._prompts = prompts
        self._room = room

    def rewrite(self, question: str, history: Sequence[Turn]) -> RewriteResult:
        """How to read `question` after `history` (oldest turn first). A first question is left alone.

        The search is for the model's question and, with less weight, for the follow-up as it stands. Measured with people's
        rewritings in the place of the model's, nDCG@10 of MTRAG's 132 follow-ups over 350 passages: .700 alone, .721 so.
        """
        by_rules = rewrite(question, history)
        if not history:
            return RewriteResult(by_rules)
        try:
            said = self._model.complete(self._messages(question, history))
        except GeneratorUnavailable as error:
            return RewriteResult(
                by_rules, "failed", notes=(f"{error} The follow-up was read without the language model.",)
            )
        text = strip_quotation(said.text)
        wrong = rejection_reason(text, question, history)
        if wrong:
            note = f"The follow-up was read without the language model, whose rewriting could not be used: {wrong}."
            return RewriteResult(by_rules, "rejected", said.usage, notes=(note,))
        unchanged = text.casefold() == strip_quotation(question).casefold()
        found = by_rules if unchanged else Rewriting(text, (text, question))
        return RewriteResult(found, "taken", said.usage, self._prompts.hash)

    def _messages(self, question: str, history: Sequence[Turn]) -> Messages:
        """With as many of the last turns as the model's context holds. Raises GeneratorUnavailable if it holds none."""
        turns = [_shorten(turn) for turn in history[-MAX_TURNS:]]
        while turns:
            messages = self._prompts.rewrite(question, turns)
            if self._model.tokens(f"{messages.instructions}\n{messages.request}") <= self._room:
                return messages
            turns.pop(0)
        raise GeneratorUnavailable(
            f"The follow-up with the turn before it does not fit into the {self._room:,} tokens that the language model has "
            "for them. Raise llm_context_tokens if the model can read more, or ask in fewer words."
        )


def rewrite_question(question: str, history: Sequence[Turn], rewriter: Rewriter | None) -> RewriteResult:
    """How `question` is read after `history`; by rules alone without a rewriter."""
    return rewriter.rewrite(question, history) if rewriter else RewriteResult(rewrite(question, history))


def _shorten(turn: Turn) -> Turn:
    answer = _MARKER.sub("", turn.answer)
    return Turn(_line(turn.question, QUESTION_CHARACTERS), _line(answer, ANSWER_CHARACTERS))


def _line(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 2]} …"
