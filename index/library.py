"""The collections below one folder: list, open, drop and import them by name."""

import re
import shutil
import sqlite3
import threading
import time
import uuid
from pathlib import Path

from index.collection import Collection
from index.embedding.encoder import Encoder
from index.errors import CollectionExists, CollectionMissing, CollectionNameInvalid
from index.ledger.ledger import Ledger
from index.maintenance.export import read_manifest, unpack_export
from index.storage.lock import writer_lock

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LEDGER = "ledger.sqlite"
_DROPPED = ".dropped-"
_IMPORTING = ".importing-"
_IMPORT_SECONDS = 24 * 3600.0
_WAIT_SECONDS = 10.0


def is_name(name: str) -> bool:
    """Whether a collection may have that name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Raise `CollectionNameInvalid`, with the rule for names, unless a collection may have that name."""
    if not is_name(name):
        raise CollectionNameInvalid(
            f"{name!r} cannot name a collection. Use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit"
        )


class Library:
    """The collections in `home`/collections, all with vectors from `encoder`. Thread-safe; one `Collection` object per name."""

    def __init__(self, home: Path, encoder: Encoder) -> None:
        self._folder = home / "collections"
        self.encoder = encoder
        self._guard = threading.Lock()
        self._open: dict[str, Collection] = {}

    def names(self) -> list[str]:
        """Return the names of the collections that exist, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"*/{_LEDGER}") if is_name(path.parent.name))

    def open(self, name: str) -> Collection:
        """Return the collection of that name. `CollectionMissing` names those that exist."""
        return self._open_collection(name, create=False)

    def open_or_create(self, name: str) -> Collection:
        """Return the collection of that name, created if there is none. `CollectionNameInvalid` says what a name may be."""
        return self._open_collection(name, create=True)

    def drop(self, name: str) -> None:
        """Delete the collection with all its documents and versions. `CollectionBusy` if another process writes to it."""
        self.require(name)
        with self._guard, writer_lock(self._folder / name).hold(_WAIT_SECONDS):
            (self._folder / name).rename(self._folder / f"{_DROPPED}{uuid.uuid4().hex}")
            if name in self._open:
                self._open.pop(name).close()
        for folder in self._folder.glob(f"{_DROPPED}*"):  # also those of a drop that was killed
            shutil.rmtree(folder, ignore_errors=True)

    def import_from(self, source: Path, name: str | None = None) -> str:
        """Create a collection from the export at `source`, named `name` or as the export is. Returns the name.

        The collection appears whole or not at all. `CollectionExists` if the name is taken, `ExportUnreadable` if the export
        is damaged, `EncoderMismatch` if another encoder made its vectors.
        """
        chosen = read_manifest(source).name if name is None else name
        require_name(chosen)
        self._require_free(chosen)
        self._delete_old_imports()
        staged = self._folder / f"{_IMPORTING}{uuid.uuid4().hex}" / chosen
        staged.mkdir(parents=True)
        try:
            unpack_export(source, staged / _LEDGER)
            Ledger(staged / _LEDGER, encoder=self.encoder.fingerprint, dimension=self.encoder.dimension).close()
            with self._guard:
                self._require_free(chosen)
                staged.rename(self._folder / chosen)
        finally:
            shutil.rmtree(staged.parent)
        return chosen

    def close(self) -> None:
        """Close every open collection."""
        with self._guard:
            for collection in self._open.values():
                collection.close()
            self._open.clear()

    def _open_collection(self, name: str, *, create: bool) -> Collection:
        require_name(name)
        with self._guard:
            if not create:
                self.require(name)
            if name in self._open and not self._open[name].is_on_disk():
                self._open.pop(name).close()  # another process dropped it and may have created a new one
            if name not in self._open:
                self._open[name] = self._make_collection(name, create=create)
            return self._open[name]

    def _make_collection(self, name: str, *, create: bool) -> Collection:
        """Open the collection. If another process drops it now, `CollectionMissing` is raised and no empty one is created."""
        try:
            return Collection(self._folder / name, self.encoder, create=create)
        except (OSError, sqlite3.OperationalError):
            if not create:
                self.require(name)
            raise

    def _delete_old_imports(self) -> None:
        """Delete what killed imports left behind; an import younger than a day may still be running."""
        for folder in self._folder.glob(f"{_IMPORTING}*"):
            if time.time() - folder.stat().st_mtime > _IMPORT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def require(self, name: str) -> None:
        """Raise `CollectionMissing`, naming those that exist, unless there is a collection of that name. Opens none."""
        require_name(name)
        if not (self._folder / name / _LEDGER).exists():
            names = ", ".join(self.names()) or "none yet"
            raise CollectionMissing(f"no collection {name!r}. There are: {names}. Index documents into it to make it")

    def _require_free(self, name: str) -> None:
        if (self._folder / name).exists():
            raise CollectionExists(f"there is a collection {name!r} already. Choose another name, or drop it first")
