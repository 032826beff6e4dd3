"""Make documents and queries to measure speed with: drawn by seed, with the statistics that matter for speed.

Words are the whole words of the encoder's own vocabulary, so that a word is a token, and follow Zipf's law (exponent
1.07). Sentences have 8 to 24 words and documents about 120, so that every document fits into one passage of every
system and all embed the same tokens. A query is six words of one document, none of them among the commonest.
"""

import json
import random
import re
from itertools import accumulate
from pathlib import Path

from index.embedding.weights import bundled_folder

_WORD = re.compile(r"[a-z]{3,}")
_EXPONENT = 1.07
_COMMON = 200
_LENGTH = 120


def write_workload(folder: Path, documents: int, queries: int, seed: int = 0) -> Path:
    """Write `documents.jsonl` ({"id", "text"}) and `queries.jsonl` ({"text", "about": an id}); return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    words = vocabulary()
    weights = list(accumulate(1 / rank**_EXPONENT for rank in range(1, len(words) + 1)))
    texts = []
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(documents):
            text = _document(words, weights, rng)
            texts.append(text)
            stream.write(json.dumps({"id": f"d{number}", "text": text}) + "\n")
    common = set(words[:_COMMON])
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as stream:
        for _ in range(queries):
            about = rng.randrange(documents)
            rare = [word for word in texts[about].lower().replace(".", "").split() if word not in common]
            query = {"text": " ".join(rng.sample(rare, min(6, len(rare)))), "about": f"d{about}"}
            stream.write(json.dumps(query) + "\n")
    return folder


def vocabulary() -> list[str]:
    """The whole words among the encoder's word pieces, in the vocabulary's order, which is about by frequency."""
    pieces = (bundled_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return [piece for piece in pieces if _WORD.fullmatch(piece)]


def _document(words: list[str], weights: list[float], rng: random.Random) -> str:
    sentences, count = [], 0
    while count < _LENGTH:
        chosen = rng.choices(words, cum_weights=weights, k=rng.randint(8, 24))
        count += len(chosen)
        sentences.append(" ".join(chosen).capitalize() + ".")
    return " ".join(sentences)
