"""What both clients send: headers, and the body of a question."""

from typing import Any

URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0


def headers(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def question_body(
    question: str, collection: str | None, conversation_id: str | None, generator: str | None, top_k: int | None
) -> dict[str, Any]:
    """The body of `POST /v1/chat`."""
    return given(
        question=question, collection=collection, conversation_id=conversation_id, generator=generator, top_k=top_k
    )
