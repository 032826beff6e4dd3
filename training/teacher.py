"""`python -m training.teacher --base PATH`: train a teacher, a large network that labels examples for smaller ones.

Its encoder is all-mpnet-base-v2, its heads are those of the reader or of the support checker. Of several teachers, with other
seeds, `python -m training.label` takes the mean.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from training import reader, support
from training.arrays import DeviceExamples
from training.label import examples_with_labels
from training.loop import Training, TrainingBudget
from training.mpnet import new_teacher, read_mpnet, write_teacher

LOSSES = {"reader": reader.losses, "support": support.losses}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    reader.add_run_options(parser, minutes=2.3, tokens=4096, run="teacher")
    parser.add_argument("--kind", choices=tuple(LOSSES), default="reader", help="what it is a teacher of")
    parser.add_argument(
        "--base", type=Path, required=True, help="folder of all-mpnet-base-v2: config.json, model.safetensors"
    )
    parser.add_argument(
        "--rate", type=float, default=6e-5, help="peak rate of the encoder; the heads' is five times it"
    )
    parser.add_argument("--out", type=Path, required=True, help="file that the teacher is written to")
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    budget = TrainingBudget(options.minutes, options.cool, options.rate, 5 * options.rate, steps=options.steps)
    network = new_teacher(options.kind, read_mpnet(options.base)).train()
    training = Training(network, options.run, budget)
    training.resume()
    arrays, _ = examples_with_labels(options.examples, options.kind, options.only)
    placed = DeviceExamples(arrays, None, training.device)
    training.log(examples=len(arrays), tokens=len(arrays.tokens), device=str(training.device))
    training.run(
        reader.stream(placed, options.tokens, options.seed + training.step),
        LOSSES[options.kind],
        lambda: write_teacher(options.out, options.kind, network),
        measure_minutes=math.inf,
    )


if __name__ == "__main__":
    main()
