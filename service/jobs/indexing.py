"""One upload -> current documents with their vectors. What a worker does with a claim; doing it twice changes nothing."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import quote

from index.collection import Collection
from index.errors import DocumentRejected, NotADocument
from index.extraction.contents import Contents, contents
from index.extraction.extractor import Extractor
from index.formats.limits import Limits
from index.library import Library
from index.records import Document
from service.jobs.files import Originals
from service.jobs.leases import Leases
from service.jobs.records import Claim, Stage, Upload

SCHEME = "upload:///"
_EMBED_AT_ONCE = 256
_NAMED = 5


class Cancelled(Exception):
    """Someone cancelled the job before its text was stored. Never leaves this package."""


def folder_of(document_id: str) -> str:
    """The URI below which everything stands that came of the uploads under that id."""
    return f"{SCHEME}{quote(document_id, safe='')}"


def uri_of(upload: Upload) -> str:
    """The URI of an uploaded file: its document's id, and its name. What an archive holds stands below it."""
    return f"{folder_of(upload.document_id)}/{quote(upload.filename, safe='')}"


class Indexer:
    """Reads, stores and embeds uploads, one at a time. `interrupt` may be called from another thread."""

    def __init__(self, library: Library, originals: Originals, leases: Leases, limits: Limits) -> None:
        self._library = library
        self._originals = originals
        self._leases = leases
        self._limits = limits
        self._guard = threading.Lock()
        self._extractor: Extractor | None = None

    def work(self, claim: Claim, check: Callable[[], None]) -> None:
        """Make the claim's upload searchable. `check` is called between steps, and raises to stop there.

        Raises what index/ raises, `LeaseLost` when the job is in other hands, `Cancelled`.
        """
        upload = claim.upload
        self._leases.tell(claim, Stage.READING)
        found = self._read(upload)
        check()
        if not found.documents:
            raise found.refused[0]
        documents = [_dressed(document, upload) for document in found.documents]
        ids = [document.id for document in documents]
        place = folder_of(upload.document_id)
        collection = self._library.open_or_create(upload.collection)
        with collection.writing():
            if self._leases.is_cancelled(claim):
                raise Cancelled
            if upload.principals is not None:
                collection.note_roots([place], upload.principals)
            readers = _readers(collection, documents, upload)
            add = [(replace(document, principals=readers[document.id]), None) for document in documents]
            before = {document.id for document in collection.documents(folder=place)}
            collection.change(add=add, remove=sorted(before.difference(ids)))
            is_inherited = upload.principals is None and any(readers.values())
            self._leases.stored(claim, len(documents), _remark(found.refused, is_inherited=is_inherited))
        self._embed(claim, collection, ids, check)

    def interrupt(self) -> None:
        """Stop reading a file at once, if one is being read: `work` then raises."""
        with self._guard:
            if self._extractor is not None:
                self._extractor.close()
                self._extractor = None

    def _read(self, upload: Upload) -> Contents:
        with self._guard:
            extractor = self._extractor = self._extractor or Extractor(self._limits, workers=1)
        return contents(extractor, self._originals.path(upload.sha256), uri=uri_of(upload), name=upload.filename)

    def _embed(self, claim: Claim, collection: Collection, ids: Sequence[str], check: Callable[[], None]) -> None:
        """Vectors for the passages of the documents; who else computes vectors meanwhile helps."""
        total = waiting = collection.pending_of(ids)
        while waiting:
            self._leases.tell(claim, Stage.EMBEDDING, total - waiting, total)
            check()
            collection.embed_pending(limit=min(waiting, _EMBED_AT_ONCE))
            waiting = collection.pending_of(ids)
        self._leases.tell(claim, Stage.EMBEDDING, total, total)


def _dressed(document: Document, upload: Upload) -> Document:
    """The document with what the upload says of it. The file itself has the upload's id and title; what is in it, its own."""
    dressed = replace(document, metadata={**document.metadata, **upload.metadata})
    if document.uri != uri_of(upload):
        return dressed
    return replace(dressed, id=upload.document_id, title=upload.title or document.title)


def _readers(collection: Collection, documents: Sequence[Document], upload: Upload) -> dict[str, frozenset[str]]:
    """Who may read each of the documents, by id: those named with the upload, else those of the document as it is, else those
    who were named with an earlier upload under that id, else those of the document that was there before; else everybody."""
    ids = [document.id for document in documents]
    if upload.principals is not None:
        return dict.fromkeys(ids, upload.principals)
    now = {found.id: found.principals for found in collection.documents(ids)}
    root = collection.roots_of([uri_of(upload)]).get(uri_of(upload))
    once = collection.readers_of(ids)
    beside = [found.principals for found in collection.documents(folder=folder_of(upload.document_id))]
    usual = root.principals if root is not None else next(iter(beside), frozenset())
    return {identity: now.get(identity, usual or once.get(identity, frozenset())) for identity in ids}


def _remark(refused: Sequence[DocumentRejected], *, is_inherited: bool) -> str | None:
    """What of an archive was not read, the first few by name, and that not everybody may read what was though nobody was named.

    Files that are not meant to be read are not counted.
    """
    said = ["Not everybody may read it, as before: nobody was named this time."] if is_inherited else []
    missed = [error for error in refused if not isinstance(error, NotADocument)]
    if missed:
        named = "; ".join(f"{error.uri.rpartition('!/')[2]}: {error.reason}" for error in missed[:_NAMED])
        more = f"; and {len(missed) - _NAMED:,} more" if len(missed) > _NAMED else ""
        said.append(f"Not read: {named}{more}")
    return " ".join(said) or None
