"""The ledgers of all collections, each an SQLite file in a folder of its own below one folder."""

import errno
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from index.errors import CollectionDropped, CollectionExists
from index.ledger.sqlite.ledger import SqliteLedger
from index.ledger.sqlite.note import caches_in, is_expected
from index.ledger.sqlite.schema import begin_copy
from index.storage.atomic import report_full_disk, report_read_only, seconds_unchanged, sync_to_disk
from index.storage.lock import writer_lock

_LEDGER = "ledger.sqlite"
_DROPPED = ".dropped-"
_IMPORTING = ".importing-"
_IMPORT_SECONDS = 24 * 3600.0
_WAIT_SECONDS = 10.0


def open_ledger(folder: Path, *, encoder: str, dimension: int, create: bool = True) -> SqliteLedger:
    """Open the ledger in a collection's folder; with `create` the folder is made if there is none."""
    if create:
        with report_full_disk(folder), report_read_only(folder.parent):
            folder.mkdir(parents=True, exist_ok=True)
    return SqliteLedger(folder / _LEDGER, encoder=encoder, dimension=dimension, caches=caches_in(folder))


class SqliteLedgers:
    """The ledgers below `folder`, as `index.ledger.protocol.Ledgers` says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder that this one is in, the home folder, for messages."""
        return str(self._folder.resolve().parent)

    def close(self) -> None:
        """Do nothing: each ledger has connections of its own."""

    def names(self) -> list[str]:
        """Return the names of the collections that exist, also of those whose ledger is lost, sorted."""
        return sorted(
            folder.name
            for folder in self._folder.glob("*")
            if not folder.name.startswith(".") and self.exists(folder.name)
        )

    def exists(self, name: str) -> bool:
        """Whether there is such a collection. One whose ledger is lost exists: `open` says so, and `dropping` gives it up."""
        folder = self._folder / name
        return (folder / _LEDGER).exists() or is_expected(folder / _LEDGER, caches_in(folder))

    def open(self, name: str, *, encoder: str, dimension: int, create: bool) -> SqliteLedger:
        """Open the ledger of a collection; with `create` it is made if there is none."""
        return open_ledger(self._folder / name, encoder=encoder, dimension=dimension, create=create)

    @contextmanager
    def dropping(self, name: str, alongside: AbstractContextManager[str]) -> Iterator[None]:
        """Take the collection away, by one rename, then run the `with` block, and then delete what is left of it."""
        with self._locked(name), alongside as mark:
            remains = self._folder / f"{_DROPPED}{mark}-{uuid.uuid4().hex}-{name}"
            with report_read_only(self._folder):
                (self._folder / name).rename(remains)
            sync_to_disk(self._folder)
        yield
        shutil.rmtree(remains, ignore_errors=True)  # `finish_drops` tries again

    def finish_drops(self, complete: Callable[[str, str], object]) -> None:
        """Delete what drops of killed processes left, after `complete(name, mark)` with the mark that `alongside` yielded."""
        for remains in self._folder.glob(f"{_DROPPED}*"):
            for path in remains.glob("*"):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            mark, _, rest = remains.name.removeprefix(_DROPPED).partition("-")
            name = rest.partition("-")[2]
            if mark and name:
                complete(name, mark)
            shutil.rmtree(remains, ignore_errors=True)

    def adopt(
        self,
        name: str,
        write: Callable[[Path], object],
        *,
        encoder: str,
        dimension: int,
        identity: int | None = None,
    ) -> None:
        """Make a collection of the ledger that `write` writes to a path: whole or not at all."""
        self._require_free(name)
        self._delete_old_imports()
        staged = self._folder / f"{_IMPORTING}{uuid.uuid4().hex if identity is None else f'{identity:x}'}" / name
        shutil.rmtree(staged.parent, ignore_errors=True)  # of a move that was killed, with that identity
        with report_full_disk(staged), report_read_only(self._folder):
            staged.mkdir(parents=True)
        try:
            write(staged / _LEDGER)
            begin_copy(staged / _LEDGER, identity)
            SqliteLedger(staged / _LEDGER, encoder=encoder, dimension=dimension).close()
            try:
                self._require_free(name)
                staged.rename(self._folder / name)
            except OSError as error:
                if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # somebody was quicker
                    self._require_free(name)
                raise
            sync_to_disk(self._folder)
        finally:
            shutil.rmtree(staged.parent)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the writer lock of the collection. `CollectionDropped` if another process drops it meanwhile."""
        lock = writer_lock(self._folder / name)
        try:
            with lock.hold(_WAIT_SECONDS):
                if not lock.is_on_disk():
                    raise _dropped(name)
                yield
        except FileNotFoundError as error:
            if self.exists(name):
                raise
            raise _dropped(name) from error

    def _delete_old_imports(self) -> None:
        """Delete what killed imports left behind; an import younger than a day may still be running."""
        for folder in self._folder.glob(f"{_IMPORTING}*"):
            if seconds_unchanged(folder) > _IMPORT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _require_free(self, name: str) -> None:
        if (self._folder / name).exists():
            raise CollectionExists(f"there is a collection {name!r} already. Choose another name, or drop it first")


def _dropped(name: str) -> CollectionDropped:
    return CollectionDropped(f"{name}: another program has just dropped the collection. List them again")
