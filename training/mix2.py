"""The second training mix (mix2) -> groups of pairs and of claims: above all questions that people wrote to be unanswerable.

Its README has sources and licences. A share of the paragraphs of SQuAD 2's training questions, of TimeQA and of OneStopQA is
held out for the test; what stands in such a paragraph is left out of the other files, too.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.claims import ClaimPair
from training.mix import labelled_passage, ranking_groups, records_of
from training.sources import Group, PassagePair, Split, split_of

HELD_OUT = ("squad2_train_1000ctx", "timeqa_human", "onestopqa")
_HELD_OUT_SHARE = 0.12
_HUMAN_SQUAD2 = (
    ("squad2_unansq_dev", "squad2_unansq_dev_more"),
    ("squad2_train_1000ctx",),
    ("squad2_train_sentence_pairs", "squad2_train_sentence_group"),
)
_CAPS = {
    "onestopqa": 10**6, "timeqa_human": 10**6, "molweni": 1200, "cpgqa": 10**6, "sleepqa": 10**6, "musique_singlehop": 10**6,
    "hotpotqa_twopara": 10**6, "condaqa": 1500,
}  # fmt: skip
_RANKING = (
    ("squad_train_reqa_sentence", 2500, 3), ("conditionalqa", 1200, 2), ("timeqa_human", 900, 2), ("hotpotqa_850", 800, 2),
    ("multihop_migres", 600, 2), ("bioasq_6b9b", 500, 3),
)  # fmt: skip
_NOMIRACL_PASSAGES, _BIOASQ_QUESTIONS = 3, 700
_BREAKING_NLI = 2500


def held_out(data: Path, name: str) -> list[PassagePair]:
    """The pairs of one of `HELD_OUT` that no model was trained on."""
    return [pair for pair in _pairs(data, name) if _is_held_out(pair.passage)]


def human_squad2(data: Path, rng: random.Random) -> Iterator[Group]:
    """Human-written unanswerable questions of SQuAD 2's training part, with an answerable one on the passage where there is."""
    kept = {pair.passage for pair in _pairs(data, HELD_OUT[0]) if _is_held_out(pair.passage)}
    lower = {passage.lower() for passage in kept}
    answerable = [
        labelled_passage(record, "squad2_train")
        for record in records_of(data, "mix/reader/squad1_dutest")
        if record["answerable"]
    ]
    yield from _contrasts([*_pairs(data, "squad2_train_unans44"), *_with_passages(answerable, data)], rng)
    for names in _HUMAN_SQUAD2:
        pairs = [pair for name in names for pair in _pairs(data, name)]
        fresh = [p for p in pairs if p.passage not in kept and not any(p.passage.lower() in text for text in lower)]
        yield from _contrasts(fresh, rng)


def _with_passages(answerable: Iterable[PassagePair], data: Path) -> Iterator[PassagePair]:
    """Those whose passage also has unanswerable questions."""
    passages = {pair.passage for pair in _pairs(data, "squad2_train_unans44")}
    return (pair for pair in answerable if pair.passage in passages)


def other_human(data: Path, rng: random.Random) -> Iterator[Group]:
    """Questions of other sets, most with the passage that answers and one that does not; NoMIRACL's judged passages."""
    for name, cap in _CAPS.items():
        groups = list(
            _contrasts([p for p in _pairs(data, name) if name not in HELD_OUT or not _is_held_out(p.passage)], rng)
        )
        yield from rng.sample(groups, min(cap, len(groups)))
    for group in _by_question(_pairs(data, "nomiracl_en_nonrel")):
        yield tuple(rng.sample(group, min(_NOMIRACL_PASSAGES, len(group))))
    questions = _by_question(_pairs(data, "bioasq_6b9b"))
    for group in rng.sample(questions, min(_BIOASQ_QUESTIONS, len(questions))):
        yield tuple(rng.sample(group, min(2, len(group))))


def ranking(data: Path, rng: random.Random) -> Iterator[Group]:
    """Questions with a passage that answers and some that do not; where the answer stands is unknown."""
    for name, cap, negatives in _RANKING:
        yield from ranking_groups(data, name, cap, negatives, rng, folder="mix2")


def support_pairs(data: Path, split: Split, rng: random.Random) -> list[ClaimPair]:
    """ExpertQA's judged claims (split by premise, as the checker that ships was) twice, and one-word contrasts."""
    expert = [
        ClaimPair(r["claim"], r["premise"], r["label"] == "supported", "expertqa")
        for r in records_of(data, "mix2/support/expertqa")
        if split_of(r["premise"], 0.0, 0.2) == split
    ]
    if split != "train":
        return expert
    contrasts = [
        ClaimPair(r["claim"], r["premise"], r["label"] == "supported", "breaking_nli")
        for r in records_of(data, "mix2/support/breaking_nli")
    ]
    return expert * 2 + rng.sample(contrasts, min(_BREAKING_NLI, len(contrasts)))


def _pairs(data: Path, name: str) -> list[PassagePair]:
    return [labelled_passage(record, name) for record in records_of(data, f"mix2/reader/{name}")]


def _is_held_out(passage: str) -> bool:
    return split_of(passage, 0.0, _HELD_OUT_SHARE) == "test"


def _contrasts(pairs: Iterable[PassagePair], rng: random.Random) -> Iterator[Group]:
    """An unanswerable and an answerable question on one passage as a group; those that are left over alone."""
    passages: dict[str, tuple[list[PassagePair], list[PassagePair]]] = defaultdict(lambda: ([], []))
    for pair in pairs:
        passages[pair.passage][0 if pair.relevant else 1].append(pair)
    for answerable, unanswerable in passages.values():
        rng.shuffle(answerable)
        rng.shuffle(unanswerable)
        for number, pair in enumerate(unanswerable):
            yield (answerable[number % len(answerable)], pair) if answerable else (pair,)
        yield from ((pair,) for pair in answerable[len(unanswerable) :])


def _by_question(pairs: Iterable[PassagePair]) -> list[Group]:
    grouped: dict[str, list[PassagePair]] = defaultdict(list)
    for pair in pairs:
        grouped[pair.question].append(pair)
    return [tuple(group) for group in grouped.values()]
