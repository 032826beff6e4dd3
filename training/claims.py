"""Data sets for the support checker -> pairs of claim and premise, supported or not.

Partly supported, refuted, neutral and unrelated all count as not supported. Only this file decides the splits.
"""

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from index.blocks.block import Span
from index.chunking.sentences import sentence_spans
from training import mix
from training.negatives import OPPOSITE, change_number, names
from training.search import Bm25
from training.sources import Split, json_lines, scifact_corpus, split_of, squad2, squadshifts


@dataclass(frozen=True)
class ClaimPair:
    """A claim, the premise that it is checked against, and whether the premise supports the whole claim."""

    claim: str
    premise: str
    supported: bool
    source: str


CAPS = {
    "fever_dev": 14000,
    "cad_nli": 8000,
    "mnli_dev_matched_restored": 9815,
    "mnli_olora": 3003,
    "conjnli": 6000,
    "evidence_inference": 4000,
    "entailmentbank": 3679,
    "fm2": 2546,
    "fever_symmetric": 1416,
    "q2_wow": 600,
    "boolq_qa": 3000,
    "curr_drop": 4000,
    "curr_kg_relations": 3000,
    "med_monotonicity": 1500,
    "curr_boolean": 600,
    "curr_comparative": 600,
    "curr_conditional": 600,
    "curr_counting": 1000,
    "curr_negation": 600,
    "curr_quantifier": 600,
    "curr_temporal": 800,
}
"""The maximum number of pairs of each file of mix/support. The sets that resemble the product most have their own functions."""


def mix_support(data: Path, rng: random.Random) -> Iterator[ClaimPair]:
    """The files of mix/support, at most `CAPS` pairs of each."""
    for name, cap in CAPS.items():
        records = mix.records_of(data, f"mix/support/{name}")
        for record in rng.sample(records, min(cap, len(records))):
            yield ClaimPair(record["claim"], record["premise"], record["label"] == "supported", name)


def factcheckgpt(data: Path, split: Split) -> Iterator[ClaimPair]:
    """FactCheckGPT's stances: claims that an LLM wrote against retrieved evidence; split by claim."""
    for record in mix.records_of(data, "mix/support/factcheckgpt_stance"):
        if split_of(record["claim"], 0.15, 0.35) == split:
            yield ClaimPair(record["claim"], record["premise"], record["label"] == "supported", "factcheckgpt")


def begin(data: Path, split: Split) -> Iterator[ClaimPair]:
    """BEGIN's Wizard of Wikipedia replies against the knowledge that they were given; split by the knowledge."""
    for name in ("wow_dev", "wow_test"):
        with (data / "begin" / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
            for record in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                label = record["begin_label"]
                if split_of(record["knowledge"], 0.2, 0.4) == split and label != "Generic":
                    yield ClaimPair(record["response"], record["knowledge"], label == "Fully attributable", "begin")


def wice(data: Path, split: Split) -> Iterator[ClaimPair]:
    """WiCE's claims against the whole cited article, split by claim."""
    for record in json_lines(data / "wice" / "claim_dev.jsonl"):
        if split_of(record["meta"]["id"], 0.25, 0.35) == split:
            yield ClaimPair(record["claim"], _article(record["evidence"]), record["label"] == "supported", "wice")


def wice_partial(data: Path) -> Iterator[ClaimPair]:
    """WiCE's token-level training set: claims that their article supports only in part."""
    for record in json_lines(data / "wice" / "tokens_train.jsonl"):
        yield ClaimPair(record["claim"], _article(record["evidence"]), False, "wice_partial")


def _article(sentences: list[str]) -> str:
    return "\n".join(sentence for sentence in sentences if not sentence.startswith("(meta data)"))


def scifact(data: Path, split: Split, rng: random.Random) -> Iterator[ClaimPair]:
    """SciFact's claims against the abstracts that support or contradict them, and against a near miss; split by claim."""
    corpus = scifact_corpus(data)
    ids = list(corpus)
    search = Bm25(list(corpus.values()))
    labels: dict[tuple[str, str, str], str] = {}
    cited: dict[str, set[str]] = defaultdict(set)
    for record in json.loads((data / "scifact" / "evidence_train.json").read_text(encoding="utf-8")):
        labels[record["claim_id"], record["claim"], record["doc_id"]] = record["label"]
        cited[record["claim_id"]].add(record["doc_id"])
    for (number, claim, document), label in labels.items():
        if split_of(number, 0.2, 0.3) == split and document in corpus:
            yield ClaimPair(claim, corpus[document], label == "SUPPORT", "scifact")
            near = [ids[n] for n in search.best(claim, 8) if ids[n] not in cited[number]]
            if near and label == "SUPPORT":
                yield ClaimPair(claim, corpus[rng.choice(near)], False, "scifact_near")


class Alteration(NamedTuple):
    """A sentence with one fact changed, and what kind of fact that is."""

    kind: str
    text: str


_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_UNITS = (
    "dollars euros pounds francs yen".split(), "kilometres miles metres feet".split(), "kilometers miles meters feet".split(),
    "seconds minutes hours days weeks months years decades centuries".split(), "kilograms pounds tonnes grams".split(),
    "hundred thousand million billion".split(), "kilobytes megabytes gigabytes bits bytes".split(),
)  # fmt: skip


def alter_sentence(sentence: str, other_names: list[str], rng: random.Random) -> Alteration | None:
    """One of the sentence's `alterations`; None without any."""
    found = alterations(sentence, other_names, rng)
    return rng.choice(found) if found else None


def alterations(sentence: str, other_names: list[str], rng: random.Random) -> list[Alteration]:
    """The sentence with one fact changed, in several ways; what reads more like a mistake is there twice.

    A number, a name, an ordinal or unit for another, a word for its opposite, a negation ("polarity"), or two names that change
    places ("roles").
    """
    options: list[Alteration] = []
    for match in re.finditer(r"\d[\d,.]*\d|\d", sentence):
        options += [_exchanged("number", sentence, match, change_number(match.group(), rng))] * 2
    present = names(sentence)
    if len(present) > 1 and present[0] != present[-1]:
        first, last = present[0], present[-1]
        swapped = sentence.replace(first, "\0", 1).replace(last, first, 1).replace("\0", last, 1)
        options.append(Alteration("roles", swapped))
    for name in present[:2]:
        fresh = [other for other in other_names if other not in sentence and len(other.split()) == len(name.split())]
        if fresh:
            options += [Alteration("name", sentence.replace(name, rng.choice(fresh), 1))] * 2
    for match in re.finditer(r"\w+", sentence):
        word = match.group()
        if word in OPPOSITE:
            options += [_exchanged("opposite", sentence, match, OPPOSITE[word])] * 2
        for kind, group in (("ordinal", _ORDINALS), *(("unit", units) for units in _UNITS)):
            if word in group:
                other = rng.choice([one for one in group if one != word])
                options += [_exchanged(kind, sentence, match, other)] * 2
    verb = re.search(r"\b(was|were|is|are|can|could|has|have|had|will|would)\b(?! not)", sentence)
    if verb:
        options.append(Alteration("polarity", f"{sentence[: verb.end()]} not{sentence[verb.end() :]}"))
    return [option for option in options if option.text != sentence]


def _exchanged(kind: str, sentence: str, place: re.Match[str], other: str) -> Alteration:
    return Alteration(kind, sentence[: place.start()] + other + sentence[place.end() :])


def rule_pairs(data: Path, rng: random.Random, count: int) -> Iterator[ClaimPair]:
    """About `count` pairs made of SQuAD 1's passages, half of them supported.

    Supported: one sentence of the passage, or two as one claim. Not supported: the sentence with one fact changed, two
    sentences of which one is from another passage of the article, or a sentence of another passage (true, not stated here).
    """
    articles: dict[str, list[str]] = defaultdict(list)
    for record in mix.records_of(data, "mix/reader/squad1_dutest"):
        passages = articles[record["title"]]
        if record["passage"] not in passages:
            passages.append(record["passage"])
    titles = sorted(title for title, passages in articles.items() if len(passages) > 2)
    pool = {title: [name for passage in articles[title] for name in names(passage)] for title in titles}
    for _ in range(count // 2):
        title = rng.choice(titles)
        passage, other = rng.sample(articles[title], 2)
        here = [passage[span.start : span.end] for span in sentence_spans(passage)]
        there = [other[span.start : span.end] for span in sentence_spans(other)]
        if not here or not there:
            continue
        sentence = rng.choice(here)
        kind = rng.random()
        if kind < 0.55:
            altered = alter_sentence(sentence, rng.sample(pool[title], min(12, len(pool[title]))), rng)
            wrong, right = altered.text if altered else None, sentence
        elif kind < 0.8:
            wrong, right = f"{sentence} {rng.choice(there)}", f"{sentence} {rng.choice(here)}"
        else:
            wrong, right = rng.choice(there), sentence
        if wrong:
            yield ClaimPair(right, passage, True, "rules")
            yield ClaimPair(wrong, passage, False, "rules")


COPY = "literal copy"
_AUXILIARY = re.compile(r"\b(?:is|are|was|were|can|may|must|will|should|does|do|did|has|have|had)\b(?! not)")


def copy_pairs(data: Path, rng: random.Random, count: int) -> Iterator[ClaimPair]:
    """Pairs of about `count` sentences of SQuAD 1's passages: a literal copy, and copies with and without "not".

    Supported: the sentence against itself or its passage, and a negated sentence against the same negated sentence. Not
    supported: one of the two against the other, in both directions.
    """
    records = [r for r in mix.records_of(data, "mix/reader/squad1_dutest") if r["answerable"]]
    for record in rng.sample(records, min(count, len(records))):
        passage = record["passage"]
        span = rng.choice(sentence_spans(passage))
        sentence = passage[span.start : span.end]
        premise = sentence if rng.random() < 0.5 else passage
        yield ClaimPair(sentence, premise, True, "copies")
        verb = _AUXILIARY.search(sentence)
        if verb and rng.random() < 0.6:
            negated = f"{sentence[: verb.end()]} not{sentence[verb.end() :]}"
            if rng.random() < 0.5:
                yield ClaimPair(negated, premise, False, "copies")
            else:
                changed = premise.replace(sentence, negated)
                yield ClaimPair(negated, changed, True, "copies")
                yield ClaimPair(sentence, changed, False, "copies")


def altered_pairs(data: Path, split: Split, rng: random.Random) -> Iterator[ClaimPair]:
    """Sentences of SQuAD 2's and SQuADShifts' passages against their passage: as they are (supported), and altered (not).

    The source of a pair is `COPY`, or says what kind of fact was changed. A sentence is altered once in each kind.
    """
    shifted = (squadshifts(data, name, split) for name in ("amazon_reviews", "reddit"))
    pairs = [group[0] for _, group in chain(squad2(data, split), *shifted)]
    passages = list(dict.fromkeys(pair.passage for pair in pairs))
    pool = [name for passage in passages for name in names(passage)]
    for passage in passages:
        for span in sentence_spans(passage):
            sentence = passage[span.start : span.end]
            found = alterations(sentence, rng.sample(pool, min(12, len(pool))), rng)
            rng.shuffle(found)
            if found:
                yield ClaimPair(sentence, passage, True, COPY)
            for altered in {altered.kind: altered for altered in found}.values():
                yield ClaimPair(altered.text, passage, False, altered.kind)


_WHO = re.compile(
    r"^(?:Who|What|Which [a-z]+|What [a-z]+) ((?:was|were|is|are|has|had|won|led|made|wrote|built|[a-z]+ed)\b .+)\?$"
)


def statement(question: str, answer: str) -> str | None:
    """The question as a statement with the answer as its subject, or None where the form does not allow it.

    "Who built the tower?" and "Eiffel" give "Eiffel built the tower."
    """
    match = _WHO.match(question.strip())
    if not match or "?" in match.group(1):
        return None
    return f"{answer[:1].upper()}{answer[1:]} {match.group(1)}."


def statement_pairs(data: Path, rng: random.Random, count: int) -> Iterator[ClaimPair]:
    """About `count` pairs from questions of SQuAD 1 and the training half of SQuAD 2 turned into statements.

    Supported: the statement with the right answer. Not supported: the statement with the answer to another question, or
    the right statement against a near-miss passage.
    """
    groups = [group for group in mix.reader_groups(data, "squad1_dutest", 10**9, rng) if group[0].answer]
    rng.shuffle(groups)
    answered: list[tuple[str, str, str, str | None]] = []
    for group in groups:
        answer = _text(group[0].passage, group[0].answer)
        claim = statement(group[0].question, answer)
        if claim:
            near = next((r.passage for r in group if not r.relevant and answer not in r.passage), None)
            answered.append((group[0].question, answer, group[0].passage, near))
    for place, (question, answer, passage, near) in enumerate(answered[: count // 2]):
        claim = statement(question, answer)
        other = answered[place - 1][1]
        if claim:
            yield ClaimPair(claim, passage, True, "statements")
            wrong = statement(question, other)
            if near and rng.random() < 0.5:
                yield ClaimPair(claim, near, False, "statements")
            elif wrong and other.lower() not in answer.lower():
                yield ClaimPair(wrong, passage, False, "statements")
    for _, (pair,) in squad2(data, "train"):
        if pair.answer:
            claim = statement(pair.question, _text(pair.passage, pair.answer))
            if claim:
                yield ClaimPair(claim, pair.passage, True, "statements")


def _text(passage: str, span: Span | None) -> str:
    return passage[span.start : span.end] if span else ""
