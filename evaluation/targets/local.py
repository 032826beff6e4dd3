"""Quoth in this process, over a collection that the run has filled or that exists already."""

from collections.abc import Mapping

from evaluation.cases import Case
from service.answering.service import Service
from service.api.schemas.answers import AnswerOut, CitationOut
from service.api.schemas.search import PassageOut
from service.records import Question


class Local:
    """Asks the assembled service about one collection."""

    def __init__(self, service: Service, collection: str, *, generator: str | None = None) -> None:
        self._service = service
        self._collection = service.library.open(collection)
        self._generator = generator

    def answer(self, case: Case) -> AnswerOut:
        """The answer to the case's question after its history."""
        question = Question(
            case.question, collection=self._collection.name, history=case.history, generator=self._generator
        )
        return AnswerOut.of(self._service.answerer.answer(question))

    def search(self, query: str, k: int) -> list[PassageOut]:
        """The best k passages, reranked if the settings say so."""
        settings = self._service.settings
        reranker = self._service.reader if settings.rerank else None
        hits = self._collection.search(query, k=k, reranker=reranker, depth=max(settings.rerank_depth, k))
        return [PassageOut.of(hit) for hit in hits]

    def literal(self, citation: CitationOut) -> bool:
        """Whether the document version in the ledger holds the quote at its place."""
        document = self._collection.document(citation.document_id, citation.version)
        return document.text[citation.start : citation.end] == citation.quote

    def describe(self) -> Mapping[str, object]:
        """The settings that shape answers, and the encoder. Secrets are masked; folders and addresses are left out."""
        settings = self._service.settings.model_dump(mode="json")
        apart = {"home", "host", "port", "allowed_hosts", "log_level", "collection"}
        return {
            "endpoint": None,
            "generator": self._generator or settings["generator"],
            "settings": {name: value for name, value in settings.items() if name not in apart},
            "encoder": self._collection.state().encoder,
        }
