"""Look over a whole collection for texts that answer a question too, so that the gold is all of it.

A question is kept if no other text holds all its words; texts with the same words as the gold are alternatives. Definitions
are asked of all sentences that define the same thing. The search is by words and reads every unit, so that it does not depend
on the ranking that is to be measured.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluation.drafting.proposal import Check, DraftDocument, Proposal
from evaluation.drafting.wording import content_words, one_line
from index.blocks.block import Kind, Span

_HAS_MANY_ANSWERS = frozenset({"definition", "question heading", "term", "written"})


@dataclass(frozen=True, slots=True)
class Gold:
    """One range of a document."""

    document: str
    span: Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question with all that answers it in the collection: alternatives, each with its document and ranges."""

    proposal: Proposal
    document: str
    alternatives: tuple[tuple[Gold, ...], ...]
    writer: str | None = None


class WordSearch:
    """Finds every unit of a collection that holds all words of one of many questions, in one pass over the documents."""

    def __init__(self, asked: Iterable[frozenset[str]]) -> None:
        self._asked = frozenset(words for words in asked if words)
        self._by_word: dict[str, list[frozenset[str]]] = defaultdict(list)
        counts: dict[str, int] = defaultdict(int)
        for words in self._asked:
            for word in words:
                counts[word] += 1
        for words in self._asked:
            self._by_word[min(words, key=lambda word: (counts[word], word))].append(words)
        self.found: dict[frozenset[str], list[tuple[str, int]]] = defaultdict(list)

    def read(self, document: DraftDocument) -> None:
        """Look through the units of a document; `found` grows by the document's id and the place of the unit."""
        for place, unit in enumerate(document.units):
            if unit.kind is Kind.HEADING:
                continue
            led = " ".join(document.words(span) for span in unit.lead)
            held = content_words(f"{led} {document.read[place]}")
            for word in held & self._by_word.keys():
                for words in self._by_word[word]:
                    if words <= held:
                        self.found[words].append((document.document.id, place))


def merged(candidates: Sequence[Candidate]) -> tuple[list[Candidate], int]:
    """Candidates with one for each question, and how many questions have different answers, which are left out."""
    by_question: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_question[candidate.proposal.question.casefold()].append(candidate)
    kept, unclear = [], 0
    for same in by_question.values():
        first = same[0]
        answers = {one_line(candidate.proposal.answer) for candidate in same}
        if len(answers) > 1 and first.proposal.kind not in _HAS_MANY_ANSWERS:
            unclear += 1
            continue
        alternatives = dict.fromkeys(alternative for candidate in same for alternative in candidate.alternatives)
        answer = first.proposal.answer if len(answers) == 1 else ""
        kept.append(replace(first, alternatives=tuple(alternatives), proposal=replace(first.proposal, answer=answer)))
    return kept, unclear


def with_all_gold(
    candidates: Sequence[Candidate], search: WordSearch, document: Callable[[str], DraftDocument]
) -> tuple[list[Candidate], int]:
    """The candidates whose gold is all that answers them, and how many have other answers, which are left out.

    Units with the words of the gold are added as alternatives. `document` gives a document by its id.
    """
    kept, unclear = [], 0
    for candidate in candidates:
        whole = _with_copies(candidate, search.found, document)
        if whole is None:
            unclear += 1
        else:
            kept.append(whole)
    return kept, unclear


def _with_copies(
    candidate: Candidate,
    found: Mapping[frozenset[str], Sequence[tuple[str, int]]],
    document: Callable[[str], DraftDocument],
) -> Candidate | None:
    proposal = candidate.proposal
    known = {(gold.document, gold.span) for alternative in candidate.alternatives for gold in alternative}
    texts = {one_line(document(name).words(span)) for name, span in known}
    sections = {(name, _section(document(name), span)) for name, span in known}
    extra: list[tuple[Gold, ...]] = []
    for check in proposal.checks:
        for name, place in found.get(check.words, ()):
            source = document(name)
            unit = source.units[place]
            gold = Gold(name, Span(unit.start, unit.end))
            if (name, gold.span) in known:
                continue
            if one_line(source.words(gold.span)) in texts:
                extra.append((gold,))
            elif proposal.kind not in _HAS_MANY_ANSWERS and not _is_harmless(check, source, place, sections):
                return None
    single = all(len(alternative) == 1 for alternative in candidate.alternatives)
    return replace(candidate, alternatives=(*candidate.alternatives, *(extra if single else ())))


def _is_harmless(check: Check, source: DraftDocument, place: int, sections: set[tuple[str, int]]) -> bool:
    """Whether a unit with all words of a question leaves its gold as it is: prose beside a table, a row with the same
    values, or what stands under the same heading as the gold and goes on with it.
    """
    if check.values:
        is_row = source.units[place].kind in (Kind.ROW, Kind.RECORD)
        return not is_row or all(one_line(value) in one_line(source.read[place]) for value in check.values)
    return (source.document.id, source.section_of[place]) in sections


def _section(document: DraftDocument, span: Span) -> int:
    return next(
        (document.section_of[place] for place, unit in enumerate(document.units) if unit.start == span.start), -1
    )
