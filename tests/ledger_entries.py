"""Small documents as ledgers take them, and what tests ask a ledger."""

import numpy as np

from index.filters import Filter
from index.ledger.protocol import Ledger
from index.ledger.rows import ChunkedDocument
from index.records import Chunk, Document, FileStamp


def document(name: str = "a", text: str = "One. Two.", version: str = "v1", **facts: object) -> Document:
    defaults: dict[str, object] = {"uri": f"file:///{name}.txt", "title": name, "media_type": "text/plain"}
    return Document(id=name, version=version, text=text, **{**defaults, **facts})  # type: ignore[arg-type]


def entry(document: Document, source: FileStamp | None = None) -> ChunkedDocument:
    """The document, with each of its words as a chunk."""
    chunks, start = [], 0
    for place, word in enumerate(document.text.split(" ")):
        identity = f"{document.id}/{document.version}/{place}"
        chunks.append(Chunk(identity, document.id, document.version, place, start, start + len(word), word))
        start += len(word) + 1
    return ChunkedDocument(document, chunks, source)


def selected_ids(ledger: Ledger, where: Filter) -> set[str]:
    """Return the ids of the documents with a chunk inside the filter's selection."""
    selection = ledger.selections.get(where)
    with ledger.snapshot() as snapshot:
        entries = list(snapshot.lexical_entries(None))
    mask = selection.mask(np.array([entry.document for entry in entries], dtype=np.int64))
    rows = ledger.chunks.get([entry.number for entry, is_inside in zip(entries, mask, strict=True) if is_inside])
    return {row.chunk.document_id for row in rows.values()}


def embed_all(ledger: Ledger) -> int:
    pending = ledger.chunks.pending(1000)
    return ledger.add_vectors([text.hash for text in pending], np.ones((len(pending), 2), dtype=np.float32))
