"""Put the documents of a data set into a collection, and check its gold quotes against them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from evaluation.cases import Dataset, GoldEvidence, SourceDocument
from evaluation.datasets.records import text_lines
from evaluation.document_matching import DocumentMatcher
from evaluation.errors import DataInvalid, TaskUnfit
from evaluation.metrics.citations import Quoted, citation_hit
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


def check_quotes(collection: Collection, dataset: Dataset, matcher: DocumentMatcher) -> list[str]:
    """Return the ids of cases with a gold quote of which their document holds nothing: its words were not extracted.

    Words are compared as the citation metrics compare them. Documents that the collection lacks are skipped: another document
    may hold the quote. Raises DataInvalid where the case file is at fault, since such a case would count every right answer as
    wrong: the document holds the quote in other words, or not at the place that the case gives.
    """
    quoted = {evidence.document for case in dataset.cases for evidence in case.evidence}
    ids = matcher.ids(collection.documents.list())
    texts = {name: collection.documents.get(id).text for name, id in ids.items() if name in quoted}
    words = {name: normalize(text) for name, text in texts.items()}
    missing: dict[str, None] = {}
    for number, case in enumerate(dataset.cases):
        for evidence in case.evidence:
            if evidence.document not in texts:
                continue
            fault = _place_fault(evidence, texts[evidence.document])
            if fault is None and normalize(evidence.quote) not in words[evidence.document]:
                if not holds_most(evidence.quote, texts[evidence.document]):
                    missing[case.id] = None
                    continue
                fault = f"{evidence.document} does not hold the quote {evidence.quote[:60]!r}, but one like it"
            if fault is not None:
                line = next((line for line, _ in islice(text_lines(dataset.files[0]), number, None)), None)
                fix = "Copy the quote from the document as Quoth reads it, or index the document again"
                raise DataInvalid(dataset.files[0], line, f"case {case.id!r}: {fault}", fix)
    return list(missing)


def holds_most(quote: str, text: str) -> bool:
    """Whether the text has at least half of the quote's words in one run, as a citation needs to be right."""
    return citation_hit([Quoted("", text)], [GoldEvidence("", quote)]) == 1.0


def _place_fault(evidence: GoldEvidence, text: str) -> str | None:
    """What is wrong with the place that the evidence gives; None if nothing is, or if it gives none."""
    if evidence.start is None or evidence.end is None:
        return None
    there = text[evidence.start : evidence.end]
    if normalize(there) == normalize(evidence.quote):
        return None
    return f"{evidence.document} has {there[:60]!r} at {evidence.start}, not the quote {evidence.quote[:60]!r}"


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
