"""The events of a chat stream with any value in any field: read or refused, and always an answer at the end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.answering.checking import DraftChecker, SupportPolicy
from service.answering.citations import Numbering
from service.answering.writing import SentenceWriter
from service.generators.chat_events import MAX_TOKENS, ChatEvent, ReplyInvalid, read_event, whole_characters
from service.generators.extractive import ExtractiveGenerator
from service.generators.prose import require_prose
from service.generators.remote import CircuitBreaker, RemoteGenerator
from service.progress import Stages
from tests.model_server import PASSAGES, USAGE, ModelServer, event, remote, stream

INSTEAD = "The answer is taken word for word from the documents instead."
STOP, DONE = event(finish="stop"), "data: [DONE]\n\n"


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[ModelServer, RemoteGenerator]]:
    """A scripted server, and the generator that asks it."""
    model = ModelServer(stream(STOP, DONE))
    with remote(model, breaker=CircuitBreaker(max_failures=10**9)) as generator:
        yield model, generator


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 2**63, 10**30, 10**4000])
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
GOOD: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Seoul "}, "finish_reason": None}],
    **USAGE,
}
PLACES = [
    (),
    *[(field,) for field in [*GOOD, "error"]],
    ("choices", 0),
    *[("choices", 0, field) for field in ("index", "delta", "finish_reason", "message")],
    *[("choices", 0, "delta", field) for field in ("role", "content", "tool_calls", "function_call", "refusal")],
    *[("usage", field) for field in ("prompt_tokens", "completion_tokens", "total_tokens")],
]


def with_value(place: tuple[Any, ...], value: Any) -> Any:
    """GOOD with another value at a place."""
    if not place:
        return value
    changed = json.loads(json.dumps(GOOD))
    parent = changed
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    return changed


ODD_EVENT = st.builds(with_value, st.sampled_from(PLACES), JSON)
BOUNDED = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@settings(BOUNDED, max_examples=300)
@given(ODD_EVENT)
def test_any_value_in_any_field_of_an_event_is_read_or_refused(value: Any) -> None:
    try:
        got = read_event(json.dumps(value))
    except ReplyInvalid:
        assert value["error"]
        return
    assert isinstance(got, ChatEvent)
    assert isinstance(got.text, str)
    assert got.usage is None or 0 <= got.usage.prompt_tokens <= MAX_TOKENS
    for name in (got.finish, got.model):
        assert name is None or (name.isprintable() and 0 < len(name) <= 200)


@settings(BOUNDED, max_examples=100)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=4), max_size=6))
def test_text_in_any_pieces_is_whole_characters_and_the_same_however_it_is_cut(pieces: list[str]) -> None:
    text = "".join(whole_characters(pieces))
    text.encode()
    assert text == "".join(whole_characters("".join(pieces)))


def test_a_character_cut_into_halves_is_put_together_and_a_lone_half_is_left_out() -> None:
    assert list(whole_characters(["a\ud83d", "\ude00b", "\ude00c", "\ud83d"])) == ["a", "😀b", "c"]


class Agreeable:
    """Supports every sentence."""

    def check(self, pairs: Any) -> list[float]:
        return [1.0 for _ in pairs]


@settings(BOUNDED, max_examples=40)
@given(st.lists(ODD_EVENT, max_size=4), st.booleans())
def test_any_events_end_in_an_answer(
    hostile: tuple[ModelServer, RemoteGenerator], events: list[Any], ends: bool
) -> None:
    model, generator = hostile
    lines = [f"data: {json.dumps(item)}\n\n" for item in events]
    model.turns = (stream(*lines, *([STOP, DONE] if ends else [])),)
    numbering = Numbering(PASSAGES, {(p.hit.chunk.document_id, "v1"): () for p in PASSAGES})
    checking = DraftChecker(PASSAGES, numbering, Agreeable(), SupportPolicy())  # type: ignore[arg-type]
    writer = SentenceWriter(generator, ExtractiveGenerator(), checking, Stages())
    sentences = list(writer.sentences("How many attacks?", PASSAGES))
    assert sentences
    assert writer.generator == "remote" or any(note.endswith(INSTEAD) for note in writer.notes())
    assert writer.usage.prompt_tokens in range(MAX_TOKENS + 1)


@pytest.mark.parametrize(
    "text",
    [
        "[1] Seoul counts six.",
        "[1, 2] Seoul counts six.",
        "[[1]] Seoul counts six.",
        "{1} Seoul counts six.",
        "`max_connections` is 100.",
        "<b>Six</b> attacks.",
        "Json files hold it.",
        '"Six," says Seoul.',
        "[Seoul] counts six.",
        "```\nport = 8000\n```",
        "",
    ],
)
def test_prose_passes_unchanged_however_it_begins(text: str) -> None:
    assert "".join(require_prose(list(text))) == text


def test_prose_passes_with_its_first_piece() -> None:
    def pieces() -> Iterator[str]:
        yield "Seoul "
        raise AssertionError("the first piece shows that it is prose")

    assert next(require_prose(pieces())) == "Seoul "
