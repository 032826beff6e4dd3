"""A question that is asked as typed is read as it is, through every door."""

from pathlib import Path
from typing import Any

import anyio
import httpx
import openai
from mcp import Client
from typer.testing import CliRunner

from service.answering.service import Service
from service.cli.app import app
from service.client import Quoth
from service.mcp.server import create_server
from service.session.session import make_session
from service.storage.conversations import ConversationStore

FIRST = "Since when does Seoul count North Korean cyberattacks?"
FOLLOW_UP = "And in 2009?"
KEYWORD = "cyberattacks"


def test_a_follow_up_is_read_with_the_history_unless_it_is_asked_as_typed(served: str) -> None:
    with httpx.Client(base_url=served, timeout=100) as client:
        first = client.post("/v1/chat", json={"question": FIRST}).json()
        again = {"question": FOLLOW_UP, "conversation_id": first["conversation_id"]}
        read = client.post("/v1/chat", json=again).json()
        typed = client.post("/v1/chat", json={**again, "as_typed": True}).json()
    assert read["rewritten_question"] != FOLLOW_UP
    assert typed["rewritten_question"] == FOLLOW_UP
    assert typed["conversation_id"] == first["conversation_id"]


def test_the_client_asks_as_typed_whole_and_streamed(served: str) -> None:
    with Quoth(served) as quoth:
        first = quoth.ask(FIRST)
        whole = quoth.ask(FOLLOW_UP, conversation_id=first.conversation_id, as_typed=True)
        *_, streamed = quoth.stream(FOLLOW_UP, conversation_id=first.conversation_id, as_typed=True)
    assert (whole.rewritten_question, getattr(streamed, "rewritten_question", "")) == (FOLLOW_UP, FOLLOW_UP)


def test_a_client_of_openai_asks_as_typed_with_an_extra_field(served: str) -> None:
    messages: list[Any] = [
        {"role": "user", "content": FIRST},
        {"role": "assistant", "content": "Since 2007. [1]"},
        {"role": "user", "content": FOLLOW_UP},
    ]

    def read_as(**more: Any) -> str:
        completion = client.chat.completions.create(model="quoth", messages=messages, **more)
        return str((completion.model_extra or {})["quoth"]["rewritten_question"])

    with openai.OpenAI(base_url=f"{served}/v1", api_key="none") as client:
        assert read_as() != FOLLOW_UP
        assert read_as(extra_body={"as_typed": True}) == FOLLOW_UP


def test_an_assistant_asks_as_typed(service: Service, store: ConversationStore) -> None:
    async def read_as(**more: Any) -> str:
        async with Client(create_server(make_session(service, store))) as client:
            answer = (await client.call_tool("ask", {"question": KEYWORD, **more})).structured_content
            return str((answer or {})["rewritten_question"])

    assert anyio.run(read_as) != KEYWORD
    assert anyio.run(lambda: read_as(as_typed=True)) == KEYWORD


def test_the_command_reads_a_keyword_as_typed(service: Service, home: Path) -> None:
    def output(*options: str) -> str:
        return CliRunner().invoke(app, ["ask", KEYWORD, *options], env={"QUOTH_HOME": str(home)}).stdout

    assert "Read as: " in output()
    assert "Read as: " not in output("--as-typed")
