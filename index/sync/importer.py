"""The importer: stores the contents of files in a collection, in batches, and records what changed.

The documents of one file are stored in one transaction: a changed archive replaces all its members or none. Other processes
may write between two batches: before a batch is stored, the importer checks what they did to its documents meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from index.collection import Collection
from index.errors import NotADocument
from index.extraction.contents import Contents
from index.ledger.rows import Inherited, Root
from index.records import Document, DocumentSummary, FileStamp
from index.sync.listing import Rejection, Remark
from index.uris import file_uri, is_at_or_inside

_BATCH_DOCUMENTS = 64
_BATCH_CHARACTERS = 1_000_000
_REMOVE_BATCH = 500


@dataclass(frozen=True, slots=True)
class _FileChange:
    """The documents of one file, the address that led to it, and the ids of documents to remove when it is stored."""

    uri: str
    found_by: str
    source: FileStamp
    documents: Sequence[Document]
    removed: Sequence[str]


class Importer:
    """Adds one file after the other to a collection.

    `known` are the documents of the collection, `gone` those of them whose files were deleted: one that turns up elsewhere
    counts as renamed. One that an earlier version of Quoth read is known by the size and time of its file, since its version
    is another for the same bytes. `is_unchanged(uri, source)` says whether a file still is as it was read.

    `principals` may read what is imported. With None, existing documents keep their readers, and new members of an archive
    get the readers of its other members. A new or renamed document gets the principals given for the nearest place above it
    (`index.ledger.protocol`). Where none were given, a renamed document keeps its readers, one that was removed before
    gets its former readers back, and a new one is for everybody.
    """

    def __init__(
        self,
        collection: Collection,
        known: Iterable[DocumentSummary],
        gone: Iterable[DocumentSummary],
        is_unchanged: Callable[[str, FileStamp], bool],
        principals: frozenset[str] | None,
    ) -> None:
        self.added: list[str] = []
        self.changed: list[str] = []
        self.renamed: list[str] = []
        self.removed: list[str] = []
        self.unchanged: list[str] = []
        self.rejected: list[Rejection] = []
        self.skipped: list[Rejection] = []
        self.warnings: list[Remark] = []
        self._collection = collection
        self._is_unchanged = is_unchanged
        self._principals = principals
        self._readers_from: dict[str, str] = {}  # id of a new document -> id of the document whose readers it gets
        self._renamed_ids: set[str] = set()
        self._inherited: Counter[Root] = Counter()
        self._known = {document.id: document for document in known}
        self._former: dict[str, list[DocumentSummary]] = {}
        for document in self._known.values():
            self._former.setdefault(file_uri(document.uri), []).append(document)
        self._gone: dict[str, dict[str, DocumentSummary]] = {}  # by version, then by id
        # Those that an earlier version of Quoth read, by the size and time of their file and their place inside it.
        self._gone_earlier: dict[tuple[FileStamp | None, str], list[DocumentSummary]] = {}
        for document in gone:
            self._add_gone(document)
        self._batch: list[_FileChange] = []

    @property
    def is_full(self) -> bool:
        """Whether the batch is large enough to be stored."""
        texts = [document.text for change in self._batch for document in change.documents]
        return len(texts) >= _BATCH_DOCUMENTS or sum(map(len, texts)) >= _BATCH_CHARACTERS

    @property
    def inherited(self) -> tuple[Inherited, ...]:
        """Return how many new documents are restricted although no principals were given, by where their readers come from."""
        return tuple(Inherited(root, count) for root, count in self._inherited.items() if count)

    def add(self, uri: str, contents: Contents, found_by: str | None = None) -> None:
        """Add the present contents of the file at `uri` to the batch.

        Documents in it that could not be read stay as they were; those that it no longer holds are removed. `found_by` is the
        address that led to the file: principals given for it take precedence over those given for places above `uri`.
        """
        for error in contents.rejected:
            group = self.skipped if isinstance(error, NotADocument) else self.rejected
            group.append(Rejection(error.uri, error.reason, error.fix))
        if contents.source is None:
            return
        former = {document.uri: document for document in self._former.get(uri, ())}
        missing = _no_longer_in(former.values(), contents)
        for document in missing:
            self._add_gone(document)
        removed: list[str] = []
        for new in contents.documents:
            before = former.get(new.uri)
            if before is not None:
                is_same = before.version == new.version and self._principals in (None, before.principals)
                (self.unchanged if is_same else self.changed).append(new.uri)
            elif earlier := self._take_gone(new, contents.source, uri):
                removed.append(earlier.id)
                self._readers_from[new.id] = removed[-1]
                self._renamed_ids.add(new.id)
                self.renamed.append(new.uri)
            else:
                if former:
                    self._readers_from[new.id] = next(iter(former.values())).id
                self.added.append(new.uri)
            self.warnings += [Remark(new.uri, warning) for warning in new.warnings]
        for document in missing:
            if self._gone[document.version].pop(document.id, None) is not None:
                removed.append(document.id)
                self.removed.append(document.uri)
        self._batch.append(_FileChange(uri, found_by or uri, contents.source, contents.documents, removed))

    def store(self) -> None:
        """Write the batch in one transaction and start a new one.

        A file whose documents another process has written meanwhile is stored only if it is still as it was read; otherwise
        what the other process wrote is newer.
        """
        add: list[tuple[Document, FileStamp | None]] = []
        remove: list[str] = []
        chunks = self._collection.cut(document for change in self._batch for document in change.documents)
        with self._collection.writing():
            ids = [document.id for change in self._batch for document in change.documents]
            untouched = self._untouched([*ids, *(identity for change in self._batch for identity in change.removed)])
            readers = self._readers(ids)
            for change in self._batch:
                affected = {document.id for document in change.documents} | set(change.removed)
                if affected <= untouched or self._is_unchanged(change.uri, change.source):
                    add += [(replace(new, principals=readers[new.id]), change.source) for new in change.documents]
                    remove += [identity for identity in change.removed if identity in untouched]
            if add or remove:
                self._collection.change(add=add, remove=remove, chunks=chunks)
        self._batch = []

    def remove(self, documents: Iterable[DocumentSummary]) -> None:
        """Remove these documents from search, and those that are gone."""
        for document in documents:
            self._add_gone(document)
        self.remove_gone()

    @property
    def gone(self) -> list[DocumentSummary]:
        """Return the documents whose files are gone, without those that returned under another name."""
        return [document for same_version in self._gone.values() for document in same_version.values()]

    def keep(self, uris: Iterable[str]) -> None:
        """Let the documents at these URIs stay in search although their files are gone."""
        stays = set(uris)
        for same_version in self._gone.values():
            for document in [document for document in same_version.values() if document.uri in stays]:
                del same_version[document.id]

    def remove_gone(self) -> None:
        """Remove the documents from search that are gone and did not return under another name."""
        gone = iter(self.gone)
        while batch := list(islice(gone, _REMOVE_BATCH)):
            with self._collection.writing():
                self._collection.change(remove=sorted(self._untouched([document.id for document in batch])))
            self.removed += [document.uri for document in batch]
        self._gone.clear()

    def _add_gone(self, document: DocumentSummary) -> None:
        self._gone.setdefault(document.version, {})[document.id] = document
        if not document.has_structure:
            inside = document.uri.removeprefix(file_uri(document.uri))
            self._gone_earlier.setdefault((document.source, inside), []).append(document)

    def _take_gone(self, new: Document, source: FileStamp, file: str) -> DocumentSummary | None:
        """Return the document that is gone and is now `new`, in the file at the URI `file`, and take it from those gone."""
        if same_version := self._gone.get(new.version):
            return same_version.pop(next(iter(same_version)))
        for known in self._gone_earlier.get((source, new.uri.removeprefix(file)), ()):
            if self._gone[known.version].pop(known.id, None) is not None:
                return known
        return None

    def _readers(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return the principals that may read each document of the batch; `ids` are those of all."""
        if self._principals is not None:
            return dict.fromkeys(ids, self._principals)
        known_as = {identity: self._readers_from.get(identity, identity) for identity in ids}
        now = {known.id: known.principals for known in self._collection.documents.list(list(known_as.values()))}
        former = self._collection.permissions.readers(ids)
        roots = self._collection.permissions.roots(
            [uri for change in self._batch for uri in (change.found_by, change.uri)]
        )
        readers: dict[str, frozenset[str]] = {}
        for change in self._batch:
            root = roots.get(change.found_by) or roots.get(change.uri)
            for document in change.documents:
                before = now.get(known_as[document.id])
                if before is None or (document.id in self._renamed_ids and root is not None):
                    source = root or Root(document.uri.rpartition("/")[0], former.get(document.id, frozenset()))
                    readers[document.id] = source.principals
                    self._inherited[source] += bool(source.principals) and source.principals != before
                else:
                    readers[document.id] = before
        return readers

    def _untouched(self, ids: Sequence[str]) -> set[str]:
        """Return the ids of those documents that no other process has added, changed or removed since this import began."""
        now = {document.id: document for document in self._collection.documents.list(ids)}
        return {identity for identity in ids if now.get(identity) == self._known.get(identity)}


def _no_longer_in(former: Iterable[DocumentSummary], contents: Contents) -> list[DocumentSummary]:
    """Return the documents that are no longer in the file; those that could not be read this time are not among them."""
    present = {document.uri for document in contents.documents}
    unread = [error.uri for error in contents.rejected if not isinstance(error, NotADocument)]
    return [
        document
        for document in former
        if document.uri not in present and not any(is_at_or_inside(document.uri, place) for place in unread)
    ]
