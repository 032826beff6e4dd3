"""`python -m training.support`: train the support checker from prepared examples and fit its probability.

Where a teacher has labelled the examples (`python -m training.label`), the checker learns from it as well as from their labels.
"""

import argparse
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from index.inference.shape import BertShape
from service.scoring.networks import SupportNetwork
from service.scoring.trained_model import ModelConfig
from service.scoring.weights import read_model, write_model
from training import claims
from training.arrays import DeviceExamples, ExampleArrays
from training.batches import ReaderBatch
from training.claims import ClaimPair
from training.depth import with_layers
from training.epochs import LIMIT, claim_example
from training.label import ask_support, examples_with_labels
from training.loop import Training, TrainingBudget
from training.losses import support_losses, weighted_sum
from training.pretrained import NAME, base_encoder, base_tokenizer, model_kind
from training.reader import add_run_options, stream
from training.statistics import auroc, balanced_accuracy, best_threshold, fit_logistic

VERSION = "2"
_EMPTY_LOGIT = -50.0


def losses(network: nn.Module, batch: ReaderBatch) -> tuple[dict[str, Tensor], Tensor]:
    """The checker's losses on a batch and their sum."""
    answer, _ = ask_support(network, batch)
    named = support_losses(answer, batch)
    return named, weighted_sum(named)


def logits(
    network: nn.Module, tokenizer: Tokenizer, chosen: Sequence[ClaimPair], tokens: int = 6144
) -> NDArray[np.float64]:
    """The network's logit for every pair, computed in bf16 where the network is; -50 for a premise without a sentence."""
    examples = [(number, example) for number, pair in enumerate(chosen) if (example := claim_example(tokenizer, pair))]
    values = np.full(len(chosen), _EMPTY_LOGIT)
    device = next(network.parameters()).device
    arrays = ExampleArrays.of([example] for _, example in examples)
    placed = DeviceExamples(arrays, None, device)
    for rows in arrays.in_order_of_length(tokens):
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
            answer, _ = ask_support(network, placed.batch(rows))
        values[[examples[row][0] for row in rows]] = answer.double().cpu().numpy()
    return values


def dev_sets(data: Path) -> dict[str, list[ClaimPair]]:
    """The development pairs by set: measured during training, and used to fit the probability."""
    return {
        "wice": list(claims.wice(data, "dev")),
        "begin": list(claims.begin(data, "dev"))[:400],
        "factcheckgpt": list(claims.factcheckgpt(data, "dev"))[:400],
        "scifact": list(claims.scifact(data, "dev", random.Random(0)))[:200],
    }


def fit_probability(network: nn.Module, tokenizer: Tokenizer, sets: dict[str, list[ClaimPair]]) -> tuple[float, float]:
    """Temperature and offset of the probability, by logistic regression on the development sets.

    Both classes of every set have the same weight, so that .5 is the threshold of balanced accuracy.
    """
    values, labels, weights = [], [], []
    for chosen in sets.values():
        truth = np.array([float(pair.supported) for pair in chosen])
        values.append(logits(network, tokenizer, chosen))
        labels.append(truth)
        weights.append(np.where(truth > 0, 1 / truth.sum(), 1 / (1 - truth).sum()))
    x, y, w = np.concatenate(values), np.concatenate(labels), np.concatenate(weights)
    slope, offset = fit_logistic(x[:, None], y, w, ridge=1e-3)
    return float(slope[0]), offset


def starting_network(begin: Path | None, layers: int) -> SupportNetwork:
    """The checker in `begin`, or with the encoder of the reader there, its layers doubled or dropped; else the base encoder."""
    network = SupportNetwork(BertShape(layers=layers))
    if begin is None:
        weights = {f"bert.{name}": tensor for name, tensor in base_encoder().state_dict().items()}
    else:
        kind = model_kind(begin)
        read = read_model(begin, kind)[1]
        weights = read if kind == "support" else {n: t for n, t in read.items() if n.startswith("bert.")}
    network.load_state_dict({**network.state_dict(), **with_layers(weights, layers)})
    return network


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_options(parser, minutes=30, tokens=4096, run="support")
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--fit-only", action="store_true", help="train nothing, only fit the probability")
    parser.add_argument("--measure-minutes", type=float, default=7, help="training time between two measurements")
    parser.add_argument("--out", type=Path, default=Path("models/support"), help="where the model is written")
    parser.add_argument(
        "--layers", type=int, default=6, help="layers of its encoder, doubled or dropped from where it starts"
    )
    parser.add_argument(
        "--rate", type=float, default=1.2e-4, help="peak rate of the encoder; the head's is three times it"
    )
    parser.add_argument(
        "--begin", type=Path, help="folder of a trained model to start from; only the encoder of a reader"
    )
    options = parser.parse_args(arguments)
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    torch.manual_seed(options.seed)
    network = starting_network(options.begin, options.layers)
    budget = TrainingBudget(options.minutes, options.cool, options.rate, 3 * options.rate, steps=options.steps)
    training = Training(network, options.run, budget)
    training.resume()
    tokenizer = base_tokenizer()
    sets = dev_sets(Path(options.data))
    config = ModelConfig("support", VERSION, NAME, network.bert.shape, LIMIT, "")

    def measure() -> None:
        facts = {name: _measures(logits(network, tokenizer, chosen), chosen) for name, chosen in sets.items()}
        temperature, offset = fit_probability(network, tokenizer, sets)
        training.log(dev=facts, temperature=temperature, offset=offset)
        weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
        write_model(options.out, replace(config, temperature=temperature, offset=offset), weights)

    if options.fit_only:
        measure()
        return
    placed = DeviceExamples(*examples_with_labels(options.examples, "support", options.only), training.device)
    training.log(examples=len(placed.arrays), tokens=len(placed.arrays.tokens), device=str(training.device))
    training.run(stream(placed, options.tokens, options.seed + training.step), losses, measure, options.measure_minutes)


def _measures(values: NDArray[np.float64], chosen: Sequence[ClaimPair]) -> dict[str, float]:
    truth = [float(pair.supported) for pair in chosen]
    best = best_threshold(truth, values)
    return {
        "balanced_at_0": round(balanced_accuracy(truth, values, 0.0), 4),
        "balanced_at_best": round(balanced_accuracy(truth, values, best), 4),
        "auroc": round(auroc(truth, values), 4),
    }


if __name__ == "__main__":
    main()
