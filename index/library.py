"""All collections under one folder, by name."""

import re
import shutil
import threading
import uuid
from pathlib import Path

from index.collection import Collection
from index.encoder import Encoder
from index.errors import CollectionMissing, CollectionNameInvalid

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LEDGER = "ledger.sqlite"
_GRAVE = ".dropped-"


class Library:
    """The collections in `home`/collections, all with vectors from `encoder`. Thread-safe; one `Collection` object a name."""

    def __init__(self, home: Path, encoder: Encoder) -> None:
        self._folder = home / "collections"
        self._encoder = encoder
        self._guard = threading.Lock()
        self._open: dict[str, Collection] = {}

    def names(self) -> list[str]:
        """Names of the collections that exist, in order."""
        return sorted(
            path.parent.name for path in self._folder.glob(f"*/{_LEDGER}") if _NAME.fullmatch(path.parent.name)
        )

    def open(self, name: str) -> Collection:
        """The collection of that name. `CollectionMissing` names those that exist."""
        return self._opened(name, create=False)

    def open_or_create(self, name: str) -> Collection:
        """The collection of that name, made empty if there is none. `CollectionNameInvalid` says what a name may be."""
        return self._opened(name, create=True)

    def drop(self, name: str) -> None:
        """Delete the collection with all its documents and versions. `CollectionBusy` if another process writes to it."""
        collection = self.open(name)
        with self._guard, collection.writing():
            (self._folder / name).rename(self._folder / f"{_GRAVE}{uuid.uuid4().hex}")
            self._open.pop(name, None)
        collection.close()
        for grave in self._folder.glob(f"{_GRAVE}*"):  # also of a drop that was killed
            shutil.rmtree(grave, ignore_errors=True)

    def close(self) -> None:
        """Close every collection that was opened."""
        with self._guard:
            for collection in self._open.values():
                collection.close()
            self._open.clear()

    def _opened(self, name: str, *, create: bool) -> Collection:
        if not _NAME.fullmatch(name):
            raise CollectionNameInvalid(
                f"{name!r} cannot name a collection. Use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit"
            )
        with self._guard:
            if not create and not (self._folder / name / _LEDGER).exists():
                there = ", ".join(self.names()) or "none yet"
                raise CollectionMissing(
                    f"no collection {name!r}. There are: {there}. Index documents into it to make it"
                )
            if name in self._open and not self._open[name].is_on_disk():
                self._open.pop(name).close()  # another process dropped it, and perhaps made a new one
            if name not in self._open:
                self._open[name] = Collection(self._folder / name, self._encoder)
            return self._open[name]
