"""The MCP server, through the official client: in process, over HTTP on loopback, and over the streams of `quoth mcp`."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from service.answering.service import Service
from service.storage.conversations import ConversationStore

ROOT = Path(__file__).parent.parent
ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"


def talk(server: Any, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    async def connect() -> Any:
        async with Client(server) as client:
            return await conversation(client)

    return anyio.run(connect)


@pytest.fixture(scope="module")
def server(service: Service, store: ConversationStore) -> Any:
    from service.mcp.server import create_server
    from service.session.session import make_session

    return create_server(make_session(service, store))


def text_of(result: Any) -> str:
    assert not result.is_error, result.content
    return str(result.content[0].text)


async def converse(client: Client) -> dict[str, Any]:
    """Ask, search, and read the document around the first quote."""
    asked = await client.call_tool("ask", {"question": ATTACKS})
    answer: dict[str, Any] = asked.structured_content or {}
    quote = answer["citations"][0]
    place = {name: quote[name] for name in ("document_id", "version", "start", "end")}
    read = await client.call_tool("read_document", place)
    assert read.structured_content is not None
    assert read.structured_content["text"] == quote["quote"]
    found = await client.call_tool("search", {"query": ATTACKS, "k": 2})
    assert found.structured_content is not None
    assert len(found.structured_content["hits"]) == 2
    assert text_of(asked).startswith(f"{answer['text']}\n\nSources:\n[1] ")
    assert quote["document_id"] in text_of(found)
    return answer


def test_the_tools_are_named_described_and_read_only(server: Any) -> None:
    tools = talk(server, lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == ["ask", "search", "read_document"]
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert all(field.get("description") for field in tool.input_schema["properties"].values())
        assert tool.output_schema


def test_a_conversation_in_process_and_over_http_gives_the_same_answer(
    server: Any, service: Service, store: ConversationStore, served: str, loopback: Any
) -> None:
    from service.composition.mcp import create_mcp_app
    from service.session.session import make_session

    ours = httpx.post(f"{served}/v1/chat", json={"question": ATTACKS}, timeout=100).json()
    app = create_mcp_app(make_session(service, store), anonymous=True)
    with loopback(app) as address:
        remote = talk(f"{address}/mcp", converse)
        turned_away = httpx.post(f"{address}/mcp", json={}, headers={"Host": "attacker.example"})
        foreign = httpx.post(f"{address}/mcp", json={}, headers={"Origin": "https://attacker.example"})
    assert (turned_away.status_code, foreign.status_code) == (421, 403)
    near = talk(server, converse)
    for name in ("text", "sentences", "citations", "passages", "confidence"):
        assert near[name] == remote[name] == ours[name]


def test_answers_are_stored_and_followed_up(server: Any, store: ConversationStore) -> None:
    async def two(client: Client) -> Any:
        first = (await client.call_tool("ask", {"question": ATTACKS})).structured_content or {}
        again = {"question": "And since when?", "conversation_id": first["conversation_id"]}
        return first, (await client.call_tool("ask", again)).structured_content

    first, second = talk(server, two)
    assert [kept.answer.id for kept in store.answers(first["conversation_id"])] == [first["id"], second["id"]]


def test_a_refusal_is_an_answer(server: Any) -> None:
    result = talk(server, lambda client: client.call_tool("ask", {"question": UNRELATED}))
    assert text_of(result) == "The documents do not say.\n\nNotes:\n- The documents do not mention mitochondrion."
    assert result.structured_content["refused"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask", {"question": " "}, "The question is empty"),
        ("ask", {"question": "Why?", "collection": "papers"}, "no collection 'papers'"),
        ("ask", {"question": "Why?", "conversation_id": "none"}, "No conversation"),
        ("search", {"query": "x", "k": 0}, "k"),
        ("read_document", {"document_id": "none"}, "'none'"),
    ],
)
def test_an_error_message_says_what_the_model_can_do(server: Any, tool: str, arguments: Any, said: str) -> None:
    result = talk(server, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    assert said in result.content[0].text


def test_a_long_document_is_read_in_parts(server: Any, service: Service) -> None:
    from service.mcp.server import MAX_CHARACTERS

    document = max(service.library.open("default").documents.list(), key=lambda found: found.characters)

    def read(**place: int) -> Any:
        arguments = {"document_id": document.id, **place}
        return talk(server, lambda client: client.call_tool("read_document", arguments)).structured_content

    assert read()["end"] == min(document.characters, MAX_CHARACTERS)
    beyond = read(start=10**9)
    assert (beyond["text"], beyond["start"], beyond["length"]) == ("", document.characters, document.characters)
    assert read(start=5, end=2)["text"] == ""


@pytest.mark.timeout(400)
def test_the_command_serves_over_its_standard_streams(service: Service, home: Path) -> None:
    environment = {**os.environ, "QUOTH_HOME": str(home)}
    command = StdioServerParameters(command=sys.executable, args=["-m", "quoth", "mcp"], env=environment, cwd=str(ROOT))
    answer = talk(stdio_client(command), converse)
    assert not answer["refused"]
    assert answer["generator"] == "extractive"
