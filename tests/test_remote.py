"""The generator `remote` against real servers on loopback: requests, sentences, single lines, token limits."""

import json
from pathlib import Path

import httpx
import pytest

from service.errors import GeneratorUnavailable
from service.generators.budget import TokenBudget, estimate_tokens
from service.generators.protocol import Completion, Draft, Report
from service.generators.remote import RemoteGenerator
from service.progress import AnswerStopped, Stages
from service.prompts import Messages, load_prompts
from service.records import Usage
from tests.model_server import (
    GOOD,
    KEY,
    PASSAGES,
    USAGE,
    ModelServer,
    endless,
    event,
    generate_all,
    passage,
    remote,
    status,
    stream,
    texts,
)


def test_sentences_come_with_the_passages_they_name_then_the_report():
    model = ModelServer(stream(*GOOD))
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert error is None
    assert out == [
        Draft("Seoul counts six.", passages=(0,)),
        Draft("Kerry came in May.", passages=(1,)),
        Report(load_prompts().hash, Usage(120, 9)),
    ]


def test_the_request_has_numbered_passages_between_fences_and_the_key_in_a_header():
    model = ModelServer(stream(*GOOD))
    with remote(model) as generator:
        generate_all(generator)
    path, body = model.bodies[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["temperature"], body["max_tokens"], body["stream"]) == ("some-model", 0.0, 64, True)
    system, user = (message["content"] for message in body["messages"])
    assert "The documents do not say." in system
    fence = user.splitlines()[0]
    assert fence.startswith("<passages-")
    assert fence in system
    assert user.index(fence) < user.index("[1] Cyber briefing\nSeoul holds") < user.index("[2] Cyber briefing\nIn May")
    assert user.index("In May") < user.index(fence.replace("<", "</")) < user.index("How many attacks?")
    assert model.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_closing_the_iterator_ends_the_request():
    model = ModelServer()
    model.turns = (endless(model, event("Seoul counts six attacks [1]. ")),)
    with remote(model) as generator:
        sentences = generator.generate("How many?", PASSAGES)
        assert next(sentences) == Draft("Seoul counts six attacks.", passages=(0,))
        assert not model.hung_up.is_set()
        sentences.close()
        assert model.hung_up.wait(5)


def test_a_model_that_repeats_itself_is_stopped():
    model = ModelServer()
    model.turns = (endless(model, event("Seoul counts six attacks [1]. ")),)
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert (texts(out), error) == (["Seoul counts six attacks."], None)
    assert model.hung_up.wait(5)


def test_a_server_that_refuses_the_usual_arguments_gets_only_the_basic_ones_afterwards():
    model = ModelServer(status(400), stream(*GOOD), stream(*GOOD))
    with remote(model) as generator:
        assert texts(generate_all(generator)[0]) == ["Seoul counts six.", "Kerry came in May."]
        generate_all(generator)
    kinds = [sorted(body.keys() & {"max_tokens", "max_completion_tokens", "temperature"}) for _, body in model.bodies]
    assert kinds == [["max_tokens", "temperature"], ["max_completion_tokens"], ["max_completion_tokens"]]


LINE = Messages("Rewrite it.", "Who?")


def test_a_single_line_is_requested_once_without_reasoning_and_counted():
    model = ModelServer(
        stream(event("<think>Hm.</think>Who "), event("hit banks?"), event(finish="stop", **USAGE)), status(503)
    )
    with remote(model) as generator:
        assert generator.complete(LINE) == Completion("Who hit banks?", Usage(120, 9))
        with pytest.raises(GeneratorUnavailable, match="status 503"):
            generator.complete(LINE)
    assert [body["messages"][1]["content"] for _, body in model.bodies] == ["Who?", "Who?"]
    assert (model.bodies[0][1]["max_tokens"], model.bodies[0][1]["temperature"]) == (256, 0.0)


def test_a_single_line_is_requested_with_basic_arguments_where_others_are_refused():
    model = ModelServer(status(400), stream(event("Who?"), event(finish="stop")))
    with remote(model) as generator:
        assert generator.complete(LINE).text == "Who?"
    assert "max_completion_tokens" in model.bodies[1][1]


def test_a_single_line_is_given_up_when_the_server_only_keeps_the_connection_open():
    model = ModelServer()
    model.turns = (endless(model, ": ping\n\n"),)
    with remote(model, silence_s=600.0, line_s=0.3) as generator:
        with pytest.raises(GeneratorUnavailable, match=r"llm_rewrite_timeout_s = 0\.3"):
            generator.complete(LINE)
        assert model.hung_up.wait(30)


def test_reasoning_is_left_out():
    model = ModelServer(
        stream(event("<thi"), event("nk>I wonder. [9]\n</thi"), event("nk>\n\nSix. [1]"), event(finish="stop"))
    )
    with remote(model) as generator:
        assert generate_all(generator)[0][:-1] == [Draft("Six.", passages=(0,))]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_a_field_of_its_own_is_left_out(field):
    thought = {"index": 0, "delta": {field: "Kerry came in May. [2]"}, "finish_reason": None}
    first = f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'choices': [thought]})}\n\n"
    model = ModelServer(stream(first, event("Six. [1]"), event(finish="stop")))
    with remote(model) as generator:
        assert generate_all(generator)[0][:-1] == [Draft("Six.", passages=(0,))]


def test_an_answer_cut_at_the_token_limit_loses_its_unfinished_sentence_with_a_note():
    model = ModelServer(stream(event("Seoul counts six. [1] Kerry came in the"), event(finish="length")))
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert (texts(out), error) == (["Seoul counts six."], None)
    assert out[-1].notes == ("The language model was stopped after 64 tokens; the end may be missing.",)


def test_passages_beyond_the_context_are_left_out_by_the_servers_token_count():
    many = [passage(f"Fact number {n} stands here, and nothing else is of note in it. " * 8, n) for n in range(12)]
    budget = TokenBudget(context=1500, answer=100)

    def tokenize(handler):
        content = model.bodies[-1][1]["content"]
        status(200, body=json.dumps({"tokens": content.split()}))(handler)

    def either(handler):
        (tokenize if model.bodies[-1][0] == "/tokenize" else stream(*GOOD))(handler)

    def neither(handler):
        (status(404) if model.bodies[-1][0] == "/tokenize" else stream(*GOOD))(handler)

    def shown():
        return sum("Cyber briefing\n" in part for part in model.bodies[-1][1]["messages"][1]["content"].split("[")[1:])

    model = ModelServer(either)
    with remote(model, budget=budget) as generator:
        out, _ = generate_all(generator, many)
        counted = shown()
    prompt = " ".join(message["content"] for message in model.bodies[-1][1]["messages"])
    assert len(prompt.split()) <= budget.room
    assert out[-1].notes == (f"The language model's context held {12 - counted} fewer passages than were found.",)
    model = ModelServer(neither)
    with remote(model, budget=budget) as generator:
        generate_all(generator, many)
        estimated = shown()
    assert 1 <= estimated < counted < 12


def test_a_token_count_that_was_cut_off_is_requested_again_next_time():
    stages, asked = Stages(), []

    def count(handler):
        asked.append(1)
        if len(asked) == 1:
            stages.stop()
            assert handler.connection.recv(1) == b""
        else:
            status(200, body=json.dumps({"tokens": [1, 2, 3]}))(handler)

    with remote(ModelServer(count), silence_s=600.0, line_s=600.0) as generator:
        with stages.lap("rewrite"), pytest.raises(AnswerStopped):
            generator.tokens("word " * 9000)
        assert generator.tokens("word " * 9000) == 3


def test_a_context_too_small_for_one_passage_is_an_error_that_names_the_setting():
    with remote(ModelServer(status(404)), budget=TokenBudget(300, 200)) as generator:
        out, error = generate_all(generator)
    assert out == []
    assert "llm_context_tokens" in str(error)


def test_a_real_model_on_a_real_server_streams_whole_sentences(llama):
    from service.generators.openai_client import ModelEndpoint

    generator = RemoteGenerator(ModelEndpoint(llama, "smollm2"), TokenBudget(1024, 24), load_prompts())
    out, error = generate_all(generator, PASSAGES[:1])
    generator.close()
    assert error is None
    report = out[-1]
    assert isinstance(report, Report)
    assert report.usage.prompt_tokens > 200
    assert 0 < report.usage.completion_tokens <= 24
    assert all(isinstance(item, Draft) and item.text for item in out[:-1])


def test_the_estimate_of_tokens_is_never_below_the_count_of_a_real_tokenizer(llama):
    samples = [
        Path("service/generators/remote.py").read_text(encoding="utf-8"),
        Path("seeds/cyber-cooperation-briefing.md").read_text(encoding="utf-8"),
        "3.14159 2.71828 1,024,768 2007-05-23T10:11:12Z " * 20,
        "한국어 문장과 日本語の文と русский текст и ελληνικά. " * 10,
        "https://example.org/a/b?c=d&e=f#g " * 20,
    ]
    for sample in samples:
        response = httpx.post(f"{llama.removesuffix('/v1')}/tokenize", json={"content": sample})
        assert estimate_tokens(sample) >= len(response.json()["tokens"]), sample[:40]
