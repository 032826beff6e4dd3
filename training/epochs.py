"""What an epoch holds: the reader's groups of questions and passages, augmented; pairs without labels; the checker's claims."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from tokenizers import Tokenizer

from index.embedding.minilm import MiniLM
from index.embedding.weights import bundled_folder
from service.scoring.support import premise_window
from training import claims, mix, mix2, sources
from training.augmentation import cut_to_sentences, insert_line, perturb_question, set_context
from training.batches import Example, Labeller
from training.claims import ClaimPair
from training.search import Bm25, HybridSearch, SearchFactory, VectorCache
from training.sources import Group, PassagePair

LIMIT = 256
SHARE = 0.7
"""Groups of the rest of the mix for each human-written group."""
INSERTED_LINE_SHARE = 0.15
"""Share of the passages in which a heading or label is inserted."""
_UNRELATED_SHARE = 0.08
"""Share of the pairs without labels whose question is about something else."""


def human_groups(data: Path, rng: random.Random, search: SearchFactory) -> list[Group]:
    """Human-written questions, with unanswerable versions (by people or by rule) and near misses of the same article."""
    squad2 = list(sources.add_near_misses(sources.squad2(data, "train"), 1, 0.5, rng, search))
    clapnq = list(sources.clapnq(data, "train"))
    covid = [_add_windows(group, texts, rng) for _, group, texts in sources.covid_qa(data, "train")]
    return [
        *squad2,
        *sources.squad2_contrasts(data, "train", rng),
        *mix2.human_squad2(data, rng),
        *mix2.other_human(data, rng),
        *mix.squad1_contrasts(data, rng, 4000),
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
            mix2.ranking(data, rng),
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


def _perturb(pair: PassagePair, rng: random.Random) -> PassagePair:
    """The pair with noise. Passages with structure get no line: they have lines of their own."""
    is_prose = pair.rendering is None
    shown = insert_line(pair, rng) if is_prose and rng.random() < INSERTED_LINE_SHARE else pair
    return replace(shown, question=perturb_question(pair.question, rng))


_SEARCHED = (
    ("clapnq", 10**6, 7), ("squad2", 10**6, 4), ("nq_oracle", 10**6, 6), ("qed_dev", 10**6, 4), ("covid_qa", 10**6, 6),
    ("policyqa", 2500, 4), ("amazon_reviews", 5000, 3), ("squad1_dutest", 9000, 3), ("fairytaleqa", 3000, 3),
    ("selqa_sentence", 1000, 3),
)  # fmt: skip
"""Sets whose questions meet what search finds for them: name, the most questions, passages a question."""


def unlabelled_groups(data: Path, rng: random.Random) -> Iterator[Group]:
    """Questions with their own passage and some that search finds, for a teacher to label."""
    for name, cap, count in _SEARCHED:
        pairs = [pair for group in _searched_set(data, name, rng) for pair in group]
        contexts = {pair.passage: pair.context for pair in pairs}
        passages = list(contexts)
        search = Bm25(passages)
        own = {pair.question: pair.passage for pair in pairs if pair.relevant}
        asked = rng.sample(sorted(own), min(cap, len(own)))
        for question in asked:
            found = [passages[number] for number in search.best(question, 14) if passages[number] != own[question]]
            shown = [own[question], *rng.sample(found, min(count, len(found)))]
            put = rng.choice(asked) if rng.random() < _UNRELATED_SHARE else question
            with_titles = rng.random() < 0.5
            yield tuple(
                sources.irrelevant_passage(put, text, f"{name}_found", contexts[text] if with_titles else "")
                for text in shown
            )


def _searched_set(data: Path, name: str, rng: random.Random) -> Iterable[Group]:
    if name == "clapnq":
        return sources.clapnq(data, "train")
    if name == "squad2":
        return (group for _, group in sources.squad2(data, "train"))
    if name == "policyqa":
        return (group for _, group in sources.policyqa(data, "train"))
    if name == "amazon_reviews":
        return (group for _, group in sources.squadshifts(data, name, "train"))
    if name == "covid_qa":
        return (group for _, group, _ in sources.covid_qa(data, "train"))
    return mix.reader_groups(data, name, 10**6, rng)


def without_labels(groups: Iterable[Sequence[Example]]) -> Iterator[list[Example]]:
    """The examples without what is known of them."""
    return ([replace(e, relevant=None, gold=None, span=None) for e in group] for group in groups)


def support_pairs(data: Path, rng: random.Random) -> list[ClaimPair]:
    """The sets that resemble the product, twice, and the mix, in random order."""
    near = [
        *claims.factcheckgpt(data, "train"),
        *claims.begin(data, "train"),
        *list(claims.wice(data, "train")) * 3,
        *claims.scifact(data, "train", rng),
    ]
    rest = [
        *claims.mix_support(data, rng),
        *claims.wice_partial(data),
        *claims.rule_pairs(data, rng, 16000),
        *claims.copy_pairs(data, rng, 6000),
        *claims.statement_pairs(data, rng, 5000),
        *mix2.support_pairs(data, "train", rng),
    ]
    pairs = [*near * 2, *rest]
    rng.shuffle(pairs)
    return pairs


def claim_example(tokenizer: Tokenizer, pair: ClaimPair) -> Example | None:
    """The pair as a window for the network, with its label. None for a premise without a sentence."""
    window = premise_window(tokenizer, pair.claim, pair.premise, LIMIT)
    return Example(window, pair.supported, None, None, pair.source) if window else None
