"""Index one upload: a claim becomes current documents with their vectors. Doing it twice changes nothing."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

import structlog

from index.collection import Collection
from index.errors import IndexingError, NotADocument
from index.extraction.contents import Contents, read_contents
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.ledger.protocol import Documents
from index.library import Library
from index.records import Document
from service.jobs.leases import Cancelled, Leases
from service.jobs.protocol import OriginalStore
from service.jobs.queue import JobQueue
from service.jobs.records import Claim, Original, Stage, Upload

log = structlog.get_logger(__name__)
SCHEME = "upload:///"
_EMBED_AT_ONCE = 256
_NAMED = 5


def folder_of(document_id: str) -> str:
    """The URI below which all documents from uploads under that id lie."""
    return f"{SCHEME}{quote(document_id, safe='')}"


def forget_removed(library: Library, queue: JobQueue) -> None:
    """Forget the uploaded files whose documents are no longer there: a process was killed between the two removals.

    A collection that cannot be read keeps its files.
    """
    for name in library.names():
        originals = queue.originals_of(name)
        if not originals:
            continue
        try:
            documents = library.open(name).documents
            removed = [original for original in originals if not _is_current(documents, original)]
        except IndexingError as error:
            log.warning("uploaded files not checked", collection=name, detail=str(error))
            continue
        for original in removed:
            queue.forget(original)


def _is_current(documents: Documents, original: Original) -> bool:
    """Whether the file's document, or one inside the archive that it is, is current."""
    identity = original.document_id
    return bool(documents.list([identity]) or documents.list(folder=folder_of(identity)))


def uri_of(upload: Upload) -> str:
    """The URI of an uploaded file: its document's id, then its name. The files of an archive lie below it."""
    return f"{folder_of(upload.document_id)}/{quote(upload.filename, safe='')}"


class Indexer:
    """Reads, stores and embeds uploads, one at a time. `interrupt` may be called from another thread."""

    def __init__(self, library: Library, originals: OriginalStore, leases: Leases, limits: Limits) -> None:
        self._library = library
        self._originals = originals
        self._leases = leases
        self._limits = limits
        self._guard = threading.Lock()
        self._extractor: Extractor | None = None

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        """Make the claim's upload searchable. `check` is called between steps; it raises to stop there.

        Raises the errors of index/, LeaseLost when another worker has the job, and Cancelled.
        """
        upload = claim.upload
        self._leases.record_progress(claim, Stage.READING)
        read = self._read(upload)
        check()
        if not read.documents:
            raise read.rejected[0]
        documents = [_with_upload(document, upload) for document in read.documents]
        ids = [document.id for document in documents]
        place = folder_of(upload.document_id)
        collection = self._library.open_or_create(upload.collection)
        named = {upload.document_id} if upload.title else set()
        chunks = collection.cut(documents, named)
        check()
        with collection.writing():
            if self._leases.is_cancelled(claim):
                raise Cancelled
            if upload.principals is not None:
                collection.record_roots([place], upload.principals)
            readers = _readers(collection, documents, upload)
            add = [(replace(document, principals=readers[document.id]), None) for document in documents]
            before = {document.id for document in collection.documents.list(folder=place)}
            is_inherited = upload.principals is None and any(readers.values())
            remark = _remark(read, is_inherited=is_inherited)
            collection.change(
                add=add,
                remove=sorted(before.difference(ids)),
                chunks=chunks,
                named=named,
                alongside=self._leases.storing(claim, len(documents), remark),
            )
        self._embed(claim, collection, ids, check)

    def interrupt(self) -> None:
        """Stop reading at once, if a file is being read: `work` then raises."""
        with self._guard:
            if self._extractor is not None:
                self._extractor.close()
                self._extractor = None

    def _read(self, upload: Upload) -> Contents:
        with self._guard:
            extractor = self._extractor = self._extractor or Extractor(self._limits, workers=1)
        with self._originals.opened(upload.sha256) as path:
            return read_contents(extractor, path, uri=uri_of(upload), name=upload.filename)

    def _embed(self, claim: Claim, collection: Collection, ids: Sequence[str], check: Callable[[], None]) -> None:
        """Compute the vectors of the documents' passages; another process that does so meanwhile shares the work."""
        total = waiting = collection.documents.pending_vectors(ids)
        while waiting:
            self._leases.record_progress(claim, Stage.EMBEDDING, total - waiting, total)
            check()
            collection.embed_pending(limit=min(waiting, _EMBED_AT_ONCE))
            waiting = collection.documents.pending_vectors(ids)
        self._leases.record_progress(claim, Stage.EMBEDDING, total, total)


def _with_upload(document: Document, upload: Upload) -> Document:
    """The document with the upload's metadata. The file itself gets the upload's id and title; files in it keep theirs."""
    described = replace(document, metadata={**document.metadata, **upload.metadata})
    if document.uri != uri_of(upload):
        return described
    return replace(described, id=upload.document_id, title=upload.title or document.title)


def _readers(collection: Collection, documents: Sequence[Document], upload: Upload) -> dict[str, frozenset[str]]:
    """The principals that may read each document, by its id: those of the upload, else those of the current document, else
    those of an earlier upload under that id, else those that the document had before it was removed; else everybody."""
    ids = [document.id for document in documents]
    if upload.principals is not None:
        return dict.fromkeys(ids, upload.principals)
    now = {document.id: document.principals for document in collection.documents.list(ids)}
    root = collection.permissions.roots([uri_of(upload)]).get(uri_of(upload))
    former = collection.permissions.readers(ids)
    siblings = [document.principals for document in collection.documents.list(folder=folder_of(upload.document_id))]
    upload_readers = root.principals if root is not None else next(iter(siblings), frozenset())
    return {identity: now.get(identity, upload_readers or former.get(identity, frozenset())) for identity in ids}


def _remark(read: Contents, *, is_inherited: bool) -> str | None:
    """What was not read: files of an archive and parts of documents, the first few by name; and whether readers were taken
    over from before.

    Files that are not documents are not counted.
    """
    remarks = ["Not everybody may read it, as before: nobody was named this time."] if is_inherited else []
    warnings = [_warning(document, text) for document in read.documents for text in document.warnings]
    if warnings:
        more = f" There are {len(warnings) - _NAMED:,} more warnings." if len(warnings) > _NAMED else ""
        remarks.append(" ".join(warnings[:_NAMED]) + more)
    missed = [error for error in read.rejected if not isinstance(error, NotADocument)]
    if missed:
        named = "; ".join(f"{error.uri.rpartition('!/')[2]}: {error.reason}" for error in missed[:_NAMED])
        more = f"; and {len(missed) - _NAMED:,} more" if len(missed) > _NAMED else ""
        remarks.append(f"Not read: {named}{more}")
    return " ".join(remarks) or None


def _warning(document: Document, text: str) -> str:
    """The warning, after the name of the file inside the upload that it is about."""
    _, is_inside, name = document.uri.rpartition("!/")
    return f"{unquote(name)}: {text}" if is_inside else text
