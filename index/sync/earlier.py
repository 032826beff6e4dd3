"""Documents that an earlier version of Quoth read, without their structure, and where each can be read again from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from index.records import DocumentSummary
from index.storage.buckets import SCHEMES
from index.uris import file_path, file_uri


@dataclass(frozen=True, slots=True)
class EarlierReadings:
    """How many documents an earlier version of Quoth read: from `files` and web `pages` that a sync reads again, from stored
    `uploads`, and from sources that are gone (`lost`), so that nothing can read them again.
    """

    files: int = 0
    pages: int = 0
    uploads: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        """How many there are in all."""
        return self.files + self.pages + self.uploads + self.lost


def count_earlier(documents: Iterable[DocumentSummary], is_stored: Callable[[str], bool]) -> EarlierReadings:
    """Count those of the documents that an earlier version of Quoth read. `is_stored` says of a URI whether it is an upload
    whose file is there.
    """
    counts = {"files": 0, "pages": 0, "uploads": 0, "lost": 0}
    for document in documents:
        if not document.has_structure:
            counts[_source_of(file_uri(document.uri), is_stored)] += 1
    return EarlierReadings(**counts)


def _source_of(uri: str, is_stored: Callable[[str], bool]) -> str:
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return "files" if file_path(uri).is_file() else "lost"
    if scheme in SCHEMES:
        return "files"
    if scheme in ("http", "https"):
        return "pages"
    return "uploads" if is_stored(uri) else "lost"
