"""The collections below one folder: list, open, drop and import them by name."""

import errno
import re
import shutil
import sqlite3
import threading
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from index.collection import Collection
from index.embedding.encoder import Encoder
from index.engines.embedded import EmbeddedIndexes
from index.engines.search_index import SearchIndexes
from index.errors import CollectionDropped, CollectionExists, CollectionMissing, CollectionNameInvalid, LedgerLost
from index.ledger.ledger import Ledger
from index.ledger.note import caches_in, is_expected
from index.maintenance.export import read_manifest, unpack_export
from index.storage.atomic import report_full_disk, report_read_only, seconds_unchanged, sync_to_disk
from index.storage.lock import writer_lock

_MAX_NAME = 63
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{_MAX_NAME - 1}}}")
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
            f"{name!r} cannot name a collection. Use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit, "
            f"for example {_legal_name(name)}"
        )


def _legal_name(name: str) -> str:
    """A name for a collection that is as close to `name` as is allowed: "Über uns" becomes "uber-uns"."""
    plain = unicodedata.normalize("NFKD", name[: 4 * _MAX_NAME].casefold()).encode("ascii", "ignore").decode()
    legal = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:_MAX_NAME].rstrip("-_")
    return legal or "documents"


class Library:
    """The collections in `home`/collections, all with vectors from `encoder`. Thread-safe; one `Collection` object per name.

    `indexes` says where what searches them is kept: in their folders, if it is left out.
    """

    def __init__(self, home: Path, encoder: Encoder, indexes: SearchIndexes | None = None) -> None:
        self._indexes: SearchIndexes = EmbeddedIndexes() if indexes is None else indexes
        self._folder = home / "collections"
        self.encoder = encoder
        self._guard = threading.Lock()  # of the two dictionaries; nothing is opened, closed or awaited meanwhile
        self._open: dict[str, Collection] = {}
        self._turns: dict[str, threading.Lock] = {}  # of the collections: one thread at a time opens a collection

    def names(self) -> list[str]:
        """Return the names of the collections that exist, also of those whose ledger is lost, sorted."""
        return sorted(
            folder.name for folder in self._folder.glob("*") if is_name(folder.name) and self._exists(folder.name)
        )

    def open(self, name: str) -> Collection:
        """Return the collection of that name. `CollectionMissing` names those that exist."""
        return self._open_collection(name, create=False)

    def open_or_create(self, name: str) -> Collection:
        """Return the collection of that name, created if there is none. `CollectionNameInvalid` says what a name may be."""
        return self._open_collection(name, create=True)

    def drop(self, name: str, alongside: AbstractContextManager[str] | None = None) -> None:
        """Delete the collection with all its documents and versions. `CollectionBusy` if another process writes to it.

        All or nothing: the collection is locked first, then `alongside` is entered, then one rename takes the collection away;
        if any of them fails, nothing has changed. What `alongside` does must be undone if its block raises, and is kept
        otherwise. It yields a mark of digits: if this process ends before `alongside` has, `finish_drops` passes the mark on.
        """
        self.require(name)
        with self._locked(name), alongside or nullcontext("") as mark:
            self._indexes.drop(name)  # first, since it may refuse; made again from the ledger if a later step does
            with self._guard:
                dropped = self._open.get(name)
            remains = self._folder / f"{_DROPPED}{mark}-{uuid.uuid4().hex}-{name}"
            with report_read_only(self._folder):
                (self._folder / name).rename(remains)
            sync_to_disk(self._folder)
        if dropped is not None:
            with self._guard:
                if self._open.get(name) is dropped:  # else a new one of that name is open by now
                    del self._open[name]
            dropped.close()
        shutil.rmtree(remains, ignore_errors=True)  # `finish_drops` tries again
        self._indexes.drop(name)  # a search may have made it again meanwhile

    def finish_drops(self, complete: Callable[[str, str], object]) -> None:
        """Finish the drops of processes that were killed meanwhile: delete what they left, and free its space on the disk.

        `complete(name, mark)` does again what was done alongside the drop, for which doing it twice must change nothing.
        """
        for remains in self._folder.glob(f"{_DROPPED}*"):
            for path in remains.glob("*"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            mark, _, rest = remains.name.removeprefix(_DROPPED).partition("-")
            name = rest.partition("-")[2]
            if mark and name:
                complete(name, mark)
            shutil.rmtree(remains, ignore_errors=True)

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
        with report_full_disk(staged), report_read_only(self._folder):
            staged.mkdir(parents=True)
        try:
            unpack_export(source, staged / _LEDGER)
            Ledger(staged / _LEDGER, encoder=self.encoder.fingerprint, dimension=self.encoder.dimension).close()
            self._require_free(chosen)
            try:
                staged.rename(self._folder / chosen)
            except OSError as error:
                if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # somebody was quicker
                    self._require_free(chosen)
                raise
            sync_to_disk(self._folder)
        finally:
            shutil.rmtree(staged.parent)
        return chosen

    def search_lag(self) -> int:
        """Return `Collection.search_lag` of the open collection where it is greatest; 0 if none is open."""
        with self._guard:
            collections = list(self._open.values())
        return max((collection.search_lag() for collection in collections if collection.is_on_disk()), default=0)

    def close(self) -> None:
        """Close every open collection."""
        with self._guard:
            collections = list(self._open.values())
            self._open.clear()
        for collection in collections:
            collection.close()

    def _open_collection(self, name: str, *, create: bool) -> Collection:
        require_name(name)
        if not create:
            self.require(name)
        with self._guard:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            with self._guard:
                before = self._open.get(name)
            if before is not None and before.is_on_disk():
                return before
            collection = self._make_collection(name, create=create)
            with self._guard:
                self._open[name] = collection
        if before is not None:
            before.close()  # another process dropped it
        return collection

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the writer lock of the collection. `CollectionMissing` if another process drops it meanwhile."""
        lock = writer_lock(self._folder / name)
        try:
            with lock.hold(_WAIT_SECONDS):
                if not lock.is_on_disk():
                    raise CollectionMissing(
                        f"no collection {name!r}: another program has just dropped it. List them again"
                    )
                yield
        except FileNotFoundError:
            self.require(name)
            raise

    def _make_collection(self, name: str, *, create: bool) -> Collection:
        """Open the collection. If another process drops it now, `CollectionMissing` is raised and no empty one is created."""
        try:
            return Collection(self._folder / name, self.encoder, create=create, make_index=self._indexes.open)
        except (OSError, sqlite3.OperationalError, CollectionDropped, LedgerLost):
            if not create:
                self.require(name)
            raise

    def _delete_old_imports(self) -> None:
        """Delete what killed imports left behind; an import younger than a day may still be running."""
        for folder in self._folder.glob(f"{_IMPORTING}*"):
            if seconds_unchanged(folder) > _IMPORT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def require(self, name: str) -> None:
        """Raise `CollectionMissing`, naming those that exist, unless there is a collection of that name. Opens none."""
        require_name(name)
        if not self._exists(name):
            names = ", ".join(self.names()) or "none yet"
            raise CollectionMissing(f"no collection {name!r}. There are: {names}. Index documents into it to make it")

    def _exists(self, name: str) -> bool:
        """Whether there is such a collection. One whose ledger is lost exists: `open` says so, and `drop` gives it up."""
        folder = self._folder / name
        return (folder / _LEDGER).exists() or is_expected(folder / _LEDGER, caches_in(folder))

    def _require_free(self, name: str) -> None:
        if (self._folder / name).exists():
            raise CollectionExists(f"there is a collection {name!r} already. Choose another name, or drop it first")
