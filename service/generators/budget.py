"""As many of the best passages as a model's context holds. Pure."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.errors import GeneratorUnavailable
from service.generators.protocol import Passage
from service.prompts import Messages, NumberedPassage, Prompts
from service.text.refusals import REFUSAL

_WORD = re.compile(r"[A-Za-z]+")
_WORD_WITH_BLANK = re.compile(r" ?[A-Za-z]+")
TRAIL_SEPARATOR = " · "  # between a passage's title and the headings above it, as a model is shown them
_TEMPLATE_TOKENS = 48  # for what a chat template adds to the two messages; SmolLM2's adds 11


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """Tokens that a model's context holds, question, passages and answer together, and those kept for the answer."""

    context: int
    answer: int

    @property
    def room(self) -> int:
        """Tokens that the messages may take."""
        return self.context - self.answer - _TEMPLATE_TOKENS


def fit_passages(
    question: str, passages: Sequence[Passage], prompts: Prompts, room: int, tokens: Callable[[str], int]
) -> tuple[Messages, int]:
    """The messages with as many passages, from the first, as `room` tokens hold, and how many those are.

    Raises GeneratorUnavailable when not even the first fits.
    """
    shown = [NumberedPassage(_heading(passage), passage.hit.chunk.text) for passage in passages]

    def too_large(count: int) -> bool:
        messages = prompts.answer(question, shown[:count], REFUSAL)
        return tokens(f"{messages.instructions}\n{messages.request}") > room

    count = len(shown)
    if too_large(count):
        count = bisect_left(range(1, len(shown)), True, key=too_large)
    if count == 0:
        raise GeneratorUnavailable(
            f"The question with its first passage does not fit into the {room:,} tokens that the language model has "
            "for them. "
            "Raise llm_context_tokens if the model can read more, lower llm_max_tokens, or ask in fewer words."
        )
    return prompts.answer(question, shown[:count], REFUSAL), count


def _heading(passage: Passage) -> str:
    return TRAIL_SEPARATOR.join(dict.fromkeys([passage.hit.title, *passage.hit.chunk.trail]))


def estimate_tokens(text: str) -> int:
    """More tokens than common tokenizers make of `text`, for a server that does not count them itself.

    A token for three letters of a word in ASCII, none for the blank before it, one for any other ASCII character (many
    tokenizers split numbers into digits), one for each byte beyond ASCII (byte-level tokenizers cannot need more).
    """
    words = [len(word) for word in _WORD.findall(text)]
    rest = len(_WORD_WITH_BLANK.sub("", text).encode("utf-8", errors="replace"))
    return sum(-(-length // 3) for length in words) + rest
