"""The clients that people ask with, each the real one, over a server on loopback: with a history, streamed, with an error."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.answering.service import Service
from service.storage.conversations import ConversationStore

TESTS = Path(__file__).parent
ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
HISTORY = [
    {"role": "user", "content": "What time is it?"},
    {"role": "assistant", "content": "It is noon."},
]


def run(command: list[str], base: str) -> Any:
    """What the program prints, as JSON."""
    environment = {**os.environ, "BASE": base, "QUESTION": ATTACKS, "LANGSMITH_TRACING": "false"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_python(name: str, base: str) -> Any:
    python = TESTS.parent / ".venv-clients" / "bin" / "python"
    if not python.is_file():
        pytest.skip("LangChain and LlamaIndex are not installed: make clients")
    return run([str(python), str(TESTS / "clients" / name)], base)


def run_node(name: str, package: str, base: str) -> Any:
    node = shutil.which("node")
    if node is None or not (TESTS / "node" / "node_modules" / package).is_dir():
        pytest.skip(f"Node or its package {package} is not installed: make node")
    return run([node, str(TESTS / "node" / name)], base)


@pytest.fixture(scope="module")
def expected(served: str) -> str:
    """The text of the answer after an earlier turn."""
    body = {"model": "quoth", "messages": [*HISTORY, {"role": "user", "content": ATTACKS}]}
    reply = httpx.post(f"{served}/v1/chat/completions", json=body, timeout=100).raise_for_status().json()
    text: str = reply["choices"][0]["message"]["content"]
    assert "Sources:\n[1] " in text
    return text


def test_langchain_asks_with_tools_images_and_a_history(served: str, expected: str) -> None:
    said = run_python("ask_langchain.py", f"{served}/v1")
    assert said["whole"] == said["stream"] == said["tools"] == expected
    assert said["usage"]["total_tokens"] == 0
    assert expected.startswith(said["json"]["answer"])
    assert [source["number"] for source in said["json"]["sources"]][:1] == [1]
    assert said["failed"][:2] == [404, "collection-missing"]
    assert "'papers'" in said["failed"][2]
    assert said["forced"][:2] == [422, "request-invalid"]
    assert "Quoth calls none" in said["forced"][2]


def test_llamaindex_asks_with_tools_images_and_a_history(served: str, expected: str) -> None:
    said = run_python("ask_llamaindex.py", f"{served}/v1")
    assert said["whole"] == said["stream"] == expected
    assert "Sources:\n[1] " in said["complete"]
    assert said["failed"][:2] == [404, "collection-missing"]
    assert "'papers'" in said["failed"][2]


def test_vercels_ai_asks_with_tools_images_and_a_history(served: str, expected: str) -> None:
    said = run_node("ask_ai.mjs", "ai", f"{served}/v1")
    assert said["whole"] == said["stream"] == expected
    assert said["reason"] == "stop"
    assert said["usage"]["totalTokens"] == 0
    assert said["failed"][0] == 404
    assert "'papers'" in said["failed"][1]


def test_the_mcp_sdk_for_node_asks_and_follows_up(service: Service, store: ConversationStore, loopback: Any) -> None:
    from service.composition.mcp import create_mcp_app
    from service.session.session import make_session

    with loopback(create_mcp_app(make_session(service, store), anonymous=True)) as address:
        said = run_node("ask_mcp.mjs", "@modelcontextprotocol/sdk", f"{address}/mcp")
    assert said["tools"] == ["ask", "search", "read_document"]
    assert said["text"].startswith(said["answer"]["text"])
    assert "\n\nSources:\n[1] " in said["text"]
    kept = [stored.answer.id for stored in store.answers(said["answer"]["conversation_id"])]
    assert kept == [said["answer"]["id"], said["second"]["id"]]
    assert said["failed"][0] is True
    assert "no collection 'papers'" in said["failed"][1]
