"""Where the file of a document is: among the uploads, or in place in a folder that was indexed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from index.collection import Collection
from index.errors import SourceMissing
from index.extraction.sources import Source, folder_source
from index.formats.registry import suffix_of
from index.uris import file_uri
from service.access.caller import Caller
from service.jobs.indexing import SCHEME
from service.jobs.queue import JobQueue
from service.jobs.records import Original


@contextmanager
def opened_source(uri: str, collection: str, queue: JobQueue) -> Iterator[Source]:
    """The source of the document at `uri`, to be read in the block. Raises SourceMissing if there is no file any more."""
    file = file_uri(uri)
    if file.startswith(SCHEME):
        upload = unquote(file.removeprefix(SCHEME).partition("/")[0])
        original = queue.original(collection, upload)
        if original is None:
            raise SourceMissing(f"{uri}: the uploaded file is not stored any more. Upload it again")
        with opened_original(uri, original, queue) as source:
            yield source
    elif urlsplit(file).scheme == "file":
        yield folder_source(uri)
    else:
        raise SourceMissing(f"{uri}: this document was not read from a file, so there is none. Open its address")


@contextmanager
def opened_original(uri: str, original: Original, queue: JobQueue) -> Iterator[Source]:
    """An uploaded file as the source of the document at `uri`, to be read in the block."""
    with queue.originals.opened(original.sha256) as path:
        yield Source(uri, path, original.filename, original.sha256)


def may_read_inside(uri: str, collection: Collection, caller: Caller) -> bool:
    """Whether the caller may read every document that lies inside the one at `uri`: attachments of a mail."""
    return all(caller.may_read(document.principals) for document in collection.documents.list(folder=f"{uri}!"))


def filename_of(source: Source, media_type: str) -> str:
    """The name to save the document's file under, with the suffix of its format where it has none."""
    if not source.is_member:
        return source.name
    name = PurePosixPath(unquote(source.uri.rpartition("!/")[2])).name or "file"
    return name if PurePosixPath(name).suffix else f"{name}{suffix_of(media_type)}"
