"""Decide which documents stay in search although their files are gone: those of a folder that is suddenly empty. Pure.

A disk that is not mounted looks like a folder whose files were all deleted. So the documents of a folder that was given are
kept, until the removal is confirmed,

1. if no document is left in the folder, or the folder itself is missing;
2. if more than half of its files are gone in one run, and there were at least ten;
3. if it, or a folder in it that was a disk of its own, now lies on another file system than at the last run, and more than half
   of its files are gone.

What is kept of a folder that is there stays until its files are back or the removal is confirmed. A folder that was missing is
judged anew once it is there.

A file that was found again under another name does not count as gone, nor does one whose content is elsewhere in the
collection: a folder that was renamed or moved loses nothing. Everything else that was deleted leaves the collection.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from index.records import DocumentSummary
from index.uris import file_uri

MIN_FILES = 10
"""A folder, or a sitemap, with fewer files than this may lose more than half of them in one run."""


class Reason(Enum):
    """Why documents are kept."""

    EMPTY = "it is empty"
    MISSING = "it is missing"
    MOST_GONE = "most of its files are gone at once"
    OTHER_DISK = "it lies on another disk than before"
    STILL_GONE = "files that were missed before are still gone"
    MOST_UNLISTED = "most of its pages are gone at once"


@dataclass(frozen=True, slots=True)
class Kept:
    """The documents kept of the folder or sitemap at `uri`, as URIs: `gone` of the `known` files from there are gone."""

    uri: str
    reason: Reason
    gone: int
    known: int
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder whose documents may be kept; `files` counts the documents that are there now, `is_other_disk` as rule 3 says.

    Of a folder `inside` another that was given, only rule 3 applies: a folder deleted on purpose goes.
    """

    uri: str
    files: int
    is_missing: bool = False
    is_other_disk: bool = False
    inside: bool = False


def kept_documents(
    known: Iterable[DocumentSummary],
    gone: Sequence[DocumentSummary],
    places: Iterable[Place],
    before: Container[str] = (),
) -> list[Kept]:
    """Return what is kept of `gone`, the documents among `known` whose files were not found. Each document is kept once.

    `before` are the URIs of documents that an earlier run kept.
    """
    if not gone:
        return []
    ids = {document.id for document in gone}
    known = list(known)
    copied = {document.version for document in known if document.id not in ids}
    kept: list[Kept] = []
    for place in places:
        lost = [document for document in gone if document.id in ids and is_below(document.uri, place.uri)]
        missed = {file_uri(document.uri) for document in lost if document.version not in copied}
        still = [document for document in lost if document.version not in copied and document.uri in before]
        files = {file_uri(document.uri) for document in known if is_below(document.uri, place.uri)}
        files -= {file_uri(document.uri) for document in lost} - missed
        again = {file_uri(document.uri) for document in still}
        newly = _reason(place, len(missed - again), len(files - again))
        stays = lost if newly else still
        if stays:
            count = len(missed if newly else again)
            reason = _reason(place, count, len(files)) or newly or Reason.STILL_GONE
            kept.append(Kept(place.uri, reason, count, len(files), tuple(document.uri for document in stays)))
            ids -= {document.id for document in stays}
    return kept


def is_below(uri: str, folder: str) -> bool:
    """Whether `uri` is that of the folder, or of something at any depth in it."""
    return uri == folder or uri.startswith(folder.rstrip("/") + "/")


def is_most(gone: int, known: int) -> bool:
    """Whether so many of the known files are gone that it looks like a failure: rule 2."""
    return known >= MIN_FILES and 2 * gone > known


def _reason(place: Place, gone: int, known: int) -> Reason | None:
    if gone and place.is_missing:
        return Reason.MISSING
    if 2 * gone <= known:
        return None
    if place.is_other_disk:
        return Reason.OTHER_DISK
    if place.inside:
        return None
    if not place.files:
        return Reason.EMPTY
    return Reason.MOST_GONE if is_most(gone, known) else None
