"""A document in some format -> its passages, as Quoth's own readers, units and chunks make them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.blocks.unit import Rendering
from index.chunking.chunker import chunk_document
from index.chunking.units import chunk_rendering
from index.errors import DocumentRejected
from index.formats.limits import Limits
from index.formats.parse import parse_document
from index.formats.registry import format_of
from index.records import Hit
from service.scoring.reader import passage_context
from training.structure.writers import identifier


@dataclass(frozen=True)
class StructuredPassage:
    """A chunk as the reader gets it: how it is read, its title and headings, and all headings above it."""

    rendering: Rendering
    context: str
    trail: str

    def units_with(self, texts: Sequence[str]) -> list[int]:
        """The numbers of the units that, read alone under the headings, hold all of the texts and more than the first."""
        asked = [identifier(text) for text in texts]
        found = []
        for number, (_, start, end) in enumerate(self.rendering.units):
            read = identifier(f"{self.trail} {self.rendering.alone(number)}")
            is_more = identifier(self.rendering.text[start:end]) != asked[0]
            if is_more and all(f"_{text}_" in f"_{read}_" for text in asked):
                found.append(number)
        return found

    def holds(self, text: str) -> bool:
        """Whether the passage or a heading above it holds the text."""
        return f"_{identifier(text)}_" in f"_{identifier(f'{self.trail} {self.rendering.text}')}_"


def passage_reader(tokenizer: Tokenizer) -> Callable[[str, str], list[StructuredPassage]]:
    """A function from the name and text of a file to its passages; none where the file is rejected."""

    def offsets(text: str) -> NDArray[np.int64]:
        return np.array(tokenizer.encode(text, add_special_tokens=False).offsets, dtype=np.int64).reshape(-1, 2)

    def read(name: str, text: str) -> list[StructuredPassage]:
        path = PurePath(name)
        file_format = format_of(path)
        if file_format is None:
            raise ValueError(f"{name}: no file of that name is read")
        try:
            document = parse_document(text.encode(), path, f"file:///{name}", Limits(), file_format)
        except DocumentRejected:
            return []
        return [
            StructuredPassage(
                chunk_rendering(chunk),
                passage_context(Hit(chunk, document.title, document.uri, None, 0.0)),
                " ".join(chunk.trail),
            )
            for chunk in chunk_document(document, offsets)
        ]

    return read
