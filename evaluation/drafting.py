"""A collection -> proposed test cases, without a language model: questions made from the text's own structure.

A sentence may carry its question in it: a definition ("X is a Y"), a number with its unit, a year, a place, who did
something and what. The question is the sentence with the answer taken out, so the gold quote is the sentence itself and
the case is answerable by construction. A heading is asked about too; any sentence below it is evidence. Each case is
checked: the answer stands once in its sentence, retrieval finds the passage among the first ten, and no other sentence
found has the question's words with another answer.

Near misses are made from those questions by a name or a year that stands elsewhere in the collection, but in no
sentence with the rest of the question: retrieval finds passages that look right, and none says it. All are proposals; a
person reviews them.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from evaluation.cases import Case, Evidence
from evaluation.errors import TaskUnfit
from evaluation.templating import Proposal, content, near_miss, propose
from index.collection import Collection
from index.records import Document
from index.sentences import Span, sentence_spans

_DEPTH = 10
_SAME = 0.6
_OVERSAMPLED = 4
_HEADING_WORDS = 2
_CLAUSE = re.compile(r"(?i)(?:what|why|how|who|when|where|which|if|is|are|do|does|can)\b|\W*\d")
_HEADING_SENTENCES = 2


@dataclass(frozen=True, slots=True)
class _Found:
    """A proposal, and the sentences each of which is enough to answer it."""

    document: Document
    spans: tuple[Span, ...]
    proposal: Proposal

    @property
    def start(self) -> int:
        """Where the (first) gold sentence begins."""
        return self.spans[0].start


def draft(collection: Collection, count: int, *, unanswerable: float = 0.2, seed: int = 0) -> list[Case]:
    """About `count` cases, that share of them near misses; fewer when the text does not carry more.

    Kinds of question and documents take turns, so that one long document or one kind does not fill the set. Raises
    TaskUnfit when no sentence carries a question.
    """
    found = [item for summary in collection.documents() for item in _proposals(collection.document(summary.id))]
    if not found:
        raise TaskUnfit(
            f"{collection.name}: no sentence carries a question. Index running text in English, then draft again."
        )
    rng = random.Random(seed)
    wanted = round(count * (1 - unanswerable))
    answerable = _chosen(collection, found, wanted, rng)
    misses = _near_misses(collection, found, answerable, count - wanted, rng)
    return [*(_case(item) for item in answerable), *misses]


def _proposals(document: Document) -> Iterator[_Found]:
    spans = sentence_spans(document.text)
    for span in spans:
        for proposal in propose(document.text[span.start : span.end]):
            yield _Found(document, (span,), proposal)
    for section, after in zip_longest(document.sections, document.sections[1:]):
        end = after.start if after else len(document.text)
        heading = section.trail[-1] if section.trail else ""
        below = tuple(s for s in spans if section.start <= s.start and s.end <= end and _prose(document, s, heading))
        nameable = len(content(heading)) >= _HEADING_WORDS and not _CLAUSE.match(heading)
        if nameable and len(below) >= _HEADING_SENTENCES:
            yield _Found(document, below, Proposal("heading", f"What is said about {_lowered(heading)}?", "", ()))


def _prose(document: Document, span: Span, heading: str) -> bool:
    text = document.text[span.start : span.end]
    return text.endswith((".", "!", "?")) and heading not in text


def _lowered(heading: str) -> str:
    """The heading inside a sentence: a first word that is no name loses its capital."""
    first, _, rest = heading.strip(" .:").partition(" ")
    return (
        f"{first.lower()} {rest}".strip() if first.istitle() and rest and rest == rest.lower() else heading.strip(" .:")
    )


def _chosen(collection: Collection, found: Sequence[_Found], wanted: int, rng: random.Random) -> list[_Found]:
    kept: list[_Found] = []
    for item in _in_turns(found, rng):
        if len(kept) == wanted:
            break
        if not any(_alike(item, other) for other in kept) and _holds(collection, item):
            kept.append(item)
    return kept


def _in_turns(found: Sequence[_Found], rng: random.Random) -> list[_Found]:
    """Shuffled, then the documents and kinds take turns."""
    groups: dict[tuple[str, str], list[_Found]] = {}
    for item in rng.sample(list(found), len(found)):
        groups.setdefault((item.document.id, item.proposal.kind), []).append(item)
    queues = [groups[key] for key in rng.sample(sorted(groups), len(groups))]
    return [queue[turn] for turn in range(max(len(queue) for queue in queues)) for queue in queues if turn < len(queue)]


def _alike(item: _Found, other: _Found) -> bool:
    """Two questions about the same: the same sentence, or mostly the same words."""
    if item.document.id == other.document.id and item.start == other.start:
        return True
    left, right = content(item.proposal.question), content(other.proposal.question)
    return len(left & right) >= _SAME * len(left | right)


def _holds(collection: Collection, item: _Found) -> bool:
    """Whether retrieval finds the sentence, and only it (or a copy of it) has the question's words and another answer."""
    hits = collection.search(item.proposal.question, k=_DEPTH)
    inside = any(
        hit.chunk.document_id == item.document.id and hit.chunk.start <= span.start and span.end <= hit.chunk.end
        for hit in hits
        for span in item.spans
    )
    asked = content(item.proposal.question)
    rivals = [
        text
        for hit in hits
        for span in sentence_spans(hit.chunk.text)
        if asked <= content(text := hit.chunk.text[span.start : span.end])
        and (item.proposal.answer or text) not in text
    ]
    return inside and not rivals


def _near_misses(
    collection: Collection, found: Sequence[_Found], answerable: Sequence[_Found], wanted: int, rng: random.Random
) -> list[Case]:
    """Questions with one name or year changed to another of the collection, so that no sentence holds all their words."""
    sentences = [content(item.document.text[span.start : span.end]) for item in found for span in item.spans]
    pool = [item.proposal for item in found]
    cases: list[Case] = []
    sources = [*answerable, *_in_turns(found, rng)][: _OVERSAMPLED * max(1, wanted) + len(answerable)]
    for item in rng.sample(sources, len(sources)):
        if len(cases) == wanted:
            break
        question = near_miss(item.proposal, pool, rng)
        if question is None or any(case.question == question for case in cases):
            continue
        asked = content(question)
        if any(asked <= words for words in sentences) or not collection.search(question, k=1):
            continue
        tags = {"source": "draft", "kind": "near miss", "review": "check that no document answers it"}
        cases.append(Case(id=_id("miss", question), question=question, answerable=False, tags=tags))
    return cases


def _case(item: _Found) -> Case:
    question, answer, text = item.proposal.question, item.proposal.answer, item.document.text
    return Case(
        id=_id("draft", f"{item.document.id}{item.start}{question}"),
        question=question,
        answers=(answer,) if answer else (),
        answerable=True,
        evidence=tuple(
            Evidence(item.document.uri, text[span.start : span.end], span.start, span.end, group)
            for group, span in enumerate(item.spans)
        ),
        tags={
            "source": "draft",
            "kind": item.proposal.kind,
            "review": "read the question aloud; mend it if it is stilted",
        },
    )


def _id(prefix: str, text: str) -> str:
    return f"{prefix}-{sha256(text.encode()).hexdigest()[:10]}"
