"""Suggester: finds questions that a collection answers, in a thread of its own, and keeps them beside the collection.

Only documents that everybody may read are asked about, so that a question tells nobody what only others may read. Each question
is tried: the answerer must answer it, surely enough, from the place it was drawn from. What was found is noted with the
collection, where every server sees it, until the documents change; meanwhile those questions whose document is still there are
shown.
"""

import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, zip_longest

import structlog

from index.collection import Collection
from index.errors import IndexingError
from index.records import DocumentSummary
from service.answering.service import Service
from service.errors import ServiceError
from service.progress import AnswerStopped, Stages
from service.records import Answer, Question
from service.suggestions.candidates import Candidate, candidates

WANTED = 4
_MOST_TRIED = 16
_MOST_ALIKE = 2  # questions of one kind to one document
_MOST_DOCUMENTS = 24
_MOST_OF_ONE = 40  # candidates of one document
_MOST_CHARACTERS = 400_000  # of a document that is asked about
_FILE = "questions.json"
_PAUSE_S = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and the version of the document that answers it."""

    question: str
    document_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The questions of a collection. `is_complete`: no others are being looked for."""

    questions: tuple[str, ...]
    is_complete: bool


class Suggester:
    """The suggestions of the collections of one service. Thread-safe; `close` ends its thread after the running answer.

    While `is_busy` says so, because people ask, no question is tried.
    """

    def __init__(self, service: Service, is_busy: Callable[[], bool] = lambda: False) -> None:
        self.service = service
        self._is_busy = is_busy
        self._ended = threading.Event()
        self._guard = threading.Lock()
        self._waiting: list[str] = []
        self._thread: threading.Thread | None = None
        self._stages = Stages()

    def suggest(self, name: str) -> Suggestions:
        """What is known now. Looks for questions in the background if the documents have changed since it last did."""
        collection = self.service.library.open(name)
        public = _public(collection)
        state, kept = _read(collection)
        current = {(document.id, document.version) for document in public}
        questions = tuple(one.question for one in kept if (one.document_id, one.version) in current)
        is_complete = state == _state(public)
        if not is_complete:
            self._look_for(name)
        return Suggestions(questions, is_complete)

    def close(self) -> None:
        """Stop, and wait until the thread has ended."""
        self._ended.set()
        with self._guard:
            self._waiting.clear()
            thread = self._thread
        self._stages.stop()
        if thread is not None:
            thread.join()

    def _look_for(self, name: str) -> None:
        with self._guard:
            if self._ended.is_set() or name in self._waiting:
                return
            self._waiting.append(name)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="suggestions", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._thread = None
                    return
                name = self._waiting[0]
            try:
                self._find(name)
            except AnswerStopped:
                return
            except (IndexingError, ServiceError, OSError) as error:
                log.warning("no questions suggested", collection=name, detail=str(error))
            with self._guard:
                if name in self._waiting:
                    self._waiting.remove(name)

    def _find(self, name: str) -> None:
        collection = self.service.library.open(name)
        public = _public(collection)
        state = _state(public)
        if _read(collection)[0] == state:  # another server was quicker
            return
        found: list[Suggestion] = []
        alike: Counter[tuple[str, str]] = Counter()
        drawn = (
            (document, candidate)
            for document, candidate in _drawn(collection, public, state)
            if alike[document.id, candidate.source] < _MOST_ALIKE
        )
        for document, candidate in islice(drawn, _MOST_TRIED):
            if self._is_answered(name, document, candidate):
                found.append(Suggestion(candidate.question, document.id, document.version))
                alike[document.id, candidate.source] += 1
            if len(found) == WANTED:
                break
        written = json.dumps({"state": state, "questions": [asdict(one) for one in found]}, ensure_ascii=False)
        collection.record_note(_FILE, written)

    def _is_answered(self, name: str, document: DocumentSummary, candidate: Candidate) -> bool:
        """Whether the answer cites the place that the question was drawn from."""
        while self._is_busy() and not self._ended.wait(_PAUSE_S):
            continue
        with self._guard:
            if self._ended.is_set():
                raise AnswerStopped("closed")
            self._stages = stages = Stages()
        question = Question(candidate.question, name, principals=frozenset(), generator="extractive")
        answer = self.service.answerer.answer(question, stages)
        return not answer.refused and _cites(answer, document, candidate)


def _cites(answer: Answer, document: DocumentSummary, candidate: Candidate) -> bool:
    return any(
        citation.document_id == document.id
        and citation.start < candidate.span.end
        and citation.end > candidate.span.start
        for citation in answer.citations
    )


def _public(collection: Collection) -> list[DocumentSummary]:
    return [document for document in collection.documents.list() if not document.principals]


def _state(documents: Sequence[DocumentSummary]) -> str:
    """A hash over the documents: another one, another version or another reader gives another state."""
    versions = "".join(f"{document.id}{document.version}" for document in documents)
    return hashlib.sha256(versions.encode()).hexdigest()[:32]


def _drawn(
    collection: Collection, documents: Sequence[DocumentSummary], seed: str
) -> Iterator[tuple[DocumentSummary, Candidate]]:
    """Candidates, documents and sources taking turns: the same order for the same documents."""
    rng = random.Random(seed)
    fit = [document for document in documents if document.characters <= _MOST_CHARACTERS]
    chosen = rng.sample(fit, min(len(fit), _MOST_DOCUMENTS))
    queues = []
    for document in chosen:
        of_source: dict[str, list[tuple[DocumentSummary, Candidate]]] = {}
        for candidate in islice(candidates(collection.documents.get(document.id)), _MOST_OF_ONE):
            of_source.setdefault(candidate.source, []).append((document, candidate))
        first = sorted(of_source, key=lambda source: source == "cell")  # a cell's question reads least well
        turns = [rng.sample(group, len(group)) for group in map(of_source.__getitem__, first)]
        queues.append([item for group in zip_longest(*turns) for item in group if item is not None])
    return (item for group in zip_longest(*queues) for item in group if item is not None)


def _read(collection: Collection) -> tuple[str, tuple[Suggestion, ...]]:
    """The state and the questions that are noted; nothing if none are, or if the note is damaged: it is made again."""
    try:
        noted = collection.note(_FILE)
        if noted is None:
            return "", ()
        kept = json.loads(noted)
        return str(kept["state"]), tuple(Suggestion(**one) for one in kept["questions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("suggested questions are found again", collection=collection.name, detail=str(error))
        return "", ()
