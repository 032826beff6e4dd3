"""Put the documents of a data set into a collection, and check its gold quotes against them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from evaluation.cases import Dataset, SourceDocument
from evaluation.datasets.records import text_lines
from evaluation.document_matching import DocumentMatcher
from evaluation.errors import DataInvalid, TaskUnfit
from evaluation.metrics.wording import normalize
from index.collection import Collection
from index.records import Document
from index.sync.sync import sync

_BATCH = 256


def fill(collection: Collection, dataset: Dataset, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Add every source of the data set to the collection and make its vectors; what the collection holds already is
    kept.

    Sources with a file are read by Quoth's extraction. `on_progress(done, total)` counts chunks that have vectors.
    Raises TaskUnfit if a file is rejected: with a document missing, the run would measure something else.
    """
    for batch in _batches(source_as_document(source) for source in dataset.sources.values() if source.text):
        collection.change(add=[(document, None) for document in batch])
    files = [source.file for source in dataset.sources.values() if source.file is not None]
    if files:
        rejected = sync(collection, files).rejected
        if rejected:
            reasons = "; ".join(f"{item.uri}: {item.reason}. {item.fix}" for item in rejected)
            raise TaskUnfit(f"{len(rejected)} documents of {dataset.name} cannot be indexed: {reasons}")
    collection.embed_pending(on_progress=on_progress)


def check_quotes(collection: Collection, dataset: Dataset, matcher: DocumentMatcher) -> None:
    """Raise DataInvalid for the first gold quote of a case file that is missing from its document as extracted.

    Such a case would count every right answer as wrong. Words are compared as the citation metrics compare them.
    Documents that the collection lacks are skipped: another document may hold the quote.
    """
    texts: dict[str, str] = {}
    quoted = {evidence.document for case in dataset.cases for evidence in case.evidence}
    for summary in collection.documents.list():
        name = matcher.match(summary.id, summary.uri)
        if name in quoted and name is not None:
            texts[name] = normalize(collection.documents.get(summary.id).text)
    for number, case in enumerate(dataset.cases):
        for evidence in case.evidence:
            text = texts.get(evidence.document)
            if text is not None and normalize(evidence.quote) not in text:
                line = next(islice(text_lines(dataset.files[0]), number, None))[0]
                reason = f"case {case.id!r}: {evidence.document} does not hold the quote {evidence.quote[:60]!r}"
                fix = "Copy the quote from the document as Quoth reads it, or index the document again"
                raise DataInvalid(dataset.files[0], line, reason, fix)


def source_as_document(source: SourceDocument) -> Document:
    """The document to add to the collection for a source with text, under the id that the data set gives it."""
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
