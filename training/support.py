"""`python -m training.support --data PATH`: train the support checker and write it to models/support."""

import argparse
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from index.inference.bert import BertShape
from service.scoring.networks import SupportNetwork
from service.scoring.support import premise_window
from service.scoring.trained_model import ModelConfig, read_model, write_model
from service.scoring.windows import Window
from training import claims
from training.batches import batches
from training.claims import ClaimPair
from training.loop import Training, TrainingBudget
from training.pretrained import NAME, base_encoder, base_tokenizer, model_kind
from training.statistics import auroc, balanced_accuracy, best_threshold, fit_logistic

LIMIT = 256
BATCH_TOKENS = 4096
VERSION = "2"
STABLE_SHARE, COOLING_SHARE = 0.4, 0.2
"""Share of the mix that an epoch samples, before and during the cool-down."""


@dataclass(frozen=True)
class LabelledClaim:
    """A window and whether its premise supports its claim."""

    window: Window
    supported: bool


def pairs(data: Path, rng: random.Random, cooling: bool) -> list[ClaimPair]:
    """The sets that resemble the product, twice, and a sample of the mix, a smaller one in the cool-down."""
    near = [
        *claims.factcheckgpt(data, "train"),
        *claims.begin(data, "train"),
        *list(claims.wice(data, "train")) * 3,
        *claims.scifact(data, "train", rng),
    ]
    mix = [
        *claims.mix_support(data, rng),
        *claims.wice_partial(data),
        *claims.rule_pairs(data, rng, 16000),
        *claims.statement_pairs(data, rng, 5000),
    ]
    return near * 2 + rng.sample(mix, round(len(mix) * (COOLING_SHARE if cooling else STABLE_SHARE)))


def label_pair(tokenizer: Tokenizer, pair: ClaimPair) -> LabelledClaim | None:
    """The pair as a window for the network, with its label. None for a premise without a sentence."""
    window = premise_window(tokenizer, pair.claim, pair.premise, LIMIT)
    return LabelledClaim(window, pair.supported) if window else None


def stream(data: Path, tokenizer: Tokenizer, training: Training, seed: int) -> Iterator[list[LabelledClaim]]:
    """Endless batches: every epoch samples its pairs anew."""
    epoch = 0
    while True:
        rng = random.Random(seed + training.step + epoch)
        cooling = training.cooling
        chosen = pairs(data, rng, cooling)
        rng.shuffle(chosen)
        training.log(pairs=len(chosen), cooling=cooling)
        examples = ([example] for pair in chosen if (example := label_pair(tokenizer, pair)))
        for batch in batches(examples, BATCH_TOKENS, rng):
            yield [example for group in batch for example in group]
            if training.cooling != cooling:
                break
        epoch += 1


def inputs(examples: Sequence[LabelledClaim]) -> dict[str, Tensor]:
    """The network's inputs: the windows, padded to one length."""
    length = max(len(example.window.input_ids) for example in examples)
    arrays = {
        name: np.zeros((len(examples), length), dtype=np.int64)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    for number, example in enumerate(examples):
        size = len(example.window.input_ids)
        arrays["input_ids"][number, :size] = example.window.input_ids
        arrays["token_type_ids"][number, :size] = example.window.token_type_ids
        arrays["attention_mask"][number, :size] = 1
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def losses(network: nn.Module, examples: Sequence[LabelledClaim]) -> tuple[dict[str, Tensor], Tensor]:
    """Binary cross-entropy. Labels are smoothed by .05, because several sources were labelled by machine."""
    labels = torch.tensor([float(example.supported) for example in examples])
    logits = network(**inputs(examples)).float()
    loss = functional.binary_cross_entropy_with_logits(logits, labels * 0.95 + 0.025)
    return {"support": loss}, loss


def logits(network: nn.Module, tokenizer: Tokenizer, chosen: Sequence[ClaimPair]) -> NDArray[np.float64]:
    """The network's logit for every pair, computed in bf16; -50 for a premise without a sentence."""
    examples = [(number, label_pair(tokenizer, pair)) for number, pair in enumerate(chosen)]
    usable = sorted(((n, e) for n, e in examples if e is not None), key=lambda entry: len(entry[1].window.input_ids))
    values = np.full(len(chosen), -50.0)
    for begin in range(0, len(usable), 24):
        part = usable[begin : begin + 24]
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            batch = network(**inputs([example for _, example in part]))
        values[[number for number, _ in part]] = batch.double().numpy()
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


def load_start(network: SupportNetwork, folder: Path) -> None:
    """Load the weights of the support checker in `folder`, or only the encoder where it holds a reader."""
    kind = model_kind(folder)
    _, weights = read_model(folder, kind)
    if kind == "support":
        network.load_state_dict(weights)
    else:
        network.bert.load_state_dict({n.removeprefix("bert."): t for n, t in weights.items() if n.startswith("bert.")})


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--minutes", type=float, default=30, help="training time, including the cool-down")
    parser.add_argument("--steps", type=int, help="training steps, instead of minutes; 0 only fits the probability")
    parser.add_argument("--measure-minutes", type=float, default=7, help="training time between two measurements")
    parser.add_argument("--run", type=Path, default=Path("training/runs/support"), help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=Path("models/support"), help="where the model is written")
    parser.add_argument(
        "--begin", type=Path, help="folder of a trained model to start from; only the encoder of a reader"
    )
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    torch.manual_seed(options.seed)
    shape = BertShape()
    network = SupportNetwork(shape)
    network.bert.load_state_dict(base_encoder().state_dict())
    if options.begin:
        load_start(network, options.begin)
    budget = TrainingBudget(options.minutes, cool=0.25, encoder_rate=1.2e-4, head_rate=4e-4, steps=options.steps)
    training = Training(network, options.run, budget)
    training.resume()
    tokenizer = base_tokenizer()
    sets = dev_sets(Path(options.data))

    def measure() -> None:
        facts = {}
        for name, chosen in sets.items():
            truth = [float(pair.supported) for pair in chosen]
            values = logits(network, tokenizer, chosen).tolist()
            best = best_threshold(truth, values)
            facts[name] = {
                "balanced_at_0": round(balanced_accuracy(truth, values, 0.0), 4),
                "balanced_at_best": round(balanced_accuracy(truth, values, best), 4),
                "auroc": round(auroc(truth, values), 4),
            }
        temperature, offset = fit_probability(network, tokenizer, sets)
        training.log(dev=facts, temperature=temperature, offset=offset)
        config = ModelConfig("support", VERSION, NAME, shape, LIMIT, "", temperature, offset)
        write_model(options.out, config, network.state_dict())

    training.run(
        stream(Path(options.data), tokenizer, training, options.seed), losses, measure, options.measure_minutes
    )


if __name__ == "__main__":
    main()
