"""`python -m training.ablate --data PATH`: ablations of the reader: short training runs that leave out one thing each.

Every run uses the same sample of the data in the same order, without what it leaves out, for the same number of steps, and
is measured on development halves. The table for version 3 is in the template of the reader's card.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor, nn

from index.inference.shape import BertShape
from service.scoring.networks import ReaderNetwork
from training import epochs, reader, sources
from training.arrays import DeviceExamples, ExampleArrays
from training.batches import Labeller, ReaderBatch
from training.development import PassageScores, score_pairs
from training.loop import Training, TrainingBudget
from training.losses import reader_losses, weighted_sum
from training.pretrained import base_encoder, base_tokenizer
from training.sources import Group, PassagePair
from training.statistics import auroc

BATCH_TOKENS = 2048
LIMIT = 256
HUMAN = frozenset({"squad2", "clapnq"})
OTHER = (
    "qamr", "fairytaleqa", "selqa_sentence", "tatqa_text", "bioasq12b_ideal", "bioasq12b", "boolq", "fm2_sentence",
    "medquad_6000", "pubmedqa", "policyqa",
)  # fmt: skip
"""The sources that `epochs.other_groups` samples, without SQuAD 1."""
SQUAD1 = ("squad1_dutest", "squad1_rules", "squad1_exchanged")
RULE_MADE = ("squad1_rules", "squad1_exchanged")


def _source(*names: str) -> Callable[[PassagePair], bool]:
    return lambda pair: pair.source.removesuffix("_near") in names


NONE = _source()


@dataclass(frozen=True)
class Variant:
    """What a run leaves out: pairs for which `drops` is true, and losses by name."""

    name: str
    drops: Callable[[PassagePair], bool] = NONE
    losses: frozenset[str] = frozenset()
    seed: int = 4


VARIANTS = (
    Variant("nothing"),
    Variant("nothing, second seed", seed=5),
    Variant("nothing, third seed", seed=6),
    Variant("head: relevance", losses=frozenset({"relevance", "ranking"})),
    Variant("head: sentences", losses=frozenset({"choice", "sentence"})),
    Variant("head: span", losses=frozenset({"span"})),
    Variant("source: SQuAD 2", _source("squad2")),
    Variant("source: SQuAD 1 with what is made of it", _source(*SQUAD1)),
    Variant("source: CLAPNQ", _source("clapnq")),
    Variant("source: the eleven smaller sets of the mix", _source(*OTHER)),
    Variant("negatives: near misses found by search", lambda r: r.source.endswith("_near")),
    Variant("negatives: generated near misses", lambda r: r.source == "squad1_dutest" and not r.relevant),
    Variant("negatives: questions made unanswerable by rule", _source(*RULE_MADE)),
    Variant("negatives: of these, parts of the passage exchanged", _source("squad1_exchanged")),
    Variant("negatives: human-written", lambda r: r.source in HUMAN and not r.relevant),
)


def kept_groups(groups: Sequence[Group], variant: Variant) -> Iterator[Group]:
    """The groups without the pairs that the variant drops, without groups that become empty."""
    for group in groups:
        remaining = tuple(pair for pair in group if not variant.drops(pair))
        if remaining:
            yield remaining


def dev_sets(data: Path) -> dict[str, list[PassagePair]]:
    """Parts of the development halves by name: two with human-written unanswerable questions, one with near misses."""
    rng = random.Random(0)
    squad2 = list(sources.squad2(data, "dev"))
    amazon = list(sources.squadshifts(data, "amazon_reviews", "dev"))
    answered = [entry for entry in squad2 + amazon if entry[1][0].relevant]
    near = list(sources.add_near_misses(answered, 1, 1.0, rng))
    return {
        "SQuAD 2": [group[0] for _, group in squad2],
        "CLAPNQ": [group[0] for group in sources.clapnq(data, "dev")],
        "near misses": [pair for group in rng.sample(near, min(200, len(near))) for pair in group],
    }


def summary(results: Sequence[PassageScores], pairs: Sequence[PassagePair]) -> dict[str, float]:
    """Share of answerable pairs whose best sentence is gold; AUROC of answerability by relevance and best sentence."""
    right = [float(r.gold[r.sentences.argmax()]) for r in results if r.gold is not None and r.gold.any()]
    labels = [float(pair.relevant) for pair in pairs]
    return {
        "best_sentence": sum(right) / len(right),
        "auroc_relevance": auroc(labels, [r.relevance for r in results]),
        "auroc_sentence": auroc(labels, [r.best for r in results]),
        "n": len(pairs),
    }


def run_variant(
    number: int,
    groups: Sequence[Group],
    sets: Mapping[str, Sequence[PassagePair]],
    folder: Path,
    steps: int,
    threads: int,
) -> dict[str, dict[str, float]]:
    """The summary of `VARIANTS[number]` by development set after `steps` steps on `threads` threads; a stopped run resumes."""
    variant = VARIANTS[number]
    torch.set_num_threads(threads)
    torch.manual_seed(variant.seed)
    labeller = Labeller(base_tokenizer(), LIMIT)
    network = ReaderNetwork(BertShape())
    network.bert.load_state_dict(base_encoder().state_dict())
    training = Training(
        network, folder, TrainingBudget(minutes=0, cool=0.3, encoder_rate=1.2e-4, head_rate=4e-4, steps=steps)
    )
    training.resume()

    def losses(module: nn.Module, batch: ReaderBatch) -> tuple[dict[str, Tensor], Tensor]:
        relevance, sentence, span = module(**batch.inputs)
        named = reader_losses(relevance, sentence, span, batch)
        kept = {name: loss for name, loss in named.items() if name not in variant.losses}
        return kept, weighted_sum(kept)

    examples = epochs.examples(kept_groups(groups, variant), labeller, random.Random(variant.seed))
    placed = DeviceExamples(ExampleArrays.of(examples), None, training.device)
    training.run(reader.stream(placed, BATCH_TOKENS, variant.seed), losses, lambda: None, measure_minutes=10**6)
    return {name: summary(score_pairs(network, labeller, pairs), pairs) for name, pairs in sets.items()}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument(
        "--steps", type=int, default=200, help=f"training steps of every run, of {BATCH_TOKENS} tokens each"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, each with its share of the cores")
    parser.add_argument(
        "--run", type=Path, default=Path("training/runs/ablations"), help="checkpoints and results.json"
    )
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    data = Path(options.data)
    path = options.run / "results.json"
    options.run.mkdir(parents=True, exist_ok=True)
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"steps": options.steps, "runs": {}}
    if results["steps"] != options.steps:
        parser.error(f"{path} holds runs of {results['steps']} steps; give --steps {results['steps']} or another --run")
    sets = dev_sets(data)
    groups = epochs.epoch_groups(data, random.Random(4), epochs.hybrid_search(), epochs.SHARE)
    threads = max(1, torch.get_num_threads() // options.jobs)
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        running: dict[Future[dict[str, dict[str, float]]], str] = {
            pool.submit(
                run_variant, number, groups, sets, options.run / str(number), options.steps, threads
            ): variant.name
            for number, variant in enumerate(VARIANTS)
            if variant.name not in results["runs"]
        }
        for done in as_completed(running):
            results["runs"][running[done]] = done.result()
            results["runs"] = {v.name: results["runs"][v.name] for v in VARIANTS if v.name in results["runs"]}
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            sys.stdout.write(json.dumps({running[done]: done.result()}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
