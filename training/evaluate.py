"""`python -m training.evaluate --data PATH`: measure the shipped models on the test halves.

Writes one JSON file per part into the folder of the run.
Thresholds are chosen on development halves. Intervals are 95 % bootstrap intervals over questions (claims).
"""

import argparse
import json
import os
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.blocks.unit import Rendering
from index.chunking.units import prose_rendering
from index.inference.runtime import EngineName
from models import folder
from service.answering.quotes import weigh
from service.scoring.calibration import relevance_alone
from service.scoring.reader import Reader
from service.scoring.second_pass import read_twice
from service.scoring.support import SupportChecker
from service.text.contradictions import Evidence
from training import claims, mix2, sources
from training.batches import gold_sentences
from training.claims import ClaimPair
from training.search import PassagePool
from training.sources import PassagePair
from training.statistics import auroc, balanced_accuracy, interval, ndcg
from training.structure.groups import structure_groups

Numbers = NDArray[np.float64]
PARTS = ("reader", "structure", "scifact", "support")


@dataclass(frozen=True)
class PassageResult:
    """The reader's output for one pair: relevance, that of the best sentence alone, sentence scores; and the gold sentences."""

    relevant: bool
    relevance: float
    alone: float
    scores: Numbers
    gold: frozenset[int]

    @property
    def best(self) -> float:
        """The highest sentence logit; -12 for a passage without sentences."""
        return float(self.scores.max()) if len(self.scores) else -12.0

    @property
    def right(self) -> float:
        """1 when the best-ranked sentence holds an answer."""
        return float(len(self.scores) > 0 and int(self.scores.argmax()) in self.gold)


def read_passages(reader: Reader, pairs: Sequence[PassagePair]) -> list[PassageResult]:
    """The reader's result for every pair, each passage read with its title where it has one."""
    results = []
    for pair in pairs:
        rendering = pair.rendering or prose_rendering(pair.passage)
        (result,) = read_twice(pair.question, [rendering], [pair.context], reader)
        scores = np.array([sentence.score for sentence in result.sentences], dtype=np.float64)
        gold = with_lead_ins(gold_sentences(pair.gold or (), pair.sentences), rendering)
        results.append(PassageResult(pair.relevant, result.relevance, relevance_alone(result), scores, frozenset(gold)))
    return results


def with_lead_ins(gold: set[int], rendering: Rendering) -> set[int]:
    """The gold units and those that introduce one: an answer quotes a lead-in with what it introduces."""
    units = [rendered.unit for rendered in rendering.units]
    leads = [lead for number in gold for lead in units[number].lead]
    introducing = {
        n for n, unit in enumerate(units) for lead in leads if unit.start <= lead.start and lead.end <= unit.end
    }
    return gold | introducing


def value_with_interval(measure: Callable[[NDArray[np.int64]], float], count: int) -> dict[str, object]:
    """The value over all rows, its interval, and the number of rows."""
    low, high = interval(measure, count)
    return {"value": round(measure(np.arange(count)), 4), "interval": [round(low, 4), round(high, 4)], "n": count}


def _mean(values: Numbers, rows: NDArray[np.int64]) -> float:
    return float(values[rows].mean())


def _auroc(labels: Numbers, values: Numbers, rows: NDArray[np.int64]) -> float:
    return auroc(labels[rows], values[rows])


def _balanced(labels: Numbers, values: Numbers, rows: NDArray[np.int64]) -> float:
    return balanced_accuracy(labels[rows], values[rows], 0.5)


def best_sentence(results: Sequence[PassageResult]) -> dict[str, object]:
    """Share of the answerable pairs whose best-ranked sentence holds an answer."""
    right = np.array([result.right for result in results if result.relevant])
    return value_with_interval(partial(_mean, right), len(right))


def answerability(results: Sequence[PassageResult]) -> dict[str, object]:
    """AUROC of answerability by relevance, best sentence, their sum, and relevance plus that of the best sentence alone."""
    labels = np.array([float(result.relevant) for result in results])
    values = {
        "relevance": np.array([result.relevance for result in results]),
        "sentence": np.array([result.best for result in results]),
        "sum": np.array([result.relevance + result.best for result in results]),
        "relevance and alone": np.array([result.relevance + result.alone for result in results]),
    }
    return {name: value_with_interval(partial(_auroc, labels, value), len(labels)) for name, value in values.items()}


def selection(results: Sequence[PassageResult], threshold: float) -> tuple[Numbers, Numbers]:
    """Precision and recall of the selected sentences of every answerable pair.

    Selected are the best sentence and up to three more whose logit reaches `threshold`.
    """
    precision, recall = [], []
    for result in results:
        if result.relevant:
            order = [int(n) for n in np.argsort(-result.scores)[:4]]
            chosen = {n for place, n in enumerate(order) if place == 0 or result.scores[n] >= threshold}
            precision.append(len(chosen & result.gold) / len(chosen))
            recall.append(len(chosen & result.gold) / len(result.gold))
    return np.array(precision), np.array(recall)


def lower_mean(precision: Numbers, recall: Numbers) -> float:
    """The lower one of mean precision and mean recall."""
    return min(float(precision.mean()), float(recall.mean()))


def clapnq_selection(dev: Sequence[PassageResult], test: Sequence[PassageResult]) -> dict[str, object]:
    """Sentence precision and recall on ClapNQ, at the threshold where the lower one of the two is highest in development.

    F1 is no help in choosing it: it is nearly constant over a wide range in which precision and recall change places.
    """
    threshold = max(np.arange(-4, 4, 0.1), key=lambda t: lower_mean(*selection(dev, float(t))))
    precision, recall = selection(test, float(threshold))
    return {
        "threshold": round(float(threshold), 2),
        "precision": value_with_interval(partial(_mean, precision), len(precision)),
        "recall": value_with_interval(partial(_mean, recall), len(recall)),
        "dev_lesser": round(lower_mean(*selection(dev, float(threshold))), 4),
    }


def scifact_results(data: Path, reader: Reader, cache: Path, depth: int, max_questions: int) -> dict[str, object]:
    """nDCG@10 on SciFact's held-back training claims: of the fused search, of the reader's order of its best hits, of both."""
    corpus = sources.scifact_corpus(data)
    ids = list(corpus)
    pool = PassagePool(list(corpus.values()), cache)
    results: dict[str, object] = {}
    weights: dict[str, float] = {}
    for split in ("dev", "test"):
        asked = list(sources.scifact_claims(data, "dev" if split == "dev" else "test").values())[:max_questions]
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
            results[f"{split}_{name}"] = value_with_interval(partial(_mean, gains), len(gains))
    return {"depth": depth, "search_weight": weights["fusion"], **results}


def _gain(ranking: tuple[list[str], Numbers, Numbers, list[str]], weight: float | None) -> float:
    """nDCG@10 by the reader's logit plus `weight` times the search score; by the search score alone for None."""
    names, fused, scores, relevant = ranking
    value = fused if weight is None else scores + weight * fused
    order = np.argsort(-value, kind="stable")
    return ndcg([float(names[n] in relevant) for n in order], [1.0] * len(relevant))


def support_sets(data: Path, max_questions: int) -> dict[str, list[ClaimPair]]:
    """The test parts of the support checker's sets, at most `max_questions` pairs of each."""
    rng = random.Random(0)
    sets = {
        "wice": list(claims.wice(data, "test")),
        "begin": list(claims.begin(data, "test")),
        "factcheckgpt": list(claims.factcheckgpt(data, "test")),
        "scifact": list(claims.scifact(data, "test", rng)),
    }
    chosen = {name: rng.sample(pairs, min(max_questions, len(pairs))) for name, pairs in sets.items()}
    return {**chosen, "altered": altered_set(data, max_questions, rng)}


def altered_set(data: Path, max_questions: int, rng: random.Random) -> list[ClaimPair]:
    """At most that many pairs, half of them literal copies, the other half shared out evenly among the kinds of changes."""
    kinds: dict[str, list[ClaimPair]] = defaultdict(list)
    for pair in claims.altered_pairs(data, "test", rng):
        kinds[pair.source].append(pair)
    each = max_questions // 2 // (len(kinds) - 1)
    sizes = {kind: max_questions // 2 if kind == claims.COPY else each for kind in kinds}
    return [pair for kind, pairs in sorted(kinds.items()) for pair in rng.sample(pairs, min(sizes[kind], len(pairs)))]


def support_results(checker: SupportChecker, sets: dict[str, list[ClaimPair]]) -> dict[str, object]:
    """Balanced accuracy at P = .5 and AUROC of every set: of the network, and with the rules that the product adds."""
    results: dict[str, object] = {}
    for name, pairs in sets.items():
        truth = np.array([float(pair.supported) for pair in pairs])
        predicted = checker.check([(pair.claim, pair.premise) for pair in pairs])
        ruled = [weigh(pair.claim, [Evidence(pair.premise)], p) for pair, p in zip(pairs, predicted, strict=True)]
        facts = _support_measures(truth, np.array(predicted)) | {
            f"{measure}_with_rules": value for measure, value in _support_measures(truth, np.array(ruled)).items()
        }
        if name == "altered":
            facts["kinds"] = altered_by_kind(pairs, np.array(predicted), np.array(ruled))
        results[name] = facts
    return results


def altered_by_kind(pairs: Sequence[ClaimPair], predicted: Numbers, ruled: Numbers) -> dict[str, object]:
    """For each kind of changed fact: how many, the share that fails, alone and with the rules, and the AUROC against copies.

    For literal copies, the share that passes.
    """
    kinds: dict[str, object] = {}
    copies = np.array([pair.source == claims.COPY for pair in pairs])
    for kind in sorted({pair.source for pair in pairs}):
        members = np.array([pair.source == kind for pair in pairs])
        facts: dict[str, object] = {}
        for name, values in (("", predicted), ("_with_rules", ruled)):
            passes = values[members] >= 0.5
            right = (passes if kind == claims.COPY else ~passes).astype(np.float64)
            facts[f"right{name}"] = value_with_interval(partial(_mean, right), len(right))
            if kind != claims.COPY:
                both = members | copies
                facts[f"auroc{name}"] = round(auroc(copies[both].astype(np.float64), values[both]), 4)
        kinds[kind] = facts
    return kinds


def _support_measures(truth: Numbers, predicted: Numbers) -> dict[str, object]:
    return {
        "balanced_accuracy": value_with_interval(partial(_balanced, truth, predicted), len(truth)),
        "auroc": round(auroc(truth, predicted), 4),
    }


def reader_sets(data: Path, max_questions: int) -> dict[str, list[PassagePair]]:
    """The test halves with known sentences, at most `max_questions` questions of each."""
    rng = random.Random(0)
    sets = {
        "squad2": [group[0] for _, group in sources.squad2(data, "test")],
        "clapnq": [group[0] for group in sources.clapnq(data, "test")],
        "clapnq_dev": [group[0] for group in sources.clapnq(data, "dev")],
        "reddit": [group[0] for _, group in sources.squadshifts(data, "reddit", "test")],
        "amazon": [group[0] for _, group in sources.squadshifts(data, "amazon_reviews", "test")],
        "covid_qa": [group[0] for _, group, _ in sources.covid_qa(data, "test")],
        "policyqa": [group[0] for _, group in sources.policyqa(data, "test")],
        "squad2_train": mix2.held_out(data, "squad2_train_1000ctx"),
    }
    return {name: rng.sample(pairs, min(max_questions, len(pairs))) for name, pairs in sets.items()}


def read_results(reader: Reader, sets: dict[str, list[PassagePair]]) -> dict[str, object]:
    """All measures of the reader on single passages."""
    results = {name: read_passages(reader, pairs) for name, pairs in sets.items()}
    reported = [name for name in results if name != "clapnq_dev"]
    return {
        "best_sentence": {name: best_sentence(results[name]) for name in reported},
        "answerability": {name: answerability(results[name]) for name in ("squad2", "squad2_train", "clapnq")},
        "clapnq_sentences": clapnq_selection(results["clapnq_dev"], results["clapnq"]),
    }


def structure_results(reader: Reader, data: Path, max_questions: int) -> dict[str, object]:
    """Best unit and answerability over documents with structure, of words that no training document has; best unit by form."""
    rng = random.Random(0)
    groups = list(structure_groups(data, "test", rng, 3 * max_questions))
    chosen = rng.sample(groups, min(max_questions, len(groups)))
    pairs = [pair for group in chosen for pair in group if not pair.source.endswith(" alone")]
    results = read_passages(reader, pairs)
    forms: dict[str, list[PassageResult]] = defaultdict(list)
    for pair, result in zip(pairs, results, strict=True):
        forms[pair.source].append(result)
    answered = {form: members for form, members in forms.items() if any(result.relevant for result in members)}
    return {
        "best_unit": best_sentence(results),
        "answerability": answerability(results),
        "best_unit_by_form": {form: best_sentence(members) for form, members in sorted(answered.items())},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument(
        "--run", type=Path, default=Path("training/runs/evaluation"), help="results, and vectors to keep"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="default: all of them")
    parser.add_argument("--reader", type=Path, default=folder("reader"), help="the reader that is measured")
    parser.add_argument("--engine", choices=("openvino", "torch"), default="openvino", help="torch: the fp32 reference")
    parser.add_argument("--most", type=int, default=800, help="maximum number of questions of a set")
    parser.add_argument("--depth", type=int, default=12, help="passages that the reader reorders on SciFact")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    engine = options.engine
    chosen = options.only or PARTS
    options.run.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        results = _part(name, options, engine)
        path = options.run / f"{name}_{engine}_{options.most}.json"
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _part(name: str, options: argparse.Namespace, engine: EngineName) -> dict[str, object]:
    data, run, most = Path(options.data), options.run, options.most
    if name == "support":
        checker = SupportChecker.load(folder("support"), run / "compiled", engine)
        return {"model": checker.version, **support_results(checker, support_sets(data, most))}
    reader = Reader.load(options.reader, run / "compiled", engine)
    if name == "reader":
        return {"model": reader.version, **read_results(reader, reader_sets(data, most))}
    if name == "structure":
        return {"model": reader.version, **structure_results(reader, data, most)}
    return {"model": reader.version, **scifact_results(data, reader, run / "vectors", options.depth, most)}


if __name__ == "__main__":
    main()
