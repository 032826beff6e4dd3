"""What the documents do not say: questions that were refused or whose answer was rated down, counted and grouped by topic.

Owners of documents read it to know what to write next.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from index.records import Hit
from service.storage.unanswered import Unanswered

MAX_NEAREST = 3
MIN_SIMILARITY = 0.55
"""Cosine from which questions count as one topic. Of 564 questions over eight articles of SQuAD 2, pairs at least this similar
are about the same article in .999 and about the same paragraph in .20 of the cases (all-MiniLM-L6-v2)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One question as it was asked, `count` times in all; `refused` of them were refused, the others rated down.

    `nearest` are the passages that came nearest when it was asked last; `answer_id` is that answer.
    """

    question: str
    collection: str
    count: int
    refused: int
    last_asked_at: datetime
    answer_id: str
    nearest: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class GapTopic:
    """Gaps about the same thing in one collection, the most asked first. `topic` is the question nearest to all of them."""

    topic: str
    count: int
    gaps: tuple[Gap, ...]


def find_gaps(unanswered: Iterable[Unanswered]) -> tuple[Gap, ...]:
    """The gaps, the most asked first. Questions that differ only in case, white space or closing marks count as one."""
    groups: dict[tuple[str, str], list[Unanswered]] = defaultdict(list)
    for record in unanswered:
        groups[record.collection, _normalised(record.question)].append(record)
    gaps = []
    for (collection, _), records in groups.items():
        last = max(records, key=lambda record: record.asked_at)
        gaps.append(
            Gap(
                question=last.question,
                collection=collection,
                count=len(records),
                refused=sum(record.refused for record in records),
                last_asked_at=last.asked_at,
                answer_id=last.answer_id,
                nearest=last.passages[:MAX_NEAREST],
            )
        )
    return tuple(sorted(gaps, key=lambda gap: (-gap.count, gap.question)))


def group_by_topic(
    gaps: Sequence[Gap], encode: Callable[[Sequence[str]], NDArray[np.float32]], min_similarity: float = MIN_SIMILARITY
) -> tuple[GapTopic, ...]:
    """The topics of `gaps`, the most asked first.

    Each gap joins the topic of its collection with the most similar mean vector (cosine), if it is at least `min_similarity`,
    else begins one. `encode` gives unit vectors (n, dimension).
    """
    if not gaps:
        return ()
    vectors = encode([gap.question for gap in gaps])
    members: list[list[int]] = []
    sums: list[NDArray[np.float32]] = []
    for place, (gap, vector) in enumerate(zip(gaps, vectors, strict=True)):
        similarities = [
            float(vector @ total / np.linalg.norm(total)) if gaps[group[0]].collection == gap.collection else -1.0
            for group, total in zip(members, sums, strict=True)
        ]
        best = int(np.argmax(similarities)) if similarities else -1
        if best >= 0 and similarities[best] >= min_similarity:
            members[best].append(place)
            sums[best] = sums[best] + vector
        else:
            members.append([place])
            sums.append(vector.copy())
    topics = []
    for group, total in zip(members, sums, strict=True):
        central = max(group, key=lambda place: float(vectors[place] @ total))
        of_topic = tuple(gaps[place] for place in group)
        topics.append(GapTopic(gaps[central].question, sum(gap.count for gap in of_topic), of_topic))
    return tuple(sorted(topics, key=lambda topic: (-topic.count, topic.topic)))


def csv_lines(topics: Iterable[GapTopic]) -> str:
    """The gaps as CSV with a header line, one gap a line, for a spreadsheet. A cell that begins like a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("topic", "question", "collection", "count", "refused", "last asked (UTC)", "nearest"))
    for topic in topics:
        for gap in topic.gaps:
            nearest = "; ".join(hit.title for hit in gap.nearest)
            cells = (topic.topic, gap.question, gap.collection, str(gap.count), str(gap.refused))
            writer.writerow(map(_cell, (*cells, f"{gap.last_asked_at:%Y-%m-%d %H:%M}", nearest)))
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _normalised(question: str) -> str:
    return " ".join(question.casefold().split()).rstrip(" ?!.")
