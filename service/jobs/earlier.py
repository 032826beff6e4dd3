"""Uploads that an earlier version of Quoth read: find those that are still stored, and queue them to be read again."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from urllib.parse import unquote

import structlog

from index.collection import Collection
from index.errors import IndexingError
from index.library import Library
from index.records import DocumentSummary
from service.jobs.indexing import SCHEME, folder_of
from service.jobs.queue import JobQueue
from service.jobs.records import Original, Upload

AT_ONCE = 100
"""How many wait at most: uploads that come meanwhile wait behind them."""

log = structlog.get_logger(__name__)


def queue_earlier(library: Library, queue: JobQueue, at_once: int = AT_ONCE) -> bool:
    """Queue uploads to be read again whose documents have no structure. Returns whether there were any: there may be more.

    Each is a job like that of a new upload with the same bytes, title, metadata and readers. One that failed or was cancelled
    is tried again when its job is forgotten, after a week. A collection that cannot be read is left alone.
    """
    queued = 0
    for name in library.names():
        originals = queue.originals_of(name)
        if not originals:
            continue
        try:
            collection = library.open(name)
            by_upload = _by_upload(collection.documents.list(only_earlier=True))
            for original in originals:
                documents = by_upload.get(original.document_id)
                if documents and queued < at_once:
                    queued += queue.read_again(original, _upload(original, documents, collection))
        except IndexingError as error:
            log.warning("uploads not read again", collection=name, detail=str(error))
    return queued > 0


def stored_uploads(queue: JobQueue, collection: str) -> Callable[[str], bool]:
    """A test of whether the document at a URI was uploaded into the collection, and its file is stored."""
    places = {folder_of(original.document_id) for original in queue.originals_of(collection)}
    return lambda uri: uri.rpartition("/")[0] in places


def _by_upload(documents: Sequence[DocumentSummary]) -> dict[str, list[DocumentSummary]]:
    """The documents that were uploaded, by the id of their upload."""
    found: dict[str, list[DocumentSummary]] = defaultdict(list)
    for document in documents:
        if document.uri.startswith(SCHEME):
            found[unquote(document.uri.removeprefix(SCHEME).partition("/")[0])].append(document)
    return found


def _upload(original: Original, documents: Sequence[DocumentSummary], collection: Collection) -> Upload:
    """The upload as it was sent: its title if it is one document, and the metadata that all documents from it have."""
    metadata = [set(collection.documents.get(known.id, known.version).metadata.items()) for known in documents]
    titles = [document.title for document in documents if document.id == original.document_id]
    return Upload(
        original.collection,
        original.document_id,
        original.filename,
        original.sha256,
        original.size,
        title=titles[0] if titles else None,
        metadata=dict(set.intersection(*metadata)),
    )
