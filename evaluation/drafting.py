"""A collection -> proposed test cases: questions made from the text's own structure, or by a language model where there is one.

A sentence may carry its question in it: a definition ("X is a Y"), a number with its unit, a year, a place, who did
something and what. The question is the sentence with the answer taken out, so the gold quote is the sentence itself and
the case is answerable by construction. A heading is asked about too; any sentence below it is evidence. Each case is
checked: the answer stands once in its sentence, retrieval finds the passage among the first ten, and no other sentence
found has the question's words with another answer.

With a `Questioner` a language model is shown passages, documents taking turns, and what it proposes passes its checks and the
same ones of retrieval; the text's structure fills up what is missing. What was dropped is counted.

Near misses are made from those questions by a name or a year that stands elsewhere in the collection, but in no
sentence with the rest of the question: retrieval finds passages that look right, and none says it. All are proposals; a
person reviews them.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice, zip_longest

from evaluation.cases import Case, Evidence
from evaluation.errors import TaskUnfit
from evaluation.questioner import Questioner
from evaluation.templating import Proposal, anchors, content, near_miss, propose
from index.chunking.sentences import Span, sentence_spans
from index.collection import Collection
from index.records import Document

_DEPTH = 10
_SAME = 0.6
_OVERSAMPLED = 4
_HEADING_WORDS = 2
_CLAUSE = re.compile(r"(?i)(?:what|why|how|who|when|where|which|if|is|are|do|does|can)\b|\W*\d")
_HEADING_SENTENCES = 2
_PASSAGE = 1200
_PASSAGES_A_CASE = 3

ALIKE = "questions like another"
NOT_FOUND = "questions that search does not answer by their quote alone"


@dataclass(frozen=True, slots=True)
class _Found:
    """A proposal, and the sentences each of which is enough to answer it."""

    document: Document
    spans: tuple[Span, ...]
    proposal: Proposal
    writer: str | None = None

    @property
    def start(self) -> int:
        """Where the (first) gold sentence begins."""
        return self.spans[0].start


@dataclass(frozen=True, slots=True)
class Drafted:
    """The cases, how many of their questions a language model wrote, and how many of its proposals were dropped and why."""

    cases: tuple[Case, ...]
    written: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


def draft(
    collection: Collection,
    count: int,
    *,
    unanswerable: float = 0.2,
    seed: int = 0,
    questioner: Questioner | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Drafted:
    """About `count` cases, that share of them near misses; fewer when the text does not carry more.

    Kinds of question and documents take turns, so that one long document or one kind does not fill the set. `on_progress` is
    told how many questions the language model has got through. Raises TaskUnfit when no sentence carries a question,
    ModelUnavailable.
    """
    rng = random.Random(seed)
    wanted = round(count * (1 - unanswerable))
    dropped: Counter[str] = Counter()
    written: list[_Found] = []
    if questioner is not None:
        for item in islice(_written(collection, questioner, wanted, rng, dropped), wanted):
            written.append(item)
            if on_progress is not None:
                on_progress(len(written))
    found = [item for summary in collection.documents() for item in _proposals(collection.document(summary.id))]
    if not found and not written:
        raise TaskUnfit(
            f"{collection.name}: no sentence carries a question. Index running text in English, then draft again."
        )
    answerable = _chosen(collection, found, wanted, rng, written)
    misses = _near_misses(collection, [*written, *found], answerable, count - wanted, rng)
    return Drafted((*(_case(item) for item in answerable), *misses), len(written), dropped)


def _written(
    collection: Collection, questioner: Questioner, wanted: int, rng: random.Random, dropped: Counter[str]
) -> Iterator[_Found]:
    """What the language model proposes and search bears out, until it was shown enough passages for `wanted`."""
    kept: list[_Found] = []
    for document, passage in islice(_passages(collection, rng), _PASSAGES_A_CASE * wanted):
        proposals = questioner.ask(document.title, document.text[passage.start : passage.end])
        dropped.update(proposals.dropped)
        for sound in proposals.questions:
            quoted = Span(passage.start + sound.start, passage.start + sound.end)
            proposal = Proposal("written", sound.question, sound.answer, anchors(sound.question))
            item = _Found(document, (quoted,), proposal, questioner.model)
            if any(_alike(item, other) for other in kept):
                dropped[ALIKE] += 1
            elif not _holds(collection, item):
                dropped[NOT_FOUND] += 1
            else:
                kept.append(item)
                yield item


def _passages(collection: Collection, rng: random.Random) -> Iterator[tuple[Document, Span]]:
    """Runs of whole sentences, drawn by turns: one of every document, then a second one of every document, and so on."""
    waiting = [summary.id for summary in collection.documents()]
    rng.shuffle(waiting)
    left: dict[str, list[Span]] = {}
    while waiting:
        for id in list(waiting):
            document = collection.document(id)
            if id not in left:
                left[id] = _runs(document.text)
                rng.shuffle(left[id])
            if left[id]:
                yield document, left[id].pop()
            else:
                waiting.remove(id)


def _runs(text: str) -> list[Span]:
    """Sentences joined to runs of up to about `_PASSAGE` characters."""
    runs: list[Span] = []
    for span in sentence_spans(text):
        if runs and span.end - runs[-1].start <= _PASSAGE:
            runs[-1] = Span(runs[-1].start, span.end)
        else:
            runs.append(span)
    return runs


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


def _chosen(
    collection: Collection, found: Sequence[_Found], wanted: int, rng: random.Random, written: Sequence[_Found]
) -> list[_Found]:
    kept = list(written)
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
            **({"writer": item.writer} if item.writer else {}),
        },
    )


def _id(prefix: str, text: str) -> str:
    return f"{prefix}-{sha256(text.encode()).hexdigest()[:10]}"
