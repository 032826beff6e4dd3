"""`python -m training.calibrate --data PATH`: fit P(the corpus answers) and write it to models/calibration.

Fitted on development questions over one pooled corpus, tested on test questions over another, each searched, read and weighed
as answers are. Every answerable question is asked twice: with its passage in the corpus, and with it taken out.
"""

import argparse
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from index.chunking.units import chunk_rendering
from index.records import Hit
from models import folder
from service.answering.evidence import weigh
from service.generators.protocol import Passage
from service.scoring.calibration import NAMES, Calibration, Signals, Step, signals
from service.scoring.reader import Reader, Reading, passage_context
from service.scoring.second_pass import read_again
from training import mix2, sources
from training.batches import gold_sentences
from training.search import PassagePool
from training.sources import PassagePair, Split, split_of
from training.statistics import auroc, fit_logistic

DEPTH = 4
"""Answers read 12. Recall of the gold passage on an earlier development corpus: .816 at 4, .866 at 8, .879 at 12, .902 at 24;
time is in proportion."""
VERSION = "4"
HUMAN_SHARE = 0.7
"""Weight, among the unanswerable cases, of questions that people wrote to be unanswerable; the rest had their passage taken
out. In use the collection mostly covers the topic of a question, and a case whose passage was taken out does not show that."""
COUNTS = {"squad2": 100, "squad2_train": 100, "clapnq": 80, "covid_qa": 40}
"""The maximum number of cases of each source. Sources whose questions do not say what they are about ("What does the author
recommend?") are none of them."""


@dataclass(frozen=True)
class CalibrationCase:
    """A question, the passage that answers it (None: no passage of the corpus does), and the gold ranges in that passage."""

    question: str
    passage: str | None
    gold: tuple[Span, ...]
    source: str


def cases(data: Path, split: Split, rng: random.Random) -> tuple[list[CalibrationCase], dict[str, str]]:
    """The cases of a held-back split, and the corpus that they are asked over: passage -> title.

    The corpus holds the passages of the split, of COVID-QA also others of the same articles. A passage without a known
    document has the title "".
    """
    pairs: dict[str, list[PassagePair]] = {
        "squad2": [group[0] for _, group in sources.squad2(data, split)],
        "squad2_train": [
            pair
            for pair in mix2.held_out(data, "squad2_train_1000ctx")
            if split_of(f"calibration {pair.passage}", 0.5, 0.5) == split
        ],
        "clapnq": [group[0] for group in sources.clapnq(data, split)],
    }
    covid = list(sources.covid_qa(data, split))
    pairs["covid_qa"] = [group[0] for _, group, _ in covid]
    corpus = {text: "" for _, _, texts in covid for text in texts[:12]}
    corpus |= {pair.passage: pair.context for group in pairs.values() for pair in group}
    chosen = [
        CalibrationCase(pair.question, pair.passage if pair.relevant else None, pair.gold or (), name)
        for name, group in pairs.items()
        for pair in rng.sample(group, min(COUNTS[name], len(group)))
    ]
    return chosen, corpus


@dataclass(frozen=True)
class CaseOutcome:
    """The signals of one asked question, whether the corpus answers it, and whether the best sentence is a gold one.

    `written_so`: a person wrote the question to be unanswerable.
    """

    signals: Signals
    answerable: bool
    right: bool
    source: str
    written_so: bool


def outcomes(data: Path, split: Split, reader: Reader, cache: Path, depth: int = DEPTH) -> list[CaseOutcome]:
    """The outcome of every case of a split, asked as in use: hybrid search, then the reader over the best `depth` passages."""
    asked, titles = cases(data, split, random.Random(4))
    pool = PassagePool(sorted(titles), cache, titles)
    own = [{pool.number[case.passage]} if case.passage is not None else set() for case in asked]
    with_it = pool.hits([case.question for case in asked], depth, [()] * len(asked))
    without = pool.hits([case.question for case in asked], depth, own)
    results: list[CaseOutcome] = []
    for case, hits, fewer in zip(asked, with_it, without, strict=True):
        passages = {hit.chunk.text: hit for hit in [*hits, *fewer]}
        read = reader.read(case.question, list(passages), [passage_context(hit) for hit in passages.values()])
        readings = dict(zip(passages, read, strict=True))
        results.append(outcome(case, hits, readings, reader, answerable=case.passage is not None))
        if case.passage is not None:
            results.append(outcome(case, fewer, readings, reader, answerable=False))
    return results


def outcome(
    case: CalibrationCase, hits: Sequence[Hit], readings: dict[str, Reading], reader: Reader, answerable: bool
) -> CaseOutcome:
    """The outcome of a case with these hits, weighed as an answer weighs them. `readings` are those of the passages' texts.

    Raises ValueError without a hit.
    """
    renderings, contexts = [chunk_rendering(hit.chunk) for hit in hits], [passage_context(hit) for hit in hits]
    again = read_again(case.question, renderings, contexts, [readings[hit.chunk.text] for hit in hits], reader)
    passages = [Passage(hit, reading) for hit, reading in zip(hits, again, strict=True)]
    weighed = weigh(case.question, passages, reader.is_common).passages
    known = signals([passage.reading for passage in weighed])
    if known is None:
        raise ValueError(f"no passage was found for {case.question!r}: the corpus is empty")
    hit, reading = weighed[0].hit, weighed[0].reading
    right = False
    if answerable and hit.chunk.text == case.passage and reading.sentences:
        spans = [(s.start, s.end) for s in reading.sentences]
        best = max(range(len(spans)), key=lambda n: reading.sentences[n].score)
        right = best in gold_sentences(case.gold, sentence_spans(hit.chunk.text)) if case.gold else True
    return CaseOutcome(known, answerable, right, case.source, written_so=case.passage is None)


def signal_matrix(results: Sequence[CaseOutcome]) -> NDArray[np.float64]:
    """The signals as rows, in the order of `NAMES`."""
    return np.array([[getattr(outcome.signals, name) for name in NAMES] for outcome in results], dtype=np.float64)


def case_weights(results: Sequence[CaseOutcome]) -> NDArray[np.float64]:
    """Case weights with mean 1: half for answerable cases; of the rest, `HUMAN_SHARE` for human-written unanswerable ones."""
    answerable = np.array([outcome.answerable for outcome in results])
    written = np.array([outcome.written_so for outcome in results])
    groups = ((answerable, 0.5), (written, 0.5 * HUMAN_SHARE), (~answerable & ~written, 0.5 * (1 - HUMAN_SHARE)))
    weight = np.zeros(len(results))
    for members, share in groups:
        if members.any():
            weight[members] = share / members.sum()
    scaled: NDArray[np.float64] = weight / weight.mean()
    return scaled


def curve(p: NDArray[np.float64], results: Sequence[CaseOutcome], points: int = 120) -> tuple[Step, ...]:
    """Precision and recall at `points` thresholds, both classes weighing the same.

    It ends before the first threshold that fewer than 12 cases reach.
    """
    answerable = np.array([float(outcome.answerable) for outcome in results])
    right = np.array([float(outcome.right) for outcome in results])
    weight = case_weights(results)
    steps = []
    for threshold in np.linspace(0.02, 0.98, points):
        answered = p >= threshold
        if answered.sum() < 12:
            break
        total = weight[answered].sum()
        steps.append(
            Step(
                round(float(threshold), 4),
                round(float((weight * answerable)[answered].sum() / total), 4),
                round(float((weight * right)[answered].sum() / total), 4),
                round(float(answerable[answered].sum() / answerable.sum()), 4),
            )
        )
    return tuple(steps)


def reliability(
    p: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], bins: int = 10
) -> tuple[float, float]:
    """Expected calibration error over equal-width bins, and Brier score, of weighted cases."""
    bin_of = np.minimum((p * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = bin_of == number
        total = weight[inside].sum()
        if total:
            gap = (weight * p)[inside].sum() / total - (weight * y)[inside].sum() / total
            error += abs(gap) * total / weight.sum()
    return float(error), float((weight * (p - y) ** 2).sum() / weight.sum())


def fit(results: Sequence[CaseOutcome], reader: str) -> Calibration:
    """The calibration of the reader with this checksum, by ridge regression on the outcomes."""
    x, y = signal_matrix(results), np.array([float(outcome.answerable) for outcome in results])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    slope, bias = fit_logistic((x - mean) / scale, y, case_weights(results), ridge=3.0)
    p = 1 / (1 + np.exp(-((x - mean) / scale @ slope + bias)))
    return Calibration(
        VERSION, reader, tuple(mean.tolist()), tuple(scale.tolist()), tuple(slope.tolist()), bias, curve(p, results)
    )


def report(calibration: Calibration, results: Sequence[CaseOutcome]) -> dict[str, object]:
    """Measures of the probability on the outcomes: AUROC, calibration error, Brier score, trade-offs."""
    y = np.array([float(outcome.answerable) for outcome in results])
    p = np.array([calibration.probability(outcome.signals) for outcome in results])
    error, brier = reliability(p, y, case_weights(results))
    sources = sorted({outcome.source for outcome in results})
    split = {s: [n for n, o in enumerate(results) if o.source == s] for s in sources}
    return {
        "questions": len(results),
        "auroc": round(auroc(y, p), 4),
        "calibration_error": round(error, 4),
        "brier": round(brier, 4),
        "auroc_by_source": {s: round(auroc(y[rows], p[rows]), 4) for s, rows in split.items()},
        "auroc_by_signal": {name: round(auroc(y, signal_matrix(results)[:, n]), 4) for n, name in enumerate(NAMES)},
        "trade": {
            str(t): [round(v, 4) for v in _trade(p, results, calibration.threshold(t))]
            for t in (0.7, 0.78, 0.8, 0.9, 0.95)
        },
    }


def _trade(
    p: NDArray[np.float64], results: Sequence[CaseOutcome], threshold: float
) -> tuple[float, float, float, float]:
    """The threshold with its precision, share of right best sentences, and recall, both classes weighing the same."""
    answerable = np.array([float(outcome.answerable) for outcome in results])
    right = np.array([float(outcome.right) for outcome in results])
    weight, answered = case_weights(results), p >= threshold
    total = weight[answered].sum() or float("nan")
    return (
        threshold,
        float((weight * answerable)[answered].sum() / total),
        float((weight * right)[answered].sum() / total),
        float(answerable[answered].sum() / answerable.sum()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--reader", type=Path, default=folder("reader"), help="the reader it is fitted to")
    parser.add_argument("--out", type=Path, default=folder("calibration"), help="where calibration.json is written")
    parser.add_argument("--run", type=Path, default=Path("training/runs/calibration"), help="log, and vectors to keep")
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    options.run.mkdir(parents=True, exist_ok=True)
    data, cache = Path(options.data), options.run / "vectors"
    reader = Reader.load(options.reader, cache=options.run / "compiled")
    dev = outcomes(data, "dev", reader, cache)
    calibration = fit(dev, reader.config.sha256)
    calibration.save(options.out)
    weights = {name: round(weight, 3) for name, weight in zip(NAMES, calibration.weights, strict=True)}
    facts = {"fitted_on": report(calibration, dev), "weights": weights}
    (options.run / "dev.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    facts["test"] = report(calibration, outcomes(data, "test", reader, cache))
    (options.run / "report.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
