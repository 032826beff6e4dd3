"""SplitQuestion, Group and PartQuestion: what a question is split into. All frozen."""

from dataclasses import dataclass
from enum import StrEnum


class Bond(StrEnum):
    """How sure it is that the parts of a group are several questions, and not one.

    `QUESTIONS`: each has its own question word. `COMPARED`: they are compared, and the documents may say which is more.
    `NAMED`: a question about several names, unless the documents know them as one ("Marks and Spencer"). `WEAK`: a question
    for several things, only if each is answered, and in another place ("the weight and the warranty").
    """

    QUESTIONS = "questions"
    COMPARED = "compared"
    NAMED = "named"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class PartQuestion:
    """A part as it is read. `label` tells it from the others of its group: "PX-40", "Lyon in 2018"."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that differ only in what they ask about, and the question that they were made from (`text`).

    `phrase` is what was split, as it was typed: "Lyon and Porto". A group of one part is a question that is not split.
    """

    text: str
    parts: tuple[PartQuestion, ...]
    bond: Bond = Bond.QUESTIONS
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class SplitQuestion:
    """A question as its groups. One group of one part: a question that is not split."""

    groups: tuple[Group, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the question is one question."""
        return len(self.groups) == 1 and len(self.groups[0].parts) == 1


def whole(text: str) -> Group:
    """The group of a question that is not split."""
    return Group(text, (PartQuestion(text),))
