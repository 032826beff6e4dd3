"""The generator `remote` against real servers on loopback: their answers, and every way in which they can fail."""

import itertools
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from index.chunking.sentences import sentence_spans
from index.records import Chunk, Hit
from service.answering.checking import DraftChecker, SupportPolicy
from service.answering.citations import Numbering
from service.answering.writing import SentenceWriter
from service.errors import GeneratorUnavailable
from service.generators.budget import TokenBudget, estimate_tokens
from service.generators.extractive import ExtractiveGenerator
from service.generators.openai_client import Server
from service.generators.protocol import Completion, Draft, Passage, Report
from service.generators.remote import CircuitBreaker, RemoteGenerator
from service.progress import AnswerStopped, Stages
from service.prompts import Messages, load_prompts
from service.records import Usage
from service.scoring.reader import Reading, SentenceReading

KEY = "sk-secret-key"


def passage(text, number=0):
    chunk = Chunk(f"c{number}", "briefing", "v1", number, 0, len(text), text)
    sentences = tuple(SentenceReading(start, end, 0.0, None) for start, end in sentence_spans(text))
    return Passage(Hit(chunk, "Cyber briefing", "file:///briefing.md", None, 1.0), Reading(1.0, sentences))


PASSAGES = [
    passage("Seoul holds the North responsible for at least six cyberattacks of note since 2007."),
    passage("In May, Secretary of State John Kerry visited the capital of South Korea.", 1),
]


def event(content=None, finish=None, **rest):
    choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish}
    return f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'choices': [choice], **rest})}\n\n"


USAGE = {"usage": {"prompt_tokens": 120, "completion_tokens": 9, "total_tokens": 129}}
GOOD = [
    event("Seoul counts "),
    event("six. [1] Kerry "),
    event("came in May [2]."),
    event(finish="stop", **USAGE),
    "data: [DONE]\n\n",
]


class ModelServer:
    """Answers each request with the next of `turns`, functions of the handler; the last one serves all further requests."""

    def __init__(self, *turns):
        self.turns = turns
        self.bodies = []
        self.headers = []
        self.hung_up = threading.Event()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.headers.append(handler.headers)
        self.bodies.append((handler.path, json.loads(body)))
        self.turns[min(len(self.bodies), len(self.turns)) - 1](handler)


def status(code, headers=(), body="{}"):
    def turn(handler):
        handler.send_response(code)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())

    return turn


def stream(*events, chunked=True, kind="text/event-stream"):
    """Sends the events. Without `chunked` the end of the connection ends the text, so HTTP does not notice a broken stream."""

    def turn(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in events:
            data = part.encode()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            handler.wfile.flush()
        if chunked and events and events[-1].startswith("data: [DONE]"):
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return turn


def endless(desk, part):
    """Sends `part` endlessly, with `#` replaced by a count, and records when the client disconnects."""

    def turn(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        try:
            for number in itertools.count():
                handler.wfile.write(part.replace("#", str(number)).encode())
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            desk.hung_up.set()

    return turn


def hang(handler):
    time.sleep(3)


@contextmanager
def serving(desk):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            desk.take(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def remote(desk, silence_s=5.0, budget=None, breaker=None, line_s=5.0):
    pauses = []
    with serving(desk) as url:
        server = Server(url, "some-model", KEY, silence_s)
        generator = RemoteGenerator(
            server, budget or TokenBudget(4096, 64), load_prompts(), 0.0, line_s, breaker, pauses.append
        )
        generator.pauses = pauses
        try:
            yield generator
        finally:
            generator.close()


def generate_all(generator, passages=PASSAGES):
    """The generated items, and the error at the end if there is one."""
    out = []
    try:
        out.extend(collect_into(out, generator.generate("How many attacks?", passages)))
    except GeneratorUnavailable as error:
        return out, error
    return out, None


def collect_into(out, items):
    for item in items:
        out.append(item)
    return ()


def texts(out):
    return [item.text for item in out if isinstance(item, Draft)]


def test_sentences_come_with_the_passages_they_name_then_the_report():
    desk = ModelServer(stream(*GOOD))
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert error is None
    assert out == [
        Draft("Seoul counts six.", passages=(0,)),
        Draft("Kerry came in May.", passages=(1,)),
        Report(load_prompts().hash, Usage(120, 9)),
    ]


def test_the_request_holds_the_passages_numbered_between_fences_and_the_key_in_its_header():
    desk = ModelServer(stream(*GOOD))
    with remote(desk) as generator:
        generate_all(generator)
    path, body = desk.bodies[0]
    assert path == "/v1/chat/completions"
    assert (body["model"], body["temperature"], body["max_tokens"], body["stream"]) == ("some-model", 0.0, 64, True)
    system, user = (message["content"] for message in body["messages"])
    assert "The documents do not say." in system
    fence = user.splitlines()[0]
    assert fence.startswith("<passages-")
    assert fence in system
    assert user.index(fence) < user.index("[1] Cyber briefing\nSeoul holds") < user.index("[2] Cyber briefing\nIn May")
    assert user.index("In May") < user.index(fence.replace("<", "</")) < user.index("How many attacks?")
    assert desk.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_silent_server_is_given_up_after_the_time_limit():
    desk = ModelServer(hang)
    with remote(desk, silence_s=0.4) as generator:
        began = time.monotonic()
        out, error = generate_all(generator)
        assert time.monotonic() - began < 2.5
    assert texts(out) == []
    assert "llm_timeout_s = 0.4" in str(error)
    assert len(desk.bodies) == 1


def test_a_server_that_only_keeps_the_connection_open_is_given_up_too():
    desk = ModelServer()
    desk.turns = (endless(desk, ": ping\n\n"),)
    with remote(desk, silence_s=0.3) as generator:
        out, error = generate_all(generator)
    assert texts(out) == []
    assert error is not None
    assert desk.hung_up.wait(5)


def test_a_server_that_falls_silent_in_the_middle_is_given_up_in_time_and_its_text_is_kept():
    def turn(handler):
        stream(event("Seoul counts six. [1] Kerry came"), chunked=False)(handler)
        time.sleep(3)

    desk = ModelServer(turn)
    with remote(desk, silence_s=0.4) as generator:
        began = time.monotonic()
        out, error = generate_all(generator)
        assert time.monotonic() - began < 2.5
    assert texts(out) == ["Seoul counts six."]
    assert "llm_timeout_s = 0.4" in str(error)
    assert len(desk.bodies) == 1


def test_a_redirect_of_the_server_is_not_followed():
    desk = ModelServer(status(302, [("Location", "/v1/chat/completions")]))
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert texts(out) == []
    assert "status 302" in str(error)
    assert len(desk.bodies) == 1


def test_repeated_429_without_a_time_ends_after_three_attempts():
    desk = ModelServer(status(429))
    with remote(desk) as generator:
        out, error = generate_all(generator)
        assert len(generator.pauses) == 2
    assert "status 429" in str(error)
    assert len(desk.bodies) == 3
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
    desk = ModelServer(turn)
    with remote(desk, silence_s=0.4) as generator:
        # Sentences copied from the documents need no checker.
        checking = DraftChecker(PASSAGES, numbering, None, SupportPolicy())
        writing = SentenceWriter(generator, ExtractiveGenerator(), checking, stages)
        told = list(writing.sentences("How many cyberattacks?", PASSAGES))
    assert [checked.sentence.text for checked in told] == [PASSAGES[0].hit.chunk.text, PASSAGES[1].hit.chunk.text]
    assert (writing.generator, writing.prompt_hash, stages.fell_back) == ("extractive", None, True)
    (note,) = writing.notes()
    assert reason in note
    assert note.endswith("The answer is taken word for word from the documents instead.")
    assert stages.retries == len(desk.bodies) - 1


def test_a_server_that_is_not_running_is_reported_without_its_password():
    server = Server("http://user:hunter2@127.0.0.1:9/v1", "m", KEY, 1.0)
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
    desk = ModelServer(stream(event("Seoul counts six. [1] Kerry came to the"), chunked=chunked))
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert texts(out) == ["Seoul counts six."]
    assert isinstance(out[-1], Report)
    assert error is not None
    assert len(desk.bodies) == 1  # a request is not repeated once text has arrived


def test_a_stream_that_breaks_off_before_its_first_word_is_requested_again():
    desk = ModelServer(stream(), stream(event(), chunked=False), stream(*GOOD))
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert error is None
    assert texts(out) == ["Seoul counts six.", "Kerry came in May."]
    assert len(desk.bodies) == 3


def test_server_errors_are_tried_three_times_with_growing_pauses():
    desk = ModelServer(status(500))
    with remote(desk) as generator:
        _, error = generate_all(generator)
        first, second = generator.pauses
    assert "status 500" in str(error)
    assert len(desk.bodies) == 3
    assert 0.25 <= first <= 0.5 <= second <= 1.0


def test_429_is_retried_after_the_stated_time_and_no_longer_than_the_time_limit():
    desk = ModelServer(status(429, [("Retry-After", "2")]), status(429, [("Retry-After", "2")]), stream(*GOOD))
    with remote(desk) as generator:
        out, error = generate_all(generator)
        assert generator.pauses == [2.0, 2.0]
    assert error is None
    assert texts(out) == ["Seoul counts six.", "Kerry came in May."]
    desk = ModelServer(status(429, [("Retry-After", "3600")]))
    with remote(desk) as generator:
        _, error = generate_all(generator)
        assert generator.pauses == []
    assert "status 429" in str(error)
    assert len(desk.bodies) == 1


def test_a_refused_key_is_not_tried_again_and_never_shown():
    desk = ModelServer(status(401, body=json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})))
    with remote(desk) as generator:
        _, error = generate_all(generator)
    assert "llm_api_key" in str(error)
    assert KEY not in str(error)
    assert len(desk.bodies) == 1


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
    desk = ModelServer()
    desk.turns = (endless(desk, event("word # " * 400)),)
    with remote(desk) as generator:
        _, error = generate_all(generator)
    assert "llm_max_tokens" in str(error)
    assert desk.hung_up.wait(5)


def test_a_server_that_keeps_failing_is_left_alone_for_a_while_then_tried_once():
    clock = [0.0]
    breaker = CircuitBreaker(max_failures=2, rest_s=20.0, clock=lambda: clock[0])
    desk = ModelServer(status(401), status(401), stream(*GOOD))
    with remote(desk, breaker=breaker) as generator:
        generate_all(generator)
        generate_all(generator)
        out, error = generate_all(generator)
        assert (out, len(desk.bodies)) == ([], 2)
        assert "asked again in 20 s" in str(error)
        clock[0] = 21.0
        assert breaker.wait_s() == 0.0
        assert breaker.wait_s() == 20.0  # one request may try, the others wait
        clock[0] = 42.0
        out, error = generate_all(generator)
        assert (texts(out), error) == (["Seoul counts six.", "Kerry came in May."], None)
        assert breaker.wait_s() == 0.0


def test_a_pause_before_a_retry_ends_when_the_caller_has_left():
    stages = Stages()

    def refuse(handler):
        status(429, [("Retry-After", "500")])(handler)
        stages.stop()

    desk = ModelServer(refuse)
    with serving(desk) as url:
        generator = RemoteGenerator(Server(url, "some-model", KEY, 600.0), TokenBudget(4096, 64), load_prompts())
        with stages.lap("generate"), pytest.raises(AnswerStopped):
            list(generator.generate("How many?", PASSAGES))
        generator.close()
    assert len(desk.bodies) == 1


def test_closing_the_iterator_ends_the_request():
    desk = ModelServer()
    desk.turns = (endless(desk, event("Seoul counts six attacks. ")),)
    with remote(desk) as generator:
        sentences = generator.generate("How many?", PASSAGES)
        assert next(sentences) == Draft("Seoul counts six attacks.")
        assert not desk.hung_up.is_set()
        sentences.close()
        assert desk.hung_up.wait(5)


def test_a_model_that_repeats_itself_is_stopped():
    desk = ModelServer()
    desk.turns = (endless(desk, event("Seoul counts six attacks. ")),)
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert (texts(out), error) == (["Seoul counts six attacks."], None)
    assert desk.hung_up.wait(5)


def test_a_server_that_refuses_the_usual_arguments_gets_only_the_basic_ones_afterwards():
    desk = ModelServer(status(400), stream(*GOOD), stream(*GOOD))
    with remote(desk) as generator:
        assert texts(generate_all(generator)[0]) == ["Seoul counts six.", "Kerry came in May."]
        generate_all(generator)
    kinds = [sorted(body.keys() & {"max_tokens", "max_completion_tokens", "temperature"}) for _, body in desk.bodies]
    assert kinds == [["max_tokens", "temperature"], ["max_completion_tokens"], ["max_completion_tokens"]]


LINE = Messages("Rewrite it.", "Who?")


def test_a_single_line_is_requested_once_without_reasoning_and_counted():
    desk = ModelServer(
        stream(event("<think>Hm.</think>Who "), event("hit banks?"), event(finish="stop", **USAGE)), status(503)
    )
    with remote(desk) as generator:
        assert generator.complete(LINE) == Completion("Who hit banks?", Usage(120, 9))
        with pytest.raises(GeneratorUnavailable, match="status 503"):
            generator.complete(LINE)
    assert [body["messages"][1]["content"] for _, body in desk.bodies] == ["Who?", "Who?"]
    assert (desk.bodies[0][1]["max_tokens"], desk.bodies[0][1]["temperature"]) == (256, 0.0)


def test_a_single_line_is_requested_with_basic_arguments_where_others_are_refused():
    desk = ModelServer(status(400), stream(event("Who?"), event(finish="stop")))
    with remote(desk) as generator:
        assert generator.complete(LINE).text == "Who?"
    assert "max_completion_tokens" in desk.bodies[1][1]


def test_a_single_line_is_given_up_when_the_server_only_keeps_the_connection_open():
    desk = ModelServer()
    desk.turns = (endless(desk, ": ping\n\n"),)
    with remote(desk, silence_s=600.0, line_s=0.3) as generator:
        with pytest.raises(GeneratorUnavailable, match=r"llm_rewrite_timeout_s = 0\.3"):
            generator.complete(LINE)
        assert desk.hung_up.wait(30)


def test_reasoning_is_left_out():
    desk = ModelServer(
        stream(event("<thi"), event("nk>I wonder. [9]\n</thi"), event("nk>\n\nSix. [1]"), event(finish="stop"))
    )
    with remote(desk) as generator:
        assert generate_all(generator)[0][:-1] == [Draft("Six.", passages=(0,))]


def test_an_answer_cut_at_the_token_limit_loses_its_unfinished_sentence_and_says_so():
    desk = ModelServer(stream(event("Seoul counts six. [1] Kerry came in the"), event(finish="length")))
    with remote(desk) as generator:
        out, error = generate_all(generator)
    assert (texts(out), error) == (["Seoul counts six."], None)
    assert out[-1].notes == ("The language model was stopped after 64 tokens; the end may be missing.",)


def test_passages_beyond_the_context_are_left_out_by_the_servers_token_count():
    many = [passage(f"Fact number {n} stands here, and nothing else is of note in it. " * 8, n) for n in range(12)]
    budget = TokenBudget(context=1500, answer=100)

    def tokenize(handler):
        content = desk.bodies[-1][1]["content"]
        status(200, body=json.dumps({"tokens": content.split()}))(handler)

    def either(handler):
        (tokenize if desk.bodies[-1][0] == "/tokenize" else stream(*GOOD))(handler)

    def neither(handler):
        (status(404) if desk.bodies[-1][0] == "/tokenize" else stream(*GOOD))(handler)

    def shown():
        return sum("Cyber briefing\n" in part for part in desk.bodies[-1][1]["messages"][1]["content"].split("[")[1:])

    desk = ModelServer(either)
    with remote(desk, budget=budget) as generator:
        out, _ = generate_all(generator, many)
        counted = shown()
    prompt = " ".join(message["content"] for message in desk.bodies[-1][1]["messages"])
    assert len(prompt.split()) <= budget.room
    assert out[-1].notes == (f"The language model's context held {12 - counted} fewer passages than were found.",)
    desk = ModelServer(neither)
    with remote(desk, budget=budget) as generator:
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
    generator = RemoteGenerator(Server(llama, "smollm2"), TokenBudget(1024, 24), load_prompts())
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
