"""What chat programs send to POST /v1/chat/completions: each request is read for what it holds."""

import json
from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest

from index.library import Library
from index.sync.sync import sync
from service.answering.service import Service
from service.records import Question
from service.storage.conversations import ConversationStore
from service.text.plain import with_sources, without_sources
from tests.scripted_answerer import ScriptedAnswerer, make_answer

WHEN = {"role": "user", "content": "And when does it open?"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"file_id": "f1"}}
REFUSED = {"type": "refusal", "refusal": "I will not say."}
CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def post(served: str, messages: list[Any], **more: Any) -> httpx.Response:
    body = {"model": "quoth", "messages": messages, **more}
    return httpx.post(f"{served}/v1/chat/completions", json=body, timeout=100)


def content(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    said: str = response.json()["choices"][0]["message"]["content"]
    return said


def chunks(response: httpx.Response) -> list[Any]:
    *events, last, end = response.text.split("\n\n")
    assert (last, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def streamed(response: httpx.Response) -> str:
    return "".join(c["delta"].get("content") or "" for chunk in chunks(response) for c in chunk["choices"])


@pytest.mark.parametrize(
    ("messages", "history"),
    [
        (
            [
                {"role": "user", "content": "What time is it?"},
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "12:00"},
                {"role": "assistant", "content": "It is noon."},
            ],
            [("What time is it?", "It is noon.")],
        ),
        (
            [
                {"role": "user", "content": "What time is it?"},
                {"role": "assistant", "content": "", "function_call": {"name": "clock", "arguments": "{}"}},
                {"role": "function", "name": "clock", "content": "12:00"},
                {"role": "assistant", "content": [text("It is"), text("noon.")]},
            ],
            [("What time is it?", "It is\nnoon.")],
        ),
        (
            [
                {"role": "user", "content": "What time is it?"},
                {"role": "assistant", "content": "I look at the clock.", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": [text("12:00")]},
                {"role": "assistant", "content": "It is noon."},
                {"role": "assistant", "content": ""},
            ],
            [("What time is it?", "It is noon.")],
        ),
        (
            [
                {"role": "user", "content": [text("Look here."), PICTURE, SOUND, FILE]},
                {"role": "assistant", "content": [REFUSED], "refusal": None, "audio": None},
                {"role": "user", "content": [PICTURE]},
                {"role": "assistant", "content": "A red door."},
            ],
            [("Look here.", "")],
        ),
        (
            [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [text("Be kind.")], "name": "admin"},
                {"role": "user", "content": "Where is it?", "name": "ann", "id": "m1", "timestamp": 7},
                {"role": "assistant", "content": "In Rome.", "annotations": [], "reasoning_content": "Hm.", "extra": {"a": 1}},
                {"role": "system", "content": "Be brief, still."},
            ],
            [("Where is it?", "In Rome.")],
        ),
        (
            [{"role": "user", "content": ["Where is it?", {"type": "input_text", "text": "The door."}]}],
            [("Where is it?\nThe door.", "")],
        ),
    ],
    ids=["tool", "function", "words before a tool call", "parts that are no text", "extra fields", "other text parts"],
)  # fmt: skip
def test_a_history_is_read_for_its_text(serve_scripted: Any, messages: list[Any], history: list[Any]) -> None:
    answerer = ScriptedAnswerer()
    with serve_scripted(answerer) as served:
        content(post(served, [*messages, WHEN]))
    (question,) = answerer.questions
    assert question.text == WHEN["content"]
    assert [(turn.question, turn.answer) for turn in question.history] == history


@pytest.mark.parametrize(
    "last",
    [
        [{"role": "user", "content": [PICTURE, text(WHEN["content"])]}],
        [WHEN, {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": "12"}],
        [WHEN, {"role": "assistant", "content": "I look.", "tool_calls": [CALL]}, {"role": "tool", "content": "12"}],
        [WHEN, {"role": "system", "content": "Answer in English."}],
        [WHEN, {"role": "assistant", "content": ""}],
    ],
    ids=["an image", "a tool's result", "words and a tool's result", "an instruction", "an empty message to fill"],
)  # fmt: skip
def test_the_question_is_the_users_last_text(serve_scripted: Any, last: list[Any]) -> None:
    answerer = ScriptedAnswerer()
    with serve_scripted(answerer) as served:
        content(post(served, last))
    assert [question.text for question in answerer.questions] == [WHEN["content"]]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"messages": [{"role": "user", "content": [PICTURE, SOUND]}]}, "no text, only parts of type image_url, input_audio"),
        ({"messages": [{"role": "user", "content": [7]}]}, "an object with a type, or a string"),
        ({"messages": [{"role": "judge", "content": "Why?"}]}, "messages.0.role"),
        ({"n": 3}, "n is 3, but a question has one answer here; leave n out or send 1"),
        ({"tool_choice": "required"}, "tool_choice: Value error, demands the call of a tool, but Quoth calls none"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "Quoth calls none"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "'json_schema' is no form"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_a_clear_error(serve_scripted: Any, more: dict[str, Any], said: str) -> None:
    answerer = ScriptedAnswerer()
    with serve_scripted(answerer) as served:
        response = post(served, **{"messages": [WHEN], **more})
    assert response.status_code == 422
    assert said in response.json()["error"]["message"]
    assert answerer.questions == []


def test_options_for_a_language_model_leave_the_answer_as_it_is(serve_scripted: Any) -> None:
    options: dict[str, Any] = {
        "stop": ["\n", "It"], "max_tokens": 1, "max_completion_tokens": 1, "n": 1, "tool_choice": "auto", "tools": [CALL],
        "parallel_tool_calls": False, "response_format": {"type": "text"}, "logprobs": True, "seed": 1, "user": "ann",
        "stream": None, "stream_options": None, "function_call": "none", "metadata": {"a": "b"}, "modalities": ["text"],
    }  # fmt: skip
    with serve_scripted(ScriptedAnswerer()) as served:
        response = post(served, [WHEN], **options)
        assert content(response) == content(post(served, [WHEN]))
    assert response.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("options", [None, {}, {"include_usage": None}, {"include_usage": False}])
def test_a_stream_counts_no_tokens_unless_asked(serve_scripted: Any, options: Any) -> None:
    with serve_scripted(ScriptedAnswerer()) as served:
        got = chunks(post(served, [WHEN], stream=True, stream_options=options))
    assert not any("usage" in chunk for chunk in got)
    assert got[-1]["choices"][0]["finish_reason"] == "stop"


def test_the_last_chunk_counts_the_tokens_when_asked_and_the_others_say_null(serve_scripted: Any) -> None:
    with serve_scripted(ScriptedAnswerer()) as served:
        got = chunks(
            post(served, [WHEN], stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
        )
    assert got[-1]["choices"] == []
    assert got[-1]["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert [chunk["usage"] for chunk in got[:-1]] == [None] * (len(got) - 1)


def test_a_json_object_holds_the_answer_its_sources_and_its_notes(serve_scripted: Any) -> None:
    with serve_scripted(ScriptedAnswerer(notes=("Vectors are still being made.",))) as served:
        whole = content(post(served, [WHEN], response_format={"type": "json_object"}))
        assert streamed(post(served, [WHEN], response_format={"type": "json_object"}, stream=True)) == whole
    quote = "See ![x](http://elsewhere/leak) the **channel**."
    assert json.loads(whole) == {
        "answer": "It is. [1]",
        "refused": False,
        "sources": [{"number": 1, "title": "T", "page": 3, "quote": quote}],
        "notes": ["Vectors are still being made."],
    }


def test_notes_stand_between_the_answer_and_its_sources_and_are_no_part_of_a_history() -> None:
    answer = make_answer(Question("Why?"), "The sources differ: [1] T and [2] U.", "See ![x](http://elsewhere/leak).")
    said = with_sources(answer)
    assert said == (
        "It is. [1]\n\nNotes:\n- The sources differ: [1] T and [2] U.\n- See x.\n\n"
        "Sources:\n[1] T · Below · page 3 · characters 0-48: “See x the channel.”"
    )
    refused = replace(answer, text="The documents do not say.", citations=(), notes=("Some are not read yet.",))
    assert with_sources(refused) == "The documents do not say.\n\nNotes:\n- Some are not read yet."
    for one in (answer, refused, make_answer(Question("Why?"))):
        assert without_sources(with_sources(one)) == one.text


@pytest.fixture(scope="module")
def parking(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The real service over two documents that differ in a figure."""
    folder = tmp_path_factory.mktemp("parking")
    for year, hours in ((2024, 3), (2026, 5)):
        folder.joinpath(f"rules-{year}.md").write_text(
            f"# Parking rules {year}\n\nVisitors may park in the yard for {hours} hours a day.\n", "utf-8"
        )
    library = Library(folder / "home", service.library.encoder)
    sync(library.open_or_create("default"), sorted(folder.glob("*.md")))
    return replace(service, library=library, answerer=replace(service.answerer, library=library))


def test_a_note_on_a_conflict_reaches_openai_and_mcp_clients(
    parking: Service, store: ConversationStore, loopback: Any
) -> None:
    from mcp import Client

    from service.composition.http import create_app
    from service.mcp.server import create_server
    from service.session.session import make_session

    question = "For how many hours a day may visitors park in the yard?"

    async def by_mcp() -> Any:
        async with Client(create_server(make_session(parking, store))) as client:
            return await client.call_tool("ask", {"question": question})

    asked: list[Any] = [{"role": "user", "content": question}]
    with loopback(create_app(parking, store)) as served:
        response = post(served, asked)
        whole, notes = content(response), response.json()["quoth"]["notes"]
        assert streamed(post(served, asked, stream=True)) == whole
    tool = anyio.run(by_mcp)
    assert any("differ" in note for note in notes)
    for said, record in ((whole, response.json()["quoth"]), (tool.content[0].text, tool.structured_content)):
        assert record["notes"] == notes
        assert said.startswith(f"{record['text']}\n\nNotes:\n- ")
        assert all(f"\n- {note}\n" in said for note in notes)
        sources = said.partition("\n\nSources:\n")[2].splitlines()
        assert [line.partition("]")[0] for line in sources] == [f"[{c['number']}" for c in record["citations"]]
