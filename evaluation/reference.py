"""`python -m evaluation.reference FOLDER [--split S]`: nDCG@10 of a BEIR folder without any of Quoth's own search.

sentence-transformers encodes, numpy searches exactly, and nDCG is written out from its definition (Järvelin &
Kekäläinen 2002, https://doi.org/10.1145/582415.582418). It checks `quoth eval run FOLDER --retriever encoder`, which
must give the same figure: docs/results.md has both.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from evaluation.cases import Dataset
from evaluation.datasets import beir
from index.embedding.weights import bundled_folder

_DEPTH = 10


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int], depth: int = _DEPTH) -> float:
    """Discounted gain of the first `depth` documents, divided by that of the best possible order."""
    gains = [max(0, relevant.get(document, 0)) for document in ranked[:depth]]
    best = sorted((grade for grade in relevant.values() if grade > 0), reverse=True)[:depth]
    return _discounted_gain(gains) / _discounted_gain(best)


def measure(dataset: Dataset, model: Path) -> float:
    """Mean nDCG@10 over the cases, each of which has a relevant document."""
    encoder = SentenceTransformer(str(model), device="cpu")
    names = list(dataset.sources)
    documents = encoder.encode([source.text for source in dataset.sources.values()], normalize_embeddings=True)
    questions = encoder.encode([case.question for case in dataset.cases], normalize_embeddings=True)
    nearest = np.argsort(-(questions @ documents.T), axis=1, kind="stable")[:, :_DEPTH]
    scores = [
        ndcg([names[place] for place in places], case.relevant)
        for case, places in zip(dataset.cases, nearest, strict=True)
    ]
    return float(np.mean(scores))


def _discounted_gain(gains: Sequence[int]) -> float:
    return sum(gain / log2(place + 1) for place, gain in enumerate(gains, start=1))


def main() -> None:
    """Measure one folder and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a BEIR folder")
    parser.add_argument("--split", default=None, help="file of qrels/; default: test, else dev, else train")
    options = parser.parse_args()
    dataset = beir.read(options.folder, options.split)
    sys.stdout.write(f"ndcg@10 {measure(dataset, bundled_folder()):.4f}, {len(dataset.cases)} queries\n")


if __name__ == "__main__":
    main()
