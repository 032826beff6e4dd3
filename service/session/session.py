"""Session: the service and its stores as one caller may use them, and the worker threads that their work runs in."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from index.collection import Collection
from index.errors import CollectionMissing, NotFound
from index.filters import Filter
from index.records import Document, DocumentSummary, Hit
from service.access.caller import LOCAL, Caller
from service.answering.service import Service
from service.audit.gaps import GapTopic, find_gaps, group_by_topic
from service.audit.staleness import stale_answers, stale_by_answer, stale_citations
from service.observability.metrics import Metrics
from service.observability.tracing import Tracing, Untraced
from service.records import Answer, StaleCitation, Turn
from service.session.admission import Admission
from service.storage.citations import CitedVersions
from service.storage.conversation_list import ConversationList
from service.storage.conversations import ANYBODY, ConversationStore, StoredAnswer, missing_answer
from service.storage.feedback import FeedbackStore
from service.storage.unanswered import UnansweredQuestions

Result = TypeVar("Result")

_WRITERS = 32  # they wait, and cost nothing meanwhile
_FILES = 4


def _worker_limit() -> CapacityLimiter:
    # More than one a core: a thread that waits for a shared batch (index/inference/batching.py) or a language model needs none.
    return CapacityLimiter(4 * (os.cpu_count() or 1))


def _writer_limit() -> CapacityLimiter:
    return CapacityLimiter(_WRITERS)


def _file_limit() -> CapacityLimiter:
    return CapacityLimiter(_FILES)


@dataclass(frozen=True, slots=True)
class Session:
    """The service as one caller may use it: what the caller may not read does not exist.

    `limiter` bounds the answers that are computed at the same time, `writers` the changes that may wait for a collection's
    lock, `files` the files that are copied or drawn; further ones wait.
    """

    service: Service
    store: ConversationStore
    feedback: FeedbackStore
    metrics: Metrics
    admission: Admission
    tracing: Tracing
    limiter: CapacityLimiter = field(default_factory=_worker_limit)
    writers: CapacityLimiter = field(default_factory=_writer_limit)
    files: CapacityLimiter = field(default_factory=_file_limit)
    caller: Caller = LOCAL

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Run CPU work in a worker thread, after waiting for a free one. A cancelled call leaves its thread running."""
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self.limiter)

    async def run_io(self, work: Callable[[], Result]) -> Result:
        """Run short work on the database or the disk in a worker thread that `limiter` does not count."""
        return await anyio.to_thread.run_sync(work)

    async def run_file(self, work: Callable[[], Result]) -> Result:
        """Run work that waits for a process that reads files, or copies a file. Few at a time; further ones wait."""
        return await anyio.to_thread.run_sync(work, limiter=self.files)

    async def run_write(self, work: Callable[[], Result]) -> Result:
        """Run work that may wait for another writer. It has threads of its own: however many wait, no other request does."""
        return await anyio.to_thread.run_sync(work, limiter=self.writers)

    @property
    def conversations(self) -> ConversationList:
        """The list of conversations."""
        return ConversationList(self.store.database)

    def history(self, conversation_id: str | None) -> tuple[Turn, ...]:
        """The turns of the caller's conversation, oldest first; empty for None. Raises RecordMissing."""
        answers = self.answers(conversation_id) if conversation_id else ()
        return tuple(map(_turn, answers))

    def answers(self, conversation_id: str) -> tuple[StoredAnswer, ...]:
        """The answers of the caller's conversation, oldest first, without those that the caller may no longer see."""
        return tuple(filter(self.may_see, self.store.answers(conversation_id, owner=self.caller.owner)))

    def answer(self, answer_id: str) -> StoredAnswer:
        """One of the caller's answers. Raises RecordMissing, also if the caller may no longer see it."""
        stored = self.store.answer(answer_id, owner=self.caller.owner)
        if not self.may_see(stored):
            raise missing_answer(answer_id)
        return stored

    def stored(self, answer_id: str, *, everyone: bool = False) -> StoredAnswer:
        """One of the caller's answers, or with `everyone` of any caller's, whether or not the caller may still see it."""
        return self.store.answer(answer_id, owner=ANYBODY if everyone else self.caller.owner)

    def exchange(self, answer_id: str) -> tuple[Answer, tuple[Turn, ...]] | None:
        """An answer with the turns before it that the caller may see, oldest first; None if the answer is not among them."""
        if self.caller.principals is None:
            return self.store.exchange(answer_id)
        stored = self.store.answer(answer_id, owner=ANYBODY)
        if not self.may_see(stored):
            return None
        conversation = self.store.answers(stored.answer.conversation_id, owner=ANYBODY)
        before = takewhile(lambda other: other.answer.id != answer_id, conversation)
        return stored.answer, tuple(map(_turn, filter(self.may_see, before)))

    def collection_names(self) -> list[str]:
        """Names of the collections that the caller may open, in order."""
        return [name for name in self.service.library.names() if self.caller.may_open(name)]

    @property
    def default_collection(self) -> str:
        """The collection that is used when none is named: the one in the settings, or the caller's first if it is limited."""
        usual = self.service.settings.collection
        own = self.caller.collections
        return usual if not own or usual in own else min(own)

    def collection_name(self, name: str | None) -> str:
        """`name`, or the default. For a caller limited to some collections, raises CollectionMissing unless it is one of them.

        The message is the same for a collection that does not exist and for one that this caller may not open.
        """
        chosen = name or self.default_collection
        if self.caller.collections is not None and chosen not in (names := self.collection_names()):
            raise CollectionMissing(
                f"no collection {chosen!r}. There are: {', '.join(names) or 'none'}. Name one of these"
            )
        return chosen

    def require_open(self, name: str) -> None:
        """Raise CollectionMissing unless the caller may open a collection of that name, whether or not it exists yet."""
        if not self.caller.may_open(name):
            raise CollectionMissing(
                f"no collection {name!r} for your key. There are: {', '.join(self.collection_names()) or 'none'}. "
                "Name one of these, or use a key for this collection"
            )

    def collection(self, name: str | None) -> Collection:
        """The collection of that name, or the default one. Raises CollectionMissing, which lists the names.

        It also holds what the caller may not read: use `search`, `document` and `documents`, which leave that out.
        """
        return self.service.library.open(self.collection_name(name))

    def search(self, query: str, k: int, collection: str | None, where: Filter | None = None) -> list[Hit]:
        """The `k` passages that fit the query best, of documents that meet `where` and that the caller may read.

        The reader reorders them, unless the setting `rerank` is off.
        """
        settings = self.service.settings
        return self.collection(collection).search(
            query,
            k=k,
            where=replace(where or Filter(), principals=self.caller.principals),
            reranker=self.service.reader if settings.rerank else None,
            depth=settings.rerank_depth,
        )

    def stale_answer_ids(
        self, conversation_ids: Sequence[str] | None = None, *, everyone: bool = False
    ) -> dict[str, list[str]]:
        """For each conversation with stale answers their ids, newest first: of these conversations, or of all.

        Counts the caller's answers; with `everyone` those of all callers, for the scope `admin`.
        """
        owner = ANYBODY if everyone else self.caller.owner
        cited = CitedVersions(self.store.database).list(conversation_ids, owner=owner)
        stale = frozenset(stale_answers(cited, self.service.library))
        by_conversation: dict[str, list[str]] = {}
        for version in cited:
            ids = by_conversation.setdefault(version.conversation_id, [])
            if version.answer_id in stale and version.answer_id not in ids:
                ids.append(version.answer_id)
        return {id: answers for id, answers in by_conversation.items() if answers}

    def stale_citations(self, stored: StoredAnswer) -> tuple[StaleCitation, ...]:
        """The citations of an answer whose version was replaced or removed, and what stands there now."""
        return stale_citations(stored.answer, stored.collection, self.service.library)

    def stale_by_answer(self, answers: Sequence[StoredAnswer]) -> dict[str, tuple[StaleCitation, ...]]:
        """The stale citations of each of the answers that has any, by the answer's id."""
        return stale_by_answer(answers, self.service.library)

    def gaps(self, collection: str | None, since: datetime | None) -> tuple[GapTopic, ...]:
        """What the documents do not say, by topic: refused and badly rated questions of all callers, for the scope `admin`."""
        names = frozenset(self.collection_names())
        unanswered = UnansweredQuestions(self.store.database).list(collection, since, owner=ANYBODY)
        gaps = find_gaps(
            record
            for record in unanswered
            if record.collection in names and self._may_read_all(record.collection, record.sources)
        )
        return group_by_topic(gaps, self.service.library.encoder.encode)

    def documents(self, collection: str | None) -> list[DocumentSummary]:
        """The current documents that the caller may read, by URI."""
        summaries = self.collection(collection).documents.list()
        return [summary for summary in summaries if self.caller.may_read(summary.principals)]

    def document(self, collection: str | None, document_id: str, version: str | None) -> Document:
        """A version of a document, the current one for None. Raises NotFound, also if the caller may not read it."""
        opened = self.collection(collection)
        if self.caller.principals is None:
            return opened.documents.get(document_id, version)
        try:
            document = opened.documents.get(document_id, version)
        except NotFound:
            document = None
        if document is None or not self.caller.may_read(document.principals):
            raise _unreadable(document_id)
        return document

    def place(self, collection: str | None, document_id: str, version: str) -> tuple[str, str]:
        """The URI and the media type of a version, without reading its text. Raises NotFound as `document` does."""
        opened = self.collection(collection)
        if self.caller.principals is not None and not opened.permissions.all_readable(
            [document_id], self.caller.principals
        ):
            raise _unreadable(document_id)
        try:
            return opened.documents.place(document_id, version)
        except NotFound as error:
            raise (error if self.caller.principals is None else _unreadable(document_id)) from error

    def may_see(self, stored: StoredAnswer) -> bool:
        """Whether the caller may still read every document that the answer was made from.

        Passages that were read count like those that were cited: the answer holds both.
        """
        return self._may_read_all(stored.collection, stored.answer.sources)

    def _may_read_all(self, collection: str, document_ids: frozenset[str]) -> bool:
        if self.caller.principals is None:
            return True
        if collection not in self.collection_names():
            return False
        return self.collection(collection).permissions.all_readable(document_ids, self.caller.principals)


def _unreadable(document_id: str) -> NotFound:
    return NotFound(f"document {document_id!r}: no such version that you may read. List the documents to see their ids")


def _turn(stored: StoredAnswer) -> Turn:
    return Turn(stored.answer.question, stored.answer.text)


def make_session(service: Service, store: ConversationStore, tracing: Tracing | None = None) -> Session:
    """The session of a new server. Two servers in one process share nothing but what is passed in."""
    metrics, settings = Metrics(), service.settings
    admission = Admission(settings.max_requests, settings.max_waiting_requests, metrics)
    return Session(service, store, FeedbackStore(store.database), metrics, admission, tracing or Untraced())
