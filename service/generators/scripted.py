"""A generator that writes what it was told to write: the double for tests, on the path that real models take."""

from collections.abc import Iterator, Sequence

from service.errors import GeneratorUnavailable
from service.generators.protocol import Draft, Passage, Report
from service.generators.stream_parser import parse_drafts
from service.records import Usage

PROMPT_HASH = "scripted"


class ScriptedGenerator:
    """Writes `texts`, one a question, in pieces of `piece` code points, as models stream; after the last the first again.

    With `breaks_off` the server behind it goes away when the text is written.
    """

    name = "scripted"

    def __init__(self, texts: Sequence[str], piece: int = 4, *, breaks_off: bool = False) -> None:
        self._texts = texts
        self._piece = piece
        self._breaks_off = breaks_off
        self._asked = 0

    def generate(self, question: str, passages: Sequence[Passage]) -> Iterator[Draft | Report]:
        """Yield the sentences of the next text, whatever was asked."""
        text = self._texts[self._asked % len(self._texts)]
        self._asked += 1
        pieces = [text[start : start + self._piece] for start in range(0, len(text), self._piece)]
        yield from parse_drafts(pieces, len(passages), lambda: self._breaks_off)
        yield Report(PROMPT_HASH, Usage(0, len(pieces)))
        if self._breaks_off:
            raise GeneratorUnavailable("The scripted server broke off, as it was told to.")
