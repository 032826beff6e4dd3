"""One answer being written: the generator's drafts, checked, with the extractive generator behind it should it fail."""

from collections.abc import Iterator, Sequence
from types import GeneratorType

from service.answering.checking import CheckedSentence, DraftChecker
from service.errors import GeneratorUnavailable
from service.generators.protocol import Generator, Passage, Report
from service.progress import Stages
from service.records import Usage


class SentenceWriter:
    """Yields checked sentences, once; what is known of their making stands in the attributes afterwards.

    `generator` names who wrote what is shown. `prompt_hash` is None when no language model was asked. `notes` are for the
    asker. `stages` is told how long each draft took to write and to check, and how many lacked support.
    """

    def __init__(self, generator: Generator, fallback: Generator, checking: DraftChecker, stages: Stages) -> None:
        self._first = generator
        self._fallback = fallback
        self._checking = checking
        self._stages = stages
        self._reported: tuple[str, ...] = ()
        self.generator = generator.name
        self.prompt_hash: str | None = None
        self.usage = Usage()

    def sentences(self, question: str, passages: Sequence[Passage]) -> Iterator[CheckedSentence]:
        """Yield each sentence as soon as it is checked. Closing the iterator stops the generator."""
        try:
            yield from self._check_drafts(self._first, question, passages)
        except GeneratorUnavailable as error:
            if self._checking.released:
                self._reported += (f"{error} The answer ends where it broke off.",)
                return
            self._reported += (f"{error} The answer is taken word for word from the documents instead.",)
            self.generator, self.prompt_hash = self._fallback.name, None
            self._stages.fell_back = True
            yield from self._check_drafts(self._fallback, question, passages)

    def notes(self) -> Iterator[str]:
        """What the asker should know, the generator's notes first."""
        yield from self._reported
        yield from self._checking.notes()

    def _check_drafts(
        self, generator: Generator, question: str, passages: Sequence[Passage]
    ) -> Iterator[CheckedSentence]:
        drafts = generator.generate(question, passages)
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
                    checked = self._checking.check(draft)
                self._stages.unsupported = self._checking.drafted.unsupported
                if checked:
                    yield checked
        finally:
            if isinstance(drafts, GeneratorType):
                drafts.close()  # the request behind it ends now, not when it is collected

    def _record(self, report: Report) -> None:
        self.prompt_hash = report.prompt_hash
        self.usage = report.usage
        self._reported += report.notes
        self._stages.retries += report.retries
