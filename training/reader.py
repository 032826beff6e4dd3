"""`python -m training.reader --data PATH`: trains the reader and writes it to models/reader."""

import argparse
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn

from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from index.inference.bert import BertShape
from service.scoring.files import ModelConfig, read_model, write_model
from service.scoring.networks import ReaderNetwork
from training import mix, sources
from training.base import NAME, base_encoder, base_tokenizer
from training.batches import Batch, Example, Labeller, batches, collated, disturbed
from training.loop import Budget, Training
from training.losses import reader_losses, total
from training.metrics import auroc
from training.mining import Embedded, Hybrid
from training.narrowing import narrowed
from training.negatives import Searching
from training.scoring import Scored, scored
from training.setting import in_context, laid_out
from training.sources import Group, Reading

LIMIT = 256
BATCH_TOKENS = 4096
VERSION = "3"
STABLE_SHARE, COOLING_SHARE = 1.4, 0.5
"""Groups of the rest of the mix for each human-made group, before and during the cool-down."""
LAID_OUT = 0.15
"""Share of the passages that get a heading or label put in."""


def human_groups(data: Path, rng: random.Random, search: Searching) -> list[Group]:
    """What people wrote: questions with unanswerable twins (by people and by rule) and near misses from the same article."""
    squad2 = list(sources.with_near(sources.squad2(data, "train"), 1, 0.5, rng, search))
    clapnq = list(sources.clapnq(data, "train"))
    covid = [
        (*group, *(sources.miss(group[0].question, text, "covid_near") for text in rng.sample(texts, min(2, len(texts)))
                   if text != group[0].passage and group[0].answer is not None and _answer(group[0]) not in text))
        for _, group, texts in sources.covid_qa(data, "train")
    ]  # fmt: skip
    return [
        *squad2,
        *sources.squad2_contrasts(data, "train", rng),
        *sources.squad2_contrasts(data, "train", rng),
        *mix.squad1_contrasts(data, rng, 8000),
        *clapnq * 4,
        *covid,
        *sources.with_near(sources.squadshifts(data, "amazon_reviews", "train"), 1, 0.3, rng, search),
        *mix.readings(data, "nq_oracle", 10**6, rng, 1, search),
        *mix.readings(data, "qed_dev", 10**6, rng, 1, search),
        *list(sources.scifact(data, "train", 3, rng)) * 2,
    ]


def other_groups(data: Path, rng: random.Random) -> list[Group]:
    """The rest of the mix, each source capped so that none drowns the others."""
    policy = list(sources.with_near(sources.policyqa(data, "train"), 1, 0.5, rng))
    return list(
        chain(
            mix.squad1(data, rng),
            mix.readings(data, "qamr", 5000, rng),
            mix.readings(data, "fairytaleqa", 2500, rng),
            mix.readings(data, "selqa_sentence", 2400, rng),
            mix.readings(data, "tatqa_text", 700, rng),
            mix.readings(data, "bioasq12b_ideal", 400, rng),
            mix.rankings(data, "boolq", 3000, 1, rng),
            mix.rankings(data, "fairytaleqa", 1200, 2, rng),
            mix.rankings(data, "selqa_sentence", 2400, 3, rng),
            mix.rankings(data, "fm2_sentence", 2500, 3, rng),
            mix.rankings(data, "medquad_6000", 1500, 2, rng, limit=1000),
            mix.rankings(data, "bioasq12b", 400, 3, rng),
            sources.pubmedqa(data, "train", rng, near=2),
            rng.sample(policy, min(1500, len(policy))),
        )
    )


def _answer(reading: Reading) -> str:
    return reading.passage[reading.answer.start : reading.answer.end] if reading.answer else ""


def epoch_groups(data: Path, rng: random.Random, search: Searching, share: float) -> list[Group]:
    """One epoch in random order: the human-made groups and `share` times as many of the rest, as documents show them."""
    human, other = human_groups(data, rng, search), other_groups(data, rng)
    other = rng.sample(other, min(len(other), round(share * len(human))))
    groups = [narrowed(in_context(group, rng), rng) for group in chain(human, other)]
    rng.shuffle(groups)
    return groups


def examples(groups: Iterable[Group], labeller: Labeller, rng: random.Random) -> Iterator[list[Example]]:
    """The windows of each group, its questions disturbed and some passages laid out with headings."""
    return ([labeller.example(_disturbed(reading, rng), rng) for reading in group] for group in groups)


def hybrid_search() -> Searching:
    """What finds near misses: BM25 and the encoder, turn about; every passage is encoded once."""
    return partial(Hybrid, Embedded(MiniLM(bundled_folder())))


def stream(data: Path, labeller: Labeller, training: Training, seed: int) -> Iterator[Batch]:
    """Batches without end: every epoch has the human-made data and a new draw of the rest, a smaller one in the cool-down."""
    search = hybrid_search()
    epoch = 0
    while True:
        rng = random.Random(seed + training.step + epoch)
        groups = epoch_groups(data, rng, search, COOLING_SHARE if training.cooling else STABLE_SHARE)
        if not epoch:
            training.log(groups=len(groups), examples=sum(map(len, groups)), cooling=training.cooling)
        entered_cool = training.cooling
        for batch in batches(examples(groups, labeller, rng), BATCH_TOKENS, rng):
            yield collated(batch)
            if training.cooling != entered_cool:
                break
        epoch += 1


def _disturbed(reading: Reading, rng: random.Random) -> Reading:
    shown = laid_out(reading, rng) if rng.random() < LAID_OUT else reading
    return replace(shown, question=disturbed(reading.question, rng))


def dev_sets(data: Path) -> dict[str, list[Reading]]:
    """The development halves that training watches."""
    amazon = [group[0] for _, group in sources.squadshifts(data, "amazon_reviews", "dev")]
    titled = [group[0] for _, group in sources.squad2(data, "dev")]
    return {
        "squad2": [replace(reading, context="") for reading in titled],
        "squad2_titled": titled,
        "clapnq": [replace(group[0], context="") for group in sources.clapnq(data, "dev")],
        "amazon": random.Random(0).sample(amazon, 250),
    }


def summary(results: list[Scored], readings: list[Reading]) -> dict[str, float]:
    """Share of answerable readings whose best sentence is gold, and AUROC of answerability by relevance and by sentence."""
    right = [float(r.gold[r.sentences.argmax()]) for r in results if r.gold is not None and r.gold.any()]
    labels = [float(reading.relevant) for reading in readings]
    return {
        "best_sentence": round(sum(right) / len(right), 4),
        "auroc_relevance": round(auroc(labels, [r.relevance for r in results]), 4),
        "auroc_sentence": round(auroc(labels, [r.best for r in results]), 4),
        "auroc_sum": round(auroc(labels, [r.relevance + r.best for r in results]), 4),
    }


def losses(network: nn.Module, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
    """The reader's losses on a batch and their weighted sum."""
    relevance, sentence, span = network(**batch.inputs)
    named = reader_losses(relevance, sentence, span, batch)
    return named, total(named)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--minutes", type=float, default=70, help="training time, cool-down included")
    parser.add_argument("--steps", type=int, help="training steps, instead of minutes")
    parser.add_argument("--begin", type=Path, help="folder of a trained reader to start from")
    parser.add_argument("--cool", type=float, default=0.2, help="share of the time in which the rate cools down")
    parser.add_argument("--run", type=Path, default=Path("training/runs/reader"), help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=Path("models/reader"), help="where the model is written")
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data PATH or the environment variable QUOTH_DATA is needed")
    torch.manual_seed(options.seed)
    shape = BertShape()
    network = ReaderNetwork(shape)
    network.bert.load_state_dict(base_encoder().state_dict())
    if options.begin:
        network.load_state_dict(read_model(options.begin, "reader")[1])
    budget = Budget(options.minutes, cool=options.cool, encoder_rate=1.2e-4, head_rate=4e-4, steps=options.steps)
    training = Training(network, options.run, budget)
    training.resume()
    labeller = Labeller(base_tokenizer(), LIMIT)
    sets = dev_sets(Path(options.data))

    def measure() -> None:
        facts = {name: summary(scored(network, labeller, readings), readings) for name, readings in sets.items()}
        training.log(dev=facts)
        write_model(options.out, ModelConfig("reader", VERSION, NAME, shape, LIMIT, ""), network.state_dict())

    training.run(stream(Path(options.data), labeller, training, options.seed), losses, measure, measure_minutes=12)


if __name__ == "__main__":
    main()
