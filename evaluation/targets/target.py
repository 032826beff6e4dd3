"""Target: the seam between the tasks and the Quoth that they measure. Both speak the wire contract."""

from collections.abc import Mapping
from typing import Protocol

from evaluation.cases import Case
from service.api.schemas.answers import AnswerOut, CitationOut
from service.api.schemas.search import PassageOut


class Target(Protocol):
    """A Quoth that holds the documents of the data set. Thread-safe."""

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history."""
        ...

    def search(self, query: str, k: int) -> list[PassageOut]:
        """The best k passages for a query, best first."""
        ...

    def literal(self, citation: CitationOut) -> bool:
        """Whether the quote is, character for character, what stands at its place in the cited document version."""
        ...

    def describe(self) -> Mapping[str, object]:
        """What the manifest records: settings, models, versions. Must not change while a run lasts."""
        ...
