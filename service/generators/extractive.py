"""The default generator: answers with whole units of the documents. It needs no language model and cannot invent.

The reader has scored every unit of every passage (a sentence, an item, a row); this generator chooses among them: the one that
answers best; the sentence after it that limits it ("However, ..."; after yes or no, any that answers nearly as well); unless
the best settles the question (`one_fact`), up to three more that answer nearly as well and say something else; those that
contradict it; the sentence before one that refers back ("This ..."). A lead-in brings all that it introduces, and an item the
whole list if the question asks for all (`whole_lists`). The same statement in two places is given once, with both sources. A
heading, and a line that only repeats words of the question (a table's label, a date), state nothing and are left out, as is the
synopsis of a command unless it is asked for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from index.blocks.block import Kind, Span
from index.blocks.statement import is_lead_in, statement
from index.blocks.unit import Unit
from service.generators.one_fact import asks_among, asks_for_one_fact, asks_for_yes_or_no
from service.generators.protocol import Draft, Passage, Quote
from service.generators.whole_lists import is_list_named, whole_list
from service.text.cells import Cells
from service.text.contradictions import CONTEXT_SEPARATOR, Evidence, denies
from service.text.plain import is_heading, plain_line
from service.text.recency import asks_for_latest, is_former, is_later
from service.text.synopsis import asks_for_synopsis, is_synopsis
from service.text.terms import Terms, gives_other_figures, overlap, statement_terms, stems
from service.text.times import is_newer, names_time
from service.text.word_cover import asks_about

MAX_SENTENCES = 4
NEAR_BEST = 1.5  # a further sentence may be at most this many logits below the best
NEAR_WHAT_ABOUT = 3.0  # the same where all that is said of something is asked for
CONFLICT_MARGIN = 4.0  # a sentence that contradicts the best one may be as many logits below it
LIMIT_MARGIN = 10.0  # and the next sentence, which limits a yes or no
MIN_LOGIT = -1.0  # and its own logit must be at least this
# On the 31 answerable questions of ClapNQ's development part these two give sentence precision .81 and recall .45; a
# margin of 3 gives .80 and .45, one of 0.5 gives .84 and .43. Of ClapNQ's 62 answered questions for one fact, the first
# sentence is among those that the answer needs in 58, one of the first four in 60.
FORMER_LOSS = 6.0  # logits that a statement of former times loses where the question asks for what holds now
LIST_NAMED = 4.0  # logits that a list gains where the question asks for all, and its lead-in has all words asked with
_ROWS = frozenset({Kind.ROW, Kind.RECORD})
MIN_OVERLAP = 0.8  # Jaccard index of their words from which two sentences say the same

_LEANS_BACK = re.compile(
    r"\W*(?:it|its|they|their|them|he|his|him|she|her|this|that|these|those|such|both|the (?:latter|former|same)|"
    r"however|therefore|thus|hence|consequently|as a result|in addition|also|instead|otherwise|moreover)\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\W*(?:however|but|except|(?:the )?(?:only )?exceptions?|otherwise|unless|only|nevertheless|"
    r"(?:it|they|this|these) (?:is|are|does|do|was|were|may|must|can)\s?not|"
    r"(?:on|in|at|before|after|during|from|until|for|outside|above|below|under|over|with|without|if|when)\b(?:[^.;!?\n]|\.(?=\d)){1,60}?\s"
    r"(?:it|they)\s(?!(?:that|was|were|had|did|\w+ed)\b)|"
    r"(?:am|an|im|in|ab|vor|nach|während|bis|für|außerhalb|ohne|mit|wenn)\b(?:[^.;!?\n]|\.(?=\d)){1,60}?\s(?:es|sie|er)\s|"
    r"allerdings|jedoch|aber|außer|ausgenommen|ausnahmen?|nur|sonst|toutefois|cependant|mais|sauf|sin embargo|pero|"
    r"excepto|salvo)\b",
    re.IGNORECASE,
)
"""How a sentence begins that limits what the sentence before it says, "On Sundays it costs ..." among them."""


@dataclass(frozen=True, slots=True)
class _SentenceCandidate:
    """A unit that may be quoted: `sentence` is its place in the passage, `last` that of the last unit that it brings along."""

    passage: int
    sentence: int
    last: int
    span: Span
    evidence: Evidence
    highlight: Span | None
    logit: float
    total: float
    said: Terms
    cells: Cells | None
    is_limiting: bool
    document: str


class ExtractiveGenerator:
    """Quotes whole units of the passages; a draft's text is what they state (`index.blocks.statement`)."""

    name = "extractive"

    def generate(self, question: str, passages: Sequence[Passage], parts: Sequence[str] = ()) -> Iterator[Draft]:
        """Yield one to four sentences; sentences of one document are in the document's order."""
        by_time = not names_time(question)
        wants_latest = asks_for_latest(question)
        candidates = _candidates(question, passages)
        if wants_latest:
            candidates = _present_first(candidates, passages)
        is_settled = bool(candidates) and _settles(question, candidates[0], passages)
        groups = _select(
            candidates,
            is_settled=is_settled,
            is_yes_or_no=asks_for_yes_or_no(question),
            by_time=by_time,
            wants_latest=wants_latest,
            margin=NEAR_WHAT_ABOUT if asks_about(question) else NEAR_BEST,
        )
        groups = _newest_first(groups) if by_time else groups
        groups = _latest(groups) if wants_latest else groups
        for group in sorted(groups, key=lambda group: _order(group, groups, passages)):
            yield _make_draft(group, groups, passages)


def _candidates(question: str, passages: Sequence[Passage]) -> list[_SentenceCandidate]:
    """Every sentence that may be quoted, best first: by the sum of its own logit and its passage's."""
    asked = Terms.of(question)
    candidates = []
    for number, passage in enumerate(passages):
        context = CONTEXT_SEPARATOR.join((passage.hit.title, *passage.hit.chunk.trail))
        text, units = passage.text, [rendered.unit for rendered in passage.rendering.units]
        for place, sentence in enumerate(passage.reading.sentences):
            places = whole_list(question, passage.rendering, place) or range(place, last_introduced(units, place) + 1)
            span = Span(passage.reading.sentences[places[0]].start, passage.reading.sentences[places[-1]].end)
            said = _said(question, text[span.start : span.end], asked)
            is_open = len(places) == 1 and is_lead_in(text[span.start : span.end])
            is_form = is_synopsis(text[span.start : span.end]) and not asks_for_synopsis(question)
            if said is None or is_open or is_form or units[place].kind is Kind.HEADING:
                continue
            named = LIST_NAMED if len(places) > 1 and is_list_named(question, _lead_in(passage, places[0])) else 0.0
            candidates.append(
                _SentenceCandidate(
                    passage=number,
                    sentence=places[0],
                    last=places[-1],
                    span=span,
                    evidence=Evidence(text[span.start : span.end], context),
                    highlight=sentence.answer if places[0] == place else None,
                    logit=sentence.score,
                    total=passage.reading.relevance + sentence.score + named,
                    said=said,
                    cells=_cells(passage, places),
                    is_limiting=_LIMITS.match(text, span.start) is not None,
                    document=passage.hit.chunk.document_id,
                )
            )
    return sorted(candidates, key=lambda candidate: (-candidate.total, candidate.passage, candidate.sentence))


def _said(question: str, text: str, asked: Terms) -> Terms | None:
    """The terms of what states something. "Is the lock free?" is answered by "The lock is free.", which only repeats it."""
    is_statement = text.rstrip().endswith((".", "!")) and not is_heading(text)
    return Terms.of(text) if is_statement and asks_for_yes_or_no(question) else statement_terms(text, asked)


def _cells(passage: Passage, places: range) -> Cells | None:
    """The cells of a row or record that is quoted by itself; None of anything else."""
    rendered = passage.rendering.units[places[0]]
    if len(places) > 1 or rendered.unit.kind not in _ROWS:
        return None
    text = passage.text
    return Cells.of(
        (" ".join(text[start:end] for start, end in names), " ".join(text[start:end] for start, end in spans))
        for names, spans in rendered.named_values
    )


def _lead_in(passage: Passage, place: int) -> str:
    """What introduces the units that begin at `place`: the lead of an item, else the unit itself."""
    unit, start, end = passage.rendering.units[place]
    return " ".join(map(passage.literal, unit.lead)) if unit.kind is Kind.ITEM else passage.text[start:end]


def _settles(question: str, best: _SentenceCandidate, passages: Sequence[Passage]) -> bool:
    """Whether the best candidate leaves nothing open: it is a whole list, or one fact is asked for.

    Which and how many rows or items there are of something, one of them does not tell, unless the question names it.
    """
    if best.last > best.sentence:
        return True
    if not asks_for_one_fact(question):
        return False
    unit = passages[best.passage].rendering.units[best.sentence].unit
    if unit.kind not in _ROWS | {Kind.ITEM} or not asks_among(question):
        return True
    key = stems(passages[best.passage].literal(unit.values[0])) if unit.values else frozenset()
    return bool(key) and key <= stems(question)


def _select(
    candidates: Sequence[_SentenceCandidate],
    *,
    is_settled: bool,
    is_yes_or_no: bool,
    by_time: bool,
    wants_latest: bool,
    margin: float,
) -> list[list[_SentenceCandidate]]:
    """Groups of candidates that say the same, best group first, best candidate first in each.

    `is_settled`: whether the best leaves nothing open, so that only what contradicts or limits it follows. `is_yes_or_no`:
    whether the next sentence limits the best if it answers nearly as well. `by_time`: whether a newer statement of the same
    value follows; `wants_latest`: whether any later statement of the same thing does. `margin`: see NEAR_BEST.
    """
    groups: list[list[_SentenceCandidate]] = []
    for candidate in candidates:
        below = groups[0][0].total - candidate.total if groups else 0.0
        if below > LIMIT_MARGIN:
            break
        if any(_overlaps(candidate, group[0]) for group in groups):
            continue
        if not groups:
            groups.append([candidate])
            continue
        best = groups[0][0]
        is_next = candidate.passage == best.passage and candidate.sentence == best.last + 1
        if below > CONFLICT_MARGIN and not (is_yes_or_no and is_next and candidate.is_limiting):
            continue
        is_near = below <= margin
        is_conflict = (
            _contradict(best, candidate)
            or (is_near and _give_other_figures(best, candidate))
            or (by_time and _is_newer(candidate, best))
            or (wants_latest and _is_superseded(best, candidate))
        )
        is_good = is_near and candidate.logit >= MIN_LOGIT
        is_limit = is_next and (candidate.is_limiting or (is_yes_or_no and is_good))
        twin = next((group for group in groups if _say_the_same(group[0], candidate)), None)
        if twin is not None and (is_near or is_conflict):
            twin.append(candidate)
        elif len(groups) < MAX_SENTENCES and (is_conflict or is_limit or (is_good and not is_settled)):
            groups.append([candidate])
    return groups


def _newest_first(groups: list[list[_SentenceCandidate]]) -> list[list[_SentenceCandidate]]:
    """The groups with every statement before an older one of the same value, if dates tell."""
    ordered: list[list[_SentenceCandidate]] = []
    for group in groups:
        older = (place for place, other in enumerate(ordered) if _is_newer(group[0], other[0]))
        ordered.insert(next(older, len(ordered)), group)
    return ordered


def _present_first(candidates: Sequence[_SentenceCandidate], passages: Sequence[Passage]) -> list[_SentenceCandidate]:
    """The candidates with those last that held in former times; the others keep their order."""

    def is_past(candidate: _SentenceCandidate) -> bool:
        trail = passages[candidate.passage].hit.chunk.trail
        return is_former(candidate.evidence, trail[-1] if trail else "")

    lowered = (replace(c, total=c.total - FORMER_LOSS) if is_past(c) else c for c in candidates)
    return sorted(lowered, key=lambda candidate: (-candidate.total, candidate.passage, candidate.sentence))


def _latest(groups: Sequence[list[_SentenceCandidate]]) -> list[list[_SentenceCandidate]]:
    """The groups without those that another supersedes."""
    return [group for group in groups if not any(_is_superseded(group[0], other[0]) for other in groups)]


def _is_superseded(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    """Whether the second says of the same thing what holds later: a row of the same name, or a sentence that contradicts."""
    if not is_later(other.evidence, one.evidence):
        return False
    if one.cells is not None and other.cells is not None:
        return one.cells.is_named_like(other.cells)
    return _contradict(one, other) or is_newer(other.evidence, one.evidence) is True


def last_introduced(units: Sequence[Unit], place: int) -> int:
    """The place of the last of the units that the unit at `place` introduces; `place` itself without any."""
    unit = units[place]
    last = place
    while last + 1 < len(units) and any(
        unit.start <= lead.start and lead.end <= unit.end for lead in units[last + 1].lead
    ):
        last += 1
    return last


def _overlaps(candidate: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    return candidate.passage == other.passage and other.sentence <= candidate.last and candidate.sentence <= other.last


def _say_the_same(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    """Whether both have nearly the same words, the same figures, and no word that decides differs ("six", "not", a name)."""
    is_near = one.said.figures == other.said.figures and overlap(one.said.words, other.said.words) >= MIN_OVERLAP
    return is_near and not _contradict(one, other)


def _contradict(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    if one.cells is not None and other.cells is not None:
        return one.document != other.document and one.cells.denies(other.cells)
    return denies([one.evidence], other.evidence.quote) or denies([other.evidence], one.evidence.quote)


def _give_other_figures(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    """Whether two documents say the same with another figure. (Rows do if they `deny` each other.)"""
    are_rows = one.cells is not None and other.cells is not None
    return not are_rows and one.document != other.document and gives_other_figures(one.said, other.said)


def _is_newer(one: _SentenceCandidate, other: _SentenceCandidate) -> bool:
    """Whether the first is the newer of two that give one value at two times."""
    if one.cells is not None and other.cells is not None and not one.cells.denies(other.cells):
        return False
    return bool(is_newer(one.evidence, other.evidence))


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
    passage = passages[best.passage]
    units = passage.rendering.units_in(*span)
    return Draft(text=statement(units, passage.literal, plain_line), quotes=tuple(quotes))


def _span_with_context(
    candidate: _SentenceCandidate, groups: Sequence[Sequence[_SentenceCandidate]], passages: Sequence[Passage]
) -> Span:
    """The candidate's span; with the sentence before if it refers back to that and that is not in the answer already."""
    passage = passages[candidate.passage]
    text = passage.text
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
