"""A file with a question about it, before anything has read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AskedFile:
    """A file and a question about it. `form` is what the passage became.

    `needed` are texts that the unit that answers holds; empty: nothing in it answers.
    """

    form: str
    name: str
    text: str
    question: str
    needed: tuple[str, ...]
    answer: str
