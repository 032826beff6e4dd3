"""Words for invented tables and lists, out of the questions and answers of the public sets: names, values, attributes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from training.mix import records_of
from training.sources import Record, Split, split_of


class ValueKind(StrEnum):
    """What a value is, which decides how people ask for it."""

    PERSON = "person"
    PLACE = "place"
    DATE = "date"
    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    DURATION = "duration"
    QUANTITY = "quantity"
    TIME = "time"
    CODE = "code"
    CHOICE = "choice"
    PHRASE = "phrase"
    NAME = "name"


@dataclass(frozen=True)
class Vocabulary:
    """Texts by kind, and attributes ("chief executive", "host city") with the kind of their values."""

    values: Mapping[ValueKind, Sequence[str]]
    attributes: Sequence[tuple[str, ValueKind]]


_FILES = (
    "mix/reader/squad1_dutest", "mix/reader/qamr", "mix/reader/nq_oracle", "mix2/reader/squad2_train_1000ctx",
    "mix2/reader/timeqa_human", "mix2/reader/bioasq_6b9b", "mix2/reader/cpgqa",
)  # fmt: skip
_ATTRIBUTE = re.compile(
    r"(?:What|Who) (?:is|was|are|were) the ([a-z][a-z-]+(?: [a-z-]+){0,2}) (?:of|for|in|at) ([^?]{3,70})\?\Z"
)
_NOT_AN_ATTRIBUTE = re.compile(
    r"(?:names?|ones?|examples?|terms?|words?|some|most|result|done|included|part|other|ways?|things?|like|not|for|of"
    r"|.*(?:ed|ing|ible|able|ful))\Z"
)
_LONGEST = 42
_CAPITALISED = re.compile(r"[A-Z][\w'.-]*(?: (?:of|the|de|van|von|and|[A-Z][\w'.-]*)){0,4}\Z")
_LOWER = re.compile(
    r"(?!(?:be|to|is|are|was|it|they|not|very|by|in|on|at|from|as|for|with|both|all)\b)"
    r"[a-z][a-z-]+(?: [a-z-]+){0,3}(?<!ed)(?<!ly)\Z"
)
_ASKS_FOR_A_PLACE = re.compile(r"(?:in )?(?:what|which) (?:city|country|state|town)")
_YEAR = re.compile(r"(?:\d{1,2} )?(?:[A-Z][a-z]+ )?(?:\d{1,2}, )?\d{4}\Z")
_FORMS = (
    (("when", "what year", "in what year", "in which year"), _YEAR, ValueKind.DATE),
    (("how many",), re.compile(r"[\d,.]*\d\Z"), ValueKind.COUNT),
)


def vocabulary(data: Path, split: Split) -> Vocabulary:
    """The vocabulary of a split: each text belongs to one split by its hash, so that a test has words of its own."""
    texts: dict[ValueKind, set[str]] = defaultdict(set)
    attributes: dict[str, ValueKind] = {}
    for question, answer in _answered(data):
        kind = value_kind(question, answer)
        if kind is None:
            continue
        if _is_in(answer, split):
            texts[kind].add(answer)
        found = attribute_of(question)
        if found and _is_in(found[0], split):
            attributes.setdefault(found[0], kind)
    return Vocabulary({kind: sorted(found) for kind, found in texts.items()}, sorted(attributes.items()))


def attribute_of(question: str) -> tuple[str, str] | None:
    """What a question asks for and of what: "Who is the mayor of Oslo?" gives "mayor" and "Oslo". None for other forms."""
    match = _ATTRIBUTE.match(question.strip())
    return (match[1], match[2]) if match and not _NOT_AN_ATTRIBUTE.match(match[1].split()[-1]) else None


def _is_in(text: str, split: Split) -> bool:
    return split_of(text, 0.1, 0.15) == split


def _answered(data: Path) -> Iterator[tuple[str, str]]:
    for name in _FILES:
        for record in records_of(data, name):
            yield from _pair(record)


def _pair(record: Record) -> Iterator[tuple[str, str]]:
    if record["answerable"] and record["kind"] == "span" and record["answers"]:
        text = " ".join(record["answers"][0]["text"].split()).strip(" .,;:")
        if 1 < len(text) <= _LONGEST:
            yield record["q"].strip(), text


def value_kind(question: str, answer: str) -> ValueKind | None:
    """The kind of an answer by its question and its form; None for a text that would look odd in a cell."""
    asked = question.lower()
    if "%" in answer or "percent" in answer:
        return ValueKind.PERCENT if any(map(str.isdigit, answer)) else None
    if answer.startswith(("$", "€", "£", "US$")):
        return ValueKind.MONEY
    for openings, form, kind in _FORMS:
        if asked.startswith(openings):
            return kind if form.match(answer) else None
    if _CAPITALISED.match(answer):
        return _kind_of_name(asked)
    return ValueKind.PHRASE if _LOWER.match(answer) else None


def _kind_of_name(asked: str) -> ValueKind:
    if asked.startswith("who"):
        return ValueKind.PERSON
    is_place = asked.startswith("where") or _ASKS_FOR_A_PLACE.match(asked)
    return ValueKind.PLACE if is_place else ValueKind.NAME
