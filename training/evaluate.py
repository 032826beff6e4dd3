"""`python -m training.evaluate --data PATH`: what the shipped models are worth on the test halves; writes results.json.

Thresholds are chosen on development halves. Intervals are 95 % bootstraps over questions (claims).
"""

import argparse
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.chunking.sentences import sentence_spans
from index.inference.runtime import EngineName
from models import folder
from service.scoring.calibration import alone
from service.scoring.reader import Reader
from service.scoring.second_pass import read_twice
from service.scoring.support import SupportChecker
from training import claims, sources
from training.batches import gold_sentences
from training.claims import Pair
from training.metrics import auroc, balanced_accuracy, interval, ndcg
from training.retrieval import Pool
from training.sources import Reading

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """One reading as the reader sees it: relevance, that of the best sentence alone, sentence scores, gold sentences."""

    relevant: bool
    relevance: float
    alone: float
    scores: Numbers
    gold: frozenset[int]

    @property
    def best(self) -> float:
        """The best sentence's logit."""
        return float(self.scores.max()) if len(self.scores) else -12.0

    @property
    def right(self) -> float:
        """1 when the best-ranked sentence holds an answer."""
        return float(len(self.scores) > 0 and int(self.scores.argmax()) in self.gold)


def judged(reader: Reader, readings: Sequence[Reading]) -> list[Judged]:
    """The reader's word on every reading, each read under its title where it has one."""
    found = []
    for reading in readings:
        (result,) = read_twice(reading.question, [reading.passage], [reading.context], reader)
        scores = np.array([sentence.score for sentence in result.sentences], dtype=np.float64)
        gold = gold_sentences(reading.gold or (), sentence_spans(reading.passage))
        found.append(Judged(reading.relevant, result.relevance, alone(result), scores, frozenset(gold)))
    return found


def with_interval(measure: Callable[[NDArray[np.int64]], float], count: int) -> dict[str, object]:
    """The value over all rows, its interval, and how many rows."""
    low, high = interval(measure, count)
    return {"value": round(measure(np.arange(count)), 4), "interval": [round(low, 4), round(high, 4)], "n": count}


def _mean(values: Numbers, rows: NDArray[np.int64]) -> float:
    return float(values[rows].mean())


def _auroc(labels: Numbers, values: Numbers, rows: NDArray[np.int64]) -> float:
    return auroc(labels[rows], values[rows])


def _balanced(labels: Numbers, values: Numbers, rows: NDArray[np.int64]) -> float:
    return balanced_accuracy(labels[rows], values[rows], 0.5)


def best_sentence(found: Sequence[Judged]) -> dict[str, object]:
    """Share of the answerable readings whose best-ranked sentence holds an answer."""
    right = np.array([one.right for one in found if one.relevant])
    return with_interval(partial(_mean, right), len(right))


def answerability(found: Sequence[Judged]) -> dict[str, object]:
    """AUROC of telling answerable from unanswerable: by relevance, best sentence, their sum, and the relevance read again."""
    labels = np.array([float(one.relevant) for one in found])
    values = {
        "relevance": np.array([one.relevance for one in found]),
        "sentence": np.array([one.best for one in found]),
        "sum": np.array([one.relevance + one.best for one in found]),
        "relevance and alone": np.array([one.relevance + one.alone for one in found]),
    }
    return {name: with_interval(partial(_auroc, labels, value), len(labels)) for name, value in values.items()}


def selection(found: Sequence[Judged], threshold: float) -> tuple[Numbers, Numbers]:
    """Precision and recall of the selected sentences of every answerable reading.

    Selected: the best sentence, and up to three more whose logit reaches `threshold`.
    """
    precision, recall = [], []
    for one in found:
        if one.relevant:
            order = [int(n) for n in np.argsort(-one.scores)[:4]]
            chosen = {n for place, n in enumerate(order) if place == 0 or one.scores[n] >= threshold}
            precision.append(len(chosen & one.gold) / len(chosen))
            recall.append(len(chosen & one.gold) / len(one.gold))
    return np.array(precision), np.array(recall)


def lesser(precision: Numbers, recall: Numbers) -> float:
    """The lesser of mean precision and mean recall."""
    return min(float(precision.mean()), float(recall.mean()))


def clapnq_selection(dev: Sequence[Judged], test: Sequence[Judged]) -> dict[str, object]:
    """Sentence precision and recall on ClapNQ, with the threshold at which the lesser of the two is best in development.

    F1 is nearly level over a wide range there, in which precision and recall change places.
    """
    threshold = max(np.arange(-4, 4, 0.1), key=lambda t: lesser(*selection(dev, float(t))))
    precision, recall = selection(test, float(threshold))
    return {
        "threshold": round(float(threshold), 2),
        "precision": with_interval(partial(_mean, precision), len(precision)),
        "recall": with_interval(partial(_mean, recall), len(recall)),
        "dev_lesser": round(lesser(*selection(dev, float(threshold))), 4),
    }


def scifact(data: Path, reader: Reader, cache: Path, depth: int, most: int) -> dict[str, object]:
    """nDCG@10 on SciFact's held-back training claims: the fused search, the reader's order of its best, and both fused."""
    corpus = sources.scifact_corpus(data)
    ids = list(corpus)
    pool = Pool(list(corpus.values()), cache)
    results: dict[str, object] = {}
    weights: dict[str, float] = {}
    for split in ("dev", "test"):
        asked = list(sources.scifact_claims(data, "dev" if split == "dev" else "test").values())[:most]
        hits = pool.hits([claim for claim, _ in asked], depth, [()] * len(asked))
        rankings: list[tuple[list[str], Numbers, Numbers, list[str]]] = []
        for (claim, relevant), found in zip(asked, hits, strict=True):
            scores = np.array(reader.score(claim, [hit.chunk.text for hit in found]))
            fused = np.array([hit.score for hit in found])
            rankings.append(([ids[int(hit.chunk.id)] for hit in found], fused, scores, relevant))
        if split == "dev":
            weights["fusion"] = max(
                (0.0, 5.0, 10.0, 20.0, 30.0, 50.0, 80.0), key=lambda w: float(np.mean([_gain(r, w) for r in rankings]))
            )
        for name, weight in {"search": None, "reader": 0.0, "both": weights["fusion"]}.items():
            gains = np.array([_gain(ranking, weight) for ranking in rankings])
            results[f"{split}_{name}"] = with_interval(partial(_mean, gains), len(gains))
    return {"depth": depth, "search_weight": weights["fusion"], **results}


def _gain(ranking: tuple[list[str], Numbers, Numbers, list[str]], weight: float | None) -> float:
    """nDCG@10 by the reader's logit plus `weight` times the search's score; by the search alone for None."""
    names, fused, scores, relevant = ranking
    value = fused if weight is None else scores + weight * fused
    order = np.argsort(-value, kind="stable")
    return ndcg([float(names[n] in relevant) for n in order], [1.0] * len(relevant))


def support_sets(data: Path, most: int) -> dict[str, list[Pair]]:
    """The test parts of the support checker's sets."""
    rng = random.Random(0)
    found = {
        "wice": list(claims.wice(data, "test")),
        "begin": list(claims.begin(data, "test")),
        "factcheckgpt": list(claims.factcheckgpt(data, "test")),
        "scifact": list(claims.scifact(data, "test", rng)),
    }
    return {name: rng.sample(pairs, min(most, len(pairs))) for name, pairs in found.items()}


def support(checker: SupportChecker, sets: dict[str, list[Pair]]) -> dict[str, object]:
    """Balanced accuracy at P = .5 and AUROC of every set."""
    results: dict[str, object] = {}
    for name, pairs in sets.items():
        truth = np.array([float(pair.supported) for pair in pairs])
        said = np.array(checker.check([(pair.claim, pair.premise) for pair in pairs]))
        results[name] = {
            "balanced_accuracy": with_interval(partial(_balanced, truth, said), len(pairs)),
            "auroc": round(auroc(truth, said), 4),
        }
    return results


def reader_sets(data: Path, most: int) -> dict[str, list[Reading]]:
    """The test halves that have sentences, at most `most` questions of each."""
    rng = random.Random(0)
    found = {
        "squad2": [group[0] for _, group in sources.squad2(data, "test")],
        "clapnq": [group[0] for group in sources.clapnq(data, "test")],
        "clapnq_dev": [group[0] for group in sources.clapnq(data, "dev")],
        "reddit": [group[0] for _, group in sources.squadshifts(data, "reddit", "test")],
        "amazon": [group[0] for _, group in sources.squadshifts(data, "amazon_reviews", "test")],
        "covid_qa": [group[0] for _, group, _ in sources.covid_qa(data, "test")],
        "policyqa": [group[0] for _, group in sources.policyqa(data, "test")],
    }
    return {name: rng.sample(some, min(most, len(some))) for name, some in found.items()}


def read_results(reader: Reader, sets: dict[str, list[Reading]]) -> dict[str, object]:
    """Everything that is measured on single passages."""
    found = {name: judged(reader, readings) for name, readings in sets.items()}
    shown = [name for name in found if name != "clapnq_dev"]
    return {
        "best_sentence": {name: best_sentence(found[name]) for name in shown},
        "answerability": {name: answerability(found[name]) for name in ("squad2", "clapnq")},
        "clapnq_sentences": clapnq_selection(found["clapnq_dev"], found["clapnq"]),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument(
        "--run", type=Path, default=Path("training/runs/evaluation"), help="results, and vectors to keep"
    )
    parser.add_argument("--only", choices=("reader", "scifact", "support"), action="append", help="default: all three")
    parser.add_argument("--engine", choices=("openvino", "torch"), default="openvino", help="torch: the fp32 reference")
    parser.add_argument("--most", type=int, default=800, help="most questions of a set")
    parser.add_argument("--depth", type=int, default=12, help="passages that the reader reorders on SciFact")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    data, engine = Path(options.data), options.engine
    chosen = options.only or ["reader", "scifact", "support"]
    options.run.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        results = _part(name, data, options.run, engine, options.most, options.depth)
        path = options.run / f"{name}_{engine}_{options.most}.json"
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _part(name: str, data: Path, run: Path, engine: EngineName, most: int, depth: int) -> dict[str, object]:
    if name == "support":
        checker = SupportChecker.load(folder("support"), run / "compiled", engine)
        return {"model": checker.version, **support(checker, support_sets(data, most))}
    reader = Reader.load(folder("reader"), run / "compiled", engine)
    if name == "reader":
        return {"model": reader.version, **read_results(reader, reader_sets(data, most))}
    return {"model": reader.version, **scifact(data, reader, run / "vectors", depth, most)}


if __name__ == "__main__":
    main()
