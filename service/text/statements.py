"""Lines that state something, as against headings and lines that only repeat a question. Pure."""

import re
from dataclasses import dataclass

from service.text.figures import figures, words

_HEADING = re.compile(r"\s*#{1,6}\s")


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of a text in lower case and its numbers as digits."""

    words: frozenset[str]
    figures: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Terms":
        """The terms of a text."""
        return cls(words(text), figures(text))


def is_heading(text: str) -> bool:
    """Whether a line is marked as a heading, as in Markdown."""
    return _HEADING.match(text) is not None


def stated(text: str, asked: Terms) -> Terms | None:
    """The terms of a line that states something; None for a heading and for a line with nothing that was not asked.

    Such a line is a table's label, a date, or the question itself among frequent ones.
    """
    if is_heading(text):
        return None
    said = Terms.of(text)
    return None if said.words <= asked.words and said.figures <= asked.figures else said
