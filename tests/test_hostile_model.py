"""A language model's server that sends whatever it likes: every reply ends in an answer with a note, never in an error.

The answer is the model's where its sentences can be read and are supported, else the documents' own words.
"""

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from evaluation.drafting.question_writer import ProposedQuestions
from evaluation.errors import ModelUnavailable, NoReply
from evaluation.judge import JudgementForm
from evaluation.structured_replies import StructuredClient
from service.answering.service import Service
from service.composition.http import create_app
from service.followups.rewriter import Rewriter
from service.generators.budget import TokenBudget
from service.generators.remote import CircuitBreaker, RemoteGenerator
from service.prompts import Messages, load_prompts
from service.records import Turn
from service.storage.conversations import ConversationStore
from tests.model_server import (
    KEY,
    ModelServer,
    endless,
    event,
    generate_all,
    remote,
    serving,
    status,
    stream,
)

QUESTION = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
SAID = "Seoul holds the North responsible for at least six cyberattacks. [1]"
REFUSAL = "The documents do not say."
JUDGED = ("question", "reference", "answer", "quotes")
INSTEAD = "The answer is taken word for word from the documents instead."
DONE = "data: [DONE]\n\n"
STOP = event(finish="stop")
DEEP = "[" * 100_000 + "]" * 100_000


def delta(fields: Any, **choice: Any) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': fields, **choice}]})}\n\n"


def usage(read: Any, written: Any) -> tuple[str, ...]:
    counts = json.dumps({"prompt_tokens": read, "completion_tokens": written}).replace('"LONG"', "9" * 6000)
    return event(SAID), f'data: {{"choices": [], "usage": {counts}}}\n\n', STOP, DONE


KEPT = {
    "negative usage": stream(*usage(-5, -1)),
    "huge usage": stream(*usage(10**17, 10**17)),
    "usage of 6,000 digits": stream(*usage("LONG", "LONG")),
    "usage in fractions": stream(*usage(1.5, 1e300)),
    "usage in words": stream(*usage("many", None)),
    "usage as a list": stream(*usage([1], {"a": 1})),
    "usage that is no object": stream(event(SAID, usage=[3]), event(finish="stop", usage="none"), DONE),
    "half a character": stream(event(SAID[:-4] + "\ud83d"), event(" [1]"), STOP, DONE),
    "the other half of a character": stream(event("\ude00" + SAID), STOP, DONE),
    "null choices": stream('data: {"choices": null}\n\n', event(SAID), STOP, DONE),
    "choices of other types": stream('data: {"choices": ["text", 3, null]}\n\n', event(SAID), STOP, DONE),
    "no object": stream("data: 7\n\n", "data: null\n\n", 'data: ["a"]\n\n', event(SAID), STOP, DONE),
    "a null delta": stream(delta(None), event(SAID), STOP, DONE),
    "content of other types": stream(delta({"content": 5}), delta({"content": {"a": 1}}), event(SAID), STOP, DONE),
    "content in parts": stream(
        delta({"content": [{"type": "thinking", "text": "Hm."}, 3, {"type": "text", "text": SAID}, {"type": "text"}]}),
        STOP,
        DONE,
    ),
    "a finish of another type": stream(event(SAID, finish=7), event(finish=["stop"]), STOP, DONE),
    "no finish before the end": stream(event(SAID), DONE),
    "two finishes": stream(event(SAID), STOP, STOP, DONE),
    "a deep list after the finish": stream(event(SAID), STOP, f"data: {DEEP}\n\n"),
    "a second stream": stream(event(SAID), STOP, DONE, event("Bananas ripen slowly. [1]"), STOP, DONE),
    "a second choice": stream(
        event(SAID), delta({"content": "Bananas."}, index=1), delta({"content": "B."}, index=1), STOP, DONE
    ),
    "another content type": stream(event(SAID), STOP, DONE, kind="text/plain; charset=hex"),
    "a byte order mark": stream(b"\xef\xbb\xbf" + event(SAID).encode(), STOP, DONE),
    "bytes that are no text": stream(b": \xff\xfe\x80\n\n", event(SAID), STOP, DONE),
    "comments and odd fields": stream(": ping\n\n", "event: x\nid: 9\nretry: soon\n\n", event(SAID), STOP, DONE),
    "names of other types": stream(event(SAID, id=[1], model={"x": 1}, created="now", object=5), STOP, DONE),
    "control characters": stream(event("\x1b\x00\x07" + SAID), STOP, DONE),
    "cookies": stream(event(SAID), STOP, DONE, headers=[("Set-Cookie", "a=b; Path=/; Max-Age=x")]),
}
REPLACED = {
    "nothing": stream(STOP, DONE),
    "white space": stream(event(" \n\t "), STOP, DONE),
    "half a character alone": stream(event("\ud83d"), STOP, DONE),
    "unfinished reasoning": stream(event("<think>Seoul counts"), event(finish="length"), DONE),
    "a heading": stream(event("# Cyber briefing"), STOP, DONE),
    "a question": stream(event("How many attacks do you mean?"), STOP, DONE),
    "JSON": stream(event(json.dumps({"answer": SAID, "citations": [1]})), STOP, DONE),
    "JSON between fences": stream(event("```json\n" + json.dumps({"answer": SAID}) + "\n```"), STOP, DONE),
    "JSON after a word": stream(event("Sure:\n" + json.dumps({"answer": SAID, "citations": [1]})), STOP, DONE),
    "JSON in lines": stream(event("Sure:\n" + json.dumps({"answer": SAID, "citations": [1]}, indent=2)), STOP, DONE),
    "a list in JSON": stream(event(json.dumps([SAID])), STOP, DONE),
    "the call of a tool": stream(
        delta({"content": None, "tool_calls": [{"index": 0, "function": {"name": "search", "arguments": "{"}}]}),
        event(finish="tool_calls"),
        DONE,
    ),
    "the call of a function": stream(delta({"function_call": {"name": "x"}}), event(finish="function_call"), DONE),
    "the call of a tool in words": stream(event('<tool_call>\n{"name": "search"}\n</tool_call>'), STOP, DONE),
    "a sentence without support": stream(event("Seoul is made in China. [1]"), STOP, DONE),
    "the policy of the server": stream(delta({"refusal": "No."}), event(finish="content_filter"), DONE),
    "garbage": stream("\x00\x01 garbage\n\n", chunked=False),
    "half of JSON": stream("data: {broken\n\n"),
    "deep JSON": stream(f"data: {DEEP}\n\n", event(SAID), STOP, DONE),
    "deep objects": stream("data: " + '{"choices":' * 50_000 + "\n\n", event(SAID), STOP, DONE),
    "a huge event": stream(event("a" * 2**21), event(SAID), STOP, DONE),
    "an error": stream('data: {"error": {"message": "out of memory"}}\n\n', event(SAID), STOP, DONE),
    "a web page": stream("<html>It works!</html>", kind="text/html"),
    "a whole answer": stream(
        json.dumps({"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]}), kind="application/json"
    ),
    "compressed text": stream(
        gzip.compress((event(SAID) + STOP + DONE).encode()), headers=[("Content-Encoding", "gzip")]
    ),
    "no end": stream(event(), chunked=False),
}


@pytest.fixture(scope="module")
def model() -> ModelServer:
    return ModelServer(stream(STOP, DONE))


@pytest.fixture(scope="module")
def generator(model: ModelServer) -> Iterator[RemoteGenerator]:
    with remote(model, budget=TokenBudget(16_384, 512), breaker=CircuitBreaker(max_failures=10**9)) as generator:
        yield generator


@pytest.fixture(scope="module")
def address(service: Service, store: ConversationStore, generator: RemoteGenerator, loopback: Any) -> Iterator[str]:
    """The real service with a hostile model behind it."""
    policy = replace(service.answerer.policy, threshold=0.0, depth=3)
    rewriters = {"remote": Rewriter(generator, load_prompts(), 8000)}
    answerer = replace(
        service.answerer,
        generators={"remote": generator},
        generator="remote",
        policy=policy,
        rewriters=rewriters,
        new_id=lambda: uuid.uuid4().hex,
    )
    with loopback(create_app(replace(service, answerer=answerer), store)) as url:
        yield url


def ask(address: str, model: ModelServer, turn: Any) -> Any:
    model.turns = (turn,)
    response = httpx.post(f"{address}/v1/chat", json={"question": QUESTION}, timeout=120)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("reply", KEPT)
def test_a_readable_sentence_is_kept_whatever_is_odd_around_it(address: str, model: ModelServer, reply: str) -> None:
    answer = ask(address, model, KEPT[reply])
    assert (answer["generator"], answer["refused"]) == ("remote", False), answer["notes"]
    assert "six cyberattacks" in answer["text"]
    assert "Bananas" not in answer["text"]
    assert answer["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}


@pytest.mark.parametrize("reply", REPLACED)
def test_a_reply_without_a_usable_sentence_is_replaced_by_the_documents_own_words(
    address: str, model: ModelServer, reply: str
) -> None:
    answer = ask(address, model, REPLACED[reply])
    assert (answer["generator"], answer["refused"]) == ("extractive", False)
    assert answer["citations"]
    assert "six cyberattacks" in answer["text"]
    assert not set("{}<>") & set(answer["text"])
    assert any(note.startswith(("The language", "No sentence")) and note.endswith(INSTEAD) for note in answer["notes"])


def test_a_tool_call_has_a_note_of_its_own(address: str, model: ModelServer) -> None:
    notes = ask(address, model, REPLACED["the call of a tool"])["notes"]
    assert notes[0] == "The language model called a tool instead of writing an answer."


def test_a_refusal_in_the_models_own_words_stays_a_refusal(address: str, model: ModelServer) -> None:
    answer = ask(address, model, stream(event(REFUSAL), STOP, DONE))
    assert (answer["refused"], answer["text"], answer["generator"]) == (True, REFUSAL, "remote")


@pytest.mark.parametrize("reply", ["half a character alone", "deep JSON", "JSON", "a sentence without support"])
def test_a_streamed_answer_ends_with_the_documents_own_words_too(address: str, model: ModelServer, reply: str) -> None:
    model.turns = (REPLACED[reply],)
    body = {"question": QUESTION, "stream": True}
    lines = httpx.post(f"{address}/v1/chat", json=body, timeout=120).text.splitlines()
    answer = json.loads(lines[lines.index("event: answer") + 1].removeprefix("data: "))
    assert (answer["generator"], answer["refused"]) == ("extractive", False)


@pytest.mark.parametrize("reply", [*KEPT, *REPLACED])
def test_a_follow_up_is_always_rewritten_by_the_model_or_by_rules(
    model: ModelServer, generator: RemoteGenerator, reply: str
) -> None:
    model.turns = ({**KEPT, **REPLACED}[reply],)
    history = [Turn("Who hit banks in Seoul?", "The North did.")]
    result = Rewriter(generator, load_prompts(), 8000).rewrite("And when?", history)
    assert result.text.startswith("And when?")
    assert result.notes


@pytest.fixture(scope="module", params=["judge", "question writer"])
def client(request: pytest.FixtureRequest, model: ModelServer) -> Iterator[StructuredClient[Any]]:
    """The client of the judge, or of the question writer."""
    from service.generators.openai_client import ModelEndpoint

    with serving(model) as url:
        server = ModelEndpoint(url, "m", KEY, 5.0)
        made: StructuredClient[Any] = (
            StructuredClient(server, "judge", JUDGED, JudgementForm, pause=lambda _: None)
            if request.param == "judge"
            else StructuredClient(
                server, "draft", ("title", "passage"), ProposedQuestions, constants={"most": "3"}, pause=lambda _: None
            )
        )
        with closing(made):
            yield made


@pytest.mark.parametrize("reply", [*KEPT, *REPLACED])
def test_the_judge_and_the_question_writer_have_no_reply_instead_of_an_error(
    model: ModelServer, client: StructuredClient[Any], reply: str
) -> None:
    model.turns = ({**KEPT, **REPLACED}[reply],)
    with suppress(NoReply, ModelUnavailable):
        assert client.ask(Messages("Judge.", "It.")).form is None


def test_a_judge_told_to_wait_for_years_gives_up_instead() -> None:
    from service.generators.openai_client import ModelEndpoint

    model = ModelServer(status(429, [("Retry-After", "9" * 400)]))
    pauses: list[float] = []
    with serving(model) as url:
        client = StructuredClient(
            ModelEndpoint(url, "m", KEY, 5.0), "judge", JUDGED, JudgementForm, pause=pauses.append
        )
        with closing(client), pytest.raises(ModelUnavailable, match="status 429"):
            client.ask(Messages("Judge.", "It."))
    assert pauses == []


def test_a_server_that_drips_its_headers_is_given_up_after_the_time_limit() -> None:
    def drip(handler: Any) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while True:
                handler.wfile.write(b"a")
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            model.hung_up.set()

    model = ModelServer(drip)
    with remote(model, silence_s=0.2) as generator:
        out, error = generate_all(generator)
    assert len(out) == 1
    assert "did not answer in time (llm_timeout_s = 0.2)" in str(error)
    assert model.hung_up.wait(5)


@pytest.mark.parametrize("part", [": ping\n", "data: ", " ", event()])
def test_an_endless_drip_is_given_up_after_the_time_limit(part: str) -> None:
    model = ModelServer()
    model.turns = (endless(model, part),)
    with remote(model, silence_s=0.2) as generator:
        _, error = generate_all(generator)
    assert "did not answer in time" in str(error)
    assert model.hung_up.wait(5)


def test_a_servers_cookies_are_not_kept() -> None:
    model = ModelServer(*[stream(event(SAID), STOP, DONE, headers=[("Set-Cookie", "id=7; Path=/")])] * 2)
    with remote(model) as generator:
        generate_all(generator)
        generate_all(generator)
    assert "Cookie" not in model.headers[1]
