"""The training mix (mix/reader and mix/rerank) -> groups of readings, and SQuAD 1's twins made unanswerable by rule."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from index.chunking.sentences import Span
from training.base import base_encoder, base_tokenizer
from training.negatives import Bm25, Searching, exchanged_question, impossible_question, names
from training.sources import Group, Reading, Record, hit, json_lines, miss, neighbours, shortened, spanned
from training.substitutes import Substitutes


def _mix(record: Record, source: str) -> Reading:
    question, passage = record["q"], record["passage"]
    context = (record.get("title") or "").replace("_", " ")
    if not record["answerable"]:
        return miss(question, passage, source, context)
    if record["kind"] == "span":
        answers = [(a["start"], a["text"]) for a in record["answers"] if a["start"] >= 0]
        if answers:
            return spanned(question, passage, answers, source, context)
    if record["sent"] is not None:
        return Reading(question, passage, True, (Span(*record["sent"]),), None, source, context)
    return hit(question, passage, source)


def readings(
    data: Path, name: str, cap: int, rng: random.Random, near: int = 0, search: Searching = Bm25
) -> Iterator[Group]:
    """Groups of one file of mix/reader, with `near` neighbours that `search` finds among its other passages as negatives."""
    records = json_lines(data / "mix" / "reader" / f"{name}.jsonl.gz")
    grouped: dict[str, list[Reading]] = defaultdict(list)
    for record in records:
        grouped[record["q"]].append(_mix(record, name))
    groups = [tuple(readings) for readings in grouped.values()]
    rng.shuffle(groups)
    groups = groups[:cap]
    if not near:
        yield from groups
        return
    titles = {reading.passage: reading.context for group in groups for reading in group}
    passages = sorted(titles)
    found = search(passages)
    for group in groups:
        yield (*group, *neighbours(group[0], [r.passage for r in group], passages, found, near, rng, titles))


def rankings(data: Path, name: str, cap: int, negatives: int, rng: random.Random, limit: int = 1600) -> Iterator[Group]:
    """Groups of one file of mix/rerank: one positive and some negatives. Texts are cut at about `limit` characters."""
    records = json_lines(data / "mix" / "rerank" / f"{name}.jsonl.gz")
    rng.shuffle(records)
    for record in records[:cap]:
        question = record["q"]
        chosen = rng.sample(record["neg"], min(negatives, len(record["neg"])))
        positive = rng.choice(record["pos"])
        yield (
            hit(question, shortened(positive, limit), name),
            *(miss(question, shortened(text, limit), name) for text in chosen),
        )


def squad1(data: Path, rng: random.Random) -> Iterator[Group]:
    """SQuAD 1 with its generated near-miss passages."""
    return readings(data, "squad1_dutest", 10**9, rng)


def squad1_contrasts(data: Path, rng: random.Random, count: int) -> Iterator[Group]:
    """A question of SQuAD 1 and the same made unanswerable by rule, over the same passage.

    Half of them have something put in from elsewhere in the article or turned round ("squad1_rules"), half something of
    the passage itself or a word like the one that was there ("squad1_exchanged").
    """
    records = [r for r in json_lines(data / "mix" / "reader" / "squad1_dutest.jsonl.gz") if r["answerable"]]
    found: dict[str, set[str]] = defaultdict(set)
    for record in records:
        found[record["title"]].update(names(record["q"]), names(record["passage"]))
    pool = {title: sorted(some) for title, some in found.items()}
    substitutes = Substitutes(base_encoder().words.weight, base_tokenizer())
    for number, record in enumerate(rng.sample(records, min(count, len(records)))):
        reading = _mix(record, "squad1_dutest")
        if number % 2:
            others = pool[record["title"]]
            drawn = rng.sample(others, min(20, len(others)))
            question, source = impossible_question(reading.question, reading.passage, drawn, rng), "squad1_rules"
        else:
            answers = [answer["text"] for answer in record["answers"]]
            question = exchanged_question(reading.question, reading.passage, answers, rng, substitutes)
            source = "squad1_exchanged"
        if question:
            yield reading, miss(question, reading.passage, source, reading.context)
