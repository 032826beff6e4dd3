"""The documents of a data set -> a collection that can be asked."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from evaluation.cases import Dataset, Source
from evaluation.datasets.records import text_lines
from evaluation.errors import DataInvalid, TaskUnfit
from evaluation.metrics.wording import normalized
from evaluation.naming import Naming
from index.collection import Collection
from index.records import Document
from index.sync.sync import sync

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


def check_quotes(collection: Collection, dataset: Dataset, naming: Naming) -> None:
    """Raise DataInvalid for the first gold quote of a case file that its document, as extracted, does not hold.

    Such a case would count every right answer as wrong. Words are compared as the citation metrics compare them. A document
    that the collection lacks is passed over: another one may answer for it.
    """
    texts: dict[str, str] = {}
    quoted = {evidence.document for case in dataset.cases for evidence in case.evidence}
    for summary in collection.documents():
        name = naming.of(summary.id, summary.uri)
        if name in quoted and name is not None:
            texts[name] = normalized(collection.document(summary.id).text)
    for number, case in enumerate(dataset.cases):
        for evidence in case.evidence:
            text = texts.get(evidence.document)
            if text is not None and normalized(evidence.quote) not in text:
                line = next(islice(text_lines(dataset.files[0]), number, None))[0]
                reason = f"case {case.id!r}: {evidence.document} does not hold the quote {evidence.quote[:60]!r}"
                mend = "Copy the quote from the document as Quoth reads it, or index the document again"
                raise DataInvalid(dataset.files[0], line, reason, mend)


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
