"""Citation metrics: precision and recall of quotes against the gold evidence, and whether each quote is literal.

After the evidence metrics of FEVER (Thorne et al. 2018, https://arxiv.org/abs/1803.05355) and HAGRID/ClapNQ, on exact
spans: a citation is right when it shares at least half of the shorter of the two texts with a gold quote of the same
document; a gold quote is found when the citations together cover at least half of it. Where annotators chose different
sentences (groups), recall is the best over groups.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from evaluation.cases import GoldEvidence
from evaluation.metrics.wording import normalize

ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Quoted:
    """A citation to score: the gold document it was matched to (None if it is none of the case's), its words and its
    place.

    `start` and `end` count in the gold document's text, None when the cited version has another text.
    """

    document: str | None
    quote: str
    start: int | None = None
    end: int | None = None


def citation_precision(citations: Sequence[Quoted], evidence: Sequence[GoldEvidence]) -> float | None:
    """Share of the citations that are right. None without citations or without gold evidence."""
    if not citations or not evidence:
        return None
    return sum(any(_is_right(cited, gold) for gold in evidence) for cited in citations) / len(citations)


def citation_recall(citations: Sequence[Quoted], evidence: Sequence[GoldEvidence]) -> float | None:
    """Share of gold quotes that citations cover, best over groups. None without gold evidence; 0 without citations."""
    groups: dict[int, list[bool]] = {}
    for gold in evidence:
        groups.setdefault(gold.group, []).append(_is_found(gold, citations))
    return max((sum(flags) / len(flags) for flags in groups.values()), default=None)


def citation_hit(citations: Sequence[Quoted], evidence: Sequence[GoldEvidence]) -> float | None:
    """1.0 if at least one citation is right, else 0.0. None without gold evidence."""
    if not evidence:
        return None
    return float(any(_is_right(cited, gold) for cited in citations for gold in evidence))


def quote_validity(literal: Sequence[bool]) -> float | None:
    """Share of citations whose quote is, character for character, the text at its place. None without citations."""
    return sum(literal) / len(literal) if literal else None


def citation_support(
    sentences: Sequence[tuple[str, Sequence[str]]], supports: Callable[[str, str], bool]
) -> tuple[float | None, float | None]:
    """ALCE citation recall and precision (Gao et al. 2023, https://arxiv.org/abs/2305.14627).

    `sentences` are statements with the quotes they cite; `supports(quote, statement)` is the checker. Recall: the share
    of statements that their quotes together support. Precision: the share of citations that are needed; one is not
    needed if it does not support its statement alone while the others do without it, or if its statement is not
    supported at all. Text copied from its source scores near 1 whatever was asked, so read these beside correctness.
    Recall is None without statements, precision None without citations.
    """
    recalled: list[bool] = []
    precise: list[bool] = []
    for statement, quotes in sentences:
        whole = bool(quotes) and supports("\n\n".join(quotes), statement)
        recalled.append(whole)
        for position, quote in enumerate(quotes):
            others = [other for place, other in enumerate(quotes) if place != position]
            alone = whole and (not others or supports(quote, statement))
            needless = not alone and bool(others) and supports("\n\n".join(others), statement)
            precise.append(whole and not needless)
    return (
        sum(recalled) / len(recalled) if recalled else None,
        sum(precise) / len(precise) if precise else None,
    )


def _is_right(cited: Quoted, gold: GoldEvidence) -> bool:
    if cited.document != gold.document:
        return False
    return _shared_characters(cited, gold) >= ENOUGH * min(_size(cited), _size(gold))


def _is_found(gold: GoldEvidence, citations: Sequence[Quoted]) -> bool:
    same_document = [cited for cited in citations if cited.document == gold.document]
    placed = [cited for cited in same_document if cited.start is not None]
    covered: float = max(
        (_shared_characters(cited, gold) for cited in same_document if cited.start is None or gold.start is None),
        default=0,
    )
    if gold.start is not None and gold.end is not None:
        inside = {
            i for cited in placed for i in range(max(gold.start, cited.start or 0), min(gold.end, cited.end or 0))
        }
        covered = max(covered, len(inside))
    return covered >= ENOUGH * _size(gold)


def _shared_characters(cited: Quoted, gold: GoldEvidence) -> float:
    """Characters that the two share: by place if both places are known, else the longest run of equal words."""
    if cited.start is not None and cited.end is not None and gold.start is not None and gold.end is not None:
        return max(0, min(cited.end, gold.end) - max(cited.start, gold.start))
    left, right = normalize(cited.quote).split(), normalize(gold.quote).split()
    if not left or not right:
        return 0
    run = SequenceMatcher(None, left, right, autojunk=False).find_longest_match()
    return run.size / min(len(left), len(right)) * min(_size(cited), _size(gold))


def _size(span: Quoted | GoldEvidence) -> int:
    return max(1, len(span.quote))
