"""Fits as many of the best passages as possible into a model's context. Pure."""

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
TRAIL_SEPARATOR = " · "  # in the prompt, between a passage's title and the headings above it
_TEMPLATE_TOKENS = 48  # reserved for what a chat template adds to the two messages; SmolLM2's adds 11


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """The size of a model's context in tokens, for question, passages and answer together, and the part kept for the answer."""

    context: int
    answer: int

    @property
    def room(self) -> int:
        """How many tokens the messages may have."""
        return self.context - self.answer - _TEMPLATE_TOKENS


def fit_passages(
    question: str,
    passages: Sequence[Passage],
    prompts: Prompts,
    room: int,
    tokens: Callable[[str], int],
    parts: Sequence[str] = (),
) -> tuple[Messages, int]:
    """The messages with as many passages, from the first, as fit into `room` tokens, and the number of these passages.

    Raises GeneratorUnavailable when not even the first passage fits.
    """
    shown = [NumberedPassage(_heading(passage), passage.text) for passage in passages]

    def too_large(count: int) -> bool:
        messages = prompts.answer(question, shown[:count], REFUSAL, parts=parts)
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
    return prompts.answer(question, shown[:count], REFUSAL, parts=parts), count


def _heading(passage: Passage) -> str:
    return TRAIL_SEPARATOR.join(dict.fromkeys([passage.hit.title, *passage.hit.chunk.trail]))


def estimate_tokens(text: str) -> int:
    """An upper estimate of the tokens that common tokenizers make of `text`, for a server that does not count them.

    One token for three letters of an ASCII word, none for the blank before it, one for any other ASCII character (many
    tokenizers split numbers into digits), one for each byte beyond ASCII (byte-level tokenizers cannot need more).
    """
    words = [len(word) for word in _WORD.findall(text)]
    rest = len(_WORD_WITH_BLANK.sub("", text).encode("utf-8", errors="replace"))
    return sum(-(-length // 3) for length in words) + rest
