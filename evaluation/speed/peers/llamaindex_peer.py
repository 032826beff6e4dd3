"""LlamaIndex: VectorStoreIndex with a HuggingFace embedding, as its documentation shows."""

import time
from typing import Any

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, model = arguments()

from llama_index.core import Document, VectorStoreIndex  # type: ignore[import-not-found]  # noqa: E402 - peer's environment
from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # type: ignore[import-not-found]  # noqa: E402 - as above

embedding = HuggingFaceEmbedding(model_name=model, device="cpu", embed_batch_size=32)
retrievers: list[Any] = []


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Index all documents with the default node parser."""
    nodes = [Document(text=text, id_=name) for name, text in documents]
    index = VectorStoreIndex.from_documents(nodes, embed_model=embedding)
    retrievers.append(index.as_retriever(similarity_top_k=10))


def search(query, k):  # type: ignore[no-untyped-def]  # noqa: ARG001 - k is fixed when the retriever is made
    """Retrieve the nearest nodes."""
    return [hit.node.ref_doc_id for hit in retrievers[0].retrieve(query)]


measure(workload, build, search, BEGUN)
