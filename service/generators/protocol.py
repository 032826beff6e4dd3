"""The input and output of a generator (Passage, Quote, Draft, Report), and the protocols Generator and LanguageModel."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from index.blocks.block import Span
from index.blocks.unit import Rendering
from index.chunking.units import chunk_literal, chunk_rendering
from index.records import Hit
from service.prompts import Messages
from service.records import Cell, Usage
from service.scoring.reader import Reading


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit with the reader's reading of it for this question."""

    hit: Hit
    reading: Reading

    @property
    def rendering(self) -> Rendering:
        """How the passage is read; the sentences of the reading are its units."""
        return chunk_rendering(self.hit.chunk)

    @property
    def text(self) -> str:
        """The text of the rendering, which spans of quotes and sentences refer to."""
        return self.rendering.text

    def literal(self, span: Span) -> str:
        """The document's text of a range that the passage holds or is read with."""
        return chunk_literal(self.hit.chunk, span)


@dataclass(frozen=True, slots=True)
class Quote:
    """One or more units of a passage, in the coordinates of its rendering: `passages[passage].text[span.start:span.end]`.

    `passage` is the index in the list that the generator was given. `highlight` is the answer itself inside the quote, in
    the same coordinates as `span`. The citation gives the place in the document.
    """

    passage: int
    span: Span
    highlight: Span | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One sentence of an answer before it is checked.

    A generator that copies gives the `quotes` that the sentence is made of. A language model gives the `passages` that it
    says it used (indices; may be empty), and the check finds the quotes. `invented` are cited numbers that no passage has.
    `under` is the heading, or the label of a list, that it stands under. `listed`: it is an item of a list or a row of a table;
    `ordinal` is the number of such an item, and `cells` are those of such a row. `code` is a block of code with its lines.
    """

    text: str
    quotes: tuple[Quote, ...] = ()
    passages: tuple[int, ...] = ()
    invented: tuple[int, ...] = ()
    under: str = ""
    listed: bool = False
    ordinal: int | None = None
    cells: tuple[Cell, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """How a language model's answer was made. It comes last, or before the error that breaks the answer off.

    `prompt_hash` identifies the prompts. `notes` are for the caller. `retries`: how often the request was repeated.
    """

    prompt_hash: str
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()
    retries: int = 0


class Generator(Protocol):
    """Writes an answer, one sentence at a time, from passages in order of relevance."""

    @property
    def name(self) -> str:
        """The value of `Answer.generator`."""
        ...

    def generate(
        self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()
    ) -> Iterator[Draft | Report]:
        """Yield the sentences of the answer. That the passages hold no answer is a sentence too (see text/refusals).

        `parts` are the parts of a question of several, for a language model. Raises GeneratorUnavailable when a model or its
        server fails, possibly after some sentences.
        """
        ...


LINE_TOKENS = 256  # a rewritten follow-up has about 20; the rest is for models that write their reasoning first


@dataclass(frozen=True, slots=True)
class Completion:
    """A language model's reply, without its reasoning."""

    text: str
    usage: Usage = field(default_factory=Usage)


class LanguageModel(Protocol):
    """Writes one short reply, at most LINE_TOKENS tokens. Thread-safe."""

    def tokens(self, text: str) -> int:
        """How many tokens the model makes of `text`, or an estimate that is too high."""
        ...

    def complete(self, messages: Messages) -> Completion:
        """The reply to one request, with the timeout that was set.

        Raises GeneratorUnavailable when there is no reply.
        """
        ...
