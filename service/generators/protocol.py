"""Passage, Quote, Draft, Report and the Generator protocol: what goes into a generator and what comes out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from index.chunking.sentences import Span
from index.records import Hit
from service.prompts import Messages
from service.records import Usage
from service.scoring.reader import Reading


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit together with what the reader makes of it for this question."""

    hit: Hit
    reading: Reading


@dataclass(frozen=True, slots=True)
class Quote:
    """A literal stretch of a passage: `passages[passage].hit.chunk.text[span.start:span.end]`.

    `passage` is the index in the list that the generator was given. `highlight`, in the same coordinates, is the answer
    itself inside the quote.
    """

    passage: int
    span: Span
    highlight: Span | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One sentence of an answer before it is checked.

    A generator that copies gives the `quotes` that the sentence is made of. One that writes gives the `passages` it says
    it used (indices; may be empty), and the quotes are found for it. `invented` are the numbers it cited that no passage has.
    """

    text: str
    quotes: tuple[Quote, ...] = ()
    passages: tuple[int, ...] = ()
    invented: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a language model's answer was made with. It comes last, and before an error that breaks the answer off.

    `prompt_hash` says which prompts were sent. `notes` are for the asker. `retries`: how often the request was repeated.
    """

    prompt_hash: str
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()
    retries: int = 0


class Generator(Protocol):
    """Writes an answer, a sentence at a time, best passages first in `passages`."""

    @property
    def name(self) -> str:
        """What `Answer.generator` shows."""
        ...

    def generate(self, question: str, passages: Sequence[Passage]) -> Iterator[Draft | Report]:
        """Yield the sentences of the answer; no Draft at all means that the passages hold none.

        Raises GeneratorUnavailable when a model's server does not answer, also after some sentences.
        """
        ...


LINE_TOKENS = 256  # a rewritten follow-up has 20; the rest is for models that write their thoughts first


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote, without its thoughts."""

    text: str
    usage: Usage = field(default_factory=Usage)


class LanguageModel(Protocol):
    """Writes at most LINE_TOKENS tokens. Thread-safe."""

    def tokens(self, text: str) -> int:
        """How many tokens the model makes of `text`, or an estimate that is too high."""
        ...

    def complete(self, messages: Messages) -> Completion:
        """The reply, asked for once and waited for no longer than was set.

        Raises GeneratorUnavailable when there is none.
        """
        ...
