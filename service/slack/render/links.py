"""Addresses of the viewer, open on exactly the words that were quoted. Pure."""

from dataclasses import dataclass
from urllib.parse import urlencode

from index.records import Hit
from service.records import Citation


@dataclass(frozen=True, slots=True)
class Viewer:
    """The page that shows a document with the quote marked. `base` is the server's public address, None without one."""

    base: str | None
    collection: str

    def of_citation(self, citation: Citation) -> str | None:
        """The address for a citation; None without a public address."""
        mark = {} if citation.highlight is None else {"mark": "-".join(map(str, citation.highlight))}
        return self._address(citation.document_id, citation.version, citation.start, citation.end, mark)

    def of_hit(self, hit: Hit) -> str | None:
        """The address for a passage; None without a public address."""
        return self._address(hit.chunk.document_id, hit.chunk.version, hit.chunk.start, hit.chunk.end, {})

    def _address(self, document: str, version: str, start: int, end: int, more: dict[str, str]) -> str | None:
        if self.base is None:
            return None
        place = {"collection": self.collection, "document": document, "version": version, "start": start, "end": end}
        return f"{self.base.rstrip('/')}/view?{urlencode(place | more)}"
