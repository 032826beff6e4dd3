"""Parsed: what every reader of a format returns, and Unreadable with its kinds, what it raises."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from index.blocks.block import Block
from index.blocks.geometry import PageGeometry
from index.records import Page


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as canonical text with its structure.

    `title` is what the file itself gives as its title, empty if it gives none. `metadata` are facts such as `author` and
    `created` (ISO 8601). `warnings` are sentences for the person who indexes the file, about what was not read or may be wrong.
    `geometry` says where the words of a PDF's pages stand.
    """

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    pages: tuple[Page, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    geometry: tuple[PageGeometry, ...] = ()


class Unreadable(ValueError):
    """The file cannot be read. The message is the reason, without the file's name; `fix` says what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class OnlyPictures(Unreadable):
    """Pages that are pictures must be recognised first: all pages with content, or some of them where Tesseract is there."""


class Wordless(Unreadable):
    """No words are recognised in the picture."""


class Unrecognised(Unreadable):
    """Whether the picture shows words is not known: Tesseract is not installed."""
