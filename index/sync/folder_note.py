"""The note on indexed folders, `folders.json` with the collection: their disks, what was kept of them, pictures without words.

Without the note, or with one that cannot be read, another disk goes unnoticed once, and pictures are looked at again; all
other rules of `index.sync.retention` hold.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from index.collection import Collection
from index.records import FileStamp
from index.sync.listing import File, Listing, Rejection, disk_of
from index.sync.retention import Kept, Place, Reason, is_below
from index.uris import file_path

_FILE = "folders.json"


@dataclass(frozen=True, slots=True)
class FolderNote:
    """`disks` are the identities of file systems by the URIs of folders; `kept` the URIs of documents that were kept.

    `wordless` are the pictures in which no words were recognised, by their URIs, as they were then.
    """

    disks: dict[str, int]
    kept: frozenset[str]
    wordless: Mapping[str, FileStamp] = field(default_factory=dict)

    def worth_reading(self, files: Iterable[File]) -> tuple[list[File], list[Rejection]]:
        """Return the files without the pictures that held no words and have not changed since, and these apart."""
        read: list[File] = []
        skipped: list[Rejection] = []
        for file in files:
            if self.wordless.get(file.uri) == file.source:
                skipped.append(
                    Rejection(file.uri, "no text is recognised in the picture", "Leave it, or take a sharper picture")
                )
            else:
                read.append(file)
        return read, skipped

    def places(self, listing: Listing) -> list[Place]:
        """Return the places of a listing whose documents may be kept: its roots, and the disks known inside them."""
        there = [*(file.uri for file in listing.files), *listing.unsettled]
        places: list[Place] = []
        for uri in dict.fromkeys((*listing.roots, *(uri for uri in self.disks if _is_below_roots(uri, listing)))):
            place = Place(
                uri,
                files=sum(is_below(file, uri) for file in there),
                is_missing=uri in listing.missing,
                is_other_disk=uri in self.disks and _disk_now(uri, listing) not in (None, self.disks[uri]),
                inside=uri not in listing.roots,
            )
            places.append(place)
        return places

    def after(self, listing: Listing, kept: Sequence[Kept], wordless: Iterable[File]) -> "FolderNote":
        """Return the note after a sync of the listing that kept this; the disks of what was kept stay as they were.

        In the pictures `wordless`, no words were recognised.
        """
        disks = dict(listing.disks)
        for uri, identity in self.disks.items():
            is_kept = any(is_below(uri, place.uri) or is_below(place.uri, uri) for place in kept)
            if is_kept or not _is_below_roots(uri, listing):
                disks[uri] = identity
        others = {uri for uri in self.kept if not _is_below_roots(uri, listing)}
        there = (place.documents for place in kept if place.reason is not Reason.MISSING)
        listed = {file.uri: file.source for file in listing.files}
        pictures = {
            uri: stamp
            for uri, stamp in self.wordless.items()
            if listed.get(uri) == stamp or not _is_below_roots(uri, listing)
        }
        pictures.update((file.uri, file.source) for file in wordless)
        return FolderNote(disks, frozenset(others.union(*there)), pictures)


def read_note(collection: Collection) -> FolderNote:
    """Return the note of the collection; an empty one if there is none yet, or none that can be read."""
    try:
        noted = collection.note(_FILE)
        if noted is None:
            return FolderNote({}, frozenset())
        found = json.loads(noted)
        disks = {str(uri): int(disk) for uri, disk in found["disks"].items()}
        pictures = {str(uri): FileStamp(*map(int, stamp)) for uri, stamp in found.get("wordless", {}).items()}
        return FolderNote(disks, frozenset(found["kept"]), pictures)
    except (ValueError, KeyError, TypeError, AttributeError):
        return FolderNote({}, frozenset())


def write_note(collection: Collection, note: FolderNote) -> None:
    """Replace the note of the collection, if it differs."""
    if note == read_note(collection):
        return
    wordless = {uri: (stamp.size, stamp.modified_ns) for uri, stamp in note.wordless.items()}
    facts = {"disks": note.disks, "kept": sorted(note.kept), "wordless": wordless}
    with collection.writing():
        collection.record_note(_FILE, json.dumps(facts, indent=0, sort_keys=True))


def _disk_now(uri: str, listing: Listing) -> int | None:
    """The identity of the file system on which a folder is now."""
    return dict(listing.disks).get(uri) or disk_of(file_path(uri))


def _is_below_roots(uri: str, listing: Listing) -> bool:
    return any(is_below(uri, root) for root in listing.roots)
