"""Choose the cases to look at first, and mark which parts of their citations match the gold evidence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from evaluation.metrics.citations import ENOUGH
from evaluation.rows import Row

_MAIN = ("correct", "ndcg@10", "f1")


@dataclass(frozen=True, slots=True)
class QuotePiece:
    """A part of a quote; `shared` if the gold evidence has it too (in gold evidence: if a citation covers it)."""

    text: str
    shared: bool


@dataclass(frozen=True, slots=True)
class MarkedQuote:
    """A citation or a gold quote, cut into pieces."""

    label: str
    document: str
    pieces: tuple[QuotePiece, ...]


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A case as a report shows it. `fault` says in a few words what went wrong."""

    row: Row
    fault: str
    score: float | None
    cited: tuple[MarkedQuote, ...]
    evidence: tuple[MarkedQuote, ...]


def worst_cases(rows: Sequence[Row], count: int) -> list[WorstCase]:
    """Up to `count` cases that went wrong, worst first: errors, then confident mistakes, then low scores."""
    ranked = sorted((row for row in rows if _badness(row) > 0), key=lambda row: (-_badness(row), row.case))
    return [_worst_case(row) for row in ranked[:count]]


def main_score(row: Row) -> float | None:
    """The most telling score of the case, which depends on the task."""
    return next((row.scores[name] for name in _MAIN if row.scores.get(name) is not None), None)


def _badness(row: Row) -> float:
    if row.error is not None:
        return 3.0
    score = main_score(row)
    if score is None or score >= 1:
        return 0.0
    sure = float((row.output or {}).get("confidence", 0.0)) if not (row.output or {}).get("refused") else 0.0
    return 1.0 - score + sure


def _worst_case(row: Row) -> WorstCase:
    citations = list((row.output or {}).get("citations", []))
    evidence = list(row.gold.get("evidence", []))
    return WorstCase(
        row,
        _fault(row),
        main_score(row),
        tuple(_quote(f"[{item['number']}]", item, evidence) for item in citations),
        tuple(_quote("gold", item, citations) for item in evidence),
    )


def _fault(row: Row) -> str:
    if row.error is not None:
        return "error"
    output = row.output or {}
    if "supported" in output:
        return "called supported, is not" if output["supported"] else "called unsupported, is supported"
    if "rankings" in output:
        return "relevant documents low or missing"
    if "sentence" in output:
        return "other span than the gold answers"
    if row.gold.get("answerable") is False:
        return "answered, though the documents do not say"
    return "refused, though the documents say" if output.get("refused") else "no citation at the gold evidence"


def _quote(label: str, item: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> MarkedQuote:
    """The item's quote, with the parts marked that it shares with quotes of the same document."""
    text = item["quote"]
    marked = [False] * len(text)
    for other in others:
        if other["document"] == item["document"]:
            begin, end = shared_range(item, other)
            marked[begin:end] = [True] * (end - begin)
    pieces: list[QuotePiece] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or marked[place] != marked[start]:
            pieces.append(QuotePiece(text[start:place], marked[start]))
            start = place
    return MarkedQuote(label, item["document"], tuple(pieces))


def shared_range(item: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[int, int]:
    """The range of the item's quote that the other contains too: by place if both refer to the same text, else by
    words.

    Shared words count only from half of the shorter quote on, as in the citation metrics; less may be chance.
    """
    text, other_text = item["quote"], other["quote"]
    if item["start"] is not None and other["start"] is not None:
        begin, end = max(item["start"], other["start"]), min(item["end"], other["end"])
        here = text[begin - item["start"] : end - item["start"]] if begin < end else ""
        if here and here == other_text[begin - other["start"] : end - other["start"]]:
            return begin - item["start"], end - item["start"]
    run = SequenceMatcher(None, text, other_text, autojunk=False).find_longest_match()
    return (run.a, run.a + run.size) if run.size >= ENOUGH * min(len(text), len(other_text)) else (0, 0)
