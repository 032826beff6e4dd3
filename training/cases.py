"""Questions over a pooled corpus, answerable or not: what refusal is calibrated on and tested on."""

import random
from dataclasses import dataclass
from pathlib import Path

from index.chunking.sentences import Span
from training import sources
from training.sources import Reading, Split

COUNTS = {"squad2": 160, "clapnq": 80, "amazon_reviews": 80, "reddit": 80, "covid_qa": 70, "pubmedqa": 60}


@dataclass(frozen=True)
class Case:
    """A question and the passage that answers it (None: no passage of the corpus does), with the gold ranges there."""

    question: str
    passage: str | None
    gold: tuple[Span, ...]
    source: str


def cases(data: Path, split: Split, rng: random.Random) -> tuple[list[Case], dict[str, str]]:
    """Cases of a held-back split and the corpus they are asked over: its passages and those of other sources, with titles.

    A passage whose source names no document has the title "".
    """
    readings: dict[str, list[Reading]] = {
        "squad2": [group[0] for _, group in sources.squad2(data, split)],
        "clapnq": [group[0] for group in sources.clapnq(data, split)],
        "pubmedqa": [group[0] for group in sources.pubmedqa(data, split, rng, near=0)],
    }
    shifts = "amazon_reviews" if split == "dev" else "reddit"
    readings[shifts] = [group[0] for _, group in sources.squadshifts(data, shifts, split)]
    covid = list(sources.covid_qa(data, split))
    readings["covid_qa"] = [group[0] for _, group, _ in covid]
    corpus = {text: "" for _, _, texts in covid for text in texts[:40]}
    corpus |= distractors(data, rng, 1500)
    corpus |= {reading.passage: reading.context for found in readings.values() for reading in found}
    chosen = [
        Case(reading.question, reading.passage if reading.relevant else None, reading.gold or (), name)
        for name, found in readings.items()
        for reading in rng.sample(found, min(COUNTS[name], len(found)))
    ]
    return chosen, corpus


def distractors(data: Path, rng: random.Random, count: int) -> dict[str, str]:
    """Passages of the training mix, of many sources, with their titles."""
    found: dict[str, str] = {}
    for name in ("nq_oracle", "squad1_dutest", "boolq_yesno", "tatqa_text"):
        records = sources.json_lines(data / "mix" / "reader" / f"{name}.jsonl.gz")
        titles = {record["passage"]: (record.get("title") or "").replace("_", " ") for record in records}
        found |= {passage: titles[passage] for passage in rng.sample(sorted(titles), min(count // 4, len(titles)))}
    return found
