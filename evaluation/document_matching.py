"""Match a found document, which has an id and a URI, to the name that the data set gives it."""

from collections.abc import Iterable
from os.path import commonpath
from posixpath import dirname
from urllib.parse import unquote

from index.records import DocumentSummary


class DocumentMatcher:
    """Matches found documents to the names that the data set uses.

    A name matches if it equals the document's id or URI, or the end of the URI's path (`guide/setup.md` for
    `file:///home/me/guide/setup.md`). The longest such name wins.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def match(self, document_id: str, uri: str) -> str | None:
        """The data set's name for the document; None if it is not one of its documents."""
        if document_id in self._names:
            return document_id
        if uri in self._names:
            return uri
        parts = unquote(uri).split("/")
        ends = ("/".join(parts[begin:]) for begin in range(len(parts)))
        return next((end for end in ends if end in self._names), None)

    def label(self, document_id: str, uri: str) -> str:
        """The data set's name, else the URI, for rows and reports."""
        return self.match(document_id, uri) or uri

    def ids(self, documents: Iterable[DocumentSummary]) -> dict[str, str]:
        """The ids of those documents that the data set names, by that name."""
        named = ((self.match(document.id, document.uri), document.id) for document in documents)
        return {name: id for name, id in named if name is not None}


def portable_names(uris: Iterable[str]) -> dict[str, str]:
    """A name for each URI that fits on another machine, too: of files, the path below the folder that holds them all.

    `DocumentMatcher` matches these names wherever the folder lies. Of other documents the URI is the name.
    """
    every = list(uris)
    paths = {uri: unquote(uri.removeprefix("file://")) for uri in every if uri.startswith("file://")}
    above = commonpath([dirname(path) for path in paths.values()]) if paths else ""
    return {uri: paths[uri].removeprefix(above).lstrip("/") if uri in paths else uri for uri in every}
