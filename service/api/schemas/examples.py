"""Examples of the OpenAPI document: one answer over the shipped briefing, and records with parts of it. Values only.

tests/test_openapi.py checks each against its schema, and that no response is without one.
"""

from http import HTTPStatus
from typing import Any

_QUOTE = "Seoul holds the North responsible for at least six cyberattacks of note since 2007."
_START = 1598
_PLACE = {
    "document_id": "9f3c1d7e5a2b4c68",
    "version": "4f1d8c0b9a7e6f5d4c3b2a190817263544536271809fabcdef0123456789abcd",
    "title": "Cyber cooperation between Washington and Seoul",
    "uri": "file:///home/ada/documents/cyber_cooperation.md",
    "page": None,
    "trail": ["Cyber cooperation between Washington and Seoul", "Attacks"],
}
_RANGE = {"start": _START, "end": _START + len(_QUOTE)}
_PASSAGE = {"chunk_id": "b1946ac92492d234", **_PLACE, **_RANGE, "text": _QUOTE, "score": 3.1}
_SIX = _START + _QUOTE.index("six")
_CITATION = {
    "number": 1,
    **_PLACE,
    **_RANGE,
    "quote": _QUOTE,
    "highlight": [_SIX, _SIX + 3],
    "chunk_id": "b1946ac92492d234",
    "score": 3.1,
    "units": [{"kind": "paragraph", **_RANGE, "values": [{"spans": [list(_RANGE.values())]}]}],
}
_BLOCK: dict[str, Any] = {
    "kind": "paragraph",
    **_RANGE,
    "parent": None,
    "level": 0,
    "marker": "",
    "row": 0,
    "column": 0,
    "row_span": 1,
    "column_span": 1,
    "is_header": False,
    "labels": [],
    "language": "en",
}
_QUESTION = "How many cyberattacks does Seoul blame on the North?"
_TIME = "2026-11-23T09:30:00+00:00"
_LATER = "2026-11-23T09:30:04+00:00"
_ANSWER = {
    "id": "5d41402abc4b2a76b9719d911017c592",
    "conversation_id": "7d793037a0760186574b0282f2f435e7",
    "question": _QUESTION,
    "rewritten_question": _QUESTION,
    "text": f"{_QUOTE} [1]",
    "refused": False,
    "confidence": 0.78,
    "sentences": [{"text": _QUOTE, "citations": [1], "supported": True, "support": 1.0, "form": "units"}],
    "citations": [_CITATION],
    "passages": [_PASSAGE],
    "generator": "extractive",
    "prompt_hash": None,
    "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    "timings_ms": {"retrieve": 9.1, "read": 61.4, "total": 74.0},
    "notes": [],
    "drafted": {"sentences": 1, "unsupported": 0},
    "kind": "documents",
    "parts": [],
}
_RANKS = {"words": 2, "vectors": 1, "fused": 1}
_EXPLANATION = {
    "question": _QUESTION,
    "queries": [_QUESTION],
    "depth": 12,
    "shown": 8,
    "confidence": 0.78,
    "needed": 0.4395,
    "signals": [{"name": "relevance", "value": 3.1, "share": 0.62}],
    "constraints": [{"kind": "name", "text": "Seoul", "is_met": True, "is_met_by_expected": True}],
    "passages": [
        {
            **{name: value for name, value in _PLACE.items() if name != "trail"},
            **_RANGE,
            "rank": 1,
            "ranks": _RANKS,
            "relevance": 3.1,
            "lost": 0.0,
            "is_shown": True,
            "units": [
                {
                    **_RANGE,
                    "text": _QUOTE,
                    "score": 2.4,
                    "lost": 0.0,
                    "alone": 2.9,
                    "total": 5.5,
                    "is_expected": True,
                    "is_quoted": True,
                }
            ],
        }
    ],
    "written": [{"text": _QUOTE, "outcome": "shown", "support": 1.0, "is_expected": True}],
    "expected": [
        {
            "text": "at least six cyberattacks",
            "document_id": _PLACE["document_id"],
            "title": _PLACE["title"],
            **_RANGE,
            "ranks": _RANKS,
            "read": 1,
            "stage": "not lost",
        }
    ],
    "stage": "not lost",
    "because": "Nothing was lost.",
}
_RECORDING = {
    "quoth": "0.1.0",
    "generator": "extractive",
    "top_k": 8,
    "depth": 12,
    "threshold": 0.4395,
    "strict": True,
    "encoder": "all-MiniLM-L6-v2",
    "reader": "4 (475c5ba4efb4)",
    "support": "2 (329b37fbc575)",
    "calibration": "4",
    "llm_model": None,
    "llm_temperature": 0.0,
    "llm_max_tokens": 512,
    "llm_context_tokens": 8192,
    "support_threshold": 0.7,
}
_STORED = {"collection": "default", "created_at": _TIME, "recording": _RECORDING, "answer": _ANSWER, "stale": []}
_STALE = {
    "number": 1,
    "document_id": _PLACE["document_id"],
    "version": _PLACE["version"],
    "current_version": "0b7d3c1e5f9a2b4c6d8e0f1a3b5c7d9e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c",
    "change": "changed",
    "start": _START,
    "end": _START + len(_QUOTE) + 2,
    "text": _QUOTE.replace("six", "seven"),
}
_STALE_ANSWER = {
    "id": _ANSWER["id"],
    "conversation_id": _ANSWER["conversation_id"],
    "collection": "default",
    "created_at": _TIME,
    "question": _QUESTION,
    "citations": [_STALE],
}
_GAP = {
    "question": "Who commands the North's hackers?",
    "collection": "default",
    "count": 3,
    "refused": 3,
    "last_asked_at": _TIME,
    "answer_id": _ANSWER["id"],
    "nearest": [{name: _PASSAGE[name] for name in ("document_id", "version", "title", "uri", "start", "end", "text")}],
}
_TOPIC = {"topic": _GAP["question"], "count": 3, "gaps": [_GAP]}
_CONVERSATION = {
    "id": _ANSWER["conversation_id"],
    "title": _QUESTION,
    "collection": "default",
    "created_at": _TIME,
    "updated_at": _TIME,
}
_DOCUMENT = {
    "id": _PLACE["document_id"],
    "version": _PLACE["version"],
    "uri": _PLACE["uri"],
    "title": _PLACE["title"],
    "media_type": "text/markdown",
}
_SUMMARY = {
    **_DOCUMENT,
    "characters": 4105,
    "chunks": 7,
    "pages": 0,
    "bytes": 4211,
    "indexed_at": _TIME,
    "principals": [],
    "pending_vectors": 0,
    "warnings": [],
}
_COLLECTION = {
    "name": "default",
    "title": "Harbour office",
    "documents": 5,
    "chunks": 31,
    "vectors": 31,
    "pending_vectors": 0,
    "encoder": "all-MiniLM-L6-v2@53aa5117",
    "bytes_on_disk": 262_144,
}
_JOB = {
    "id": "c4ca4238a0b923820dcc509a6f75849b",
    "state": "succeeded",
    "stage": "done",
    "done": 31,
    "total": 31,
    "documents": 1,
    "remark": None,
    "attempts": 1,
    "collection": "default",
    "document_id": "plan-2027",
    "filename": "plan.pdf",
    "size": 48_211,
    "error": None,
    "error_code": None,
    "created_at": _TIME,
    "started_at": _TIME,
    "finished_at": _LATER,
    "retry_at": None,
}
_FEEDBACK = {
    "id": "eccbc87e4b5ce2fe28308fd9f2a7baf3",
    "answer_id": _ANSWER["id"],
    "sentence": 0,
    "rating": "down",
    "comment": "It was seven.",
    "label": "ada",
    "created_at": _TIME,
}
_MODELS = [{"id": name, "object": "model", "created": 0, "owned_by": "quoth"} for name in ("quoth", "default")]

SCHEMAS: dict[str, Any] = {
    "AnswerOut": _ANSWER,
    "ExplainedAnswerOut": {**_ANSWER, "explanation": _EXPLANATION},
    "StoredAnswerOut": _STORED,
    "ConversationOut": {**_CONVERSATION, "answers": 1, "stale_answers": 0},
    "StaleCitationOut": _STALE,
    "StaleAnswerOut": _STALE_ANSWER,
    "StaleAnswersResponse": {"answers": [_STALE_ANSWER], "total": 1},
    "GapsResponse": {"topics": [_TOPIC]},
    "ConversationsResponse": {"conversations": [{**_CONVERSATION, "answers": 1}], "next_cursor": None},
    "ConversationResponse": {**_CONVERSATION, "answers": [_STORED]},
    "CompletionOut": {
        "id": f"chatcmpl-{_ANSWER['id']}",
        "object": "chat.completion",
        "created": 1_795_426_200,
        "model": "quoth",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": f"{_QUOTE} [1]\n\nSources:\n[1] {_PLACE['title']} · Attacks · characters 1598-1681: “{_QUOTE}”",
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "quoth": _ANSWER,
    },
    "ModelOut": _MODELS[0],
    "ModelsOut": {"object": "list", "data": _MODELS},
    "SearchResponse": {"hits": [_PASSAGE]},
    "DocumentsResponse": {"collection": "default", "documents": [_SUMMARY]},
    "DocumentDetail": {**_SUMMARY, "has_structure": True, "file": None},
    "TextResponse": {
        **_DOCUMENT,
        "length": 4105,
        **_RANGE,
        "text": _QUOTE,
        "pages": [],
        "sections": [{"start": 1587, "trail": _PLACE["trail"]}],
        "blocks": [_BLOCK],
    },
    "PageSizes": {
        "id": _PLACE["document_id"],
        "version": _PLACE["version"],
        "pages": [{"number": 1, "width": 612.0, "height": 792.0, "start": 0, "end": 2310}],
    },
    "PageView": {
        "id": "9f3c1d7e5a2b4c68",
        "version": _PLACE["version"],
        "number": 3,
        "width": 595.28,
        "height": 841.89,
        "words": [{"start": 1598, "end": 1603, "box": [72.0, 96.4, 98.1, 107.8]}],
        "boxes": [[72.0, 96.4, 98.1, 107.8]],
    },
    "CollectionOut": _COLLECTION,
    "SuggestionsOut": {"questions": [_QUESTION], "is_complete": True},
    "CollectionsResponse": {"default": "default", "collections": [_COLLECTION], "answers_made_with": _RECORDING},
    "JobOut": _JOB,
    "JobsResponse": {"jobs": [_JOB], "next": None},
    "FeedbackRequest": {"answer_id": _ANSWER["id"], "rating": "down", "sentence": 0, "comment": "It was seven."},
    "FeedbackOut": _FEEDBACK,
    "FeedbackResponse": {"feedback": [_FEEDBACK]},
    "VerifyRequest": {"answer": _ANSWER},
    "VerificationOut": {"verdict": "proved", "quotes": 2, "quoted": 1, "checked": 0, "findings": []},
    "CallerOut": {"key": "reading room", "scopes": ["ask"], "collections": None, "reads_all": True},
    "ReportsResponse": {"reports": [{"name": "today", "made_at": _TIME}]},
    "ReportText": {"name": "today", "made_at": _TIME, "markdown": "# Run of today\n\n| metric | value |\n"},
    "HealthResponse": {"status": "ok"},
    "ReadyResponse": {"status": "ready", "collection": _COLLECTION},
}
"""An example for each schema that a request or a response consists of; some state theirs beside the class."""

PROBLEMS: dict[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("body-unreadable", "There was an error parsing the body"),
    HTTPStatus.UNAUTHORIZED: (
        "key-invalid",
        "This needs an API key that is good: send the header `Authorization: Bearer quoth_...`. A key may be unknown here, "
        "expired or revoked. To make one, where the server runs: quoth keys create NAME",
    ),
    HTTPStatus.FORBIDDEN: (
        "scope-missing",
        "The key 'crawler' does not have the scope 'ask' that this needs; it has: ingest. Make a key that has it: "
        "quoth keys create NAME --scope ask",
    ),
    HTTPStatus.NOT_FOUND: ("collection-missing", "no collection 'papers'. There are: default. Name one of these"),
    HTTPStatus.REQUEST_TIMEOUT: ("body-too-slow", "The body did not come within 30 s. Send it without a pause."),
    HTTPStatus.CONFLICT: (
        "document-taken",
        "The id 'plan-2027' belongs to a document in 'default' that was not uploaded. Choose another id.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "body-too-long",
        "The request has 3,145,728 bytes; at most 2,097,152 are read. Send less at once.",
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("format-unsupported", "plan.xyz: no format that is read has the suffix .xyz."),
    HTTPStatus.MISDIRECTED_REQUEST: (
        "host-not-allowed",
        "This server does not answer for the host 'docs.example.org'. Add it to QUOTH_ALLOWED_HOSTS to allow it.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("request-invalid", "question: Field required"),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "rate-exceeded",
        "The key 'crawler' may make 60/min requests, and has. The next one is possible in 1 s.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "internal",
        "Something broke inside Quoth; the server's log has the details under this request id.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "collection-busy",
        "collection default: process 4711 is writing. Try again in a moment.",
    ),
}
"""A code and a detail for each status that a problem can have."""
