"""Readings -> what the reader says about them, over all their windows: the numbers that evaluation works with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.batches import Example, Labeller, collated
from training.sources import Reading


@dataclass(frozen=True)
class Scored:
    """The best relevance of a reading's windows, its sentences' logits in order, and their labels (None: unknown)."""

    relevance: float
    sentences: NDArray[np.float64]
    gold: NDArray[np.float64] | None

    @property
    def best(self) -> float:
        """The best sentence's logit; -20 for a passage without sentences."""
        return float(self.sentences.max()) if len(self.sentences) else -20.0


def scored(network: nn.Module, labeller: Labeller, readings: Sequence[Reading], tokens: int = 6144) -> list[Scored]:
    """Every reading scored by the network in bf16, in the order given."""
    flat: list[tuple[int, Example]] = []
    for number, reading in enumerate(readings):
        flat += [(number, example) for example in labeller.all_windows(reading)]
    flat.sort(key=lambda entry: len(entry[1].window.input_ids))
    found: list[list[tuple[int, float, NDArray[np.float64], Example]]] = [[] for _ in readings]
    begin = 0
    while begin < len(flat):
        end = begin + 1
        while end < len(flat) and (end + 1 - begin) * len(flat[end][1].window.input_ids) <= tokens:
            end += 1
        batch = collated([[example] for _, example in flat[begin:end]])
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            relevance, logits, _ = network(**batch.inputs)
        sentence = logits.float()[batch.row, batch.place].double().numpy()
        place = 0
        for (number, example), value in zip(flat[begin:end], relevance.float().tolist(), strict=True):
            size = len(example.window.firsts)
            first = example.window.sentences.start
            found[number].append((first, value, sentence[place : place + size], example))
            place += size
        begin = end
    return [_joined(sorted(windows, key=lambda window: window[0])) for windows in found]


def _joined(windows: list[tuple[int, float, NDArray[np.float64], Example]]) -> Scored:
    known = all(example.gold is not None for _, _, _, example in windows)
    return Scored(
        max(value for _, value, _, _ in windows),
        np.concatenate([logits for _, _, logits, _ in windows]),
        np.concatenate([np.asarray(e.gold, dtype=np.float64) for _, _, _, e in windows]) if known else None,
    )
