"""The generator `remote` and servers that fail: silence, errors, broken streams, refusals, endless answers."""

import json
import time

import pytest

from service.answering.checking import DraftChecker, SupportPolicy
from service.answering.citations import Numbering
from service.answering.writing import SentenceWriter
from service.errors import GeneratorUnavailable
from service.generators.budget import TokenBudget
from service.generators.extractive import ExtractiveGenerator
from service.generators.protocol import Report
from service.generators.remote import CircuitBreaker, RemoteGenerator
from service.progress import AnswerStopped, Stages
from service.prompts import load_prompts
from tests.model_server import (
    GOOD,
    KEY,
    PASSAGES,
    ModelServer,
    endless,
    event,
    generate_all,
    hang,
    remote,
    serving,
    status,
    stream,
    texts,
)


def test_a_silent_server_is_given_up_after_the_time_limit():
    model = ModelServer(hang)
    with remote(model, silence_s=0.4) as generator:
        began = time.monotonic()
        out, error = generate_all(generator)
        assert time.monotonic() - began < 30  # the server would keep it waiting for a minute
    assert texts(out) == []
    assert "llm_timeout_s = 0.4" in str(error)
    assert len(model.bodies) == 1


def test_a_server_that_only_keeps_the_connection_open_is_given_up_too():
    model = ModelServer()
    model.turns = (endless(model, ": ping\n\n"),)
    with remote(model, silence_s=0.3) as generator:
        out, error = generate_all(generator)
    assert texts(out) == []
    assert error is not None
    assert model.hung_up.wait(5)


def test_a_server_that_falls_silent_in_the_middle_is_given_up_in_time_and_its_text_is_kept():
    def turn(handler):
        stream(event("Seoul counts six. [1] Kerry came"), chunked=False)(handler)
        hang(handler)

    model = ModelServer(turn)
    with remote(model, silence_s=0.4) as generator:
        began = time.monotonic()
        out, error = generate_all(generator)
        assert time.monotonic() - began < 30  # the server would keep it waiting for a minute
    assert texts(out) == ["Seoul counts six."]
    assert "llm_timeout_s = 0.4" in str(error)
    assert len(model.bodies) == 1


def test_a_redirect_of_the_server_is_not_followed():
    model = ModelServer(status(302, [("Location", "/v1/chat/completions")]))
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert texts(out) == []
    assert "status 302" in str(error)
    assert len(model.bodies) == 1


def test_repeated_429_without_a_time_ends_after_three_attempts():
    model = ModelServer(status(429))
    with remote(model) as generator:
        out, error = generate_all(generator)
        assert len(generator.pauses) == 2
    assert "status 429" in str(error)
    assert len(model.bodies) == 3
    assert out[-1].retries == 2


FAULTS = {
    "silent": (hang, "did not answer in time"),
    "500": (status(500), "status 500"),
    "429": (status(429), "status 429"),
    "redirect": (status(302, [("Location", "/v1/chat/completions")]), "status 302"),
    "html": (status(200, [("Content-Type", "text/html")], "<html>It works!</html>"), "before it was complete"),
    "dies": (stream(), "broke off"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_any_failure_is_replaced_by_the_extractive_answer_with_a_note(fault):
    turn, reason = FAULTS[fault]
    numbering = Numbering(PASSAGES, {(p.hit.chunk.document_id, "v1"): () for p in PASSAGES})
    stages = Stages()
    model = ModelServer(turn)
    with remote(model, silence_s=0.4) as generator:
        # Sentences copied from the documents need no checker.
        checking = DraftChecker(PASSAGES, numbering, None, SupportPolicy())
        writing = SentenceWriter(generator, ExtractiveGenerator(), checking, stages)
        told = list(writing.sentences("How many cyberattacks?", PASSAGES))
    assert [checked.sentence.text for checked in told] == [PASSAGES[0].hit.chunk.text]
    assert (writing.generator, writing.prompt_hash, stages.fell_back) == ("extractive", None, True)
    (note,) = writing.notes()
    assert reason in note
    assert note.endswith("The answer is taken word for word from the documents instead.")
    assert stages.retries == len(model.bodies) - 1


def test_a_server_that_is_not_running_is_reported_without_its_password():
    from service.generators.openai_client import ModelEndpoint

    server = ModelEndpoint("http://user:hunter2@127.0.0.1:9/v1", "m", KEY, 1.0)
    generator = RemoteGenerator(server, TokenBudget(4096, 64), load_prompts(), pause=lambda _: None)
    out, error = generate_all(generator)
    generator.close()
    assert texts(out) == []
    assert "127.0.0.1:9" in str(error)
    assert "Check llm_base_url" in str(error)
    assert "hunter2" not in str(error) + repr(server)
    assert KEY not in str(error) + repr(server)


@pytest.mark.parametrize("chunked", [True, False], ids=["broken off", "ended early"])
def test_a_stream_that_breaks_off_keeps_its_whole_sentences_reports_and_then_fails(chunked):
    model = ModelServer(stream(event("Seoul counts six. [1] Kerry came to the"), chunked=chunked))
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert texts(out) == ["Seoul counts six."]
    assert isinstance(out[-1], Report)
    assert error is not None
    assert len(model.bodies) == 1  # a request is not repeated once text has arrived


def test_a_stream_that_breaks_off_before_its_first_word_is_requested_again():
    model = ModelServer(stream(), stream(event(), chunked=False), stream(*GOOD))
    with remote(model) as generator:
        out, error = generate_all(generator)
    assert error is None
    assert texts(out) == ["Seoul counts six.", "Kerry came in May."]
    assert len(model.bodies) == 3


def test_server_errors_are_tried_three_times_with_growing_pauses():
    model = ModelServer(status(500))
    with remote(model) as generator:
        _, error = generate_all(generator)
        first, second = generator.pauses
    assert "status 500" in str(error)
    assert len(model.bodies) == 3
    assert 0.25 <= first <= 0.5 <= second <= 1.0


def test_429_is_retried_after_the_stated_time_and_no_longer_than_the_time_limit():
    model = ModelServer(status(429, [("Retry-After", "2")]), status(429, [("Retry-After", "2")]), stream(*GOOD))
    with remote(model) as generator:
        out, error = generate_all(generator)
        assert generator.pauses == [2.0, 2.0]
    assert error is None
    assert texts(out) == ["Seoul counts six.", "Kerry came in May."]
    model = ModelServer(status(429, [("Retry-After", "3600")]))
    with remote(model) as generator:
        _, error = generate_all(generator)
        assert generator.pauses == []
    assert "status 429" in str(error)
    assert len(model.bodies) == 1


def test_a_refused_key_is_not_tried_again_and_never_shown():
    model = ModelServer(status(401, body=json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})))
    with remote(model) as generator:
        _, error = generate_all(generator)
    assert "llm_api_key" in str(error)
    assert KEY not in str(error)
    assert len(model.bodies) == 1


@pytest.mark.parametrize(
    "turn",
    [
        status(200, [("Content-Type", "text/html")], "<html>It works!</html>"),
        stream("data: {broken\n\n"),
        stream("\x00\x01\x02 garbage\n\n", chunked=False),
        stream('data: {"choices": null}\n\n', 'data: {"choices": [{"delta": {"content": 5}}]}\n\n', "data: [DONE]\n\n"),
        stream('data: ["a list"]\n\n', "data: [DONE]\n\n"),
        stream('data: {"choices": ["text", 3]}\n\n', "data: [DONE]\n\n"),
        stream('data: {"error": {"message": "out of memory"}}\n\n', chunked=False),
        stream("data: 7\n\n", "data: [DONE]\n\n"),
    ],
    ids=["html", "half json", "control characters", "odd fields", "list", "odd choices", "error event", "number"],
)
def test_a_malformed_response_is_no_answer(turn):
    with remote(ModelServer(turn)) as generator:
        out, error = generate_all(generator)
    assert texts(out) == []
    assert isinstance(error, GeneratorUnavailable)


def test_an_endless_answer_is_stopped():
    model = ModelServer()
    model.turns = (endless(model, event("word # " * 400)),)
    with remote(model) as generator:
        _, error = generate_all(generator)
    assert "llm_max_tokens" in str(error)
    assert model.hung_up.wait(5)


def test_a_server_that_keeps_failing_is_left_alone_for_a_while_then_tried_once():
    clock = [0.0]
    breaker = CircuitBreaker(max_failures=2, rest_s=20.0, clock=lambda: clock[0])
    model = ModelServer(status(401), status(401), stream(*GOOD))
    with remote(model, breaker=breaker) as generator:
        generate_all(generator)
        generate_all(generator)
        out, error = generate_all(generator)
        assert (out, len(model.bodies)) == ([], 2)
        assert "asked again in 20 s" in str(error)
        clock[0] = 21.0
        assert breaker.wait_s() == 0.0
        assert breaker.wait_s() == 20.0  # one request may try, the others wait
        clock[0] = 42.0
        out, error = generate_all(generator)
        assert (texts(out), error) == (["Seoul counts six.", "Kerry came in May."], None)
        assert breaker.wait_s() == 0.0


def test_a_pause_before_a_retry_ends_when_the_caller_has_left():
    from service.generators.openai_client import ModelEndpoint

    stages = Stages()

    def refuse(handler):
        status(429, [("Retry-After", "500")])(handler)
        stages.stop()

    model = ModelServer(refuse)
    with serving(model) as url:
        generator = RemoteGenerator(ModelEndpoint(url, "some-model", KEY, 600.0), TokenBudget(4096, 64), load_prompts())
        with stages.lap("generate"), pytest.raises(AnswerStopped):
            list(generator.generate("How many?", PASSAGES))
        generator.close()
    assert len(model.bodies) == 1
