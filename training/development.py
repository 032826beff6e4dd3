"""Development halves of the reader: the passages, the network's scores for them, and a summary of both."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import sources
from training.arrays import DeviceExamples, ExampleArrays
from training.batches import Example, Labeller
from training.sources import PassagePair
from training.statistics import auroc


def dev_sets(data: Path) -> dict[str, list[PassagePair]]:
    """The development pairs that are measured during training, by name. "squad2_titled" has titles, "squad2" has none."""
    amazon = [group[0] for _, group in sources.squadshifts(data, "amazon_reviews", "dev")]
    titled = [group[0] for _, group in sources.squad2(data, "dev")]
    return {
        "squad2": [replace(pair, context="") for pair in titled],
        "squad2_titled": titled,
        "clapnq": [replace(group[0], context="") for group in sources.clapnq(data, "dev")],
        "amazon": random.Random(0).sample(amazon, 250),
    }


@dataclass(frozen=True)
class PassageScores:
    """The highest relevance of a passage's windows, the logits of its sentences in order, and their labels (None: unknown)."""

    relevance: float
    sentences: NDArray[np.float64]
    gold: NDArray[np.float64] | None

    @property
    def best(self) -> float:
        """The highest sentence logit; -20 for a passage without sentences."""
        return float(self.sentences.max()) if len(self.sentences) else -20.0


def score_pairs(
    network: nn.Module, labeller: Labeller, pairs: Sequence[PassagePair], tokens: int = 6144
) -> list[PassageScores]:
    """The network's scores for every pair, computed in bf16 where the network is, in the order given."""
    flat: list[tuple[int, Example]] = []
    for number, pair in enumerate(pairs):
        flat += [(number, example) for example in labeller.all_windows(pair)]
    device = next(network.parameters()).device
    arrays = ExampleArrays.of([example] for _, example in flat)
    placed = DeviceExamples(arrays, None, device)
    scored: list[list[tuple[int, float, NDArray[np.float64], Example]]] = [[] for _ in pairs]
    for rows in arrays.in_order_of_length(tokens):
        batch = placed.batch(rows)
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
            relevance, logits, _ = network(**batch.inputs)
        sentence = logits.float()[batch.row, batch.place].double().cpu().numpy()
        place = 0
        for row, value in zip(rows, relevance.float().tolist(), strict=True):
            number, example = flat[row]
            size = len(example.window.firsts)
            first = example.window.sentences.start
            scored[number].append((first, value, sentence[place : place + size], example))
            place += size
    return [_join_windows(sorted(windows, key=lambda window: window[0])) for windows in scored]


def _join_windows(windows: list[tuple[int, float, NDArray[np.float64], Example]]) -> PassageScores:
    known = all(example.gold is not None for _, _, _, example in windows)
    return PassageScores(
        max(value for _, value, _, _ in windows),
        np.concatenate([logits for _, _, logits, _ in windows]),
        np.concatenate([np.asarray(e.gold, dtype=np.float64) for _, _, _, e in windows]) if known else None,
    )


def summary(results: list[PassageScores], pairs: list[PassagePair]) -> dict[str, float]:
    """Share of answerable pairs whose best sentence is gold, and AUROC of answerability by relevance, best sentence and sum."""
    right = [float(r.gold[r.sentences.argmax()]) for r in results if r.gold is not None and r.gold.any()]
    labels = [float(pair.relevant) for pair in pairs]
    return {
        "best_sentence": round(sum(right) / len(right), 4),
        "auroc_relevance": round(auroc(labels, [r.relevance for r in results]), 4),
        "auroc_sentence": round(auroc(labels, [r.best for r in results]), 4),
        "auroc_sum": round(auroc(labels, [r.relevance + r.best for r in results]), 4),
    }
