"""All collections under one folder, by name."""

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
from index.maintenance.export import manifest_of, unpack
from index.storage.lock import writer_lock

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def is_name(name: str) -> bool:
    """Whether a collection may have that name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Raise `CollectionNameInvalid`, which says what a name may be, unless `name` is one."""
    if not is_name(name):
        raise CollectionNameInvalid(
            f"{name!r} cannot name a collection. Use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit"
        )


_LEDGER = "ledger.sqlite"
_GRAVE = ".dropped-"
_STAGE = ".importing-"
_STAGE_SECONDS = 24 * 3600.0
_WAIT_SECONDS = 10.0


class Library:
    """The collections in `home`/collections, all with vectors from `encoder`. Thread-safe; one `Collection` object a name."""

    def __init__(self, home: Path, encoder: Encoder) -> None:
        self._folder = home / "collections"
        self._encoder = encoder
        self._guard = threading.Lock()
        self._open: dict[str, Collection] = {}

    def names(self) -> list[str]:
        """Names of the collections that exist, in order."""
        return sorted(path.parent.name for path in self._folder.glob(f"*/{_LEDGER}") if is_name(path.parent.name))

    def open(self, name: str) -> Collection:
        """The collection of that name. `CollectionMissing` names those that exist."""
        return self._opened(name, create=False)

    def open_or_create(self, name: str) -> Collection:
        """The collection of that name, made empty if there is none. `CollectionNameInvalid` says what a name may be."""
        return self._opened(name, create=True)

    def drop(self, name: str) -> None:
        """Delete the collection with all its documents and versions. `CollectionBusy` if another process writes to it."""
        self.require(name)
        with self._guard, writer_lock(self._folder / name).held(_WAIT_SECONDS):
            (self._folder / name).rename(self._folder / f"{_GRAVE}{uuid.uuid4().hex}")
            if name in self._open:
                self._open.pop(name).close()
        for grave in self._folder.glob(f"{_GRAVE}*"):  # also of a drop that was killed
            shutil.rmtree(grave, ignore_errors=True)

    def import_from(self, source: Path, name: str | None = None) -> str:
        """Make a collection of the export at `source`, under its own name or `name`; answers the name.

        It is there whole or not at all. `CollectionExists` if the name is taken, `ExportUnreadable` if the export is damaged,
        `EncoderMismatch` if its vectors come from another encoder.
        """
        wanted = manifest_of(source).name if name is None else name
        require_name(wanted)
        self._require_free(wanted)
        self._clear_stages()
        staged = self._folder / f"{_STAGE}{uuid.uuid4().hex}" / wanted
        staged.mkdir(parents=True)
        try:
            unpack(source, staged / _LEDGER)
            Ledger(staged / _LEDGER, encoder=self._encoder.fingerprint, dimension=self._encoder.dimension).close()
            with self._guard:
                self._require_free(wanted)
                staged.rename(self._folder / wanted)
        finally:
            shutil.rmtree(staged.parent)
        return wanted

    def close(self) -> None:
        """Close every collection that was opened."""
        with self._guard:
            for collection in self._open.values():
                collection.close()
            self._open.clear()

    def _opened(self, name: str, *, create: bool) -> Collection:
        require_name(name)
        with self._guard:
            if not create:
                self.require(name)
            if name in self._open and not self._open[name].is_on_disk():
                self._open.pop(name).close()  # another process dropped it, and perhaps made a new one
            if name not in self._open:
                self._open[name] = self._made(name, create=create)
            return self._open[name]

    def _made(self, name: str, *, create: bool) -> Collection:
        """The collection, opened; one that another process drops meanwhile is missing, and does not come back empty."""
        try:
            return Collection(self._folder / name, self._encoder, create=create)
        except (OSError, sqlite3.OperationalError):
            if not create:
                self.require(name)
            raise

    def _clear_stages(self) -> None:
        """Delete what imports that were killed left behind; a younger one may still be under way."""
        for stage in self._folder.glob(f"{_STAGE}*"):
            if time.time() - stage.stat().st_mtime > _STAGE_SECONDS:
                shutil.rmtree(stage, ignore_errors=True)

    def require(self, name: str) -> None:
        """`CollectionMissing`, naming those that exist, unless there is a collection of that name. Opens none."""
        require_name(name)
        if not (self._folder / name / _LEDGER).exists():
            there = ", ".join(self.names()) or "none yet"
            raise CollectionMissing(f"no collection {name!r}. There are: {there}. Index documents into it to make it")

    def _require_free(self, name: str) -> None:
        if (self._folder / name).exists():
            raise CollectionExists(f"there is a collection {name!r} already. Choose another name, or drop it first")
