"""The path of a question, top to bottom: rewrite -> split -> retrieve -> read -> weigh -> generate -> check and cite -> answer.

A question of several parts takes the path once for each; a question that is not split is one part.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from index.chunking.units import chunk_rendering
from index.collection import Collection
from index.filters import Filter
from index.library import Library
from index.records import Hit, Page
from service.answering.answer_writing import AnswerWriter
from service.answering.checking import SupportPolicy
from service.answering.citations import Numbering, with_markers
from service.answering.evidence import Weighed, is_met, naming_all, weigh
from service.answering.finding import find_group, fronts, hits_with_identifiers, search_hits
from service.answering.notes import Notes
from service.answering.overview import OverviewFound, OverviewGenerator, as_passages, find_overview, is_unread
from service.answering.parts import (
    FoundGroup,
    ReadGroup,
    ReadPart,
    found_before,
    in_turn,
)
from service.answering.rankings import find_ranking
from service.answering.row_lists import find_rows
from service.answering.talk import talk_answer
from service.answering.trace import Judged, Read, Searched
from service.errors import GeneratorUnknown, QuestionInvalid
from service.followups.rewriter import Rewriter, RewriteResult, rewrite_question
from service.followups.rules import Rewriting
from service.generators.protocol import Generator, Passage
from service.parts.question import PartQuestion, SplitQuestion, whole
from service.parts.splitting import split_question
from service.progress import Stages
from service.records import Answer, Citation, Part, Question, Sentence, Turn, Usage
from service.scoring.calibration import Calibration, Signals, signals
from service.scoring.reader import Reader, passage_context
from service.scoring.second_pass import ToRead, read_as_one, read_each_twice
from service.scoring.support import SupportChecker
from service.text.overviews import OverviewRequest, overview_request
from service.text.quarters import quarter_spans, with_quarters_as_written
from service.text.refusals import refusal_of
from service.text.small_talk import small_talk
from service.text.spelling import misspelt, respelt

_HAS_WORD = re.compile(r"\w")
MAX_SEARCHED, MAX_FOUND = 2, 4  # names that no passage has: how many are searched for, and passages for each
MOST_TABLE_CHUNKS = 500  # of a document with a table whose rows are compared
WEAK = 0.7  # below this confidence, more passages are looked through for what the question names
MAX_FURTHER_LOOKED, MAX_FURTHER = 60, 24  # how many are looked through then, and how many of them are read
LANGUAGE_PASSAGES = 5  # the nearest ones, whose language a refusal compares with the question's


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """The passages that the answer is made from, best first."""

    passages: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A checked sentence, and the citations whose numbers appear in it for the first time."""

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

    `depth`: how many passages the reader reads. `top_k`: how many the generator sees. `threshold`: the lowest confidence
    that is answered. `max_question_chars`: in code points. `support`: what happens to a sentence without support.
    """

    depth: int
    top_k: int
    threshold: float
    max_question_chars: int
    support: SupportPolicy


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions over the collections of `library`. Thread-safe; CPU-bound, so call it from a worker thread.

    `generators` are the ways to word an answer, by name; `generator` names the one that is used unless the question names
    another. `rewriters` rewrite follow-ups for those generators that are language models, by the same names; a generator
    without a rewriter has its follow-ups rewritten by rules. `new_id` makes the ids of answers and conversations.
    `dataclasses.replace` gives the same answerer with another part, for example another policy.
    """

    library: Library
    reader: Reader
    calibration: Calibration
    checker: SupportChecker
    generators: Mapping[str, Generator]
    generator: str
    policy: Policy
    new_id: Callable[[], str]
    rewriters: Mapping[str, Rewriter] = field(default_factory=dict)

    def answer(self, question: Question, stages: Stages | None = None) -> Answer:
        """The whole answer. Through `stages` another thread can read the timings and stop the work.

        Raises QuestionInvalid, GeneratorUnknown, CollectionMissing, the errors of the index, and AnswerStopped after
        `stages.stop`.
        """
        for event in self.stream(question, stages):
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("a stream ends with AnswerReady")

    def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Event]:
        """The same answer as a stream of events: the passages, each sentence once it is checked, then the whole answer."""
        stages = stages or Stages()
        self._validate(question.text)
        generator = self._generator_named(question.generator)
        collection = self.library.open(question.collection)
        history = [turn for turn in question.history if small_talk(turn.question) is None]
        reply = small_talk(question.text, is_first=not history)
        if reply is not None:
            yield PassagesFound(())
            yield AnswerReady(talk_answer(question, reply, self.new_id))
            return

        request = overview_request(question.text, is_first=not history)
        overview = find_overview(request, collection, _filter(question), Notes(question.text)) if request else None
        if request is not None and overview is not None:
            yield from self._overview(question, request, overview, stages)
            return

        with stages.lap("rewrite"):
            rewritten = self._read_question(question, history, generator.name)
            stages.rewriting = rewritten.outcome
        with stages.lap("retrieve"):
            rewritten = rewritten if question.as_typed else self._respelt(rewritten, collection, _filter(question))
            found = self._find(rewritten, collection, _filter(question), stages, splits=not question.as_typed)
        yield from self._events(question, rewritten, found, generator, stages)

    def from_passages(
        self, question: Question, rewritten: str, hits: Sequence[Hit], parts: Sequence[Part] = ()
    ) -> Answer:
        """The answer to `question`, rewritten as `rewritten`, from these passages only. Raises the same errors as `answer`.

        `parts` are those that the question had when it was answered first, with their passages.
        """
        reply = None if hits else small_talk(question.text, is_first=True)
        if reply is not None:
            return talk_answer(question, reply, self.new_id)
        request = overview_request(question.text)
        if request is not None and hits and is_unread(hits):
            events = self._overview(question, request, OverviewFound(as_passages(hits)), Stages())
        else:
            reading = RewriteResult(Rewriting(rewritten, (rewritten,)))
            found = found_before(rewritten, hits, parts)
            events = self._events(question, reading, found, self._generator_named(question.generator), Stages())
        return next(event.answer for event in events if isinstance(event, AnswerReady))

    def _events(
        self,
        question: Question,
        rewritten: RewriteResult,
        found: Sequence[FoundGroup],
        generator: Generator,
        stages: Stages,
    ) -> Iterator[Event]:
        collection = self.library.open(question.collection)
        top_k = question.top_k or self.policy.top_k
        with stages.lap("read"):
            groups = self._read_groups(found, collection, _filter(question), stages)
        parts = [part for group in groups for part in group.answering(self.policy.threshold)]
        parts = [part.shown(-(-top_k // len(parts))) for part in parts]
        for part in parts:
            stages.saw(Judged(part.signals, part.confidence, self.policy.threshold, part.passages))
        yield from self._write(question, rewritten, parts, generator, stages)

    def _overview(
        self, question: Question, request: OverviewRequest, found: OverviewFound, stages: Stages
    ) -> Iterator[Event]:
        """The answer to a question about documents as a whole, from what was found in their structure."""
        reading = RewriteResult(Rewriting(question.text, (question.text,)), notes=found.notes)
        [asked] = whole(question.text).parts
        part = ReadPart(asked, found.passages[: question.top_k], (), None, confidence=1.0)
        yield from self._write(question, reading, [part], OverviewGenerator(request), stages, compares=False)

    def _write(
        self,
        question: Question,
        rewritten: RewriteResult,
        parts: Sequence[ReadPart],
        generator: Generator,
        stages: Stages,
        *,
        compares: bool = True,
    ) -> Iterator[Event]:
        """The events of an answer made of these parts.

        `compares`: whether the sentences of a part speak of the same thing, so that they may contradict each other.
        """
        collection = self.library.open(question.collection)
        notes = Notes(question.text)
        shown = in_turn(parts)
        yield PassagesFound(tuple(passage.hit for passage in shown))

        sentences: list[Sentence] = []
        numbering = Numbering(shown, _pages(collection, shown))
        writer = AnswerWriter(
            parts,
            self.policy.threshold,
            generator,
            numbering,
            self.checker,
            self.policy.support,
            stages,
            collection.documents.get,
        )
        for checked in writer.sentences(rewritten.text):
            sentences.append(checked.sentence)
            yield SentenceReady(checked.sentence, checked.citations)
        yield AnswerReady(
            Answer(
                id=self.new_id(),
                conversation_id=question.conversation_id or self.new_id(),
                question=question.text,
                rewritten_question=rewritten.text,
                text=" ".join(with_markers(s.text, s.citations) for s in sentences)
                if sentences
                else refusal_of(question.text, [passage.text for passage in shown[:LANGUAGE_PASSAGES]]),
                refused=not sentences,
                confidence=_confidence(parts, self.policy.threshold),
                sentences=tuple(sentences),
                citations=numbering.citations,
                passages=tuple(passage.hit for passage in shown),
                generator=writer.generator,
                prompt_hash=writer.prompt_hash or rewritten.prompt_hash,
                usage=_add_usage(rewritten.usage, writer.usage),
                timings_ms=stages.milliseconds(),
                drafted=writer.drafted,
                notes=(
                    *rewritten.notes,
                    *writer.notes(),
                    *notes.missing(part.missing for part in parts),
                    *(notes.conflicts(writer.citations()) if compares else ()),
                    *notes.pending(collection, question),
                ),
                parts=writer.parts,
            )
        )

    def _find(
        self, rewritten: RewriteResult, collection: Collection, where: Filter, stages: Stages, *, splits: bool
    ) -> list[FoundGroup]:
        """The passages for each part of the question, and for a group as a whole where it may be answered so.

        `splits`: whether the question may be split; else it is one part.
        """
        depth = self.policy.depth

        def search(*queries: str) -> list[Hit]:
            hits = search_hits(collection, queries, depth, where)
            stages.saw(Searched(queries, where, depth, hits))
            return hits

        split = split_question(rewritten.text) if splits else SplitQuestion((whole(rewritten.text),))
        if split.is_whole:
            return [FoundGroup(split.groups[0], None, (search(*rewritten.rewriting.queries),))]
        return [find_group(group, search) for group in split.groups]

    def _read_question(self, question: Question, history: Sequence[Turn], generator: str) -> RewriteResult:
        """How the question is read after the history; as it is if the caller wants that."""
        if question.as_typed:
            return RewriteResult(Rewriting(question.text, (question.text,)))
        return rewrite_question(question.text, history, self.rewriters.get(generator))

    def _respelt(self, rewritten: RewriteResult, collection: Collection, where: Filter) -> RewriteResult:
        """The reading with typing errors corrected to words of the passages that are found, and quarters as they write them."""
        text, queries = rewritten.text, rewritten.rewriting.queries
        if not misspelt(text, self.reader.is_common) and not quarter_spans(text):
            return rewritten
        hits = search_hits(collection, (text,), self.policy.depth, where)
        texts = [f"{hit.title}\n{chunk_rendering(hit.chunk).text}" for hit in hits]

        def as_written(asked: str) -> str:
            return with_quarters_as_written(respelt(asked, texts, self.reader.is_common), texts)

        corrected = as_written(text)
        if corrected == text:
            return rewritten
        spelt = tuple(dict.fromkeys(map(as_written, queries)))
        return replace(rewritten, rewriting=Rewriting(corrected, spelt))

    def _validate(self, text: str) -> None:
        if not text.strip():
            raise QuestionInvalid("The question is empty. Ask in words, for example: What does the report conclude?")
        if len(text) > self.policy.max_question_chars:
            raise QuestionInvalid(
                f"The question has {len(text):,} characters; at most {self.policy.max_question_chars:,} are read. "
                "Ask for one thing at a time, and put long material into a document."
            )
        if not _HAS_WORD.search(text):
            raise QuestionInvalid(f"The question {text.strip()[:40]!r} has no letter or digit. Ask in words.")

    def _generator_named(self, name: str | None) -> Generator:
        chosen = name or self.generator
        if chosen not in self.generators:
            raise GeneratorUnknown(
                f"No generator is named {chosen!r}. There are: {', '.join(sorted(self.generators))}."
            )
        return self.generators[chosen]

    def _read_groups(
        self, found: Sequence[FoundGroup], collection: Collection, where: Filter, stages: Stages
    ) -> list[ReadGroup]:
        """The groups with the reader's readings of their passages, all in one batch."""
        asked = [pair for group in found for pair in group.questions()]
        read = iter(self._read_each([(part.text, hits_with_identifiers(part.text, hits)) for part, hits in asked]))
        weighed = [self._weigh(part, hits, next(read), collection, where, stages) for part, hits in asked]
        parts = iter(weighed)
        return [
            ReadGroup(
                group.group, next(parts) if group.whole is not None else None, tuple(next(parts) for _ in group.parts)
            )
            for group in found
        ]

    def _weigh(
        self,
        part: PartQuestion,
        hits: Sequence[Hit],
        read: Sequence[Passage],
        collection: Collection,
        where: Filter,
        stages: Stages,
    ) -> ReadPart:
        """The passages of a part weighed. What it names and none of them does is searched for by itself.

        While the evidence is weak, passages below the depth that name all that the part names are read, too.
        """
        weighed = weigh(part.text, read, self.reader.is_common, partial(fronts, collection, hits))
        more = {
            hit.chunk.id: hit
            for constraint in weighed.missing[:MAX_SEARCHED]
            for hit in collection.search(constraint.text, k=MAX_FOUND, where=where)
            if is_met(constraint, hit)
        }
        if self.calibration.probability(_signals(weighed)) < WEAK:
            more |= {hit.chunk.id: hit for hit in self._further(part.text, collection, where)}
        known = {hit.chunk.id for hit in hits}
        more = {id: hit for id, hit in more.items() if id not in known}
        if more:
            hits = [*hits, *more.values()]
            read = _read_together(read, self._read_each([(part.text, list(more.values()))])[0])
            weighed = weigh(part.text, read, self.reader.is_common, partial(fronts, collection, hits))
        documents = collection.documents

        def chunks(document_id: str) -> Sequence[Hit]:
            return collection.opening([document_id], MOST_TABLE_CHUNKS)

        ranking = find_ranking(part.text, weighed.passages, documents.get, chunks)
        rows = find_rows(part.text, weighed.passages, documents.get, chunks)
        chosen = ranking or rows
        if chosen is not None:
            weighed = Weighed(chosen.passages, ())
        stages.saw(Read(part.text, read, weighed))
        found = _signals(weighed)
        confidence = self.calibration.probability(found)
        return ReadPart(part, weighed.passages, weighed.missing, found, confidence, ranking=ranking, rows=rows)

    def _further(self, question: str, collection: Collection, where: Filter) -> list[Hit]:
        """The passages below the depth that name all that the question names, best first; at most `MAX_FURTHER`."""
        looked = search_hits(collection, (question,), MAX_FURTHER_LOOKED, where)[self.policy.depth :]
        return naming_all(question, looked, self.reader.is_common, partial(fronts, collection, looked))[:MAX_FURTHER]

    def _read_each(self, asked: Sequence[tuple[str, Sequence[Hit]]]) -> list[list[Passage]]:
        """The hits of each question with the reader's readings, most relevant first."""
        to_read = [
            ToRead(text, [chunk_rendering(hit.chunk) for hit in hits], [passage_context(hit) for hit in hits])
            for text, hits in asked
        ]
        return [
            sorted(
                (
                    Passage(replace(hit, score=reading.relevance), reading)
                    for hit, reading in zip(hits, readings, strict=True)
                ),
                key=lambda passage: -passage.hit.score,
            )
            for (_, hits), readings in zip(asked, read_each_twice(to_read, self.reader), strict=True)
        ]


def _read_together(one: Sequence[Passage], other: Sequence[Passage]) -> list[Passage]:
    """Passages of one question that were read in two batches, as if they had been read together."""
    readings = read_as_one([[passage.reading for passage in batch] for batch in (one, other)])
    return [replace(passage, reading=reading) for passage, reading in zip([*one, *other], readings, strict=True)]


def _signals(weighed: Weighed) -> Signals | None:
    return signals([passage.reading for passage in weighed.passages])


def _filter(question: Question) -> Filter:
    return replace(question.where or Filter(), principals=question.principals)


def _confidence(parts: Sequence[ReadPart], threshold: float) -> float:
    """That of the least sure part that is answered; if none is, that of the surest."""
    confidences = [part.confidence for part in parts]
    return min((value for value in confidences if value >= threshold), default=max(confidences))


def _add_usage(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens)


def _pages(collection: Collection, passages: Sequence[Passage]) -> dict[tuple[str, str], Sequence[Page]]:
    """The pages of every document version that may be cited."""
    places = {(passage.hit.chunk.document_id, passage.hit.chunk.version) for passage in passages}
    return {place: collection.documents.pages(*place) for place in places}
