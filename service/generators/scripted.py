"""A generator that writes given texts: the test double, on the same code path as real models."""

from collections.abc import Iterator, Sequence

from service.errors import GeneratorUnavailable
from service.generators.protocol import Draft, Passage, Report
from service.generators.stream_parser import parse_drafts
from service.records import Usage

PROMPT_HASH = "scripted"


class ScriptedGenerator:
    """Writes `texts`, one for each question, in pieces of `piece` code points, as models stream; then starts over.

    With `breaks_off` it raises GeneratorUnavailable after the text, as if its server had gone away.
    """

    name = "scripted"

    def __init__(self, texts: Sequence[str], piece: int = 4, *, breaks_off: bool = False) -> None:
        self._texts = texts
        self._piece = piece
        self._breaks_off = breaks_off
        self._asked = 0

    def generate(
        self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()
    ) -> Iterator[Draft | Report]:
        """Yield the sentences of the next text, whatever the question."""
        text = self._texts[self._asked % len(self._texts)]
        self._asked += 1
        pieces = [text[start : start + self._piece] for start in range(0, len(text), self._piece)]
        yield from parse_drafts(pieces, len(passages), lambda: self._breaks_off)
        yield Report(PROMPT_HASH, Usage(0, len(pieces)))
        if self._breaks_off:
            raise GeneratorUnavailable("The scripted server broke off, as the script says.")
