"""The training mix (mix/reader and mix/rerank) -> groups of readings, and SQuAD 1's twins made unanswerable by rule."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from index.sentences import Span
from training.negatives import Bm25, impossible_question, names
from training.sources import Group, Reading, Record, hit, json_lines, miss, neighbours, shortened, spanned


def _mix(record: Record, source: str) -> Reading:
    question, passage = record["q"], record["passage"]
    if not record["answerable"]:
        return miss(question, passage, source)
    if record["kind"] == "span":
        answers = [(a["start"], a["text"]) for a in record["answers"] if a["start"] >= 0]
        if answers:
            return spanned(question, passage, answers, source)
    if record["sent"] is not None:
        return Reading(question, passage, True, (Span(*record["sent"]),), None, source)
    return hit(question, passage, source)


def readings(data: Path, name: str, cap: int, rng: random.Random, near: int = 0) -> Iterator[Group]:
    """Groups of one file of mix/reader, with `near` BM25 neighbours among its other passages as negatives."""
    records = json_lines(data / "mix" / "reader" / f"{name}.jsonl.gz")
    grouped: dict[str, list[Reading]] = defaultdict(list)
    for record in records:
        title = record.get("title")
        reading = _mix(record, name)
        grouped[record["q"]].append(_titled(reading, title) if title and rng.random() < 0.25 else reading)
    groups = [tuple(readings) for readings in grouped.values()]
    rng.shuffle(groups)
    groups = groups[:cap]
    if not near:
        yield from groups
        return
    passages = sorted({record["passage"] for record in records})
    search = Bm25(passages)
    for group in groups:
        yield (*group, *neighbours(group[0], [r.passage for r in group], passages, search, near, rng))


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
    """A question of SQuAD 1 and the same made unanswerable by rule, with names of its article, over the same passage."""
    records = [r for r in json_lines(data / "mix" / "reader" / "squad1_dutest.jsonl.gz") if r["answerable"]]
    found: dict[str, set[str]] = defaultdict(set)
    for record in records:
        found[record["title"]].update(names(record["q"]), names(record["passage"]))
    pool = {title: sorted(some) for title, some in found.items()}
    for record in rng.sample(records, min(count, len(records))):
        reading = _mix(record, "squad1_dutest")
        others = pool[record["title"]]
        question = impossible_question(reading.question, reading.passage, rng.sample(others, min(20, len(others))), rng)
        if question:
            yield reading, miss(question, reading.passage, "squad1_rules")


def _titled(reading: Reading, title: str) -> Reading:
    """The passage under its title, as retrieval shows a chunk under its heading."""
    shift = len(title) + 2

    def moved(span: Span) -> Span:
        return Span(span.start + shift, span.end + shift)

    gold = None if reading.gold is None else tuple(moved(span) for span in reading.gold)
    answer = reading.answer and moved(reading.answer)
    return Reading(reading.question, f"{title}\n\n{reading.passage}", reading.relevant, gold, answer, reading.source)
