"""The contents of files -> a collection, in batches, with an account of what that did.

What one file holds is stored in one transaction: an archive that changed replaces its members all or nothing. Others may write
between two batches: before one is stored, what they did to its documents meanwhile is looked at.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from index.collection import Collection
from index.errors import NotADocument
from index.extraction.contents import Contents
from index.ledger.permissions import Inherited, Root
from index.records import Document, DocumentSummary, Source
from index.sync.listing import Rejection
from index.uris import file_uri, is_at_or_inside

_BATCH_DOCUMENTS = 64
_BATCH_CHARACTERS = 1_000_000
_BATCH_REMOVED = 500


@dataclass(frozen=True, slots=True)
class _Held:
    """What one file holds, what led to it, and the ids of documents that go when it is stored."""

    uri: str
    found_by: str
    source: Source
    documents: Sequence[Document]
    retired: Sequence[str]


class Intake:
    """Takes in one file after the other.

    `known` are the documents of the collection. `gone` are those of them whose files are no longer there: one that turns up
    elsewhere counts as renamed. `is_as_read(uri, source)` tells whether a file still looks as it did when it was read.
    `principals` may read what is taken in. With None, who may read a document now may read it afterwards, and who may read
    one of an archive may read those that come into it. A new document, or one under a new name, is for those who were named
    for the nearest place above it (`index.ledger.permissions`); where nobody was, a document keeps its readers, also one that was removed
    before, and a new one is for everybody.
    """

    def __init__(
        self,
        collection: Collection,
        known: Iterable[DocumentSummary],
        gone: Iterable[DocumentSummary],
        is_as_read: Callable[[str, Source], bool],
        principals: frozenset[str] | None,
    ) -> None:
        self.added: list[str] = []
        self.changed: list[str] = []
        self.renamed: list[str] = []
        self.removed: list[str] = []
        self.unchanged: list[str] = []
        self.rejected: list[Rejection] = []
        self.skipped: list[Rejection] = []
        self._collection = collection
        self._is_as_read = is_as_read
        self._principals = principals
        self._readers_from: dict[str, str] = {}  # the id of the document whose readers a new one gets
        self._moved: set[str] = set()
        self._inherited: Counter[Root] = Counter()
        self._known = {document.id: document for document in known}
        self._former: dict[str, list[DocumentSummary]] = {}
        for document in self._known.values():
            self._former.setdefault(file_uri(document.uri), []).append(document)
        self._gone: dict[str, dict[str, DocumentSummary]] = {}  # by version, then by id
        for document in gone:
            self._lose(document)
        self._batch: list[_Held] = []

    @property
    def is_full(self) -> bool:
        """Whether it is time to store."""
        documents = [document for held in self._batch for document in held.documents]
        return len(documents) >= _BATCH_DOCUMENTS or sum(len(one.text) for one in documents) >= _BATCH_CHARACTERS

    @property
    def inherited(self) -> tuple[Inherited, ...]:
        """Where the readers of new documents come from, since none were named and they are not everybody."""
        return tuple(Inherited(root, count) for root, count in self._inherited.items() if count)

    def take(self, uri: str, contents: Contents, found_by: str | None = None) -> None:
        """What the file at `uri` holds now. What could not be read of it stays as it was, what it no longer holds goes.

        `found_by` is the address that led to it: what was said of that one comes before what was said of places above `uri`.
        """
        for error in contents.refused:
            group = self.skipped if isinstance(error, NotADocument) else self.rejected
            group.append(Rejection(error.uri, error.reason, error.mend))
        if contents.source is None:
            return
        former = {document.uri: document for document in self._former.get(uri, ())}
        lost = _no_longer_in(former.values(), contents)
        for missing in lost:
            self._lose(missing)
        retired: list[str] = []
        for document in contents.documents:
            before = former.get(document.uri)
            if before is not None:
                is_same = before.version == document.version and self._principals in (None, before.principals)
                (self.unchanged if is_same else self.changed).append(document.uri)
            elif namesakes := self._gone.get(document.version):
                retired.append(namesakes.pop(next(iter(namesakes))).id)
                self._readers_from[document.id] = retired[-1]
                self._moved.add(document.id)
                self.renamed.append(document.uri)
            else:
                if former:
                    self._readers_from[document.id] = next(iter(former.values())).id
                self.added.append(document.uri)
        for missing in lost:
            if self._gone[missing.version].pop(missing.id, None) is not None:
                retired.append(missing.id)
                self.removed.append(missing.uri)
        self._batch.append(_Held(uri, found_by or uri, contents.source, contents.documents, retired))

    def store(self) -> None:
        """Write what was taken since the last time, all or nothing.

        Where others wrote meanwhile, a file's contents count only if it still is as it was read: else theirs are newer.
        """
        add: list[tuple[Document, Source | None]] = []
        remove: list[str] = []
        with self._collection.writing():
            ids = [document.id for held in self._batch for document in held.documents]
            untouched = self._untouched([*ids, *(identity for held in self._batch for identity in held.retired)])
            readers = self._readers(ids)
            for held in self._batch:
                mine = {document.id for document in held.documents} | set(held.retired)
                if mine <= untouched or self._is_as_read(held.uri, held.source):
                    add += [(replace(one, principals=readers[one.id]), held.source) for one in held.documents]
                    remove += [identity for identity in held.retired if identity in untouched]
            if add or remove:
                self._collection.change(add=add, remove=remove)
        self._batch = []

    def retire(self, documents: Iterable[DocumentSummary]) -> None:
        """Take these documents out of search."""
        for document in documents:
            self._lose(document)
        self.retire_gone()

    def retire_gone(self) -> None:
        """Take out of search what is gone and did not come back under another name."""
        gone = (document for namesakes in self._gone.values() for document in namesakes.values())
        while batch := list(islice(gone, _BATCH_REMOVED)):
            with self._collection.writing():
                self._collection.change(remove=sorted(self._untouched([document.id for document in batch])))
            self.removed += [document.uri for document in batch]
        self._gone.clear()

    def _lose(self, document: DocumentSummary) -> None:
        self._gone.setdefault(document.version, {})[document.id] = document

    def _readers(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read the documents of the batch, which have these ids."""
        if self._principals is not None:
            return dict.fromkeys(ids, self._principals)
        known_as = {identity: self._readers_from.get(identity, identity) for identity in ids}
        now = {found.id: found.principals for found in self._collection.documents(list(known_as.values()))}
        once = self._collection.readers_of(ids)
        roots = self._collection.roots_of([place for held in self._batch for place in (held.found_by, held.uri)])
        readers: dict[str, frozenset[str]] = {}
        for held in self._batch:
            root = roots.get(held.found_by) or roots.get(held.uri)
            for document in held.documents:
                before = now.get(known_as[document.id])
                if before is None or (document.id in self._moved and root is not None):
                    source = root or Root(document.uri.rpartition("/")[0], once.get(document.id, frozenset()))
                    readers[document.id] = source.principals
                    self._inherited[source] += bool(source.principals) and source.principals != before
                else:
                    readers[document.id] = before
        return readers

    def _untouched(self, ids: Sequence[str]) -> set[str]:
        """Those of the documents that nobody else has added, changed or removed since this run began."""
        now = {document.id: document for document in self._collection.documents(ids)}
        return {identity for identity in ids if now.get(identity) == self._known.get(identity)}


def _no_longer_in(former: Iterable[DocumentSummary], contents: Contents) -> list[DocumentSummary]:
    """The documents that are not in the file any more; those that could not be read this time are not among them."""
    held = {document.uri for document in contents.documents}
    unread = [error.uri for error in contents.refused if not isinstance(error, NotADocument)]
    return [
        document
        for document in former
        if document.uri not in held and not any(is_at_or_inside(document.uri, place) for place in unread)
    ]
