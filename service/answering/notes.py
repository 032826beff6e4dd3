"""What an answer notes besides its sentences, in the language of the question: sources that differ, names that no document
has, vectors still to be made, documents that are not listed."""

from collections.abc import Iterable, Iterator, Sequence

from index.collection import Collection
from service.answering.citations import conflicts, newer_of
from service.phrases.table import ANSWER_LANGUAGES, DEFAULT_LANGUAGE, texts
from service.records import Citation, Question
from service.text.constraints import Constraint
from service.text.question_language import question_language

_NOTES = {language: texts(language, "notes") for language in ANSWER_LANGUAGES}


class Notes:
    """The notes on the answer to one question."""

    def __init__(self, question: str) -> None:
        """`question`: its language is that of the notes; English if it is unknown."""
        self._said = _NOTES[question_language(question) or DEFAULT_LANGUAGE]

    def conflicts(self, citations: Sequence[Sequence[Citation]]) -> Iterator[str]:
        """The conflicts among the citations of each part; two parts may well differ."""
        found = (pair for of_part in citations for pair in conflicts(of_part))
        for one, other in dict.fromkeys(found):
            note = self._said["conflict"].format(one=_named(one), other=_named(other))
            newer = newer_of(one, other)
            yield note if newer is None else f"{note} {self._said['newer'].format(number=f'[{newer.number}]')}"

    def missing(self, named: Iterable[Sequence[Constraint]]) -> Iterator[str]:
        """What the parts name and no document does: for each part its constraints."""
        for of_part in named:
            if of_part:
                names = f" {self._said['any_of']} ".join(constraint.text for constraint in of_part)
                yield self._said["missing"].format(names=names)

    def pending(self, collection: Collection, question: Question) -> Iterator[str]:
        """How many passages are not found by their meaning yet."""
        pending = collection.documents.pending_vectors()
        if pending:
            # The number would reveal documents that the caller may not read.
            said = self._said["pending" if question.principals is None else "some_pending"]
            yield said.format(count=f"{pending:,}", collection=collection.name)

    def listed(self, count: int, shown: int) -> str:
        """How many documents there are, of which only the first are listed."""
        return self._said["listed"].format(count=f"{count:,}", shown=shown)

    def which(self, title: str) -> str:
        """The question which document is meant, with one as an example."""
        return self._said["which"].format(title=title)


def _named(citation: Citation) -> str:
    return f"[{citation.number}] {citation.title}"
