"""The story of an answer, top to bottom: rewrite -> retrieve -> read -> weigh -> generate -> check and cite -> answer."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType

from index.collection import Collection
from index.filters import Filter
from index.library import Library
from index.records import Hit, Page
from service.answering.checking import Checking, SupportPolicy
from service.answering.citations import Numbering, marked
from service.answering.conflicts import conflicts
from service.answering.retrieval import found, naming
from service.answering.writing import Writing
from service.errors import GeneratorUnknown, QuestionInvalid
from service.followups.rewriter import Rewriter, Rewritten, read
from service.followups.rules import Rewriting
from service.generators.extractive import Extractive
from service.generators.protocol import Generator, Passage
from service.progress import Stages
from service.records import Answer, Citation, Question, Sentence, Usage
from service.scoring.calibration import Calibration, signals
from service.scoring.reader import Reader, context
from service.scoring.second_pass import read_twice
from service.scoring.support import SupportChecker
from service.text.refusals import REFUSAL

_HAS_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The passages that were read for the question, best first."""

    passages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A checked sentence, and the citations whose numbers occur here for the first time."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """The whole answer; always the last event."""

    answer: Answer


Event = PassagesFound | SentenceReady | AnswerReady


@dataclass(frozen=True, slots=True)
class Policy:
    """How answers are made; each value is a setting.

    `depth`: passages that the reader reads. `top_k`: passages that the generator sees. `threshold`: least confidence that
    is answered. `longest_question`: code points. `support`: what happens to a sentence without support.
    """

    depth: int
    top_k: int
    threshold: float
    longest_question: int
    support: SupportPolicy


class Answerer:
    """Answers questions over the collections of a library. Thread-safe; CPU-bound, so call it from a worker thread.

    `generators` are the ways to write an answer, by name; `generator` names the one that is used unless the question
    says otherwise. `rewriters` rewrite follow-ups for those generators that are language models, by the same names; without one
    they are read by rules. `new_id` makes ids for answers and conversations.
    """

    def __init__(
        self,
        library: Library,
        reader: Reader,
        calibration: Calibration,
        checker: SupportChecker,
        generators: Mapping[str, Generator],
        generator: str,
        policy: Policy,
        new_id: Callable[[], str],
        rewriters: Mapping[str, Rewriter] = MappingProxyType({}),
    ) -> None:
        self._library = library
        self._reader = reader
        self._calibration = calibration
        self._checker = checker
        self._generators = generators
        self._generator = generator
        self.policy = policy
        self._new_id = new_id
        self._rewriters = rewriters

    def under(self, policy: Policy) -> "Answerer":
        """The same answerer with another policy."""
        other = copy(self)
        other.policy = policy
        return other

    def answer(self, question: Question, stages: Stages | None = None) -> Answer:
        """The answer as a whole. `stages` lets another thread time the making and end it.

        Raises QuestionInvalid, GeneratorUnknown, CollectionMissing, and what the index raises; Stopped after `stages.stop`.
        """
        for event in self.stream(question, stages):
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("a stream ends with AnswerReady")

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Event]:
        """The same answer as it comes about: the passages, each sentence once it is checked, then the whole."""
        stages = stages or Stages()
        self._validate(question.text)
        generator = self._pick(question.generator)
        collection = self._library.open(question.collection)

        with stages.lap("rewrite"):
            rewritten = read(question.text, question.history, self._rewriters.get(generator.name))
            stages.rewriting = rewritten.outcome
        with stages.lap("retrieve"):
            where = replace(question.where or Filter(), principals=question.principals)
            hits = found(collection, rewritten.rewriting.queries, self.policy.depth, where)
        yield from self._written(question, rewritten, hits, generator, stages)

    def from_passages(self, question: Question, rewritten: str, hits: Sequence[Hit]) -> Answer:
        """The answer to `question`, read as `rewritten`, from these passages and no others. Raises as `answer` does."""
        reading = Rewritten(Rewriting(rewritten, (rewritten,)))
        events = self._written(question, reading, hits, self._pick(question.generator), Stages())
        return next(event.answer for event in events if isinstance(event, AnswerReady))

    def _written(
        self, question: Question, rewritten: Rewritten, hits: Sequence[Hit], generator: Generator, stages: Stages
    ) -> Iterator[Event]:
        collection = self._library.open(question.collection)
        with stages.lap("read"):
            passages = self._read(rewritten.text, naming(rewritten.text, hits))
        confidence = self._calibration.probability(signals([(p.hit, p.reading) for p in passages]))
        shown = passages[: question.top_k or self.policy.top_k]
        yield PassagesFound(tuple(passage.hit for passage in shown))

        sentences: list[Sentence] = []
        numbering = Numbering(shown, _pages(collection, shown))
        checking = Checking(shown, numbering, self._checker, self.policy.support)
        writing = Writing(generator, Extractive(), checking, stages)
        if confidence >= self.policy.threshold:
            for checked in writing.sentences(rewritten.text, shown):
                sentences.append(checked.sentence)
                yield SentenceReady(checked.sentence, checked.citations)
        yield AnswerReady(
            Answer(
                id=self._new_id(),
                conversation_id=question.conversation_id or self._new_id(),
                question=question.text,
                rewritten_question=rewritten.text,
                text=" ".join(marked(s.text, s.citations) for s in sentences) if sentences else REFUSAL,
                refused=not sentences,
                confidence=confidence,
                sentences=tuple(sentences),
                citations=numbering.citations,
                passages=tuple(passage.hit for passage in shown),
                generator=writing.generator,
                prompt_hash=writing.prompt_hash or rewritten.prompt_hash,
                usage=_sum(rewritten.usage, writing.usage),
                timings_ms=stages.milliseconds(),
                drafted=checking.drafted,
                notes=(*rewritten.notes, *writing.notes(), *_notes(collection, numbering.citations, question)),
            )
        )

    def _validate(self, text: str) -> None:
        if not text.strip():
            raise QuestionInvalid("The question is empty. Ask in words, for example: What does the report conclude?")
        if len(text) > self.policy.longest_question:
            raise QuestionInvalid(
                f"The question has {len(text):,} characters; at most {self.policy.longest_question:,} are read. "
                "Ask for one thing at a time, and put long material into a document."
            )
        if not _HAS_WORD.search(text):
            raise QuestionInvalid(f"The question {text.strip()[:40]!r} has no letter or digit. Ask in words.")

    def _pick(self, name: str | None) -> Generator:
        wanted = name or self._generator
        if wanted not in self._generators:
            raise GeneratorUnknown(
                f"No generator is named {wanted!r}. There are: {', '.join(sorted(self._generators))}."
            )
        return self._generators[wanted]

    def _read(self, question: str, hits: Sequence[Hit]) -> list[Passage]:
        """The hits with their readings, most relevant first."""
        texts, contexts = [hit.chunk.text for hit in hits], [context(hit) for hit in hits]
        readings = read_twice(question, texts, contexts, self._reader)
        passages = [
            Passage(replace(hit, score=reading.relevance), reading) for hit, reading in zip(hits, readings, strict=True)
        ]
        return sorted(passages, key=lambda passage: -passage.hit.score)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens)


def _pages(collection: Collection, passages: Sequence[Passage]) -> dict[tuple[str, str], Sequence[Page]]:
    """The pages of every document version that may be cited."""
    places = {(passage.hit.chunk.document_id, passage.hit.chunk.version) for passage in passages}
    return {place: collection.pages(*place) for place in places}


def _notes(collection: Collection, citations: Sequence[Citation], question: Question) -> Iterator[str]:
    for one, other in conflicts(citations):
        yield f"The sources differ: [{one.number}] {one.title} and [{other.number}] {other.title} give other figures."
    pending = collection.pending_vectors()
    if pending:
        # How many there are tells of documents that the asker may not read.
        count = "Some" if question.principals is not None else f"{pending:,}"
        yield f"{count} passages of {collection.name} are found by their words only: vectors are still being made."
