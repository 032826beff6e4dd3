"""LangChain: FAISS vector store with HuggingFaceEmbeddings, as its documentation shows."""

import time
from typing import Any

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, model = arguments()

from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found]  # noqa: E402 - peer's environment
from langchain_core.documents import Document  # type: ignore[import-not-found]  # noqa: E402 - as above
from langchain_huggingface import HuggingFaceEmbeddings  # type: ignore[import-not-found]  # noqa: E402 - as above

embeddings = HuggingFaceEmbeddings(
    model_name=model, model_kwargs={"device": "cpu"}, encode_kwargs={"normalize_embeddings": True}
)
stores: list[Any] = []


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Index all documents."""
    stores.append(FAISS.from_documents([Document(text, metadata={"id": name}) for name, text in documents], embeddings))


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Similarity search."""
    return [document.metadata["id"] for document in stores[0].similarity_search(query, k=k)]


measure(workload, build, search, BEGUN)
