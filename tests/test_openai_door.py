"""The OpenAI-compatible API, used by OpenAI's own clients for Python and Node over a real server on loopback."""

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from index.errors import CollectionBusy
from service.progress import Stages
from service.records import Excerpt, Question
from service.text.plain import source_list, with_sources, without_sources
from tests.scripted_answerer import ScriptedAnswerer, make_answer

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"
ASKED: list[Any] = [{"role": "user", "content": ATTACKS}]


@pytest.fixture
def client(served: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0, timeout=100) as client:
        yield client


def extra(model: Any) -> dict[str, Any]:
    return model.model_extra["quoth"]  # type: ignore[no-any-return]


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("text", "sentences", "citations", "passages", "confidence", "refused")}


def test_an_answer_has_markers_sources_and_the_same_record_as_our_own_route(client: openai.OpenAI, served: str) -> None:
    completion = client.chat.completions.create(model="quoth", messages=ASKED, temperature=0.7, max_tokens=5)
    ours = httpx.post(f"{served}/v1/chat", json={"question": ATTACKS}, timeout=100).json()
    answer = extra(completion)
    assert comparable(answer) == comparable(ours)
    content = completion.choices[0].message.content
    assert content is not None
    assert content.startswith(f"{ours['text']}\n\nSources:\n[1] ")
    for citation in ours["citations"]:
        assert f"\n[{citation['number']}] {citation['title']}" in content
    assert (completion.object, completion.choices[0].finish_reason, completion.model) == (
        "chat.completion",
        "stop",
        "quoth",
    )
    assert completion.usage is not None
    assert completion.usage.total_tokens == 0
    assert httpx.get(f"{served}/v1/answers/{answer['id']}").json()["answer"] == answer


def test_a_stream_has_the_same_text_and_ends_with_the_record(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="default", messages=ASKED)
    chunks = list(
        client.chat.completions.create(
            model="default", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) == len(extra(whole)["sentences"]) + 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1
    last = [chunk for chunk in chunks if chunk.choices][-1]
    assert last.choices[0].finish_reason == "stop"
    assert comparable(extra(last)) == comparable(extra(whole))
    assert chunks[-1].usage is not None
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_the_async_client_streams_too(served: str) -> None:
    import anyio

    async def text() -> str:
        async with openai.AsyncOpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client:
            stream: AsyncIterator[Any] = await client.chat.completions.create(
                model="quoth", messages=ASKED, stream=True
            )
            return "".join([choice.delta.content or "" async for chunk in stream for choice in chunk.choices])

    assert "\n\nSources:\n[1] " in anyio.run(text)


def test_a_refusal_says_what_the_documents_do_not_mention(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": UNRELATED}]}]
    completion = client.chat.completions.create(model="quoth", messages=messages)
    refusal = "The documents do not say.\n\nNotes:\n- The documents do not mention mitochondrion."
    assert completion.choices[0].message.content == refusal
    stream = client.chat.completions.create(model="quoth", messages=messages, stream=True)
    said = [choice.delta.content or "" for chunk in stream for choice in chunk.choices]
    assert "".join(said) == refusal


def test_models_are_the_collections(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["quoth", "default"]
    assert client.models.retrieve("default").owned_by == "quoth"
    with pytest.raises(openai.NotFoundError, match="'papers'"):
        client.models.retrieve("papers")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ({"model": "papers", "messages": ASKED}, openai.NotFoundError, "collection-missing"),
        ({"model": "GPT-4o", "messages": ASKED}, openai.UnprocessableEntityError, "collection-name-invalid"),
        ({"model": "quoth", "messages": []}, openai.UnprocessableEntityError, "request-invalid"),
        (
            {"model": "quoth", "messages": [*ASKED, {"role": "assistant", "content": "Six."}]},
            openai.UnprocessableEntityError,
            "question-invalid",
        ),
        (
            {"model": "quoth", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            openai.UnprocessableEntityError,
            "request-invalid",
        ),
        ({"model": "quoth", "messages": ASKED, "n": 2}, openai.UnprocessableEntityError, "request-invalid"),
    ],
)
def test_errors_reach_the_client_with_their_code(
    client: openai.OpenAI, body: Any, error: type[openai.APIStatusError], code: str, stream: bool
) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(**body, stream=stream)
    assert raised.value.code == code
    assert raised.value.response.headers["content-type"] == "application/problem+json"
    assert raised.value.response.json()["detail"] == raised.value.response.json()["error"]["message"]


def test_earlier_messages_are_the_history(serve_scripted: Any) -> None:
    answerer = ScriptedAnswerer()
    first = with_sources(make_answer(Question("Which channel?")))
    with serve_scripted(answerer) as served, openai.OpenAI(base_url=f"{served}/v1", api_key="none") as client:
        client.chat.completions.create(
            model="quoth",
            messages=[
                {"role": "system", "content": "Say only yes."},
                {"role": "user", "content": "Which channel?"},
                {"role": "assistant", "content": first},
                {"role": "user", "content": "Unanswered?"},
                {"role": "user", "content": "And when?"},
            ],
        )
    (question,) = answerer.questions
    assert question.text == "And when?"
    assert [(turn.question, turn.answer) for turn in question.history] == [
        ("Which channel?", "It is. [1]"),
        ("Unanswered?", ""),
    ]


def test_a_failure_in_a_stream_reaches_the_client_as_an_error_without_secrets(serve_scripted: Any) -> None:
    with (
        serve_scripted(ScriptedAnswerer(RuntimeError("the secret is 4711"))) as served,
        openai.OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.APIError) as raised,
    ):
        list(client.chat.completions.create(model="quoth", messages=ASKED, stream=True))
    assert "4711" not in str(raised.value)
    assert "Something broke" in str(raised.value)


def test_a_temporary_failure_is_a_503_that_the_client_retries(serve_scripted: Any) -> None:
    class Busy(ScriptedAnswerer):
        def stream(self, question: Question, stages: Stages | None = None) -> Iterator[Any]:
            if not self.questions:
                self.questions.append(question)
                raise CollectionBusy("collection default: process 7 is writing. Try again.")
            yield from super().stream(question, stages)

    answerer = Busy()
    with (
        serve_scripted(answerer) as served,
        openai.OpenAI(base_url=f"{served}/v1", api_key="none", max_retries=1) as client,
    ):
        completion = client.chat.completions.create(model="quoth", messages=ASKED)
    assert completion.choices[0].message.content is not None
    assert len(answerer.questions) == 2


def test_the_source_list_has_the_location_and_loads_nothing() -> None:
    answer = make_answer(Question("Why?"))
    assert source_list(answer) == "Sources:\n[1] T · Below · page 3 · characters 0-48: “See x the channel.”"
    assert without_sources(with_sources(answer)) == answer.text
    same = replace(answer, citations=(replace(answer.citations[0], trail=("Top", "T")),))
    assert source_list(same) == "Sources:\n[1] T · page 3 · characters 0-48: “See x the channel.”"


def test_the_source_list_shows_what_a_quote_is_read_with() -> None:
    answer = make_answer(Question("Why?"))

    def listed(*quotes: str) -> str:
        context = tuple(Excerpt(100, 100 + len(quote), quote) for quote in quotes)
        return source_list(replace(answer, citations=(replace(answer.citations[0], context=context),)))

    place = "Sources:\n[1] T · Below · page 3 · characters 0-48: "
    assert listed("Article", "**Oslo**\n") == f"{place}Article · Oslo: “See x the channel.”"
    assert listed("You may [return](http://e.org):") == f"{place}You may return: “See x the channel.”"
    assert listed("cell " * 100).endswith("cell …: “See x the channel.”")


NODE = """
import { createRequire } from "node:module";
const OpenAI = createRequire(process.env.FROM + "/")("openai").default;
const client = new OpenAI({ baseURL: process.env.BASE, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user", content: process.env.QUESTION }];
const whole = await client.chat.completions.create({ model: "quoth", messages });
let text = "", record = null;
for await (const chunk of await client.chat.completions.create({ model: "quoth", messages, stream: true })) {
  text += chunk.choices[0]?.delta?.content ?? "";
  record = chunk.quoth ?? record;
}
const failed = await client.chat.completions.create({ model: "papers", messages }).catch((error) => error);
const models = (await client.models.list()).data.map((model) => model.id);
console.log(JSON.stringify({
  whole: whole.choices[0].message.content, text, citations: [whole.quoth.citations, record.citations],
  failed: [failed.status, failed.code, failed.message], models,
}));
"""


def test_the_node_client_gets_the_same(served: str, client: openai.OpenAI) -> None:
    """Run Node's package `openai`."""
    node, folder = shutil.which("node"), Path(__file__).parent / "node"
    if node is None or not folder.joinpath("node_modules", "openai").is_dir():
        pytest.skip("Node or its package openai is not installed: make node")
    environment = {**os.environ, "FROM": str(folder), "BASE": f"{served}/v1", "QUESTION": ATTACKS}
    done = subprocess.run(
        [node, "--input-type=module", "-e", NODE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    completion = client.chat.completions.create(model="quoth", messages=ASKED)
    assert said["whole"] == said["text"] == completion.choices[0].message.content
    assert said["citations"] == [extra(completion)["citations"]] * 2
    assert said["failed"][:2] == [404, "collection-missing"]
    assert "'papers'" in said["failed"][2]
    assert said["models"] == ["quoth", "default"]
