"""Writes one answer: the generator's drafts, checked; if none of them is left, the fallback generator writes instead.

Only where the language model itself says that the passages hold no answer does the answer stay without sentences.
"""

from collections.abc import Iterator, Sequence
from types import GeneratorType

from service.answering.checking import CheckedSentence, DraftChecker
from service.answering.trace import Checked
from service.errors import GeneratorUnavailable
from service.generators.protocol import Generator, Passage, Report
from service.progress import Stages
from service.records import Usage


class SentenceWriter:
    """Yields the checked sentences of one answer, once; its attributes describe afterwards how they were made.

    `generator` is the name of the generator that wrote the sentences. `prompt_hash` is None when no language model was
    asked. The time to write and to check each draft, and how many lacked support, are recorded in `stages`.
    """

    def __init__(self, generator: Generator, fallback: Generator, checker: DraftChecker, stages: Stages) -> None:
        self._first = generator
        self._fallback = fallback
        self._checker = checker
        self._stages = stages
        self._reported: tuple[str, ...] = ()
        self.generator = generator.name
        self.prompt_hash: str | None = None
        self.usage = Usage()

    def sentences(
        self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()
    ) -> Iterator[CheckedSentence]:
        """Yield each sentence as soon as it is checked. Closing the iterator stops the generator.

        `parts` are the parts of a question of several.
        """
        try:
            yield from self._check_drafts(self._first, question, passages, parts)
        except GeneratorUnavailable as error:
            if self._checker.released:
                self._reported += (f"{error} The answer ends where it broke off.",)
                return
            reason = str(error)
        else:
            if self._checker.released or self._checker.refused or self._first.name == self._fallback.name:
                return
            reason = (
                "No sentence of the language model is left."
                if self._checker.drafted.sentences
                else "The language model wrote no sentence."
            )
        self._reported += (f"{reason} The answer is taken word for word from the documents instead.",)
        self.generator, self.prompt_hash = self._fallback.name, None
        self._stages.fell_back = True
        yield from self._check_drafts(self._fallback, question, passages, parts)

    def notes(self) -> Iterator[str]:
        """Notes for the caller, the generator's first."""
        yield from self._reported
        yield from self._checker.notes()

    def _check_drafts(
        self, generator: Generator, question: str, passages: Sequence[Passage], parts: Sequence[str]
    ) -> Iterator[CheckedSentence]:
        drafts = generator.generate(question, passages, parts)
        try:
            while True:
                with self._stages.lap("generate"):
                    draft = next(drafts, None)
                if draft is None:
                    return
                if isinstance(draft, Report):
                    self._record(draft)
                    continue
                with self._stages.lap("check"):
                    checked = self._checker.check(draft)
                self._stages.unsupported = self._checker.drafted.unsupported
                self._stages.saw(Checked(draft, passages, checked))
                if isinstance(checked, CheckedSentence):
                    yield checked
        finally:
            if isinstance(drafts, GeneratorType):
                drafts.close()  # ends the generator's request now instead of at garbage collection

    def _record(self, report: Report) -> None:
        self.prompt_hash = report.prompt_hash
        self.usage = report.usage
        self._reported += report.notes
        self._stages.retries += report.retries
