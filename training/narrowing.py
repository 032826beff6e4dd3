"""Passages cut down to the sentence that matters: what the reader sees when it reads its own answer again."""

import random
from collections.abc import Sequence
from dataclasses import replace

from index.chunking.sentences import Span, sentence_spans
from training.batches import gold_sentences
from training.negatives import words
from training.sources import Group, Reading

NARROWED = 0.25
"""Share of the groups that are cut down."""
_WITH_BEFORE = 0.3
"""Share of the cut passages that keep the sentence before."""


def narrowed(group: Group, rng: random.Random) -> Group:
    """The group, or at the rate `NARROWED` the same over single sentences, where it is known which of them answer.

    An answering passage is cut down to a sentence that answers, another one to the sentence that shares most words with
    the question; some keep the sentence before.
    """
    if rng.random() >= NARROWED or any(reading.gold is None for reading in group):
        return group
    return tuple(_cut(reading, rng) for reading in group)


def _cut(reading: Reading, rng: random.Random) -> Reading:
    spans = sentence_spans(reading.passage)
    gold = sorted(gold_sentences(reading.gold or (), spans))
    if not spans or (reading.relevant and not gold):
        return reading
    place = rng.choice(gold) if gold else _tempting(reading, spans)
    first = place - 1 if place and rng.random() < _WITH_BEFORE else place
    start, end = spans[first].start, spans[place].end
    inside = [span for span in reading.gold or () if start <= span.start and span.end <= end]
    if reading.relevant and not inside:
        return reading
    answer = reading.answer if reading.answer in inside else None
    return replace(
        reading,
        passage=reading.passage[start:end],
        gold=tuple(Span(span.start - start, span.end - start) for span in inside),
        answer=Span(answer.start - start, answer.end - start) if answer else None,
    )


def _tempting(reading: Reading, spans: Sequence[Span]) -> int:
    """The sentence that shares most words with the question; of equals the first."""
    asked = set(words(reading.question))
    shared = [len(asked & set(words(reading.passage[span.start : span.end]))) for span in spans]
    return shared.index(max(shared))
