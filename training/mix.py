"""The training mix (mix/reader and mix/rerank) -> groups of pairs, with questions of SQuAD 1 made unanswerable by rule."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from index.blocks.block import Span
from training.negatives import Substitutes, exchanged_question, impossible_question, names
from training.pretrained import base_encoder, base_tokenizer
from training.search import Bm25, SearchFactory
from training.sources import (
    Group,
    PassagePair,
    Record,
    answering_passage,
    first_sentences,
    irrelevant_passage,
    json_lines,
    near_misses,
    relevant_passage,
    title_of,
)


def records_of(data: Path, name: str) -> list[Record]:
    """The records of a file of a mix, named without its ending: "mix/reader/qamr"."""
    return json_lines(data / f"{name}.jsonl.gz")


def labelled_passage(record: Record, source: str) -> PassagePair:
    """The pair of a record of a mix. An answer whose place does not hold its text is left out."""
    question, passage = record["q"], record["passage"]
    context = title_of(record)
    if not record["answerable"]:
        return irrelevant_passage(question, passage, source, context)
    if record["kind"] == "span":
        found = [(a["start"], a["text"]) for a in record["answers"] if a["start"] >= 0]
        answers = [(start, text) for start, text in found if passage.startswith(text, start)]
        if answers:
            return answering_passage(question, passage, answers, source, context)
    if record["sent"] is not None:
        return PassagePair(question, passage, True, (Span(*record["sent"]),), None, source, context)
    return relevant_passage(question, passage, source)


def reader_groups(
    data: Path, name: str, cap: int, rng: random.Random, near: int = 0, search: SearchFactory = Bm25
) -> Iterator[Group]:
    """At most `cap` groups of one file of mix/reader, with `near` near misses from its other passages added to each."""
    records = records_of(data, f"mix/reader/{name}")
    grouped: dict[str, list[PassagePair]] = defaultdict(list)
    for record in records:
        grouped[record["q"]].append(labelled_passage(record, name))
    groups = [tuple(pairs) for pairs in grouped.values()]
    rng.shuffle(groups)
    groups = groups[:cap]
    if not near:
        yield from groups
        return
    titles = {pair.passage: pair.context for group in groups for pair in group}
    passages = sorted(titles)
    searcher = search(passages)
    for group in groups:
        yield (*group, *near_misses(group[0], [r.passage for r in group], passages, searcher, near, rng, titles))


def ranking_groups(
    data: Path, name: str, cap: int, negatives: int, rng: random.Random, limit: int = 1600, folder: str = "mix"
) -> Iterator[Group]:
    """At most `cap` groups of one file of a mix's rerank: a positive and some negatives, cut at about `limit` characters."""
    records = [record for record in records_of(data, f"{folder}/rerank/{name}") if record["pos"]]
    rng.shuffle(records)
    for record in records[:cap]:
        question = record["q"]
        chosen = rng.sample(record["neg"], min(negatives, len(record["neg"])))
        positive = rng.choice(record["pos"])
        yield (
            relevant_passage(question, first_sentences(positive, limit), name),
            *(irrelevant_passage(question, first_sentences(text, limit), name) for text in chosen),
        )


def squad1(data: Path, rng: random.Random) -> Iterator[Group]:
    """SQuAD 1 with its generated near-miss passages."""
    return reader_groups(data, "squad1_dutest", 10**9, rng)


def squad1_contrasts(data: Path, rng: random.Random, count: int) -> Iterator[Group]:
    """Groups of a question of SQuAD 1 and a version of it made unanswerable by rule, over the same passage.

    Half are made by `impossible_question` with names from elsewhere in the article (source "squad1_rules"), half by
    `exchanged_question` with words of the passage or similar words (source "squad1_exchanged").
    """
    records = [r for r in records_of(data, "mix/reader/squad1_dutest") if r["answerable"]]
    known_names: dict[str, set[str]] = defaultdict(set)
    for record in records:
        known_names[record["title"]].update(names(record["q"]), names(record["passage"]))
    pool = {title: sorted(article_names) for title, article_names in known_names.items()}
    substitutes = Substitutes(base_encoder().words.weight, base_tokenizer())
    for number, record in enumerate(rng.sample(records, min(count, len(records)))):
        pair = labelled_passage(record, "squad1_dutest")
        if number % 2:
            others = pool[record["title"]]
            drawn = rng.sample(others, min(20, len(others)))
            question, source = impossible_question(pair.question, pair.passage, drawn, rng), "squad1_rules"
        else:
            answers = [answer["text"] for answer in record["answers"]]
            question = exchanged_question(pair.question, pair.passage, answers, rng, substitutes)
            source = "squad1_exchanged"
        if question:
            yield pair, irrelevant_passage(question, pair.passage, source, pair.context)
