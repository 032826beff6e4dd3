"""LanguageModel and Said: a model asked for one line of its own, beside the answers that it writes."""

from dataclasses import dataclass, field
from typing import Protocol

from service.prompts import Messages
from service.records import Usage

LINE_TOKENS = 256  # a rewritten follow-up has 20; the rest is for models that write their thoughts first


@dataclass(frozen=True, slots=True)
class Said:
    """What a model wrote, without its thoughts."""

    text: str
    usage: Usage = field(default_factory=Usage)


class LanguageModel(Protocol):
    """Writes at most LINE_TOKENS tokens. Thread-safe."""

    def tokens(self, text: str) -> int:
        """How many tokens the model makes of `text`, or an estimate that is too high."""
        ...

    def say(self, messages: Messages) -> Said:
        """The reply, asked for once and waited for no longer than was set.

        Raises GeneratorUnavailable when there is none.
        """
        ...
