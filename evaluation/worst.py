"""The cases to look at first, and what of their citations is at the gold evidence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from evaluation.metrics.citations import ENOUGH
from evaluation.rows import Row

_MAIN = ("correct", "ndcg@10", "f1")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a quote; `shared` when it is in the gold evidence too (or, in gold evidence, when a citation covers it)."""

    text: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A citation or a gold quote, cut into pieces."""

    label: str
    document: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A case as a report shows it. `fault` says in a few words what is wrong with it."""

    row: Row
    fault: str
    score: float | None
    cited: tuple[Quote, ...]
    evidence: tuple[Quote, ...]


def worst(rows: Sequence[Row], count: int) -> list[Exhibit]:
    """Up to `count` cases that went wrong, worst first: errors, then confident mistakes, then low scores."""
    ranked = sorted((row for row in rows if _badness(row) > 0), key=lambda row: (-_badness(row), row.case))
    return [_exhibit(row) for row in ranked[:count]]


def main_score(row: Row) -> float | None:
    """The score that says most about the case, by task."""
    return next((row.scores[name] for name in _MAIN if row.scores.get(name) is not None), None)


def _badness(row: Row) -> float:
    if row.error is not None:
        return 3.0
    score = main_score(row)
    if score is None or score >= 1:
        return 0.0
    sure = float((row.output or {}).get("confidence", 0.0)) if not (row.output or {}).get("refused") else 0.0
    return 1.0 - score + sure


def _exhibit(row: Row) -> Exhibit:
    citations = list((row.output or {}).get("citations", []))
    evidence = list(row.gold.get("evidence", []))
    return Exhibit(
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


def _quote(label: str, item: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> Quote:
    """The item's quote with the stretches marked that it shares with quotes of the same document."""
    text = item["quote"]
    marked = [False] * len(text)
    for other in others:
        if other["document"] == item["document"]:
            begin, end = shared_range(item, other)
            marked[begin:end] = [True] * (end - begin)
    pieces: list[Piece] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or marked[place] != marked[start]:
            pieces.append(Piece(text[start:place], marked[start]))
            start = place
    return Quote(label, item["document"], tuple(pieces))


def shared_range(item: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[int, int]:
    """The stretch of the item's quote that the other has too: by place when both count in the same text, else by words.

    Words count from half of the shorter quote on, as in the citation metrics; less is chance.
    """
    text, beside = item["quote"], other["quote"]
    if item["start"] is not None and other["start"] is not None:
        begin, end = max(item["start"], other["start"]), min(item["end"], other["end"])
        here = text[begin - item["start"] : end - item["start"]] if begin < end else ""
        if here and here == beside[begin - other["start"] : end - other["start"]]:
            return begin - item["start"], end - item["start"]
    run = SequenceMatcher(None, text, beside, autojunk=False).find_longest_match()
    return (run.a, run.a + run.size) if run.size >= ENOUGH * min(len(text), len(beside)) else (0, 0)
