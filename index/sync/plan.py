"""What differs between a collection and a listing of files: the plan of a sync. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from index.records import DocumentSummary
from index.sync.listing import File, Listing
from index.uris import file_uri


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between a collection and a listing, by size and modification time.

    A changed file may turn out to hold the same bytes, and a new one to be a gone one under another name: only reading
    tells. `permitted` are documents whose files are as they were, but which others are to read from now on.
    """

    added: tuple[File, ...]
    changed: tuple[File, ...]
    gone: tuple[DocumentSummary, ...]
    unchanged: tuple[str, ...]
    permitted: tuple[DocumentSummary, ...] = ()


def plan(known: Iterable[DocumentSummary], found: Listing, principals: frozenset[str] | None = None) -> Plan:
    """The difference between the documents of a collection and the files found, which `principals` are to read.

    With None, whoever may read a document now may read it afterwards. A file that holds others is unchanged if all documents
    from it are known to be as it is now.
    """
    documents: dict[str, list[DocumentSummary]] = {}
    for document in known:
        documents.setdefault(file_uri(document.uri), []).append(document)
    added: list[File] = []
    changed: list[File] = []
    unchanged: list[str] = []
    permitted: list[DocumentSummary] = []
    for file in found.files:
        held = documents.pop(file.uri, None)
        if held is None:
            added.append(file)
        elif any(document.source != file.source for document in held):
            changed.append(file)
        else:
            for document in held:
                if principals in (None, document.principals):
                    unchanged.append(document.uri)
                else:
                    permitted.append(document)
    gone = [document for uri, held in documents.items() if found.is_gone(uri) for document in held]
    return Plan(tuple(added), tuple(changed), tuple(gone), tuple(unchanged), tuple(permitted))
