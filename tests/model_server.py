"""A language model server on loopback with scripted responses, and the generator `remote` as its client."""

import itertools
import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from index.chunking.sentences import sentence_spans
from index.records import Chunk, Hit
from service.errors import GeneratorUnavailable
from service.generators.budget import TokenBudget
from service.generators.protocol import Draft, Passage
from service.generators.remote import RemoteGenerator
from service.prompts import load_prompts
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


def stream(*events, chunked=True, kind="text/event-stream", headers=()):
    """Sends the events, text or bytes. Without `chunked` the end of the connection ends the text: HTTP sees no break."""

    def turn(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        for name, value in headers:
            handler.send_header(name, value)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with suppress(OSError):  # the client may have read enough
            for part in events:
                data = part if isinstance(part, bytes) else part.encode()
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
                handler.wfile.flush()
            if chunked and events and events[-1] == "data: [DONE]\n\n":
                handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return turn


def endless(model, part):
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
            model.hung_up.set()

    return turn


def hang(handler):
    time.sleep(60)  # nobody waits for it: it ends with the tests


@contextmanager
def serving(model):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            model.take(self)

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
def remote(model, silence_s=5.0, budget=None, breaker=None, line_s=5.0):
    from service.generators.openai_client import ModelEndpoint

    pauses = []
    with serving(model) as url:
        server = ModelEndpoint(url, "some-model", KEY, silence_s)
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
