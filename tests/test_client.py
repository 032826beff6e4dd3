"""The Python client, against a real server on loopback: typed answers, streams, and errors that say what is wrong."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest

from service.answering.service import Service
from service.client import AsyncQuoth, Passages, Quoth, Refused, Told, Unavailable
from service.errors import AnswerInvalid
from service.records import Answer, Question
from service.storage.conversations import ConversationStore
from service.storage.feedback import FeedbackStore

ATTACKS = "How many cyberattacks of note does Seoul hold the North responsible for since 2007?"
UNRELATED = "Which enzyme folds the outer membrane of a mitochondrion?"


@pytest.fixture
def quoth(served: str) -> Iterator[Quoth]:
    with Quoth(served) as quoth:
        yield quoth


def essence(answer: Answer) -> tuple[Any, ...]:
    return answer.text, answer.sentences, answer.citations, answer.confidence, [hit.chunk.id for hit in answer.passages]


def test_an_answer_is_the_record_that_the_service_gives(quoth: Quoth, service: Service) -> None:
    answer = quoth.ask(ATTACKS)
    assert essence(answer) == essence(service.answerer.answer(Question(ATTACKS)))
    for citation in answer.citations:
        assert quoth.text(citation)[citation.start : citation.end] == citation.quote
    assert quoth.answer(answer.id) == answer


def test_a_stream_gives_passages_sentences_and_the_answer(quoth: Quoth) -> None:
    first, *told, answer = quoth.stream(ATTACKS)
    assert isinstance(first, Passages)
    assert isinstance(answer, Answer)
    assert first.passages == answer.passages
    assert tuple(event.sentence for event in told if isinstance(event, Told)) == answer.sentences
    assert tuple(one for event in told if isinstance(event, Told) for one in event.citations) == answer.citations


def test_a_follow_up_continues_and_a_refusal_is_an_answer(quoth: Quoth) -> None:
    first = quoth.ask(ATTACKS)
    second = quoth.ask("And since when?", conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    refusal = quoth.ask(UNRELATED)
    assert (refusal.refused, refusal.sentences) == (True, ())


def test_what_is_thought_of_an_answer_is_kept(quoth: Quoth, served: str, store: ConversationStore) -> None:
    answer = quoth.ask(ATTACKS)
    quoth.rate(answer.id, "down", sentence=0, comment="Seven.")
    with pytest.raises(Refused, match="no sentence 99"):
        quoth.rate(answer.id, "up", sentence=99)

    async def rate() -> None:
        async with AsyncQuoth(served) as other:
            await other.rate(answer.id, "up")

    anyio.run(rate)
    kept = [
        (one.rating, one.sentence, one.comment) for one in FeedbackStore(store.database).feedback(answer_id=answer.id)
    ]
    assert kept == [("down", 0, "Seven."), ("up", None, "")]


def test_search_gives_hits(quoth: Quoth) -> None:
    hits = quoth.search(ATTACKS, k=3)
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(hit.chunk.end - hit.chunk.start == len(hit.chunk.text) for hit in hits)


def test_the_async_client_gives_the_same(served: str, quoth: Quoth) -> None:
    async def both() -> tuple[Answer, list[Any], Any, Any]:
        async with AsyncQuoth(served) as other:
            answer = await other.ask(ATTACKS)
            events = [event async for event in other.stream(ATTACKS)]
            text = await other.text(answer.citations[0])
            assert await other.answer(answer.id) == answer
            with pytest.raises(Refused, match="papers"):
                await other.ask(ATTACKS, collection="papers")
            with pytest.raises(Refused, match="empty"):
                [event async for event in other.stream("")]
            return answer, events, text, await other.search(ATTACKS, k=2)

    answer, events, text, hits = anyio.run(both)
    assert essence(answer) == essence(events[-1]) == essence(quoth.ask(ATTACKS))
    assert answer.citations[0].quote in text
    assert hits == quoth.search(ATTACKS, k=2)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"question": ""}, 422, "question-invalid"),
        ({"question": ATTACKS, "collection": "papers"}, 404, "collection-missing"),
        ({"question": ATTACKS, "conversation_id": "none"}, 404, "record-missing"),
    ],
)
def test_a_problem_is_an_error_with_its_code_and_fix(quoth: Quoth, asked: Any, status: int, code: str) -> None:
    with pytest.raises(Refused) as raised:
        quoth.ask(**asked)
    assert (raised.value.status, raised.value.code) == (status, code)
    assert str(raised.value) == raised.value.detail
    assert raised.value.request_id
    with pytest.raises(Refused) as streamed:
        list(quoth.stream(**asked))
    assert (streamed.value.code, streamed.value.detail) == (code, raised.value.detail)


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """A real server on loopback that gives every request the same response."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_may_go_through_later_says_when() -> None:
    body = b'{"detail": "Busy. Try again.", "code": "collection-busy", "status": 503}'
    with answering(503, body, Retry_After="2") as url, Quoth(url) as quoth, pytest.raises(Unavailable) as raised:
        quoth.ask("Why?")
    assert (str(raised.value), raised.value.code, raised.value.retry_after_s) == (
        "Busy. Try again.",
        "collection-busy",
        2,
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
def test_a_server_that_is_no_quoth_is_told_apart(body: bytes) -> None:
    with answering(404, body) as url, Quoth(url) as quoth, pytest.raises(Refused, match="Is it a Quoth") as raised:
        quoth.ask("Why?")
    assert raised.value.code == "http-404"


def test_another_json_is_no_answer() -> None:
    with answering(200, b'{"text": "Six."}') as url, Quoth(url) as quoth, pytest.raises(AnswerInvalid):
        quoth.ask("Why?")


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    sentence = b'{"text": "A", "citations": [], "supported": true, "support": 1}'
    body = b'event: sentence\ndata: {"sentence": ' + sentence + b', "citations": []}\n\n'
    with answering(200, body) as url, Quoth(url) as quoth:
        events = quoth.stream("Why?")
        assert isinstance(next(iter(events)), Told)
        with pytest.raises(Unavailable, match="broke off"):
            list(events)


def test_an_error_in_a_stream_is_raised() -> None:
    body = b'event: error\ndata: {"status": 500, "code": "internal", "detail": "Something broke."}\n\n'
    with answering(200, body) as url, Quoth(url) as quoth, pytest.raises(Refused, match="Something broke") as raised:
        list(quoth.stream("Why?"))
    assert raised.value.code == "internal"


def test_a_server_that_is_not_there_is_named() -> None:
    with Quoth("http://127.0.0.1:9") as quoth, pytest.raises(Unavailable, match=r"127\.0\.0\.1:9.*quoth serve"):
        quoth.ask("Why?")


def test_the_client_loads_no_engine() -> None:
    heavy = ("torch", "openvino", "faiss", "fastapi", "sqlalchemy")
    code = f"import sys, service.client; print([name for name in {heavy} if name in sys.modules])"
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
