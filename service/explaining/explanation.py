"""The records of an explanation: what search, reader, constraints, calibration and check made of a question.

Ranks count from 1. Scores of passages and units are logits of the reader. Ranges are code points of the document version.
"""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where the right sentence was lost, in the order in which an answer passes through them."""

    NOT_EXTRACTED = "not extracted"  # no document of the collection holds the words
    NOT_RETRIEVED = "not retrieved"  # the search ranks no passage with them among the first 50
    NOT_READ = "not read"  # a passage with them was found, but not read: too far down, or left out as a copy
    CONSTRAINT_UNMET = "constraint unmet"  # it counts as not naming what the question names, and so lost
    OTHER_UNIT = "another unit chosen"  # it was read, and another unit scored better
    REFUSED = "refused"  # it would have been given, but the confidence is below the threshold
    CHECKED_AWAY = "checked away"  # it was written, and the check left it out
    CITED_WRONGLY = "cited wrongly"  # it was given with a citation elsewhere
    NOT_THERE = "answered though not there"  # the documents do not say, and the question was answered
    NOT_LOST = "not lost"  # it was given, with its place


@dataclass(frozen=True, slots=True)
class ExpectedWords:
    """Words that a right answer rests on. `document_id` is the document that holds them, None if it is not known.

    `start` and `end` are their range in it, None if only the words are known.
    """

    text: str
    document_id: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of a passage by its words, by its meaning, and in both fused; None where it is not among the first ones."""

    words: int | None = None
    vectors: int | None = None
    fused: int | None = None


@dataclass(frozen=True, slots=True)
class ExpectedPlace:
    """Where expected words stand in the collection, how the search ranks that place, and how the reader does (`read`).

    `document_id` is None if no document holds them. `stage` is where this place was lost.
    """

    text: str
    document_id: str | None
    title: str
    start: int | None
    end: int | None
    ranks: Ranks
    read: int | None
    stage: Stage


@dataclass(frozen=True, slots=True)
class UnitScore:
    """A unit that was read. `score` is what counts, `lost` what it lost by what the question names, `alone` the reading by
    itself (None: it was not read so). The answer takes the units with the highest `total`, the passage's relevance added.
    """

    start: int
    end: int
    text: str
    score: float
    lost: float
    alone: float | None
    total: float
    is_expected: bool
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class PassageScore:
    """A passage that was read, with its ranks, its relevance as it counts and what it lost of it, and its best units."""

    rank: int
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    start: int
    end: int
    ranks: Ranks
    relevance: float
    lost: float
    is_shown: bool
    units: tuple[UnitScore, ...]


@dataclass(frozen=True, slots=True)
class ConstraintVerdict:
    """Something that the question names: whether any passage that was read names it, and whether the expected one does."""

    kind: str
    text: str
    is_met: bool
    is_met_by_expected: bool | None


@dataclass(frozen=True, slots=True)
class SignalShare:
    """A signal of the confidence, and what it adds to the log odds compared with an average question; None: not known."""

    name: str
    value: float | None
    share: float


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """A sentence that the generator wrote. `outcome`: `shown`, or why the check left it out; `support` where that decided."""

    text: str
    outcome: str
    support: float | None
    is_expected: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each step of one answer saw and decided.

    `stage` is where the right sentence was lost and `because` says so in words; None and "" if nothing was expected.
    `needed` is the confidence from which a question is answered, 0 where nothing was searched.
    """

    question: str
    queries: tuple[str, ...]
    depth: int
    shown: int
    confidence: float
    needed: float
    signals: tuple[SignalShare, ...]
    constraints: tuple[ConstraintVerdict, ...]
    passages: tuple[PassageScore, ...]
    written: tuple[WrittenSentence, ...]
    expected: tuple[ExpectedPlace, ...]
    stage: Stage | None
    because: str
