"""SystemAnswer: what another system says to a question, and how it is read from JSON. Pure.

    {"id": "case-1", "answer": "27 days [1].", "refused": false, "confidence": 0.8,
     "citations": [{"document": "leave.md", "quote": "Trainees have 27 days of leave a year."}],
     "contexts": [{"document": "leave.md", "text": "..."}]}

Only `answer` is required. What a system does not say is None, so that the metrics that need it are absent rather than zero.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.errors import SystemAnswerInvalid
from service.text.refusals import is_refusal

_DOCUMENT_FIELDS = (
    "document", "document_name", "doc_name", "docnm_kwd", "source", "file", "filename", "url", "uri", "title",
)  # fmt: skip
_QUOTE_FIELDS = ("quote", "text", "content", "content_with_weight", "snippet", "passage", "page_content")
_NOT_FOUND = re.compile(
    r"\b(?:not|no\b[^.;!?]{0,40})\s+found in (?:the|your|our) (?:knowledge ?base|data ?set)\b", re.IGNORECASE
)
FIELDS = ("id", "answer", "refused", "confidence", "citations", "contexts")


@dataclass(frozen=True, slots=True)
class Source:
    """Something that an answer cites or was written from: the document's name and the words, either empty if unknown."""

    document: str
    quote: str


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """An answer. `citations` and `contexts` (what was retrieved, best first) are None if the system does not say."""

    text: str
    refused: bool
    confidence: float | None = None
    citations: tuple[Source, ...] | None = None
    contexts: tuple[Source, ...] | None = None


def read_answer(value: object, where: str) -> SystemAnswer:
    """The answer in a JSON value: a text, or an object with the fields above.

    A text that only says that the documents do not answer counts as refused if the object does not say so itself. Raises
    SystemAnswerInvalid, which begins with `where`.
    """
    if isinstance(value, str):
        value = {"answer": value}
    if not isinstance(value, Mapping):
        raise SystemAnswerInvalid(f"{where}: the answer is {type(value).__name__}. Give a text or a JSON object.")
    unknown = sorted(set(value) - set(FIELDS))
    if unknown:
        raise SystemAnswerInvalid(f"{where}: unknown field {unknown[0]!r}. Known: {', '.join(FIELDS)}.")
    text = value.get("answer")
    if not isinstance(text, str):
        raise SystemAnswerInvalid(f"{where}: 'answer' is {text!r}. Make it a text; empty for a refusal.")
    refused, confidence = value.get("refused"), value.get("confidence")
    if refused is not None and not isinstance(refused, bool):
        raise SystemAnswerInvalid(f"{where}: 'refused' is {refused!r}. Make it true or false.")
    is_share = isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1
    if confidence is not None and not is_share:
        raise SystemAnswerInvalid(f"{where}: 'confidence' is {confidence!r}. Make it a number from 0 to 1.")
    return SystemAnswer(
        text,
        says_nothing(text) if refused is None else refused,
        None if confidence is None else float(confidence),
        _sources(value, "citations", where),
        _sources(value, "contexts", where),
    )


def says_nothing(text: str) -> bool:
    """Whether a text is empty or only says that the documents do not answer."""
    return not text.strip() or is_refusal(text) or _NOT_FOUND.search(text) is not None


def source_of(value: object) -> Source | None:
    """A source from a text (the name of a document) or an object with the usual names of fields; None from anything else."""
    if isinstance(value, str):
        return Source(value, "")
    if not isinstance(value, Mapping):
        return None
    inner = value.get("url_citation", value)
    if not isinstance(inner, Mapping):
        return None
    document, quote = _first(inner, _DOCUMENT_FIELDS), _first(inner, _QUOTE_FIELDS)
    return Source(document, quote) if document or quote else None


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str) and value[name]), "")


def _sources(value: Mapping[str, Any], field: str, where: str) -> tuple[Source, ...] | None:
    listed = value.get(field)
    if listed is None:
        return None
    if not isinstance(listed, list):
        raise SystemAnswerInvalid(f"{where}: {field!r} is {listed!r}. Make it a list.")
    sources = [source_of(item) for item in listed]
    if None in sources:
        raise SystemAnswerInvalid(
            f"{where}: an entry of {field!r} has neither a document nor words. Give it 'document' and 'quote'."
        )
    return tuple(source for source in sources if source is not None)
