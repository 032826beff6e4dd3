"""The collections: list, open, drop and import them by name."""

import logging
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from index.collection import Collection
from index.embedding.encoder import Encoder
from index.engines.embedded import EmbeddedIndexes
from index.engines.search_index import SearchIndexes
from index.errors import CollectionDropped, CollectionMissing, CollectionNameInvalid, IndexingError, LedgerLost
from index.ledger.protocol import Ledgers
from index.ledger.sqlite.ledgers import SqliteLedgers
from index.maintenance.export import read_manifest, unpack_export
from index.maintenance.lag import Lag

_log = logging.getLogger(__name__)
_MAX_NAME = 63
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{_MAX_NAME - 1}}}")


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
    """The collections with these ledgers, by default in `home`/collections, all with vectors from `encoder`.

    Thread-safe; one `Collection` object per name. `indexes` says where what searches them is kept: in their folders, if it is
    left out.
    """

    def __init__(
        self,
        home: Path,
        encoder: Encoder,
        indexes: SearchIndexes | None = None,
        ledgers: Ledgers | None = None,
    ) -> None:
        self._indexes: SearchIndexes = EmbeddedIndexes() if indexes is None else indexes
        self._ledgers: Ledgers = SqliteLedgers(home / "collections") if ledgers is None else ledgers
        self.encoder = encoder
        self._guard = threading.Lock()  # of the two dictionaries; nothing is opened, closed or awaited meanwhile
        self._open: dict[str, Collection] = {}
        self._turns: dict[str, threading.Lock] = {}  # of the collections: one thread at a time opens a collection

    def names(self) -> list[str]:
        """Return the names of the collections that exist, also of those whose ledger is lost, sorted."""
        return [name for name in self._ledgers.names() if is_name(name)]

    def open(self, name: str) -> Collection:
        """Return the collection of that name. `CollectionMissing` names those that exist."""
        return self._open_collection(name, create=False)

    def open_or_create(self, name: str) -> Collection:
        """Return the collection of that name, created if there is none. `CollectionNameInvalid` says what a name may be."""
        return self._open_collection(name, create=True)

    def drop(self, name: str, alongside: AbstractContextManager[str] | None = None) -> None:
        """Delete the collection with all its documents and versions. `CollectionBusy` if another process writes to it.

        All or nothing: the collection is locked first, then `alongside` is entered, then one step takes the collection away; if
        any of them fails, nothing has changed. What `alongside` does must be undone if its block raises, and is kept
        otherwise. It yields a mark of digits: if this process ends before `alongside` has, `finish_drops` passes the mark on.
        """
        self.require(name)
        with self._guard:
            opened = self._open.get(name)
        try:
            with self._ledgers.dropping(name, self._dropping_index(name, alongside or nullcontext(""))):
                if opened is not None:
                    with self._guard:
                        if self._open.get(name) is opened:  # else a new one of that name is open by now
                            del self._open[name]
                    opened.close()
        except CollectionDropped:
            self.require(name)
            raise
        self._indexes.drop(name)  # a search may have made it again meanwhile

    @contextmanager
    def _dropping_index(self, name: str, alongside: AbstractContextManager[str]) -> Iterator[str]:
        """`alongside`, and what searches the collection dropped in it."""
        with alongside as mark:
            self._indexes.drop(name)  # first, since it may refuse; made again from the ledger if a later step does
            yield mark

    def finish_drops(self, complete: Callable[[str, str], object]) -> None:
        """Finish the drops of processes that were killed meanwhile: delete what they left, and free its space on the disk.

        `complete(name, mark)` does again what was done alongside the drop, for which doing it twice must change nothing.
        """
        self._ledgers.finish_drops(complete)

    def import_from(self, source: Path, name: str | None = None) -> str:
        """Create a collection from the export at `source`, named `name` or as the export is. Returns the name.

        The collection appears whole or not at all. `CollectionExists` if the name is taken, `ExportUnreadable` if the export
        is damaged, `EncoderMismatch` if another encoder made its vectors.
        """
        chosen = read_manifest(source).name if name is None else name
        require_name(chosen)
        self._ledgers.adopt(
            chosen,
            lambda ledger: unpack_export(source, ledger),
            encoder=self.encoder.fingerprint,
            dimension=self.encoder.dimension,
        )
        return chosen

    def move(
        self,
        name: str,
        target: "Library",
        bring: Callable[[Collection, Collection], object],
        alongside: AbstractContextManager[str] | None = None,
    ) -> bool:
        """Move the collection to `target`. Returns False if it is there already and not here.

        Here it is searched until it is there, and takes no changes meanwhile. `bring(here, there)` then brings what else
        belongs to it, for which doing it twice must change nothing, and it is dropped here, with `alongside` as in `drop`. If
        this process is killed, the same call goes on where it ended. Raises as `Collection.copy_to` and `drop` do.
        """
        if name not in self.names() and name in target.names():
            return False
        here = self.open(name)
        here.copy_to(target._ledgers)
        bring(here, target.open(name))
        self.drop(name, alongside)
        return True

    @property
    def place(self) -> str:
        """Where the collections are, for messages: a folder, or the URL of a database without its password."""
        return self._ledgers.place

    def search_lags(self) -> dict[str, Lag]:
        """Return `Collection.search_lag` of the open collections, by name."""
        with self._guard:
            collections = dict(self._open)
        return {name: collection.search_lag() for name, collection in collections.items() if collection.exists()}

    @property
    def is_searched_on_shared_storage(self) -> bool:
        """Whether one process can bring up to date what others search. Otherwise each does so where it searches."""
        return self._indexes.is_shared

    def project(self) -> None:
        """Do `Collection.project` for each collection, where that is of use to other processes. What fails is logged."""
        if not self.is_searched_on_shared_storage:
            return
        try:
            for name in self.names():
                self._project(name)
        except IndexingError as error:
            _log.warning("the collections cannot be listed: %s", error)

    def _project(self, name: str) -> None:
        try:
            self.open(name).project()
        except IndexingError as error:
            _log.warning("%s is not brought up to date for searches: %s", name, error)

    def close(self) -> None:
        """Close every open collection."""
        with self._guard:
            collections = list(self._open.values())
            self._open.clear()
        for collection in collections:
            collection.close()
        self._ledgers.close()

    def _open_collection(self, name: str, *, create: bool) -> Collection:
        require_name(name)
        if not create:
            self.require(name)
        with self._guard:
            turn = self._turns.setdefault(name, threading.Lock())
        with turn:
            with self._guard:
                before = self._open.get(name)
            if before is not None and before.exists():
                return before
            collection = self._make_collection(name, create=create)
            with self._guard:
                self._open[name] = collection
        if before is not None:
            before.close()  # another process dropped it
        return collection

    def _make_collection(self, name: str, *, create: bool) -> Collection:
        """Open the collection. If another process drops it now, `CollectionMissing` is raised and no empty one is created."""
        try:
            ledger = self._ledgers.open(
                name, encoder=self.encoder.fingerprint, dimension=self.encoder.dimension, create=create
            )
            return Collection(ledger, self.encoder, make_index=self._indexes.open)
        except (OSError, sqlite3.OperationalError, CollectionDropped, LedgerLost):
            if not create:
                self.require(name)
            raise

    def require(self, name: str) -> None:
        """Raise `CollectionMissing`, naming those that exist, unless there is a collection of that name. Opens none."""
        require_name(name)
        if not self._ledgers.exists(name):
            names = ", ".join(self.names()) or "none yet"
            raise CollectionMissing(f"no collection {name!r}. There are: {names}. Index documents into it to make it")
