"""The wire contract: what requests may hold and what responses hold. Mirrors service/records.py.

Requests refuse unknown fields. All offsets are code points into the canonical text of the document version (a JavaScript
client has to count code points, not UTF-16 units).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from index.filters import Filter
from index.records import Hit
from service.records import Answer
from service.store import StoredAnswer


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a surrogate pair; send whole characters") from error
    return text


Words = Annotated[str, AfterValidator(_well_formed)]
Offset = Annotated[int, Field(ge=0, description="code-point offset into the document's canonical text")]
CollectionName = Annotated[Words, Field(max_length=63, description="collection; the server's default when left out")]


class Request(BaseModel):
    """A request body: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Record(BaseModel):
    """A response body, filled from a record by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class FilterIn(Request):
    """Conditions that a document must all meet."""

    document_ids: list[Words] | None = Field(None, max_length=10_000)
    uri_prefix: Words | None = Field(None, max_length=4096, description="its URI begins so; end a folder with /")
    metadata: dict[Words, Words] = {}
    modified_after: AwareDatetime | None = Field(
        None,
        description="modified at this time or later: the file's time, else what its metadata say, else when indexed",
    )
    modified_before: AwareDatetime | None = Field(None, description="modified before this time")

    def chosen(self) -> Filter:
        """The filter as the index takes it."""
        return Filter(
            document_ids=None if self.document_ids is None else frozenset(self.document_ids),
            uri_prefix=self.uri_prefix,
            metadata=self.metadata,
            modified_after=self.modified_after,
            modified_before=self.modified_before,
        )


class ChatRequest(Request):
    """A question, with what shapes its answer."""

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
        None, max_length=64, description="who words the answer; the server's default when left out"
    )
    top_k: int | None = Field(None, ge=1, le=100, description="passages that the answer is written from")
    filter: FilterIn | None = Field(
        None, description="documents that may answer; all that the caller may read without it"
    )


class SearchRequest(Request):
    """A search for passages."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "cyberattacks since 2007", "k": 5}]})

    query: Words = Field(description="what to look for, in words")
    collection: CollectionName | None = None
    k: int = Field(10, ge=1, le=100, description="passages wanted")
    filter: FilterIn | None = None


class PassageOut(Record):
    """A passage that was found. `text` is the document's text from `start` to `end`."""

    chunk_id: str
    document_id: str
    version: str
    title: str
    uri: str
    page: int | None
    trail: tuple[str, ...]
    start: Offset
    end: Offset
    text: str
    score: float

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """The wire form of a hit."""
        chunk = hit.chunk
        return cls(
            chunk_id=chunk.id,
            document_id=chunk.document_id,
            version=chunk.version,
            title=hit.title,
            uri=hit.uri,
            page=hit.page,
            trail=chunk.trail,
            start=chunk.start,
            end=chunk.end,
            text=chunk.text,
            score=hit.score,
        )


def _flattened(value: Any) -> Any:
    return PassageOut.of(value) if isinstance(value, Hit) else value


class CitationOut(Record):
    """A literal quote: the text of that document version from `start` to `end`. `highlight` is the answer inside it."""

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


class SentenceOut(Record):
    """One sentence of the answer and the numbers that it cites."""

    text: str
    citations: tuple[int, ...]
    supported: bool
    support: float


class UsageOut(Record):
    """Tokens that a language model read and wrote."""

    prompt_tokens: int
    completion_tokens: int


class DraftedOut(Record):
    """Sentences that were written for an answer, and those of them that no passage supports, dropped or marked."""

    sentences: int = 0
    unsupported: int = 0


class AnswerOut(Record):
    """The answer. `text` holds the sentences with markers like [1]. A refusal has no sentences and says so in `text`."""

    id: str
    conversation_id: str
    question: str
    rewritten_question: str
    text: str
    refused: bool
    confidence: float = Field(ge=0, le=1, description="calibrated probability that the collection answers the question")
    sentences: tuple[SentenceOut, ...]
    citations: tuple[CitationOut, ...]
    passages: tuple[Annotated[PassageOut, BeforeValidator(_flattened)], ...]
    generator: str
    prompt_hash: str | None
    usage: UsageOut
    timings_ms: dict[str, float]
    notes: tuple[str, ...]
    drafted: DraftedOut = DraftedOut()

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The wire form of an answer."""
        return cls.model_validate(answer)


class RecordingOut(Record):
    """How an answer was asked for and made: what replaying it takes."""

    quoth: str
    generator: str = Field(description="the generator that was asked; the answer names the one that wrote it")
    top_k: int
    depth: int
    threshold: float = Field(description="least confidence that was answered")
    strict: bool
    encoder: str
    reader: str
    support: str
    calibration: str
    llm_model: str | None
    llm_temperature: float
    llm_max_tokens: int
    llm_context_tokens: int
    support_threshold: float = Field(description="least probability of support that was enough")


class StoredAnswerOut(Record):
    """An answer as it was given, with the collection it came from, when (UTC, ISO 8601), and how it was made."""

    collection: str
    created_at: str
    recording: RecordingOut | None
    answer: AnswerOut

    @classmethod
    def of(cls, stored: StoredAnswer) -> Self:
        """The wire form of a stored answer."""
        return cls(
            collection=stored.collection,
            created_at=stored.created_at.isoformat(),
            recording=RecordingOut.model_validate(stored.recording) if stored.recording else None,
            answer=AnswerOut.of(stored.answer),
        )


class PassagesEvent(Record):
    """Stream event `passages`: what is being read."""

    passages: tuple[PassageOut, ...]


class SentenceEvent(Record):
    """Stream event `sentence`: a checked sentence, with the citations that it is the first to use."""

    sentence: SentenceOut
    citations: tuple[CitationOut, ...]


class SearchResponse(Record):
    """The passages found, best first."""

    hits: tuple[PassageOut, ...]


class DocumentOut(Record):
    """A document of a collection, without its text."""

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    characters: int
    chunks: int


class DocumentsResponse(Record):
    """The documents of a collection."""

    collection: str
    documents: tuple[DocumentOut, ...]


class PageOut(Record):
    """A page: its number as printed in a citation, and its range in the canonical text."""

    number: int
    start: Offset
    end: Offset


class SectionOut(Record):
    """Where text under a heading begins, and the headings above it, outermost first."""

    start: Offset
    trail: tuple[str, ...]


class TextResponse(Record):
    """The text of one document version from `start` to `end`, of `length` code points in all."""

    id: str
    version: str
    uri: str
    title: str
    media_type: str
    length: int
    start: Offset
    end: Offset
    text: str
    pages: tuple[PageOut, ...]
    sections: tuple[SectionOut, ...]


class CollectionOut(Record):
    """Size of a collection. `pending_vectors` counts passages that are found by their words only, so far.

    For a caller who may not read every document, `documents` and `chunks` count those it may read, and the sizes that would
    tell of others are null.
    """

    name: str
    documents: int
    chunks: int
    vectors: int | None
    pending_vectors: int | None
    encoder: str
    bytes_on_disk: int | None


class CollectionsResponse(Record):
    """All collections, and the name of the one used when none is given."""

    default: str
    collections: tuple[CollectionOut, ...]


class HealthResponse(Record):
    """The process is up."""

    status: Literal["ok"] = "ok"


class ReadyResponse(Record):
    """Questions can be answered: the models are loaded and the default collection is open. Its size is for `admin`."""

    status: Literal["ready"] = "ready"
    collection: CollectionOut | None
