"""The default generator: answers with whole sentences of the documents. It needs no language model and cannot invent.

The reader has scored every sentence of every passage; this generator chooses among them: the sentence that answers best; up
to three more that answer nearly as well and say something else; the sentence before one that refers back ("This ..."). The
same statement in two places is given once, with both sources. A line that only repeats words of the question (a table's
label, a date) states nothing and is left out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.blocks.block import Span
from service.generators.protocol import Draft, Passage, Quote
from service.text.plain import is_heading, plain_line
from service.text.terms import Terms, overlap, statement_terms

MAX_SENTENCES = 4
NEAR_BEST = 1.5  # a further sentence may be at most this many logits below the best
MIN_LOGIT = -1.0  # and its own logit must be at least this
# On the 31 answerable questions of ClapNQ's development part these two give sentence precision .81 and recall .45; a
# margin of 3 gives .80 and .45, one of 0.5 gives .84 and .43.
MIN_OVERLAP = 0.8  # Jaccard index of their words from which two sentences say the same

_LEANS_BACK = re.compile(
    r"\W*(?:it|its|they|their|them|he|his|him|she|her|this|that|these|those|such|both|the (?:latter|former|same)|"
    r"however|therefore|thus|hence|consequently|as a result|in addition|also|instead|otherwise|moreover)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _SentenceCandidate:
    passage: int
    sentence: int
    span: Span
    highlight: Span | None
    logit: float
    total: float
    said: Terms


class ExtractiveGenerator:
    """Quotes whole sentences of the passages; a draft's text is its quote without list marks and line breaks."""

    name = "extractive"

    def generate(self, question: str, passages: Sequence[Passage]) -> Iterator[Draft]:
        """Yield one to four sentences; sentences of one document are in the document's order."""
        groups = _select(_candidates(question, passages))
        for group in sorted(groups, key=lambda group: _order(group, groups, passages)):
            yield _make_draft(group, groups, passages)


def _candidates(question: str, passages: Sequence[Passage]) -> list[_SentenceCandidate]:
    """Every sentence that may be quoted, best first: by the sum of its own logit and its passage's."""
    asked = Terms.of(question)
    candidates = []
    for number, passage in enumerate(passages):
        for place, sentence in enumerate(passage.reading.sentences):
            text = passage.hit.chunk.text[sentence.start : sentence.end]
            said = statement_terms(text, asked)
            if said is None:
                continue
            candidates.append(
                _SentenceCandidate(
                    passage=number,
                    sentence=place,
                    span=Span(sentence.start, sentence.end),
                    highlight=sentence.answer,
                    logit=sentence.score,
                    total=passage.reading.relevance + sentence.score,
                    said=said,
                )
            )
    return sorted(candidates, key=lambda candidate: (-candidate.total, candidate.passage, candidate.sentence))


def _select(candidates: Sequence[_SentenceCandidate]) -> list[list[_SentenceCandidate]]:
    """Groups of candidates that say the same, best group first, best candidate first in each."""
    groups: list[list[_SentenceCandidate]] = []
    for candidate in candidates:
        if groups and candidate.total < groups[0][0].total - NEAR_BEST:
            break
        twin = next((group for group in groups if _say_the_same(group[0], candidate)), None)
        if twin is not None:
            twin.append(candidate)
        elif not groups or (len(groups) < MAX_SENTENCES and candidate.logit >= MIN_LOGIT):
            groups.append([candidate])
    return groups


def _say_the_same(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    """Whether both have nearly the same words and exactly the same figures: "six attacks" is not "seven attacks"."""
    return one.said.figures == other.said.figures and overlap(one.said.words, other.said.words) >= MIN_OVERLAP


def _order(
    group: list[_SentenceCandidate], groups: Sequence[list[_SentenceCandidate]], passages: Sequence[Passage]
) -> tuple[int, int, int]:
    """The sort key: documents in the order of their best sentence; inside a document, the order of the text."""
    documents = [passages[other[0].passage].hit.chunk.document_id for other in groups]
    chunk = passages[group[0].passage].hit.chunk
    return documents.index(chunk.document_id), chunk.start + group[0].span.start, group[0].sentence


def _make_draft(
    group: Sequence[_SentenceCandidate], groups: Sequence[Sequence[_SentenceCandidate]], passages: Sequence[Passage]
) -> Draft:
    best = group[0]
    chunk = passages[best.passage].hit.chunk
    span = _span_with_context(best, groups, passages)
    quotes = [Quote(best.passage, span, best.highlight)]
    seen = {(chunk.document_id, chunk.start + best.span.start)}
    for other in group[1:]:
        chunk = passages[other.passage].hit.chunk
        place = (chunk.document_id, chunk.start + other.span.start)
        if place not in seen:
            seen.add(place)
            quotes.append(Quote(other.passage, other.span, other.highlight))
    return Draft(text=plain_line(passages[best.passage].hit.chunk.text[span.start : span.end]), quotes=tuple(quotes))


def _span_with_context(
    candidate: _SentenceCandidate, groups: Sequence[Sequence[_SentenceCandidate]], passages: Sequence[Passage]
) -> Span:
    """The candidate's span; with the sentence before if it refers back to that and that is not in the answer already."""
    passage = passages[candidate.passage]
    text = passage.hit.chunk.text
    if candidate.sentence == 0 or not _LEANS_BACK.match(text, candidate.span.start):
        return candidate.span
    before = passage.reading.sentences[candidate.sentence - 1]
    is_answered = any(
        other.passage == candidate.passage and other.sentence == candidate.sentence - 1
        for group in groups
        for other in group
    )
    if is_answered or is_heading(text[before.start : before.end]):
        return candidate.span
    return Span(before.start, candidate.span.end)
