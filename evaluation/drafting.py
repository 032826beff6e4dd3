"""Propose test cases from a collection: questions made from the text's own structure, or by a language model if one is
set.

Many sentences can be turned into a question: a definition ("X is a Y"), a number with its unit, a year, a place, who
did something and what. The question is the sentence with the answer taken out, so the gold quote is the sentence itself
and the case is answerable by construction. Headings are asked about too; any sentence below one is evidence. Each case
is checked: the answer occurs once in its sentence, retrieval finds the passage among the first ten, and no other
sentence found has the question's words with another answer.

With a `QuestionWriter` a language model reads passages, documents taking turns; what it proposes must pass the writer's
checks and the same checks of retrieval. The text's structure supplies the rest. What is dropped is counted.

Near misses are made from those questions by exchanging a name or a year for one from elsewhere in the collection that
no sentence has together with the rest of the question: retrieval finds passages that look right, but none has the
answer. All are proposals; a person reviews them.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice, zip_longest

from evaluation.cases import Case, GoldEvidence
from evaluation.errors import TaskUnfit
from evaluation.question_writer import QuestionWriter
from index.blocks.block import Span
from index.chunking.units import chunk_rendering, document_units
from index.collection import Collection
from index.records import Document
from service.text.question_templates import Proposal, anchors, content_words, near_miss, propose

_DEPTH = 10
_ALIKE_FROM = 0.6
_OVERSAMPLING = 4
_MIN_HEADING_WORDS = 2
_CLAUSE = re.compile(r"(?i)(?:what|why|how|who|when|where|which|if|is|are|do|does|can)\b|\W*\d")
_MIN_HEADING_SENTENCES = 2
_PASSAGE_CHARS = 1200
_PASSAGES_PER_CASE = 3

ALIKE = "questions like another"
NOT_FOUND = "questions that search does not answer by their quote alone"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A proposal with the sentences, each of which is enough to answer it."""

    document: Document
    spans: tuple[Span, ...]
    proposal: Proposal
    writer: str | None = None

    @property
    def start(self) -> int:
        """Where the first gold sentence begins."""
        return self.spans[0].start


@dataclass(frozen=True, slots=True)
class DraftedCases:
    """The cases, how many questions a language model wrote, and how many of its proposals were dropped and why."""

    cases: tuple[Case, ...]
    written: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


def draft_cases(
    collection: Collection,
    count: int,
    *,
    unanswerable: float = 0.2,
    seed: int = 0,
    writer: QuestionWriter | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> DraftedCases:
    """About `count` cases, a share `unanswerable` of them near misses; fewer if the text does not yield more.

    Kinds of question and documents take turns, so that one long document or one kind does not fill the set.
    `on_progress` gets the number of the language model's questions that passed. Raises TaskUnfit when no sentence
    yields a question, and ModelUnavailable.
    """
    rng = random.Random(seed)
    wanted = round(count * (1 - unanswerable))
    dropped: Counter[str] = Counter()
    written: list[_Candidate] = []
    if writer is not None:
        for item in islice(_written_candidates(collection, writer, wanted, rng, dropped), wanted):
            written.append(item)
            if on_progress is not None:
                on_progress(len(written))
    templated = [
        item
        for summary in collection.documents.list()
        for item in _template_candidates(collection.documents.get(summary.id))
    ]
    if not templated and not written:
        raise TaskUnfit(
            f"{collection.name}: no sentence carries a question. Index running text in English, then draft again."
        )
    answerable = _choose(collection, templated, wanted, rng, written)
    misses = _near_misses(collection, [*written, *templated], answerable, count - wanted, rng)
    return DraftedCases((*(_case(item) for item in answerable), *misses), len(written), dropped)


def _written_candidates(
    collection: Collection, writer: QuestionWriter, wanted: int, rng: random.Random, dropped: Counter[str]
) -> Iterator[_Candidate]:
    """Proposals of the language model that search confirms, from enough passages for `wanted` questions."""
    kept: list[_Candidate] = []
    for document, passage in islice(_passages(collection, rng), _PASSAGES_PER_CASE * wanted):
        proposals = writer.ask(document.title, document.text[passage.start : passage.end])
        dropped.update(proposals.dropped)
        for question in proposals.questions:
            quoted = Span(passage.start + question.start, passage.start + question.end)
            proposal = Proposal("written", question.question, question.answer, anchors(question.question))
            item = _Candidate(document, (quoted,), proposal, writer.model)
            if any(_are_alike(item, other) for other in kept):
                dropped[ALIKE] += 1
            elif not _is_unambiguous(collection, item):
                dropped[NOT_FOUND] += 1
            else:
                kept.append(item)
                yield item


def _passages(collection: Collection, rng: random.Random) -> Iterator[tuple[Document, Span]]:
    """Runs of whole sentences, drawn in turns: one from every document, then a second from every document ..."""
    waiting = [summary.id for summary in collection.documents.list()]
    rng.shuffle(waiting)
    left: dict[str, list[Span]] = {}
    while waiting:
        for id in list(waiting):
            document = collection.documents.get(id)
            if id not in left:
                left[id] = _runs(document)
                rng.shuffle(left[id])
            if left[id]:
                yield document, left[id].pop()
            else:
                waiting.remove(id)


def _runs(document: Document) -> list[Span]:
    """Units joined into runs of up to about `_PASSAGE_CHARS` characters."""
    runs: list[Span] = []
    for span in _unit_spans(document):
        if runs and span.end - runs[-1].start <= _PASSAGE_CHARS:
            runs[-1] = Span(runs[-1].start, span.end)
        else:
            runs.append(span)
    return runs


def _unit_spans(document: Document) -> list[Span]:
    return [Span(unit.start, unit.end) for unit in document_units(document)]


def _template_candidates(document: Document) -> Iterator[_Candidate]:
    spans = _unit_spans(document)
    for span in spans:
        for proposal in propose(document.text[span.start : span.end]):
            yield _Candidate(document, (span,), proposal)
    for section, after in zip_longest(document.sections, document.sections[1:]):
        end = after.start if after else len(document.text)
        heading = section.trail[-1] if section.trail else ""
        below = tuple(s for s in spans if section.start <= s.start and s.end <= end and _is_prose(document, s, heading))
        nameable = len(content_words(heading)) >= _MIN_HEADING_WORDS and not _CLAUSE.match(heading)
        if nameable and len(below) >= _MIN_HEADING_SENTENCES:
            yield _Candidate(
                document, below, Proposal("heading", f"What is said about {_lower_first(heading)}?", "", ())
            )


def _is_prose(document: Document, span: Span, heading: str) -> bool:
    text = document.text[span.start : span.end]
    return text.endswith((".", "!", "?")) and heading not in text


def _lower_first(heading: str) -> str:
    """The heading as it reads inside a sentence: a first word that is not a name loses its capital."""
    first, _, rest = heading.strip(" .:").partition(" ")
    return (
        f"{first.lower()} {rest}".strip() if first.istitle() and rest and rest == rest.lower() else heading.strip(" .:")
    )


def _choose(
    collection: Collection,
    candidates: Sequence[_Candidate],
    wanted: int,
    rng: random.Random,
    written: Sequence[_Candidate],
) -> list[_Candidate]:
    kept = list(written)
    for item in _in_turns(candidates, rng):
        if len(kept) == wanted:
            break
        if not any(_are_alike(item, other) for other in kept) and _is_unambiguous(collection, item):
            kept.append(item)
    return kept


def _in_turns(candidates: Sequence[_Candidate], rng: random.Random) -> list[_Candidate]:
    """Shuffled, so that documents and kinds take turns."""
    groups: dict[tuple[str, str], list[_Candidate]] = {}
    for item in rng.sample(list(candidates), len(candidates)):
        groups.setdefault((item.document.id, item.proposal.kind), []).append(item)
    queues = [groups[key] for key in rng.sample(sorted(groups), len(groups))]
    return [queue[turn] for turn in range(max(len(queue) for queue in queues)) for queue in queues if turn < len(queue)]


def _are_alike(item: _Candidate, other: _Candidate) -> bool:
    """Whether two questions are about the same: the same sentence, or mostly the same words."""
    if item.document.id == other.document.id and item.start == other.start:
        return True
    left, right = content_words(item.proposal.question), content_words(other.proposal.question)
    return len(left & right) >= _ALIKE_FROM * len(left | right)


def _is_unambiguous(collection: Collection, item: _Candidate) -> bool:
    """Whether retrieval finds the sentence, and none found has the question's words with another answer."""
    hits = collection.search(item.proposal.question, k=_DEPTH)
    inside = any(
        hit.chunk.document_id == item.document.id and hit.chunk.start <= span.start and span.end <= hit.chunk.end
        for hit in hits
        for span in item.spans
    )
    asked = content_words(item.proposal.question)
    rivals = [
        text
        for hit in hits
        for rendering in (chunk_rendering(hit.chunk),)
        for span in rendering.spans()
        if asked <= content_words(text := rendering.text[span.start : span.end])
        and (item.proposal.answer or text) not in text
    ]
    return inside and not rivals


def _near_misses(
    collection: Collection,
    candidates: Sequence[_Candidate],
    answerable: Sequence[_Candidate],
    wanted: int,
    rng: random.Random,
) -> list[Case]:
    """Questions with a name or year exchanged for another of the collection; no sentence holds all their words."""
    sentences = [content_words(item.document.text[span.start : span.end]) for item in candidates for span in item.spans]
    pool = [item.proposal for item in candidates]
    cases: list[Case] = []
    sources = [*answerable, *_in_turns(candidates, rng)][: _OVERSAMPLING * max(1, wanted) + len(answerable)]
    for item in rng.sample(sources, len(sources)):
        if len(cases) == wanted:
            break
        question = near_miss(item.proposal, pool, rng)
        if question is None or any(case.question == question for case in cases):
            continue
        asked = content_words(question)
        if any(asked <= words for words in sentences) or not collection.search(question, k=1):
            continue
        tags = {"source": "draft", "kind": "near miss", "review": "check that no document answers it"}
        cases.append(Case(id=_id("miss", question), question=question, answerable=False, tags=tags))
    return cases


def _case(item: _Candidate) -> Case:
    question, answer, text = item.proposal.question, item.proposal.answer, item.document.text
    return Case(
        id=_id("draft", f"{item.document.id}{item.start}{question}"),
        question=question,
        answers=(answer,) if answer else (),
        answerable=True,
        evidence=tuple(
            GoldEvidence(item.document.uri, text[span.start : span.end], span.start, span.end, group)
            for group, span in enumerate(item.spans)
        ),
        tags={
            "source": "draft",
            "kind": item.proposal.kind,
            "review": "read the question aloud; reword it if it is stilted",
            **({"writer": item.writer} if item.writer else {}),
        },
    )


def _id(prefix: str, text: str) -> str:
    return f"{prefix}-{sha256(text.encode()).hexdigest()[:10]}"
