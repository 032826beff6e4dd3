"""The documents of a data set -> a collection that can be asked."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from evaluation.cases import Dataset, Source
from evaluation.errors import TaskUnfit
from index.collection import Collection
from index.records import Document
from index.sync import sync

_BATCH = 256


def fill(collection: Collection, dataset: Dataset, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Put every source of the data set into the collection and make its vectors; what is there already stays as it is.

    Sources with a file are read by Quoth's extraction. `on_progress(done, total)` counts chunks that have vectors. Raises
    TaskUnfit if a file is rejected: a set with a document missing would measure something else.
    """
    for batch in _batches(document_of(source) for source in dataset.sources.values() if source.text):
        collection.change(add=[(document, None) for document in batch])
    files = [source.file for source in dataset.sources.values() if source.file is not None]
    if files:
        rejected = sync(collection, files).rejected
        if rejected:
            reasons = "; ".join(f"{item.uri}: {item.reason}. {item.mend}" for item in rejected)
            raise TaskUnfit(f"{len(rejected)} documents of {dataset.name} cannot be indexed: {reasons}")
    collection.embed_pending(on_progress=on_progress)


def document_of(source: Source) -> Document:
    """A source with a text as the document that enters the collection, under the id that the data set gives it."""
    return Document(
        id=source.id,
        version=hashlib.sha256(source.text.encode()).hexdigest(),
        uri=f"dataset:{source.id}",
        title=source.title or source.id,
        media_type="text/plain",
        text=source.text,
    )


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while batch := list(islice(stream, _BATCH)):
        yield batch
