"""Encode the texts that wait for a vector and that no job brings along: those of a `quoth index` that ended before its time."""

import time

import structlog

from index.errors import CollectionBusy, IndexingError
from index.library import Library

_AT_ONCE = 64  # a few seconds of work, for which a job that comes meanwhile waits
_LOOK_SECONDS = 2.0
log = structlog.get_logger(__name__)


class PendingTexts:
    """The texts of all collections of a library that wait for a vector."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._look_at = 0.0

    def encode_some(self) -> bool:
        """Encode the texts of one batch that no other process has. Returns whether there were any: there may be more.

        A collection that cannot be read or written is left for the next time.
        """
        if time.monotonic() < self._look_at:
            return False
        for name in self._library.names():
            try:
                collection = self._library.open(name)
                if collection.documents.pending_vectors() and collection.embed_pending(limit=_AT_ONCE, wait=0.0):
                    return True
            except CollectionBusy:
                continue  # others encode what waits
            except IndexingError as error:
                log.warning("texts not encoded", collection=name, detail=str(error))
        self._look_at = time.monotonic() + _LOOK_SECONDS
        return False
