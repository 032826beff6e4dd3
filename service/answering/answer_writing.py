"""Writes an answer: the sentences of each part of the question, the parts that the documents lack, and what follows from them.

Without a language model each part is written by itself. A language model is asked once, with the passages of all parts; what it
writes belongs to the part that the cited passage answers best, and the parts that it leaves out are quoted from the documents.
"""

from collections.abc import Iterator, Sequence

from service.answering.checking import CheckedSentence, DraftChecker, SupportPolicy
from service.answering.citations import Numbering
from service.answering.derived import DocumentOf, comparison, count, count_of_rows, extreme
from service.answering.parts import ReadPart, in_turn
from service.answering.row_lists import RowsGenerator
from service.answering.writing import SentenceWriter
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Draft, Generator, Passage
from service.parts.missing import missing_sentence
from service.parts.question import Bond
from service.progress import Stages
from service.records import Citation, DraftCounts, Part, Sentence, Usage
from service.scoring.support import SupportChecker


class AnswerWriter:
    """Yields the sentences of one answer, once; its attributes describe afterwards how they were made."""

    def __init__(
        self,
        parts: Sequence[ReadPart],
        threshold: float,
        generator: Generator,
        numbering: Numbering,
        checker: SupportChecker,
        policy: SupportPolicy,
        stages: Stages,
        document: DocumentOf,
    ) -> None:
        self._read = parts
        self._threshold = threshold
        self._generator = generator
        self._numbering = numbering
        self._checker = checker
        self._policy = policy
        self._stages = stages
        self._document = document
        self._sentences: list[Sentence] = []
        self._of_part: list[list[int]] = [[] for _ in parts]
        self._notes: list[str] = []
        self._is_left_open = False  # the language model says that the passages do not answer all parts
        self._passages = in_turn(parts)
        self.generator = generator.name
        self.prompt_hash: str | None = None
        self.usage = Usage()
        self.drafted = DraftCounts()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What became of each part; nothing for a question of one."""
        if len(self._read) == 1:
            return ()
        places = {passage.hit.chunk.id: place for place, passage in enumerate(self._passages)}
        return tuple(
            Part(
                question=part.question.text,
                sentences=tuple(sentences),
                passages=tuple(places[passage.hit.chunk.id] for passage in part.passages),
                refused=all(self._sentences[place].kind == "missing" for place in sentences),
                confidence=part.confidence,
            )
            for part, sentences in zip(self._read, self._of_part, strict=True)
        )

    def citations(self) -> list[list[Citation]]:
        """The citations of each part's sentences, in the order of their numbers."""
        return [self._citations_of(number) for number in range(len(self._read))]

    def _citations_of(self, part: int) -> list[Citation]:
        numbers = {number for place in self._of_part[part] for number in self._sentences[place].citations}
        return [citation for citation in self._numbering.citations if citation.number in numbers]

    def notes(self) -> Iterator[str]:
        """Notes for the caller, each once."""
        yield from dict.fromkeys(self._notes)

    def sentences(self, question: str) -> Iterator[CheckedSentence]:
        """Yield each sentence as soon as it is checked; nothing if no part is answered."""
        if len(self._read) == 1:
            yield from self._whole(question, self._read[0])
            yield from self._counted()
            yield from self._extremes()
            return
        if self._generator.name != ExtractiveGenerator.name:
            yield from self._worded(question)
        for number, part in enumerate(self._read):
            if not self._of_part[number] and self._is_answerable(part) and not self._is_left_open:
                yield from self._quoted(number, part)
        if self._sentences:
            yield from self._missing()
            yield from self._counted()
            yield from self._extremes()
            yield from self._compared(question)

    def _is_answerable(self, part: ReadPart) -> bool:
        return part.confidence >= self._threshold

    def _whole(self, question: str, part: ReadPart) -> Iterator[CheckedSentence]:
        """The sentences of a question of one part."""
        if not self._is_answerable(part):
            return
        checker = DraftChecker(part.passages, self._numbering, self._checker, self._policy, question)
        quoting = _quoting(part)
        quotes_rows = part.rows is not None and self._generator.name == ExtractiveGenerator.name
        generator = quoting if quotes_rows else self._generator
        writer = SentenceWriter(generator, quoting, checker, self._stages)
        for checked in writer.sentences(question, part.passages):
            yield self._add(checked, [0])
        self._take_over(writer, checker)
        self._is_made_by(writer)

    def _worded(self, question: str) -> Iterator[CheckedSentence]:
        """The sentences of the language model."""
        parts = [part for part in self._read if self._is_answerable(part)]
        if not parts:
            return
        passages = in_turn(parts)
        checker = DraftChecker(passages, self._numbering.over(passages), self._checker, self._policy, question)
        writer = SentenceWriter(self._generator, _QuotedLater(), checker, self._stages)
        for checked in writer.sentences(question, passages, [part.question.text for part in parts]):
            owners = self._owners(checked.sentence)
            yield self._add(checked, owners)
        self._take_over(writer, checker)
        self._is_made_by(writer)
        self._is_left_open = checker.refused

    def _quoted(self, number: int, part: ReadPart) -> Iterator[CheckedSentence]:
        """The part as the documents put it, without what is said already."""
        if self._sentences and self.generator != ExtractiveGenerator.name:
            self._notes.append(
                f"The language model left out: {part.question.text} This is taken word for word from the documents."
            )
        passages = part.passages
        checker = DraftChecker(
            passages, self._numbering.over(passages), self._checker, self._policy, part.question.text
        )
        generator = _quoting(part)
        writer = SentenceWriter(generator, generator, checker, self._stages)
        for checked in writer.sentences(part.question.text, passages):
            known = next(
                (place for place, said in enumerate(self._sentences) if _is_same(said, checked.sentence)), None
            )
            if known is None:
                yield self._add(checked, [number])
            else:
                self._of_part[number].append(known)
        self._take_over(writer, checker)

    def _missing(self) -> Iterator[CheckedSentence]:
        """A sentence for each part without an answer."""
        for number, part in enumerate(self._read):
            if not self._of_part[number]:
                text = missing_sentence(part.question.text)
                yield self._add(
                    CheckedSentence(Sentence(text, (), supported=True, support=1.0, kind="missing"), ()), [number]
                )

    def _counted(self) -> Iterator[CheckedSentence]:
        """For each part that asks how many there are: how many items its list, or rows its table, has."""
        for number, part in enumerate(self._read):
            citations = self._citations_of(number)
            found = count(part.question.text, citations, self._document)
            if found is None and part.rows is not None:
                found = count_of_rows(part.question.text, part.rows, citations)
            if found is not None:
                yield self._add(CheckedSentence(found, ()), [])

    def _extremes(self) -> Iterator[CheckedSentence]:
        """For each part that asks for the highest or lowest figure of a table: which it is."""
        for number, part in enumerate(self._read):
            known = len(self._numbering.citations)
            if self._of_part[number] and self._is_answerable(part):
                found = extreme(part.question.text, part, self._numbering.over(part.passages))
                if found is not None:
                    yield self._add(CheckedSentence(found, self._numbering.citations[known:]), [])

    def _compared(self, question: str) -> Iterator[CheckedSentence]:
        """What follows by arithmetic from the parts of each group."""
        groups = dict.fromkeys(part.group for part in self._read if part.group is not None)
        for group in groups:
            members = [number for number, part in enumerate(self._read) if part.group is group]
            found = comparison(
                question, [self._read[number] for number in members], [self._citations_of(number) for number in members]
            )
            if isinstance(found, Sentence):
                yield self._add(CheckedSentence(found, ()), [])
            elif found is not None and group.bond is Bond.COMPARED:
                self._notes.append(found)

    def _add(self, checked: CheckedSentence, owners: Sequence[int]) -> CheckedSentence:
        for number in owners:
            self._of_part[number].append(len(self._sentences))
        self._sentences.append(checked.sentence)
        return checked

    def _take_over(self, writer: SentenceWriter, checker: DraftChecker) -> None:
        self._notes += writer.notes()
        drafted = checker.drafted
        self.drafted = DraftCounts(
            self.drafted.sentences + drafted.sentences, self.drafted.unsupported + drafted.unsupported
        )

    def _is_made_by(self, writer: SentenceWriter) -> None:
        self.generator, self.prompt_hash, self.usage = writer.generator, writer.prompt_hash, writer.usage

    def _owners(self, sentence: Sentence) -> list[int]:
        """The parts that a language model's sentence answers: the one it fits best, and those that nothing fits better."""
        by_number = {citation.number: citation for citation in self._numbering.citations}
        cited = [by_number[number] for number in sentence.citations]
        fits = [self._fit(part, cited) for part in self._read]
        scores = [score for score, _ in fits]
        best = max(scores, default=0.0)
        return [number for number, (score, is_best) in enumerate(fits) if is_best or (score == best and cited)]

    def _fit(self, part: ReadPart, cited: Sequence[Citation]) -> tuple[float, bool]:
        """How well the cited places answer a part, and whether no place of its passages answers it better."""
        inside, all_scores = [float("-inf")], [float("-inf")]
        for passage in part.passages:
            chunk = passage.hit.chunk
            for rendered, sentence in zip(passage.rendering.units, passage.reading.sentences, strict=True):
                score = passage.reading.relevance + sentence.score
                all_scores.append(score)
                unit = rendered.unit
                if any(
                    (c.document_id, c.version) == (chunk.document_id, chunk.version)
                    and unit.start < c.end
                    and c.start < unit.end
                    for c in cited
                ):
                    inside.append(score)
        return max(inside), max(inside) == max(all_scores) > float("-inf") and self._is_answerable(part)


class _QuotedLater:
    """Stands in for a language model that failed: the parts are quoted one by one instead."""

    name = ExtractiveGenerator.name

    def generate(self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()) -> Iterator[Draft]:
        """Yield nothing."""
        yield from ()


def _quoting(part: ReadPart) -> Generator:
    """What quotes the part: the rows that it asks for, or the units that answer it best."""
    return ExtractiveGenerator() if part.rows is None else RowsGenerator(part.rows)


def _is_same(one: Sentence, other: Sentence) -> bool:
    return (one.text, one.citations) == (other.text, other.citations)
