"""The JSON of explanations: why an answer is as it is. It mirrors service/explaining/explanation.py."""

from typing import Self

from pydantic import ConfigDict, Field

from service.explaining.explanation import ExpectedWords, Explanation, Stage
from service.schemas.base import Offset, Record, Request, Words


class WhyRequest(Request):
    """Asks for an explanation of the answer. `expected` are words of the sentences that hold the right answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expected": ["Seoul counts at least six"]}]})

    expected: list[Words] = Field([], max_length=16, description="words of the sentences that hold the right answer")
    answerable: bool | None = Field(None, description="whether the documents hold the answer, if that is known")

    def to_words(self) -> tuple[ExpectedWords, ...]:
        """The expected words, in whichever document they stand."""
        return tuple(ExpectedWords(text) for text in self.expected)


class RanksOut(Record):
    """The rank of a passage by its words, by its meaning, and in both fused; null where it is not among the first 200."""

    words: int | None
    vectors: int | None
    fused: int | None


class ExpectedPlaceOut(Record):
    """Where expected words stand, how the search and the reader rank that place, and at which stage it was lost."""

    text: str
    document_id: str | None
    title: str
    start: Offset | None
    end: Offset | None
    ranks: RanksOut
    read: int | None
    stage: Stage


class UnitScoreOut(Record):
    """A unit that was read. The answer takes the units with the highest `total`; scores are logits."""

    start: Offset
    end: Offset
    text: str
    score: float
    lost: float = Field(description="lost, since it does not name what the question names")
    alone: float | None
    total: float
    is_expected: bool
    is_quoted: bool


class PassageScoreOut(Record):
    """A passage that was read, with its best units, and those that were expected or quoted."""

    rank: int
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    start: Offset
    end: Offset
    ranks: RanksOut
    relevance: float
    lost: float
    is_shown: bool
    units: tuple[UnitScoreOut, ...]


class ConstraintVerdictOut(Record):
    """Something that the question names, and whether a passage that was read, and the expected one, name it."""

    kind: str
    text: str
    is_met: bool
    is_met_by_expected: bool | None


class SignalShareOut(Record):
    """A signal of the confidence, and what it adds to the log odds."""

    name: str
    value: float | None
    share: float


class WrittenSentenceOut(Record):
    """A sentence that the generator wrote, and whether it was shown, or why not."""

    text: str
    outcome: str
    support: float | None
    is_expected: bool


class ExplanationOut(Record):
    """Why the answer is as it is: what each step saw and decided. `stage` is where the right sentence was lost."""

    question: str
    queries: tuple[str, ...]
    depth: int
    shown: int
    confidence: float
    needed: float = Field(description="the confidence from which a question is answered")
    signals: tuple[SignalShareOut, ...]
    constraints: tuple[ConstraintVerdictOut, ...]
    passages: tuple[PassageScoreOut, ...]
    written: tuple[WrittenSentenceOut, ...]
    expected: tuple[ExpectedPlaceOut, ...]
    stage: Stage | None
    because: str

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The record of an explanation."""
        return cls.model_validate(explanation)
