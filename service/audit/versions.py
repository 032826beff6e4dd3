"""Opens the document versions that an answer cites: from any collection, including replaced versions."""

from collections.abc import Callable, Iterator, Sequence

from index.collection import Collection
from index.errors import NotFound
from index.library import Library
from index.records import Document


class Versions:
    """An opener for `service.audit.verification.verify`: looks a version up in the library's collections, and caches it.

    `names` are the collections to search; None for all. `may_read` decides by a document's principals whether the caller may
    read it; a document that they may not read counts as missing. Not thread-safe; make one for each answer.
    """

    def __init__(
        self,
        library: Library,
        names: Sequence[str] | None = None,
        may_read: Callable[[frozenset[str]], bool] = lambda _: True,
    ) -> None:
        self._library = library
        self._names = library.names() if names is None else names
        self._may_read = may_read
        self._found: dict[tuple[str, str], Document | None] = {}

    def __call__(self, document_id: str, version: str) -> Document | None:
        """That version of the document; else a current document with the same bytes; None if there is neither.

        Raises CollectionMissing for a named collection that does not exist.
        """
        place = (document_id, version)
        if place not in self._found:
            self._found[place] = next(self._candidates(document_id, version), None)
        return self._found[place]

    def _candidates(self, document_id: str, version: str) -> Iterator[Document]:
        collections = [self._library.open(name) for name in self._names]
        for collection in collections:
            yield from self._open_version(collection, document_id, version)
        for collection in collections:
            for summary in collection.documents.of_version(version):
                yield from self._open_version(collection, summary.id, version)

    def _open_version(self, collection: Collection, document_id: str, version: str) -> Iterator[Document]:
        try:
            document = collection.documents.get(document_id, version)
        except NotFound:
            return  # the next collection may have it
        if self._may_read(document.principals):
            yield document
