"""sentence-transformers and FAISS, joined by hand: the minimum that dense search needs.

With the argument `bf16`, in bfloat16.
"""

import sys
import time

BEGUN = time.perf_counter()

from stopwatch import arguments, measure  # type: ignore[import-not-found]  # noqa: E402 - the clock runs during imports

workload, model = arguments()

import faiss  # noqa: E402 - after the threads are set, which the library reads when it loads
from sentence_transformers import SentenceTransformer  # noqa: E402 - as above

encoder = SentenceTransformer(model, device="cpu")
if "bf16" in sys.argv:
    encoder = encoder.bfloat16()
index = faiss.IndexFlatIP(384)
names: list[str] = []


def build(documents):  # type: ignore[no-untyped-def]  # the form is stopwatch.Build
    """Encode and add all documents."""
    names.extend(name for name, _ in documents)
    index.add(encoder.encode([text for _, text in documents], batch_size=32, normalize_embeddings=True))


def search(query, k):  # type: ignore[no-untyped-def]  # the form is stopwatch.Search
    """Encode the query and look up its neighbours."""
    _, places = index.search(encoder.encode([query], normalize_embeddings=True), k)
    return [names[place] for place in places[0]]


measure(workload, build, search, BEGUN)
