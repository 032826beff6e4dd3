"""The note on indexed folders, `folders.json` beside the ledger: the disks that they lie on, and what was kept of them.

Without the note, or with one that cannot be read, another disk goes unnoticed once; all other rules of `index.sync.retention`
hold.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from index.collection import Collection
from index.storage.atomic import replace_file
from index.sync.listing import Listing, disk_of
from index.sync.retention import Kept, Place, Reason, is_below
from index.uris import file_path

_FILE = "folders.json"


@dataclass(frozen=True, slots=True)
class FolderNote:
    """`disks` are the identities of file systems by the URIs of folders; `kept` the URIs of documents that were kept."""

    disks: dict[str, int]
    kept: frozenset[str]

    def places(self, listing: Listing) -> list[Place]:
        """Return the places of a listing whose documents may be kept: its roots, and the disks known inside them."""
        now = dict(listing.disks)
        there = [*(file.uri for file in listing.files), *listing.unsettled]
        places: list[Place] = []
        for uri in dict.fromkeys((*listing.roots, *(uri for uri in self.disks if _is_below_roots(uri, listing)))):
            disk = now[uri] if uri in now else disk_of(file_path(uri))
            place = Place(
                uri,
                files=sum(is_below(file, uri) for file in there),
                is_missing=uri in listing.missing,
                is_other_disk=uri in self.disks and disk not in (None, self.disks[uri]),
                inside=uri not in listing.roots,
            )
            places.append(place)
        return places

    def after(self, listing: Listing, kept: Sequence[Kept]) -> "FolderNote":
        """Return the note after a sync of the listing that kept this; the disks of what was kept stay as they were."""
        disks = dict(listing.disks)
        for uri, identity in self.disks.items():
            is_kept = any(is_below(uri, place.uri) or is_below(place.uri, uri) for place in kept)
            if is_kept or not _is_below_roots(uri, listing):
                disks[uri] = identity
        others = {uri for uri in self.kept if not _is_below_roots(uri, listing)}
        there = (place.documents for place in kept if place.reason is not Reason.MISSING)
        return FolderNote(disks, frozenset(others.union(*there)))


def read_note(collection: Collection) -> FolderNote:
    """Return the note of the collection; an empty one if there is none yet, or none that can be read."""
    try:
        found = json.loads((collection.folder / _FILE).read_text())
        return FolderNote({str(uri): int(disk) for uri, disk in found["disks"].items()}, frozenset(found["kept"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return FolderNote({}, frozenset())


def write_note(collection: Collection, note: FolderNote) -> None:
    """Replace the note of the collection, if it differs."""
    if note == read_note(collection):
        return
    with collection.writing(), replace_file(collection.folder / _FILE) as path:
        path.write_text(json.dumps({"disks": note.disks, "kept": sorted(note.kept)}, indent=0, sort_keys=True))


def _is_below_roots(uri: str, listing: Listing) -> bool:
    return any(is_below(uri, root) for root in listing.roots)
