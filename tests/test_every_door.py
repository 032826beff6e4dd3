"""The same question gives the same sentences and citations through every door."""

import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from typer.testing import CliRunner

from service.answering.service import Service
from service.cli.app import app
from service.client import AsyncQuoth, Quoth
from service.records import Answer
from service.schemas.answers import AnswerOut
from service.storage.conversations import ConversationStore

QUESTIONS = [
    "How many cyberattacks of note does Seoul hold the North responsible for since 2007?",
    "Which enzyme folds the outer membrane of a mitochondrion?",
]


def answer_json(answer: Answer) -> Any:
    return json.loads(AnswerOut.of(answer).model_dump_json())


def by_json(served: str, question: str) -> Any:
    return httpx.post(f"{served}/v1/chat", json={"question": question}, timeout=100).raise_for_status().json()


def by_stream(served: str, question: str) -> Any:
    body = {"question": question, "stream": True}
    lines = httpx.post(f"{served}/v1/chat", json=body, timeout=100).text.splitlines()
    return json.loads(lines[lines.index("event: answer") + 1].removeprefix("data: "))


def by_openai(served: str, question: str) -> Any:
    import openai

    with openai.OpenAI(base_url=f"{served}/v1", api_key="none") as client:
        messages: list[Any] = [{"role": "user", "content": question}]
        return (client.chat.completions.create(model="quoth", messages=messages).model_extra or {})["quoth"]


def by_openai_stream(served: str, question: str) -> Any:
    import openai

    with openai.OpenAI(base_url=f"{served}/v1", api_key="none") as client:
        messages: list[Any] = [{"role": "user", "content": question}]
        *_, last = client.chat.completions.create(model="quoth", messages=messages, stream=True)
        return (last.model_extra or {})["quoth"]


def by_client(served: str, question: str) -> Any:
    with Quoth(served) as quoth:
        return answer_json(quoth.ask(question))


def by_client_stream(served: str, question: str) -> Any:
    with Quoth(served) as quoth:
        *_, answer = quoth.stream(question)
        assert isinstance(answer, Answer)
        return answer_json(answer)


def by_async_client(served: str, question: str) -> Any:
    async def ask() -> Any:
        async with AsyncQuoth(served) as quoth:
            return answer_json(await quoth.ask(question))

    return anyio.run(ask)


def by_mcp(service: Service, store: ConversationStore, question: str) -> Any:
    from mcp import Client

    from service.mcp.server import create_server
    from service.session.session import make_session

    async def ask() -> Any:
        async with Client(create_server(make_session(service, store))) as client:
            return (await client.call_tool("ask", {"question": question})).structured_content

    return anyio.run(ask)


def by_command(home: Path, question: str) -> Any:
    result = CliRunner().invoke(app, ["ask", question, "--json"], env={"QUOTH_HOME": str(home)})
    return json.loads(result.stdout)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_door_gives_the_same_answer(
    question: str, served: str, service: Service, store: ConversationStore, home: Path
) -> None:
    answers = {
        "JSON": by_json(served, question),
        "stream": by_stream(served, question),
        "OpenAI": by_openai(served, question),
        "OpenAI stream": by_openai_stream(served, question),
        "client": by_client(served, question),
        "client stream": by_client_stream(served, question),
        "async client": by_async_client(served, question),
        "MCP": by_mcp(service, store, question),
        "command": by_command(home, question),
    }
    ours = answers["JSON"]
    assert ours["refused"] == (question == QUESTIONS[1])
    for door, answer in answers.items():
        for name in ("text", "refused", "sentences", "citations"):
            assert answer[name] == ours[name], door
    places = {door: [passage["chunk_id"] for passage in answer["passages"]] for door, answer in answers.items()}
    assert set(map(tuple, places.values())) == {tuple(places["JSON"])}
