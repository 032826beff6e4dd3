"""Which of the like values of a sentence a question asks for: "opens on 12 June and closes on 4 October". Pure.

Coordinated clauses with one value each share what the first one begins with (its subject, its verb). So a later clause is
asked for if the question has a word that the first lacks, and the first if it has a word that only that one has.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.blocks.block import Span
from service.text.alignment import Token, says_the_same, tokens
from service.text.dates import date_spans

_CLAUSE_END = re.compile(r"[;,]\s+(?:(?:and|but|while|whereas)\s+)?|\s(?:and|but|while|whereas)\s", re.IGNORECASE)
_TIME = re.compile(r"\b\d{1,2}(?:[:.]\d\d)?\s?(?:[ap]\.?m\b\.?|o'clock)|\b\d{1,2}:\d\d\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?<![\w.,])[€$£¥]?\d+(?:[.,]\d+)*(?:\s?[%°€]|(?:\s(?:hundred|thousand|million|billion))?(?:\s[^\W\d_]+)?)?(?![\w])"
)


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause with its one value, and its content words without those of the value."""

    value: Span
    words: tuple[Token, ...]


def value_asked_for(question: str, sentence: str, marked: Span) -> Span:
    """The value of `sentence` that the question asks for, if `marked` lies in a like value of another clause; else `marked`.

    Spans are offsets into `sentence`.
    """
    if not any(map(str.isdecimal, sentence[marked.start : marked.end])) or not _CLAUSE_END.search(sentence):
        return marked
    for spans in _values(sentence):
        own = next((span for span in spans if span.start < marked.end and marked.start < span.end), None)
        if own is None:
            continue
        clauses = _clauses(sentence, spans)
        inside = [clause for clause in clauses if clause.value.start < marked.end and marked.start < clause.value.end]
        if len(clauses) < 2 or len(inside) != 1:  # a highlight over several values answers more than one
            return marked
        chosen = _asked_clause([token for token in tokens(question) if token.content], clauses)
        return marked if chosen is None or chosen is inside[0] else chosen.value
    return marked


def _values(sentence: str) -> list[list[Span]]:
    """The values of each form in the sentence; a number inside a date or a time is no amount."""
    dates = [Span(start, start + len(sentence[start:end].rstrip("."))) for start, end in date_spans(sentence)]
    found: list[list[Span]] = [dates]
    for pattern in (_TIME, _AMOUNT):
        taken = [span for spans in found for span in spans]
        spans = [Span(*match.span()) for match in pattern.finditer(sentence)]
        found.append([s for s in spans if not any(s.start < t.end and t.start < s.end for t in taken)])
    return found


def _clauses(sentence: str, values: Sequence[Span]) -> list[_Clause]:
    """The clauses of the sentence if each has one of the values; a part without one belongs to the next, or to the last."""
    ends = [
        match
        for match in _CLAUSE_END.finditer(sentence)
        if not any(value.start <= match.start() < value.end for value in values)
    ]
    starts = [0]
    for one, other in pairwise(values):
        between = [match.end() for match in ends if one.end <= match.start() and match.end() <= other.start]
        if not between:
            return []
        starts.append(between[0])
    bounds = [*starts, len(sentence)]
    return [_clause(sentence, start, end, value) for (start, end), value in zip(pairwise(bounds), values, strict=True)]


def _clause(sentence: str, start: int, end: int, value: Span) -> _Clause:
    said = f"{sentence[start : value.start]} {sentence[value.end : end]}"
    return _Clause(value, tuple(token for token in tokens(said) if token.content))


def _asked_clause(asked: Sequence[Token], clauses: Sequence[_Clause]) -> _Clause | None:
    """The one clause that the question is about; None if its words do not tell."""
    first, *later = clauses
    told = [clause for clause in later if _only_in(asked, clause, first)]
    if len(told) == 1:
        return told[0]
    if told or not all(_only_in(asked, first, clause) for clause in later):
        return None
    return first


def _only_in(asked: Sequence[Token], clause: _Clause, other: _Clause) -> bool:
    """Whether a word of the question stands in the clause and not in the other."""
    return any(_has(clause, word) and not _has(other, word) for word in asked)


def _has(clause: _Clause, word: Token) -> bool:
    return any(says_the_same(word, own) for own in clause.words)
