"""What an answer notes besides its sentences: sources that differ, names that no document has, vectors still to be made."""

from collections.abc import Iterator, Sequence

from index.collection import Collection
from service.answering.citations import conflicts, newer_of
from service.answering.parts import ReadPart
from service.records import Citation, Question


def conflict_notes(citations: Sequence[Sequence[Citation]]) -> Iterator[str]:
    """The conflicts among the citations of each part; two parts may well differ."""
    found = (pair for of_part in citations for pair in conflicts(of_part))
    for one, other in dict.fromkeys(found):
        newer = newer_of(one, other)
        told = "" if newer is None else f" [{newer.number}] is the newer."
        yield (
            f"The sources differ: [{one.number}] {one.title} and [{other.number}] {other.title} do not say the same.{told}"
        )


def missing_notes(parts: Sequence[ReadPart]) -> Iterator[str]:
    """What the parts name and no document does."""
    for part in parts:
        if part.missing:
            names = " or ".join(constraint.text for constraint in part.missing)
            yield f"The documents do not mention {names}."


def vector_notes(collection: Collection, question: Question) -> Iterator[str]:
    """How many passages are not found by their meaning yet."""
    pending = collection.documents.pending_vectors()
    if pending:
        # The number would reveal documents that the caller may not read.
        count = "Some" if question.principals is not None else f"{pending:,}"
        yield f"{count} passages of {collection.name} are found by their words only: vectors are still being made."
