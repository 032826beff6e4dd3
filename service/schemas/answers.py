"""The JSON of questions and answers: whole, stored and streamed. It mirrors service/records.py."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field

from index.blocks.block import Kind
from index.records import Hit
from service.records import Answer, AnswerKind, Change, Operation, SentenceForm, SentenceKind, StaleCitation
from service.schemas.base import CollectionName, Offset, Record, Request, Words
from service.schemas.explanations import ExplanationOut, WhyRequest
from service.schemas.search import FilterIn, PassageOut
from service.storage.conversations import StoredAnswer


class ChatRequest(Request):
    """A question, and options for its answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "How many attacks does Seoul blame on the North?"}]}
    )

    question: Words = Field(description="the question, in words")
    conversation_id: Words | None = Field(
        None, max_length=64, description="from an earlier answer: makes this a follow-up"
    )
    collection: CollectionName | None = None
    stream: bool = Field(
        False, description="server-sent events `passages`, `sentence`, `answer`, `error` instead of JSON"
    )
    generator: Words | None = Field(
        None, max_length=64, description="generator that writes the answer; the server's default when left out"
    )
    top_k: int | None = Field(None, ge=1, le=100, description="passages that the answer is written from")
    as_typed: bool = Field(
        False,
        description="read the question as it is typed: not as a follow-up, not as what a keyword stands for, not in parts",
    )
    filter: FilterIn | None = Field(
        None, description="documents that may answer; all that the caller may read without it"
    )
    why: WhyRequest | None = Field(
        None, description="explain the answer, in the field or event `explanation`; needs a key with the scope `admin`"
    )


def _passage(value: Any) -> Any:
    return PassageOut.of(value) if isinstance(value, Hit) else value


class ExcerptOut(Record):
    """A further literal range of the cited version that the quote is read with: a lead-in, header cell, key or term."""

    start: Offset
    end: Offset
    quote: str


class QuotedValueOut(Record):
    """A cell, the value of a field, a meaning, or the text of any other unit: the ranges that it is read from, in order.

    `names` are the ranges that name it, outermost first, such as header cells. Each lies in the quote or is in `context`.
    """

    spans: tuple[tuple[Offset, Offset], ...]
    names: tuple[tuple[Offset, Offset], ...] = ()


class QuotedUnitOut(Record):
    """A unit of the quote: the kind of its block (docs/formats.md), its range, and its values in order."""

    kind: Kind
    start: Offset
    end: Offset
    values: tuple[QuotedValueOut, ...] = ()


class CitationOut(Record):
    """A literal quote: the text of that document version from `start` to `end`. `highlight` is the answer inside it.

    `units` are the sentences, items, rows and so on that the quote is made of.
    """

    number: int
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    trail: tuple[str, ...]
    start: Offset
    end: Offset
    quote: str
    highlight: tuple[Offset, Offset] | None
    chunk_id: str
    score: float
    context: tuple[ExcerptOut, ...] = ()
    units: tuple[QuotedUnitOut, ...] = ()


class OperandOut(Record):
    """What a derived sentence is worked out from: a literal range of the version that the citation with this number quotes."""

    citation: int
    start: Offset
    end: Offset
    quote: str
    label: str = Field("", description="what the figure belongs to; empty for an item that is counted")


class DerivationOut(Record):
    """How a derived sentence was worked out, so that `quoth verify` can do it again."""

    operation: Operation
    operands: tuple[OperandOut, ...]
    result: str


class CellOut(Record):
    """A cell of a row that a language model wrote, and the header cell above it; empty without one."""

    header: str
    text: str


class SentenceOut(Record):
    """One sentence of the answer and the numbers that it cites.

    `form` says how to show it: as `prose`, as an `item` of a list, as a `row` of a table, as `code`, or as the `units` of its
    first citation, which it states. `text` says all of it in one line.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool
    support: float
    form: SentenceForm = "prose"
    kind: SentenceKind = Field(
        "stated",
        description="`stated` by the documents; `derived`: Quoth's own arithmetic, see `derivation`; `missing`: names a part "
        "of the question that the documents lack",
    )
    derivation: DerivationOut | None = None
    ordinal: int | None = Field(None, description="the number of an `item` in a numbered list")
    label: str = Field("", description="what stands above the table of a `row`; `text` begins with it")
    cells: tuple[CellOut, ...] = Field(
        (), description="the cells of a `row`; rows under the same header cells are one table"
    )
    code: str = Field("", description="the lines of `code`, which stand in a cited document in the same words")


class PartOut(Record):
    """A part of a question of several parts: `sentences` and `passages` are indices, from 0, into those of the answer."""

    question: str = Field(description="the part as it was read")
    sentences: tuple[Annotated[int, Field(ge=0)], ...]
    passages: tuple[Annotated[int, Field(ge=0)], ...]
    refused: bool
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the collection answers this part")


class UsageOut(Record):
    """Tokens that a language model read and wrote."""

    prompt_tokens: int
    completion_tokens: int


class DraftedOut(Record):
    """How many sentences were written for an answer, and how many of them no passage supports (dropped or marked)."""

    sentences: int = 0
    unsupported: int = 0


class AnswerOut(Record):
    """The answer. `text` holds the sentences with markers like [1]. A refusal has no sentences and says so in `text`."""

    id: str
    conversation_id: str
    question: str
    rewritten_question: str = Field(
        description="how the question was read; it differs from `question` for a follow-up or a keyword"
    )
    text: str
    refused: bool
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the collection answers the question")
    sentences: tuple[SentenceOut, ...]
    citations: tuple[CitationOut, ...]
    passages: tuple[Annotated[PassageOut, BeforeValidator(_passage)], ...]
    generator: str
    prompt_hash: str | None
    usage: UsageOut
    timings_ms: dict[str, float]
    notes: tuple[str, ...]
    drafted: DraftedOut = DraftedOut()
    kind: AnswerKind = Field(
        "documents", description="`talk`: a fixed reply to a greeting or the like, without sentences, and no refusal"
    )
    parts: tuple[PartOut, ...] = Field(
        (), description="the parts of a question of several; empty for any other question"
    )

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The record of an answer."""
        return cls.model_validate(answer)


class ExplainedAnswerOut(AnswerOut):
    """The answer, and why it is as it is, if the request asked for that. Without, it is an AnswerOut to the letter."""

    explanation: ExplanationOut | None = Field(None, exclude_if=lambda explanation: explanation is None)


class RecordingOut(Record):
    """How an answer was made: all that a replay needs."""

    quoth: str
    generator: str = Field(description="the generator that was asked; the answer names the one that wrote it")
    top_k: int
    depth: int
    threshold: float = Field(description="lowest confidence that was answered")
    strict: bool
    encoder: str
    reader: str
    support: str
    calibration: str
    llm_model: str | None
    llm_temperature: float
    llm_max_tokens: int
    llm_context_tokens: int
    support_threshold: float = Field(description="lowest probability of support that was enough")


class StaleCitationOut(Record):
    """A citation whose document version was replaced or removed, and what the current version says in its place.

    `change`: `unchanged`, the quote still stands literally; `changed`, the sentence `text` stands there instead; `gone`,
    neither, or the document was removed (`current_version` is null).
    """

    number: int
    document_id: str
    version: str
    current_version: str | None
    change: Change
    start: Offset | None
    end: Offset | None
    text: str | None


class StoredAnswerOut(Record):
    """An answer as it was given, with the collection it came from, when (UTC, ISO 8601), and how it was made.

    `stale` holds its citations whose document version was replaced or removed since.
    """

    collection: str
    created_at: str
    recording: RecordingOut | None
    answer: AnswerOut
    stale: tuple[StaleCitationOut, ...] = ()

    @classmethod
    def of(cls, stored: StoredAnswer, stale: Sequence[StaleCitation] = ()) -> Self:
        """The record of a stored answer and its stale citations."""
        return cls(
            collection=stored.collection,
            created_at=stored.created_at.isoformat(),
            recording=RecordingOut.model_validate(stored.recording) if stored.recording else None,
            answer=AnswerOut.of(stored.answer),
            stale=tuple(map(StaleCitationOut.model_validate, stale)),
        )


class PassagesEvent(Record):
    """Stream event `passages`: the passages that are being read."""

    passages: tuple[PassageOut, ...]


class SentenceEvent(Record):
    """Stream event `sentence`: a checked sentence, with the citations that no earlier sentence used."""

    sentence: SentenceOut
    citations: tuple[CitationOut, ...]
