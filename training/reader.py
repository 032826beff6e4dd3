"""`python -m training.reader --data PATH`: train the reader and write it to models/reader."""

import argparse
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn

from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from index.inference.bert import BertShape
from service.scoring.networks import ReaderNetwork
from service.scoring.trained_model import ModelConfig, read_model, write_model
from training import mix, sources
from training.augmentation import cut_to_sentences, insert_line, perturb_question, set_context
from training.batches import Example, Labeller, ReaderBatch, batches, collate
from training.development import dev_sets, score_pairs, summary
from training.loop import Training, TrainingBudget
from training.losses import reader_losses, weighted_sum
from training.pretrained import NAME, base_encoder, base_tokenizer
from training.search import HybridSearch, SearchFactory, VectorCache
from training.sources import Group, PassagePair

LIMIT = 256
BATCH_TOKENS = 4096
VERSION = "4"
STABLE_SHARE, COOLING_SHARE = 1.4, 0.5
"""Groups of the rest of the mix for each human-written group, before and during the cool-down."""
INSERTED_LINE_SHARE = 0.15
"""Share of the passages in which a heading or label is inserted."""


def human_groups(data: Path, rng: random.Random, search: SearchFactory) -> list[Group]:
    """Human-written questions, with unanswerable versions (by people or by rule) and near misses of the same article."""
    squad2 = list(sources.add_near_misses(sources.squad2(data, "train"), 1, 0.5, rng, search))
    clapnq = list(sources.clapnq(data, "train"))
    covid = [_add_windows(group, texts, rng) for _, group, texts in sources.covid_qa(data, "train")]
    return [
        *squad2,
        *sources.squad2_contrasts(data, "train", rng),
        *sources.squad2_contrasts(data, "train", rng),
        *mix.squad1_contrasts(data, rng, 8000),
        *clapnq * 4,
        *covid,
        *sources.add_near_misses(sources.squadshifts(data, "amazon_reviews", "train"), 1, 0.3, rng, search),
        *mix.reader_groups(data, "nq_oracle", 10**6, rng, 1, search),
        *mix.reader_groups(data, "qed_dev", 10**6, rng, 1, search),
        *list(sources.scifact(data, "train", 3, rng)) * 2,
    ]


def other_groups(data: Path, rng: random.Random) -> list[Group]:
    """The rest of the mix, each source capped so that none dominates."""
    policy = list(sources.add_near_misses(sources.policyqa(data, "train"), 1, 0.5, rng))
    return list(
        chain(
            mix.squad1(data, rng),
            mix.reader_groups(data, "qamr", 5000, rng),
            mix.reader_groups(data, "fairytaleqa", 2500, rng),
            mix.reader_groups(data, "selqa_sentence", 2400, rng),
            mix.reader_groups(data, "tatqa_text", 700, rng),
            mix.reader_groups(data, "bioasq12b_ideal", 400, rng),
            mix.ranking_groups(data, "boolq", 3000, 1, rng),
            mix.ranking_groups(data, "fairytaleqa", 1200, 2, rng),
            mix.ranking_groups(data, "selqa_sentence", 2400, 3, rng),
            mix.ranking_groups(data, "fm2_sentence", 2500, 3, rng),
            mix.ranking_groups(data, "medquad_6000", 1500, 2, rng, limit=1000),
            mix.ranking_groups(data, "bioasq12b", 400, 3, rng),
            sources.pubmedqa(data, "train", rng, near=2),
            rng.sample(policy, min(1500, len(policy))),
        )
    )


def _add_windows(group: Group, texts: Sequence[str], rng: random.Random) -> Group:
    """The group with at most two other windows of its COVID-QA article that do not contain the answer's text."""
    pair = group[0]
    answer = pair.passage[pair.answer.start : pair.answer.end] if pair.answer else None
    drawn = rng.sample(texts, min(2, len(texts)))
    usable = [text for text in drawn if text != pair.passage and answer is not None and answer not in text]
    return (*group, *(sources.irrelevant_passage(pair.question, text, "covid_near") for text in usable))


def epoch_groups(data: Path, rng: random.Random, search: SearchFactory, share: float) -> list[Group]:
    """One augmented epoch in random order: the human-written groups and `share` times as many groups of the rest."""
    human, other = human_groups(data, rng, search), other_groups(data, rng)
    other = rng.sample(other, min(len(other), round(share * len(human))))
    groups = [cut_to_sentences(set_context(group, rng), rng) for group in chain(human, other)]
    rng.shuffle(groups)
    return groups


def examples(groups: Iterable[Group], labeller: Labeller, rng: random.Random) -> Iterator[list[Example]]:
    """One labelled window for each pair of each group, with noise in some questions and lines inserted in some passages."""
    return ([labeller.example(_perturb(pair, rng), rng) for pair in group] for group in groups)


def hybrid_search() -> SearchFactory:
    """The search that finds near misses: BM25 and the encoder, interleaved. Every passage is encoded once."""
    return partial(HybridSearch, VectorCache(MiniLM(bundled_folder())))


def stream(data: Path, labeller: Labeller, training: Training, seed: int) -> Iterator[ReaderBatch]:
    """Endless batches: every epoch has the human-written groups and a new sample of the rest, smaller in the cool-down."""
    search = hybrid_search()
    epoch = 0
    while True:
        rng = random.Random(seed + training.step + epoch)
        groups = epoch_groups(data, rng, search, COOLING_SHARE if training.cooling else STABLE_SHARE)
        if not epoch:
            training.log(groups=len(groups), examples=sum(map(len, groups)), cooling=training.cooling)
        cooling = training.cooling
        for batch in batches(examples(groups, labeller, rng), BATCH_TOKENS, rng):
            yield collate(batch)
            if training.cooling != cooling:
                break
        epoch += 1


def _perturb(pair: PassagePair, rng: random.Random) -> PassagePair:
    shown = insert_line(pair, rng) if rng.random() < INSERTED_LINE_SHARE else pair
    return replace(shown, question=perturb_question(pair.question, rng))


def losses(network: nn.Module, batch: ReaderBatch) -> tuple[dict[str, Tensor], Tensor]:
    """The reader's losses on a batch and their weighted sum."""
    relevance, sentence, span = network(**batch.inputs)
    named = reader_losses(relevance, sentence, span, batch)
    return named, weighted_sum(named)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("QUOTH_DATA"), help="folder of the data sets")
    parser.add_argument("--minutes", type=float, default=70, help="training time, including the cool-down")
    parser.add_argument("--steps", type=int, help="training steps, instead of minutes")
    parser.add_argument("--begin", type=Path, help="folder of a trained reader to start from")
    parser.add_argument(
        "--cool", type=float, default=0.2, help="share of the time for the cool-down of the learning rate"
    )
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
    budget = TrainingBudget(
        options.minutes, cool=options.cool, encoder_rate=1.2e-4, head_rate=4e-4, steps=options.steps
    )
    training = Training(network, options.run, budget)
    training.resume()
    labeller = Labeller(base_tokenizer(), LIMIT)
    sets = dev_sets(Path(options.data))

    def measure() -> None:
        facts = {name: summary(score_pairs(network, labeller, pairs), pairs) for name, pairs in sets.items()}
        training.log(dev=facts)
        write_model(options.out, ModelConfig("reader", VERSION, NAME, shape, LIMIT, ""), network.state_dict())

    training.run(stream(Path(options.data), labeller, training, options.seed), losses, measure, measure_minutes=12)


if __name__ == "__main__":
    main()
