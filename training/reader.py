"""`python -m training.reader`: train a reader of any depth from prepared examples, and write it to models/reader.

Where a teacher has labelled the examples (`python -m training.label`), the reader learns from it as well as from their labels.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from index.inference.shape import BertShape
from service.scoring.networks import ReaderNetwork
from service.scoring.trained_model import ModelConfig
from service.scoring.weights import read_model, write_model
from training.arrays import DeviceExamples
from training.batches import Labeller, ReaderBatch
from training.depth import with_layers
from training.development import dev_sets, score_pairs, summary
from training.epochs import LIMIT
from training.label import examples_with_labels
from training.loop import Training, TrainingBudget
from training.losses import reader_losses, weighted_sum
from training.prepare import FOLDER
from training.pretrained import NAME, base_encoder, base_tokenizer

VERSION = "4"


def stream(placed: DeviceExamples, tokens: int, seed: int) -> Iterator[ReaderBatch]:
    """Endless batches: pass after pass over all examples, each in an order of its own."""
    rng = np.random.default_rng(seed)
    while True:
        for rows in placed.arrays.batches(tokens, rng):
            yield placed.batch(rows)


def losses(network: nn.Module, batch: ReaderBatch) -> tuple[dict[str, Tensor], Tensor]:
    """The reader's losses on a batch and their weighted sum."""
    relevance, sentence, span = network(**batch.inputs)
    named = reader_losses(relevance, sentence, span, batch)
    return named, weighted_sum(named)


def starting_network(begin: Path | None, layers: int) -> ReaderNetwork:
    """The reader in `begin`, its layers doubled or dropped to `layers`; without it, the pre-trained encoder and new heads."""
    network = ReaderNetwork(BertShape(layers=layers))
    if begin is None:
        encoder = {f"bert.{name}": tensor for name, tensor in base_encoder().state_dict().items()}
        network.load_state_dict({**network.state_dict(), **with_layers(encoder, layers)})
    else:
        network.load_state_dict(with_layers(read_model(begin, "reader")[1], layers))
    return network


def add_run_options(parser: argparse.ArgumentParser, *, minutes: float, tokens: int, run: str) -> None:
    """The options that every command that trains a network has."""
    parser.add_argument("--examples", type=Path, default=FOLDER, help="folder that python -m training.prepare wrote")
    parser.add_argument("--only", action="append", help="name of a file of examples, without its ending; default: all")
    parser.add_argument("--minutes", type=float, default=minutes, help="training time, including the cool-down")
    parser.add_argument("--steps", type=int, help="training steps, instead of minutes")
    parser.add_argument("--tokens", type=int, default=tokens, help="padded tokens of a batch; on a GPU 49152")
    parser.add_argument(
        "--cool", type=float, default=0.2, help="share of the time in which the learning rate cools down"
    )
    parser.add_argument("--run", type=Path, default=Path("training/runs") / run, help="checkpoints and log")
    parser.add_argument("--seed", type=int, default=4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_options(parser, minutes=70, tokens=4096, run="reader")
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="data sets to measure it on")
    parser.add_argument("--begin", type=Path, help="folder of a trained reader to start from")
    parser.add_argument(
        "--layers", type=int, default=12, help="layers of its encoder, doubled or dropped from where it starts"
    )
    parser.add_argument("--frozen-layers", type=int, default=0, help="first layers that are not trained")
    parser.add_argument(
        "--rate", type=float, default=1.2e-4, help="peak rate of the encoder; the heads' is three times it"
    )
    parser.add_argument("--measure-minutes", type=float, default=12, help="training time between two measurements")
    parser.add_argument("--out", type=Path, default=Path("models/reader"), help="where the model is written")
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    budget = TrainingBudget(options.minutes, options.cool, options.rate, 3 * options.rate, steps=options.steps)
    network = starting_network(options.begin, options.layers)
    training = Training(network, options.run, budget, frozen_layers=options.frozen_layers)
    training.resume()
    placed = DeviceExamples(*examples_with_labels(options.examples, "reader", options.only), training.device)
    training.log(examples=len(placed.arrays), tokens=len(placed.arrays.tokens), device=str(training.device))
    labeller = Labeller(base_tokenizer(), LIMIT)
    sets = dev_sets(Path(options.data)) if options.data else {}
    config = ModelConfig("reader", VERSION, NAME, network.bert.shape, LIMIT, "")

    def measure() -> None:
        facts = {name: summary(score_pairs(network, labeller, pairs), pairs) for name, pairs in sets.items()}
        training.log(dev=facts)
        write_model(options.out, config, {name: tensor.cpu() for name, tensor in network.state_dict().items()})

    training.run(stream(placed, options.tokens, options.seed + training.step), losses, measure, options.measure_minutes)


if __name__ == "__main__":
    main()
