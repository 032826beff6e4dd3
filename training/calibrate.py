"""`python -m training.calibrate --data PATH`: fits P(the corpus answers) and writes it to models/calibration.

Fitted on development questions over their own pooled corpus, tested on test questions over theirs. Answerable questions
are asked twice: with their passage in the corpus, and with it taken out.
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

from index.chunking.sentences import sentence_spans
from index.records import Hit
from models import folder
from service.scoring.calibration import NAMES, Calibration, Signals, Step, signals
from service.scoring.reader import Reader, context
from service.scoring.reader import Reading as Read
from service.scoring.second_pass import read_again
from training.batches import gold_sentences
from training.cases import Case, cases
from training.logistic import fit
from training.metrics import auroc
from training.retrieval import Pool
from training.sources import Split

DEPTH = 12
"""Recall of the gold passage on the development corpus: .816 at 4, .866 at 8, .879 at 12, .902 at 24; time is in proportion."""
VERSION = "2"


@dataclass(frozen=True)
class Outcome:
    """The signals of one asked question, whether the corpus answers it, and whether the best sentence is a gold one.

    `written_so`: a person wrote the question so that its passage does not answer it.
    """

    signals: Signals
    answerable: bool
    right: bool
    source: str
    written_so: bool


def outcomes(data: Path, split: Split, reader: Reader, cache: Path, depth: int = DEPTH) -> list[Outcome]:
    """Every case of a split asked as Quoth asks: hybrid search, then the reader over the best `depth` passages."""
    asked, titles = cases(data, split, random.Random(4))
    pool = Pool(sorted(titles), cache, titles)
    own = [{pool.number[case.passage]} if case.passage is not None else set() for case in asked]
    with_it = pool.hits([case.question for case in asked], depth, [()] * len(asked))
    without = pool.hits([case.question for case in asked], depth, own)
    found: list[Outcome] = []
    for case, hits, fewer in zip(asked, with_it, without, strict=True):
        passages = {hit.chunk.text: hit for hit in [*hits, *fewer]}
        read = reader.read(case.question, list(passages), [context(hit) for hit in passages.values()])
        readings = dict(zip(passages, read, strict=True))
        found.append(_outcome(case, hits, readings, reader, answerable=case.passage is not None))
        if case.passage is not None:
            found.append(_outcome(case, fewer, readings, reader, answerable=False))
    return found


def _outcome(case: Case, hits: Sequence[Hit], readings: dict[str, Read], reader: Reader, answerable: bool) -> Outcome:
    texts, contexts = [hit.chunk.text for hit in hits], [context(hit) for hit in hits]
    read = list(
        zip(hits, read_again(case.question, texts, contexts, [readings[t] for t in texts], reader), strict=True)
    )
    known = signals(read)
    if known is None:
        raise ValueError(f"no passage was found for {case.question!r}; the corpus is empty")
    hit, reading = max(read, key=lambda entry: entry[1].relevance)
    right = False
    if answerable and hit.chunk.text == case.passage and reading.sentences:
        spans = [(s.start, s.end) for s in reading.sentences]
        best = max(range(len(spans)), key=lambda n: reading.sentences[n].score)
        right = best in gold_sentences(case.gold, sentence_spans(hit.chunk.text)) if case.gold else True
    return Outcome(known, answerable, right, case.source, written_so=case.passage is None)


def matrix(found: Sequence[Outcome]) -> NDArray[np.float64]:
    """The signals as rows, in the order of `NAMES`; a missing similarity counts as the mean of the others."""
    rows = np.array([[getattr(outcome.signals, name) for name in NAMES] for outcome in found], dtype=np.float64)
    missing = np.isnan(rows)
    rows[missing] = np.broadcast_to(np.nanmean(rows, axis=0), rows.shape)[missing]
    return rows


HUMAN = 0.7
"""Share of the unanswerable that questions written to be unanswerable stand for; the rest had their passage taken out. In
use, the matter asked about is mostly in the collection, which taking a passage out does not show."""


def weights(found: Sequence[Outcome]) -> NDArray[np.float64]:
    """Case weights with mean 1: half for the answerable, and of the other half `HUMAN` for questions that people wrote so."""
    answerable = np.array([outcome.answerable for outcome in found])
    written = np.array([outcome.written_so for outcome in found])
    groups = ((answerable, 0.5), (written, 0.5 * HUMAN), (~answerable & ~written, 0.5 * (1 - HUMAN)))
    weight = np.zeros(len(found))
    for members, share in groups:
        if members.any():
            weight[members] = share / members.sum()
    scaled: NDArray[np.float64] = weight / weight.mean()
    return scaled


def curve(p: NDArray[np.float64], found: Sequence[Outcome], points: int = 120) -> tuple[Step, ...]:
    """The trade at `points` thresholds, both classes counted the same. Thresholds above which under 12 remain are left out."""
    answerable = np.array([float(outcome.answerable) for outcome in found])
    right = np.array([float(outcome.right) for outcome in found])
    weight = weights(found)
    steps = []
    for threshold in np.linspace(0.02, 0.98, points):
        said = p >= threshold
        if said.sum() < 12:
            break
        total = weight[said].sum()
        steps.append(
            Step(
                round(float(threshold), 4),
                round(float((weight * answerable)[said].sum() / total), 4),
                round(float((weight * right)[said].sum() / total), 4),
                round(float(answerable[said].sum() / answerable.sum()), 4),
            )
        )
    return tuple(steps)


def reliability(
    p: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], bins: int = 10
) -> tuple[float, float]:
    """Expected calibration error over equal-width bins, and Brier score, of weighted cases."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = which == number
        total = weight[inside].sum()
        if total:
            gap = (weight * p)[inside].sum() / total - (weight * y)[inside].sum() / total
            error += abs(gap) * total / weight.sum()
    return float(error), float((weight * (p - y) ** 2).sum() / weight.sum())


def report(calibration: Calibration, found: Sequence[Outcome]) -> dict[str, object]:
    """What the probability is worth on `found`."""
    y = np.array([float(outcome.answerable) for outcome in found])
    p = np.array([calibration.probability(outcome.signals) for outcome in found])
    error, brier = reliability(p, y, weights(found))
    sources = sorted({outcome.source for outcome in found})
    split = {s: [n for n, o in enumerate(found) if o.source == s] for s in sources}
    return {
        "questions": len(found),
        "auroc": round(auroc(y, p), 4),
        "calibration_error": round(error, 4),
        "brier": round(brier, 4),
        "auroc_by_source": {s: round(auroc(y[rows], p[rows]), 4) for s, rows in split.items()},
        "auroc_by_signal": {name: round(auroc(y, matrix(found)[:, n]), 4) for n, name in enumerate(NAMES)},
        "trade": {
            str(t): [round(v, 4) for v in _trade(p, found, calibration.threshold(t))]
            for t in (0.7, 0.72, 0.8, 0.9, 0.95)
        },
    }


def _trade(p: NDArray[np.float64], found: Sequence[Outcome], threshold: float) -> tuple[float, float, float, float]:
    """Threshold, precision, right, recall at the threshold; both classes counted the same."""
    answerable = np.array([float(outcome.answerable) for outcome in found])
    right = np.array([float(outcome.right) for outcome in found])
    weight, said = weights(found), p >= threshold
    total = weight[said].sum() or float("nan")
    return (
        threshold,
        float((weight * answerable)[said].sum() / total),
        float((weight * right)[said].sum() / total),
        float(answerable[said].sum() / answerable.sum()),
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--reader", type=Path, default=folder("reader"), help="the reader it is fitted to")
    parser.add_argument("--out", type=Path, default=folder("calibration"), help="where calibration.json is written")
    parser.add_argument("--run", type=Path, default=Path("training/runs/calibration"), help="log, and vectors to keep")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    options.run.mkdir(parents=True, exist_ok=True)
    data, cache = Path(options.data), options.run / "vectors"
    reader = Reader.load(options.reader, cache=options.run / "compiled")
    dev = outcomes(data, "dev", reader, cache)
    x, y = matrix(dev), np.array([float(outcome.answerable) for outcome in dev])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    slope, bias = fit((x - mean) / scale, y, weights(dev), ridge=3.0)
    p = 1 / (1 + np.exp(-((x - mean) / scale @ slope + bias)))
    calibration = Calibration(
        VERSION, reader.config.sha256, tuple(mean), tuple(scale), tuple(slope), bias, curve(p, dev)
    )
    calibration.save(options.out)
    facts = {"fitted_on": report(calibration, dev), "weights": dict(zip(NAMES, slope.round(3).tolist(), strict=True))}
    (options.run / "dev.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    facts["test"] = report(calibration, outcomes(data, "test", reader, cache))
    (options.run / "report.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
