"""What every door renders: Question, Turn, Citation with its Excerpts and QuotedUnits, Sentence, Part, Answer, ... All frozen.

The field names are the contract of `POST /v1/chat`. Offsets are code points into the canonical text of the cited version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Literal

from index.blocks.block import Kind
from index.filters import Filter
from index.records import Hit


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of a conversation: a question with its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a collection, with the earlier turns of its conversation.

    `principals` are the users and groups whose documents may be used, besides those that everybody may read; None for all
    documents. `where` limits which documents may be used; None for all of the collection. `as_typed`: the text is read as it
    is: not as a follow-up to the history, not as the question that a keyword stands for, and not split into parts.
    """

    text: str
    collection: str = "default"
    conversation_id: str | None = None
    history: tuple[Turn, ...] = ()
    generator: str | None = None
    top_k: int | None = None
    principals: frozenset[str] | None = None
    where: Filter | None = None
    as_typed: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Another literal range of the cited version, which the quote is read with: `text[start:end] == quote`.

    It is a lead-in, the caption of a table, a header cell, a key, a term, or who wrote the quoted words.
    """

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class QuotedValue:
    """A cell, the value of a field, a meaning, or the text of any other unit, as ranges of the cited version.

    It is read from `spans`, in order, which leave out marks of a language such as Markdown. `names` are the ranges that name
    it, outermost first; each of them lies in the quote or is an excerpt of the citation's context.
    """

    spans: tuple[tuple[int, int], ...]
    names: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class QuotedUnit:
    """A unit of the quote: the kind of its block, its range in the cited version, and its values in order."""

    kind: Kind
    start: int
    end: int
    values: tuple[QuotedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A literal quote and its exact place: `text(document_id, version)[start:end] == quote`.

    `number` is the number in the answer's markers, from 1 by first use. `highlight` is the range of the answer itself
    inside the quote (document offsets), None when no part stands out. `trail` holds the headings above the quote. `score`
    is the relevance of the passage that the quote comes from. `context` are further ranges of the document that the quote is
    read with, such as the header cells of a row. `units` are what the quote is made of: sentences, items, rows and so on.
    """

    number: int
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    start: int
    end: int
    quote: str
    chunk_id: str
    score: float
    trail: tuple[str, ...] = ()
    highlight: tuple[int, int] | None = None
    context: tuple[Excerpt, ...] = ()
    units: tuple[QuotedUnit, ...] = ()

    def text_at(self, start: int, end: int) -> str:
        """The text of a range inside the quote or an excerpt of the context; empty if it is in neither."""
        quoted = Excerpt(self.start, self.end, self.quote)
        inside = (one for one in (quoted, *self.context) if one.start <= start and end <= one.end)
        found = next(inside, None)
        return found.quote[start - found.start : end - found.start] if found is not None else ""


SentenceForm = Literal["prose", "item", "row", "code", "units"]
"""How a sentence is shown: as prose, an item of a list, a row of a table, code, or the units of its first citation, which it
states."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row that a language model wrote, and the header cell above it; empty without one."""

    header: str
    text: str


Operation = Literal["compare", "count", "highest", "lowest"]
"""What Quoth may work out from what it cites; nothing else is derived.

`compare`: figures or dates of one unit, with their difference. `count`: the items of one list. `highest`, `lowest`: of the
figures in one column of a table.
"""


@dataclass(frozen=True, slots=True)
class Operand:
    """What a derived sentence is worked out from: a literal range of the version that `citation` quotes.

    `text[start:end] == quote`. `label` is what the figure belongs to; empty for an item that is counted.
    """

    citation: int
    start: int
    end: int
    quote: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a derived sentence was worked out: from the operands, in the order of the parts or of the list.

    `result` is the difference of two figures ("4.7 kg", "9 years"), "equal" for a tie, empty where the difference cannot be
    written in their unit; the labels of more figures, from lowest to highest ("A < B = C"); the count of the items; or the
    labels of the rows with the highest or lowest figure ("A = B").
    """

    operation: Operation
    operands: tuple[Operand, ...]
    result: str


SentenceKind = Literal["stated", "derived", "missing"]
"""Where a sentence comes from: the documents state it; Quoth worked it out; or it names the part that the documents lack."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer, the numbers it cites, and whether those quotes support it.

    `support` is the checker's probability that the cited passages support the sentence; 1.0 for a sentence that is its
    own quote, and for one that is derived (`derivation` says how). One that names a missing part cites nothing. `form` says
    how it is shown.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool
    support: float
    form: SentenceForm = "prose"
    kind: SentenceKind = "stated"
    derivation: Derivation | None = None
    ordinal: int | None = None
    label: str = ""
    cells: tuple[Cell, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a question of several parts, and what became of it.

    `question` is the part as it was read. `sentences` are its sentences and `passages` those that were read for it, as indices
    from 0 into those of the answer. `confidence` is the probability that the collection answers this part. `refused`: no
    sentence does.
    """

    question: str
    sentences: tuple[int, ...]
    passages: tuple[int, ...]
    refused: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a language model read and wrote; zeros for the extractive generator."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class DraftCounts:
    """How many sentences were written for an answer, and how many of them no passage supports (dropped or marked).

    Headings and sentences that say that there is no answer are not counted.
    """

    sentences: int = 0
    unsupported: int = 0


AnswerKind = Literal["documents", "talk"]
"""What an answer is made from: documents (a refusal, too), or the fixed reply to small talk."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer. `text` holds the sentences with markers like [1]; a refusal has no sentences and says so in `text`.

    An answer of the kind `talk` replies to a greeting or the like: a fixed text, without sentences, and no refusal.

    `confidence` is the calibrated probability that the collection answers the question. `passages` are those that were
    read, best first. `drafted` counts the sentences before the check. `notes` say what the caller should know, for example
    that vectors are still being made or that an invented citation number was dropped. `parts` are the parts of a question of
    several; a derived sentence over them belongs to none. Empty for any other question.
    """

    id: str
    conversation_id: str
    question: str
    rewritten_question: str
    text: str
    refused: bool
    confidence: float
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Hit, ...]
    generator: str
    prompt_hash: str | None
    usage: Usage = Usage()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    drafted: DraftCounts = field(default_factory=DraftCounts)
    kind: AnswerKind = "documents"
    parts: tuple[Part, ...] = ()

    @property
    def sources(self) -> frozenset[str]:
        """The ids of the documents that the answer was made from: those that were read, cited or not."""
        read = {hit.chunk.document_id for hit in self.passages}
        return frozenset(read | {citation.document_id for citation in self.citations})


@dataclass(frozen=True, slots=True)
class Recording:
    """The settings that an answer depends on, and the versions of the models that made it.

    `generator` is the generator that was asked; the answer may name another, which stands in when this one is unavailable.
    `threshold` is the lowest confidence that is answered, `support_threshold` the lowest probability of support that is
    accepted. `reader`, `support` and `calibration` are the models' versions. `llm_model` is None without a language model.
    """

    quoth: str
    generator: str
    top_k: int
    depth: int
    threshold: float
    strict: bool
    encoder: str
    reader: str
    support: str
    calibration: str
    llm_model: str | None
    llm_temperature: float
    llm_max_tokens: int
    llm_context_tokens: int
    support_threshold: float = 0.5

    def of(self, question: Question) -> "Recording":
        """The recording for an answer to `question`, which may name its own generator and top_k."""
        return replace(self, generator=question.generator or self.generator, top_k=question.top_k or self.top_k)


MADE_WITH = tuple(
    field.name
    for field in fields(Recording)
    if field.name not in ("generator", "top_k", "depth", "threshold", "strict", "support_threshold")
)
"""The fields that a replay cannot restore: it uses the installed models and present settings, and reports the differences."""


Change = Literal["unchanged", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class StaleCitation:
    """A citation whose version is no longer current, and what the current version says in its place.

    `current_version` is None if the document was removed. `change`: the quote still stands literally in the current version
    (unchanged), another sentence stands in its place (changed), or neither (gone). `start`, `end` and `text` are the place in
    the current version; None if it is gone.
    """

    number: int
    document_id: str
    version: str
    current_version: str | None
    change: Change
    start: int | None = None
    end: int | None = None
    text: str | None = None


NONE_STALE: Mapping[str, Sequence[StaleCitation]] = MappingProxyType({})
"""The stale citations by answer where none is stale."""
