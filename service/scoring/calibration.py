"""The confidence of an answer: a few signals of reading -> the probability that the corpus answers."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from index.errors import ModelDamaged, ModelMissing
from service.scoring.reader import Reading

FILE = "calibration.json"
_MAX_BELOW = 2.0
"""The most logits by which `alone` is below `relevance`: a line of a list or table says little alone, yet may answer."""
_LOWEST = -5.0
"""Signals below this count as this: what lacks two names that are asked for answers no less than what lacks one."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known about a question once its passages have been read and weighed.

    `relevance`: the reader's logit for the most relevant passage. `unit`: its logit for the best unit of that passage, read
    among the others. `alone`: the relevance of the best unit read by itself. Other signals that were tried:
    models/calibration/CARD.md.
    """

    relevance: float
    unit: float
    alone: float


NAMES = tuple(field.name for field in fields(Signals))


def signals(read: Sequence[Reading]) -> Signals | None:
    """The signals of passages, in any order, whose best sentences were read a second time; None without passages."""
    if not read:
        return None
    reading = max(read, key=lambda reading: reading.relevance)
    return Signals(*(max(value, _LOWEST) for value in (reading.relevance, reading.best, relevance_alone(reading))))


def relevance_alone(reading: Reading) -> float:
    """The relevance of the best of the sentences that were read by themselves.

    At least the passage's own relevance less two logits, which is also the value for a passage that states nothing.
    """
    lowest = reading.relevance - _MAX_BELOW
    again = [(sentence.score, sentence.alone) for sentence in reading.sentences if sentence.alone is not None]
    return max(max(again)[1], lowest) if again else lowest


@dataclass(frozen=True, slots=True)
class Step:
    """One point of the measured trade-off: questions are answered only at a confidence of `threshold` or more.

    `precision` is the share of the answered questions that the corpus does answer, `right` the share whose best sentence
    holds the answer, `recall` the share of answerable questions that are answered. Measured with as many unanswerable as
    answerable questions.
    """

    threshold: float
    precision: float
    right: float
    recall: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic regression on standardised signals, in the order of `NAMES`, and the trade-off on held-back questions.

    `reader` is the checksum of the reader's weights that it was fitted to. Made by `python -m training.calibrate`.
    """

    version: str
    reader: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    curve: tuple[Step, ...]

    @classmethod
    def load(cls, folder: Path, reader: str | None = None) -> "Calibration":
        """The calibration in `folder`. If `reader` is given, the calibration must have been fitted to that checksum.

        Raises ModelMissing or ModelDamaged, naming the file.
        """
        path = folder / FILE
        try:
            record = json.loads(path.read_bytes())
            calibration = cls(
                version=str(record["version"]),
                reader=str(record["reader"]),
                mean=_numbers(record["mean"]),
                scale=_numbers(record["scale"]),
                weights=_numbers(record["weights"]),
                bias=float(record["bias"]),
                curve=tuple(Step(*map(float, step)) for step in record["curve"]),
            )
            if record["signals"] != list(NAMES) or not calibration.curve:
                raise ValueError(f"signals {record['signals']}, expected {list(NAMES)}, and a curve")
        except OSError as error:
            raise ModelMissing(f"{path}: cannot be read ({error.strerror}). Reinstall quoth") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ModelDamaged(f"{path}: not a calibration ({error}). Reinstall quoth or restore the file") from error
        if reader is not None and reader != calibration.reader:
            raise ModelDamaged(
                f"{path}: made for the reader {calibration.reader[:12]}, but that is {reader[:12]}. Reinstall quoth"
            )
        return calibration

    def probability(self, known: Signals | None) -> float:
        """P(the corpus answers the question), 0 without any passage."""
        if known is None:
            return 0.0
        total = self.bias + sum(self.shares(known).values())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))

    def shares(self, known: Signals) -> dict[str, float]:
        """What each signal adds to the log odds, compared with its mean."""
        return {
            name: weight * (getattr(known, name) - mean) / scale
            for name, weight, mean, scale in zip(NAMES, self.weights, self.mean, self.scale, strict=True)
        }

    def threshold(self, target_precision: float) -> float:
        """The lowest threshold at which, and above which, the measured precision is at least `target_precision`.

        If the target was never reached, the strictest threshold that was measured.
        """
        lowest = self.curve[-1].threshold
        for step in sorted(self.curve, key=lambda s: -s.threshold):
            if step.precision < target_precision:
                break
            lowest = step.threshold
        else:
            return min(step.threshold for step in self.curve)
        return lowest

    def save(self, folder: Path) -> None:
        """Write the file that `load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "version": self.version,
            "reader": self.reader,
            "signals": list(NAMES),
            "mean": self.mean,
            "scale": self.scale,
            "weights": self.weights,
            "bias": self.bias,
            "curve": [[s.threshold, s.precision, s.right, s.recall] for s in self.curve],
        }
        (folder / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != len(NAMES):
        raise ValueError(f"{len(numbers)} numbers for {len(NAMES)} signals")
    return numbers
