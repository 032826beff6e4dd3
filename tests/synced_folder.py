"""A folder of three documents, and what a sync of it reports and stores."""

import os
from pathlib import Path

from index.collection import Collection
from index.sync.sync import SyncReport


def write_folder(tmp_path: Path) -> Path:
    """A folder of three documents, one of them in a subfolder."""
    folder = tmp_path / "corpus"
    (folder / "sub").mkdir(parents=True)
    (folder / "apple.txt").write_text("Apples grow on trees.")
    (folder / "sub" / "bear.md").write_text("# Bears\n\nBears eat honey.\n")
    (folder / "sub" / "cat.html").write_text("<h1>Cats</h1><p>Cats drink milk.</p>")
    return folder


GROUPS = ("added", "changed", "renamed", "removed", "unchanged")


def names(report: SyncReport) -> dict[str, list[str]]:
    """The non-empty groups of a report, as file names."""
    groups = {group: sorted(uri.rsplit("/", 1)[1] for uri in getattr(report, group)) for group in GROUPS}
    return {group: found for group, found in groups.items() if found}


def texts(collection: Collection) -> dict[str, str]:
    return {
        found.uri.rsplit("/", 1)[1]: collection.documents.get(found.id).text for found in collection.documents.list()
    }


def touch(path: Path, seconds: int = 10) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + seconds * 10**9))
