"""The Lance tables of a library's collections below one URL."""

from pathlib import Path

from index.engines.lance.index import LanceIndex
from index.engines.lance.table import drop_tables
from index.ledger.protocol import Ledger


class LanceIndexes:
    """The indexes of collections below `url`: a folder, or a place in an object store (`s3://bucket/prefix`).

    A table has the name of its collection and the identity of its ledger. An object store is reached as its own environment
    variables say (`AWS_...`). See `SearchIndexes` for its methods.
    """

    is_shared = True

    def __init__(self, url: str, *, patience: float = 2.0) -> None:
        self._url = url
        self._patience = patience

    def open(self, folder: Path, ledger: Ledger) -> LanceIndex:
        """See `SearchIndexes.open`."""
        name = f"{ledger.name}.{ledger.identity:x}"
        return LanceIndex(self._url, name, ledger, ledger.projector, patience=self._patience)

    def drop(self, name: str) -> None:
        """See `SearchIndexes.drop`. `SearchStorageUnreachable` if the storage does not answer."""
        drop_tables(self._url, f"{name}.")
