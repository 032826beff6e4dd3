"""Haystack: in-memory document store with sentence-transformers embedders, as its documentation shows."""

import time

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, model = arguments()

from haystack import Document  # type: ignore[import-not-found]  # noqa: E402 - in the peer's environment only
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever  # type: ignore[import-not-found]  # noqa: E402
from haystack.document_stores.in_memory import InMemoryDocumentStore  # type: ignore[import-not-found]  # noqa: E402
from haystack.utils import ComponentDevice  # type: ignore[import-not-found]  # noqa: E402 - as above
from haystack_integrations.components.embedders.sentence_transformers import (  # type: ignore[import-not-found]  # noqa: E402
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

cpu = ComponentDevice.from_str("cpu")
store = InMemoryDocumentStore(embedding_similarity_function="cosine")
writer = SentenceTransformersDocumentEmbedder(model=model, device=cpu, progress_bar=False, normalize_embeddings=True)
asker = SentenceTransformersTextEmbedder(model=model, device=cpu, progress_bar=False, normalize_embeddings=True)
for part in (writer, asker):
    part.warm_up()
retriever = InMemoryEmbeddingRetriever(store)


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Embed and write all documents."""
    store.write_documents(writer.run([Document(id=name, content=text) for name, text in documents])["documents"])


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Embed the query and retrieve."""
    result = retriever.run(query_embedding=asker.run(query)["embedding"], top_k=k)
    return [document.id for document in result["documents"]]


measure(workload, build, search, BEGUN)
