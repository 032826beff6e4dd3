"""What the extractive generator would quote of given passages, and the course of one reading that a trace holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.answering.checking import CheckedSentence
from service.answering.trace import Checked, Judged, Read, Searched
from service.explaining.expected import Place
from service.explaining.ranks import Rankings
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Passage, Quote
from service.records import Answer
from service.scoring.calibration import Calibration, signals
from service.text.terms import content_words

_MOSTLY = 0.6  # of the content words of a written sentence, from which it says what the expected words say


@dataclass(frozen=True, slots=True)
class Course:
    """One reading of a question from search to answer, and what is needed to ask what else it could have become."""

    searched: Searched
    read: Read
    judged: Judged
    written: Sequence[Checked]
    rankings: Rankings
    answer: Answer
    calibration: Calibration

    def confidence(self, passages: Sequence[Passage]) -> float:
        """The confidence with these passages."""
        return self.calibration.probability(signals([passage.reading for passage in passages]))

    def would_quote(self, place: Place, passages: Sequence[Passage]) -> bool:
        """Whether the extractive generator would quote the place, if it were shown the best of these passages."""
        ranked = sorted(passages, key=lambda passage: -passage.reading.relevance)[: len(self.judged.shown)]
        drafts = ExtractiveGenerator().generate(self.read.question, ranked)
        return any(is_at(quote, ranked, place) for draft in drafts for quote in draft.quotes)

    def is_written(self, step: Checked, place: Place, words: str) -> bool:
        """Whether a written sentence quotes the place, or says in other words what stands there."""
        if step.draft.quotes:
            return any(is_at(quote, step.passages, place) for quote in step.draft.quotes)
        said, there = (_terms(text) for text in (step.draft.text, words))
        return bool(said) and len(said & there) >= _MOSTLY * len(said)

    def is_cited(self, place: Place) -> bool:
        """Whether the answer cites the place."""
        return any(place.is_at(c.document_id, c.start, c.end) for c in self.answer.citations)


def is_at(quote: Quote, passages: Sequence[Passage], place: Place) -> bool:
    """Whether a quote of a passage is the place."""
    passage = passages[quote.passage]
    return place.is_at(passage.hit.chunk.document_id, *passage.rendering.source_range(*quote.span))


def is_shown(step: Checked) -> bool:
    """Whether a written sentence was shown."""
    return isinstance(step.outcome, CheckedSentence)


def _terms(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in content_words(text))
