"""Draft cases: collect the questions that the documents carry, keep the clear ones, and take turns between kinds.

Every question is answerable by construction: its gold is what it was made from, with all other places of the collection that
say the same. What is unclear, because another text has its words with another answer, is left out; so a set may be smaller
than asked for, and `dropped` says why. Ranking plays no part in the choice, or the set would only hold what search finds.

With a `QuestionWriter` a language model reads passages, documents taking turns; what it proposes must pass the writer's
checks, and search must find its quote. The structure of the texts supplies the rest. All are proposals; a person reviews them.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import islice

from evaluation.cases import Case, GoldEvidence
from evaluation.document_matching import portable_names
from evaluation.drafting.contents import contents_units, headings
from evaluation.drafting.goals import goal_proposals
from evaluation.drafting.gold import Candidate, Gold, WordSearch, merged, with_all_gold
from evaluation.drafting.names import Names
from evaluation.drafting.near_misses import Miss, absent, proposed_misses
from evaluation.drafting.outline import outline_proposals
from evaluation.drafting.proposal import DraftDocument, Proposal
from evaluation.drafting.question_writer import QuestionWriter
from evaluation.drafting.records import record_proposals
from evaluation.drafting.sentences import sentence_proposals
from evaluation.drafting.tables import table_proposals
from evaluation.drafting.wording import content_words
from evaluation.errors import TaskUnfit
from index.blocks.block import Kind, Span
from index.chunking.units import chunk_rendering
from index.collection import Collection
from service.scoring.reader import Reader

_DEPTH = 10
_ALIKE_FROM = 0.6
_OVERSAMPLING = 4
_MAX_READ_DOCUMENTS = 400
_PASSAGE_CHARS = 1200
_PASSAGES_PER_CASE = 3
_LONGEST_QUESTION = 220

ALIKE = "questions like another"
NOT_FOUND = "questions that search does not answer by their quote alone"
UNCLEAR = "questions that another place answers in another way"
FEW_MISSES = "near misses fewer than asked for: no more could be made"
FEW_CLEAR = "questions fewer than asked for: the texts carry no more that are clear"
LONG = "questions that are too long"


@dataclass(frozen=True, slots=True)
class DraftedCases:
    """The cases, how many questions a language model wrote, and how many proposals were left out and why."""

    cases: tuple[Case, ...]
    written: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """How many cases there are of each kind, most first."""
        return Counter(case.tags["kind"] for case in self.cases).most_common()


def draft_cases(
    collection: Collection,
    count: int,
    reader: Reader,
    *,
    unanswerable: float = 0.2,
    seed: int = 0,
    writer: QuestionWriter | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> DraftedCases:
    """About `count` cases, a share `unanswerable` of them near misses; fewer if the text does not yield more.

    Kinds of question and documents take turns, so that one long document or one kind does not fill the set. Of a large
    collection, questions come from documents drawn at random; other answers are looked for in all of it. `on_progress`
    gets the number of the language model's questions that passed. Raises TaskUnfit when no text yields a question, and
    ModelUnavailable.
    """
    rng = random.Random(seed)
    wanted = round(count * (1 - unanswerable))
    dropped: Counter[str] = Counter()
    shelf = _Shelf(collection)
    written: list[Candidate] = []
    if writer is not None:
        for item in islice(_written(shelf, writer, wanted, rng, dropped), wanted):
            written.append(item)
            if on_progress is not None:
                on_progress(len(written))
    candidates = _carried(shelf, reader, rng, dropped)
    if not candidates and not written:
        raise TaskUnfit(
            f"{collection.name}: no text carries a question. Index documents in English with running text, tables or "
            "lists, then draft again."
        )
    pool = _in_turns(candidates, rng)
    misses = list(islice(proposed_misses(pool, rng), _OVERSAMPLING * max(1, count)))
    search = WordSearch(
        [
            *(check.words for item in pool for check in item.proposal.checks),
            *(words for miss in misses for words in miss.asked),
        ]
    )
    shelf.read_all(search)
    clear, unclear = with_all_gold(pool, search, shelf.document)
    dropped[UNCLEAR] += unclear
    chosen = _choose(clear, wanted, written, dropped)
    near, reasons = absent(misses, search, collection, reader, count - wanted)
    if len(near) < count - wanted:
        dropped[FEW_MISSES] = count - wanted - len(near)
    if len(chosen) < wanted:
        dropped[FEW_CLEAR] = wanted - len(chosen)
    cases = (*(_case(item, shelf) for item in chosen), *map(_miss_case, near))
    return DraftedCases(cases, len(written), +(dropped + reasons))


class _Shelf:
    """The documents of a collection, a few of which are kept as they were read, and their portable names."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        summaries = collection.documents.list()
        self.names = portable_names(summary.uri for summary in summaries)
        # In the order of their names, so that the same documents give the same cases wherever they lie.
        self.ids = [summary.id for summary in sorted(summaries, key=lambda summary: self.names[summary.uri])]
        self.document = lru_cache(maxsize=_MAX_READ_DOCUMENTS)(self._document)

    def read_all(self, search: WordSearch) -> None:
        """Let `search` look through every document."""
        for id in self.ids:
            search.read(self.document(id))

    def _document(self, id: str) -> DraftDocument:
        return DraftDocument(self.collection.documents.get(id))


def _carried(shelf: _Shelf, reader: Reader, rng: random.Random, dropped: Counter[str]) -> list[Candidate]:
    """What the texts of the documents carry, one candidate for each question."""
    drawn = rng.sample(range(len(shelf.ids)), min(len(shelf.ids), _MAX_READ_DOCUMENTS))
    documents = [shelf.document(shelf.ids[place]) for place in sorted(drawn)]
    names = Names(
        (
            document.read[place]
            for document in documents
            for place, unit in enumerate(document.units)
            if unit.kind in (Kind.PARAGRAPH, Kind.ITEM, Kind.MEANING)
        ),
        reader.is_common,
    )
    known = headings(documents)
    proposed = []
    for document in documents:
        contents = contents_units(document, known)
        for proposal in (
            *sentence_proposals(document, names),
            *goal_proposals(document),
            *outline_proposals(document, names, contents),
            *table_proposals(document, names, contents),
            *record_proposals(document),
        ):
            if len(proposal.question) <= _LONGEST_QUESTION:
                proposed.append(_candidate(document, proposal))
            else:
                dropped[LONG] += 1
    kept, unclear = merged(proposed)
    dropped[UNCLEAR] += unclear
    return kept


def _candidate(document: DraftDocument, proposal: Proposal, writer: str | None = None) -> Candidate:
    id = document.document.id
    alternatives = tuple(tuple(Gold(id, span) for span in group) for group in proposal.groups)
    return Candidate(proposal, id, alternatives, writer)


def _written(
    shelf: _Shelf, writer: QuestionWriter, wanted: int, rng: random.Random, dropped: Counter[str]
) -> Iterator[Candidate]:
    """Proposals of the language model that search confirms, from enough passages for `wanted` questions."""
    kept: list[Candidate] = []
    for document, passage in islice(_passages(shelf, rng), _PASSAGES_PER_CASE * wanted):
        proposals = writer.ask(document.document.title, document.words(passage))
        dropped.update(proposals.dropped)
        for question in proposals.questions:
            quoted = Span(passage.start + question.start, passage.start + question.end)
            item = _candidate(
                document, Proposal("written", question.question, ((quoted,),), question.answer), writer.model
            )
            if any(_are_alike(item, other) for other in kept):
                dropped[ALIKE] += 1
            elif not _is_found_alone(shelf.collection, item, quoted):
                dropped[NOT_FOUND] += 1
            else:
                kept.append(item)
                yield item


def _passages(shelf: _Shelf, rng: random.Random) -> Iterator[tuple[DraftDocument, Span]]:
    """Runs of whole units, drawn in turns: one from every document, then a second from every document ..."""
    waiting = list(shelf.ids)
    rng.shuffle(waiting)
    left: dict[str, list[Span]] = {}
    while waiting:
        for id in list(waiting):
            if id not in left:
                left[id] = _runs(shelf.document(id))
                rng.shuffle(left[id])
            if left[id]:
                yield shelf.document(id), left[id].pop()
            else:
                waiting.remove(id)


def _runs(document: DraftDocument) -> list[Span]:
    """Units joined into runs of up to about `_PASSAGE_CHARS` characters."""
    runs: list[Span] = []
    for unit in document.units:
        if runs and unit.end - runs[-1].start <= _PASSAGE_CHARS:
            runs[-1] = Span(runs[-1].start, unit.end)
        else:
            runs.append(Span(unit.start, unit.end))
    return runs


def _is_found_alone(collection: Collection, item: Candidate, quoted: Span) -> bool:
    """Whether search finds the quote, and nothing that it finds has the question's words with another answer."""
    hits = collection.search(item.proposal.question, k=_DEPTH)
    inside = any(
        hit.chunk.document_id == item.document and hit.chunk.start <= quoted.start and quoted.end <= hit.chunk.end
        for hit in hits
    )
    asked = content_words(item.proposal.question)
    rivals = [
        text
        for hit in hits
        for rendering in (chunk_rendering(hit.chunk),)
        for span in rendering.spans()
        if asked <= content_words(text := rendering.text[span.start : span.end]) and item.proposal.answer not in text
    ]
    return inside and not rivals


def _choose(
    candidates: Sequence[Candidate], wanted: int, written: Sequence[Candidate], dropped: Counter[str]
) -> list[Candidate]:
    kept = list(written)
    for item in candidates:
        if len(kept) == wanted:
            break
        if any(_are_alike(item, other) for other in kept):
            dropped[ALIKE] += 1
        else:
            kept.append(item)
    return kept


def _in_turns(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Shuffled, so that kinds take turns, and within a kind documents."""
    kinds: dict[str, dict[str, list[Candidate]]] = {}
    for item in rng.sample(list(candidates), len(candidates)):
        kinds.setdefault(item.proposal.kind, {}).setdefault(item.document, []).append(item)
    return _round_robin([_round_robin(list(kinds[kind].values())) for kind in rng.sample(sorted(kinds), len(kinds))])


def _round_robin(queues: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    longest = max(map(len, queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _are_alike(item: Candidate, other: Candidate) -> bool:
    """Whether two questions are about the same: the same place, or mostly the same words."""
    first, second = item.alternatives[0][0], other.alternatives[0][0]
    if first == second:
        return True
    left, right = content_words(item.proposal.question), content_words(other.proposal.question)
    return len(left & right) >= _ALIKE_FROM * len(left | right)


def _case(item: Candidate, shelf: _Shelf) -> Case:
    proposal = item.proposal
    evidence = []
    for group, alternative in enumerate(item.alternatives):
        for gold in alternative:
            document = shelf.document(gold.document)
            quote = document.words(gold.span)
            name = shelf.names[document.document.uri]
            evidence.append(GoldEvidence(name, quote, gold.span.start, gold.span.end, group))
    tags = {"source": "draft", "kind": proposal.kind, "review": "read the question aloud; reword it if it is stilted"}
    return Case(
        id=_id("draft", f"{evidence[0].document}{evidence[0].start}{proposal.question}"),
        question=proposal.question,
        answers=(proposal.answer,) if proposal.answer else (),
        answerable=True,
        evidence=tuple(evidence),
        tags={**tags, **({"writer": item.writer} if item.writer else {})},
    )


def _miss_case(miss: Miss) -> Case:
    tags = {"source": "draft", "kind": "near miss", "review": "check that no document answers it"}
    return Case(id=_id("miss", miss.question), question=miss.question, answerable=False, tags=tags)


def _id(prefix: str, text: str) -> str:
    return f"{prefix}-{sha256(text.encode()).hexdigest()[:10]}"
