"""Which gold document is the one that was found? Data sets name documents their way, a server by id and URI."""

from collections.abc import Iterable
from urllib.parse import unquote


class Naming:
    """Maps found documents to the names that the data set uses.

    A document is the one whose name equals its id or its URI, or whose name is the end of the URI's path (`guide/setup.md` for
    `file:///home/me/guide/setup.md`). The longest such name wins.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def of(self, document_id: str, uri: str) -> str | None:
        """The data set's name of the document, None if it is none of its documents."""
        if document_id in self._names:
            return document_id
        if uri in self._names:
            return uri
        parts = unquote(uri).split("/")
        ends = ("/".join(parts[begin:]) for begin in range(len(parts)))
        return next((end for end in ends if end in self._names), None)

    def shown(self, document_id: str, uri: str) -> str:
        """The data set's name, else the URI: what rows and reports print."""
        return self.of(document_id, uri) or uri
