"""Parts: what the routes work with, and the worker threads that their CPU work runs in."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from index.collection import Collection
from index.errors import CollectionMissing, NotFound
from index.filters import Filter
from index.records import Document, DocumentSummary
from service.access.caller import LOCAL, Caller
from service.answering.service import Service
from service.observability.metrics import Metrics
from service.observability.tracing import Tracing, Untraced
from service.records import Answer, Turn
from service.session.admission import Running
from service.storage.conversation_list import ConversationList
from service.storage.conversations import ANYBODY, ConversationStore, StoredAnswer, missing_answer
from service.storage.feedback import FeedbackStore

Result = TypeVar("Result")


def _some_per_core() -> CapacityLimiter:
    # More than one: who waits for a shared run of a network (index/inference/batching.py) or for a language model needs no core.
    return CapacityLimiter(4 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Parts:
    """The assembled service and the stores, in the hands of one caller, who finds nothing that is not for that caller.

    `limiter` bounds the answers made at once; the rest wait.
    """

    service: Service
    store: ConversationStore
    feedback: FeedbackStore
    metrics: Metrics
    running: Running
    tracing: Tracing
    limiter: CapacityLimiter = field(default_factory=_some_per_core)
    caller: Caller = LOCAL

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Run CPU work in a worker thread; waits when too much is being done. When cancelled, the thread is left to itself."""
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self.limiter)

    async def read(self, work: Callable[[], Result]) -> Result:
        """Run short database work in a worker thread, beside the CPU work."""
        return await anyio.to_thread.run_sync(work)

    @property
    def conversations(self) -> ConversationList:
        """The list of conversations."""
        return ConversationList(self.store.database)

    def history(self, conversation_id: str | None) -> tuple[Turn, ...]:
        """The caller's conversation so far, oldest first; none for a new one. Raises RecordMissing."""
        answers = self.answers(conversation_id) if conversation_id else ()
        return tuple(map(_turn, answers))

    def answers(self, conversation_id: str) -> tuple[StoredAnswer, ...]:
        """The answers of the caller's conversation, oldest first, without those that are not for the caller any more."""
        return tuple(filter(self.may_see, self.store.answers(conversation_id, owner=self.caller.owner)))

    def answer(self, answer_id: str) -> StoredAnswer:
        """One of the caller's answers. Raises RecordMissing, the same for one that is not for the caller any more."""
        found = self.store.answer(answer_id, owner=self.caller.owner)
        if not self.may_see(found):
            raise missing_answer(answer_id)
        return found

    def exchange(self, answer_id: str) -> tuple[Answer, tuple[Turn, ...]] | None:
        """An answer with the turns before it, oldest first, of those that are for the caller; None when it is not itself."""
        if self.caller.principals is None:
            return self.store.exchange(answer_id)
        found = self.store.answer(answer_id, owner=ANYBODY)
        if not self.may_see(found):
            return None
        kept = self.store.answers(found.answer.conversation_id, owner=ANYBODY)
        before = takewhile(lambda one: one.answer.id != answer_id, kept)
        return found.answer, tuple(map(_turn, filter(self.may_see, before)))

    def names(self) -> list[str]:
        """Names of the collections that there are for the caller, in order."""
        return [name for name in self.service.library.names() if self.caller.may_open(name)]

    @property
    def default(self) -> str:
        """The collection that is meant when none is named: that of the settings, or the caller's first if it has others."""
        usual = self.service.settings.collection
        own = self.caller.collections
        return usual if not own or usual in own else min(own)

    def named(self, name: str | None) -> str:
        """`name`, or the default. Raises CollectionMissing unless it is there for a caller who has not all of them.

        Its message is the same for a collection that is not there and for one that is not for this caller.
        """
        wanted = name or self.default
        if self.caller.collections is not None and wanted not in (names := self.names()):
            raise CollectionMissing(
                f"no collection {wanted!r}. There are: {', '.join(names) or 'none'}. Name one of these"
            )
        return wanted

    def collection(self, name: str | None) -> Collection:
        """The collection of that name, or the default one. Raises CollectionMissing that names those there are.

        It holds also what is not for the caller: search it with `where`, and read it with `document` and `documents`.
        """
        return self.service.library.open(self.named(name))

    def where(self, wanted: Filter | None = None) -> Filter:
        """`wanted`, and only documents that the caller may read."""
        return replace(wanted or Filter(), principals=self.caller.principals)

    def documents(self, collection: str | None) -> list[DocumentSummary]:
        """The current documents that the caller may read, by URI."""
        return [found for found in self.collection(collection).documents() if self.caller.may_read(found.principals)]

    def document(self, collection: str | None, document_id: str, version: str | None) -> Document:
        """A version of a document, the current one for None. Raises NotFound, the same where it is not for the caller."""
        opened = self.collection(collection)
        if self.caller.principals is None:
            return opened.document(document_id, version)
        try:
            document = opened.document(document_id, version)
        except NotFound:
            document = None
        if document is None or not self.caller.may_read(document.principals):
            raise NotFound(
                f"document {document_id!r}: no such version for you. List the documents to see what there is"
            )
        return document

    def may_see(self, stored: StoredAnswer) -> bool:
        """Whether the caller may still read every document that the answer was written from; else it is not there.

        What was cited and what was read beside it count: both are in the answer.
        """
        if self.caller.principals is None:
            return True
        if stored.collection not in self.names():
            return False
        answer = stored.answer
        read = {hit.chunk.document_id for hit in answer.passages} | {one.document_id for one in answer.citations}
        return self.collection(stored.collection).all_readable(frozenset(read), self.caller.principals)


def _turn(stored: StoredAnswer) -> Turn:
    return Turn(stored.answer.question, stored.answer.text)


def make_parts(service: Service, store: ConversationStore, tracing: Tracing | None = None) -> Parts:
    """The parts of a server of its own: nothing is shared with another server in this process but what is given."""
    metrics, settings = Metrics(), service.settings
    running = Running(settings.max_requests, settings.max_waiting_requests, metrics)
    return Parts(service, store, FeedbackStore(store.database), metrics, running, tracing or Untraced())
