"""Quoth: the client that waits for each answer."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from index.records import Hit
from service.answer_json import answer_of, hit_of
from service.client.jobs import Facts, Job, document_path, job_of, job_path, pauses_for, upload_of
from service.client.protocol import TIMEOUT_S, URL, Event, Events, given, headers, question_body, raise_for, unreachable
from service.records import Answer, Citation


class Quoth:
    """A server, asked in turn. Close it, or use it in a `with` block. Thread-safe.

    Every method raises Refused, Unavailable, and AnswerInvalid when what answers is no Quoth of this version. `key` is sent as
    a bearer token. `timeout_s` is the longest wait for the server's next words.
    """

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.Client(base_url=url, headers=headers(key), timeout=timeout_s)

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Answer:
        """The answer as a whole; a refusal is an answer too."""
        return answer_of(
            self._json("POST", "/v1/chat", question_body(question, collection, conversation_id, generator, top_k))
        )

    def stream(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Iterator[Event]:
        """The same answer as it comes about. Closing the iterator stops the work."""
        body = {**question_body(question, collection, conversation_id, generator, top_k), "stream": True}
        parser = Events()
        try:
            with self._http.stream("POST", "/v1/chat", json=body) as response:
                if not response.is_success:
                    response.read()
                raise_for(response)
                for line in response.iter_lines():
                    yield from parser.feed(line)
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error
        parser.end()

    def search(self, query: str, *, k: int = 10, collection: str | None = None) -> tuple[Hit, ...]:
        """The passages that fit best, best first."""
        found = self._json("POST", "/v1/search", given(query=query, k=k, collection=collection))
        return tuple(hit_of(hit) for hit in found["hits"])

    def text(self, citation: Citation, *, collection: str | None = None) -> str:
        """The text that the citation's offsets point into: `text[citation.start:citation.end] == citation.quote`."""
        path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
        text: str = self._json("GET", path, params=given(collection=collection))["text"]
        return text

    def answer(self, answer_id: str) -> Answer:
        """An answer that was given before."""
        return answer_of(self._json("GET", f"/v1/answers/{answer_id}"))

    def rate(
        self,
        answer_id: str,
        rating: Literal["up", "down"],
        *,
        sentence: int | None = None,
        comment: str = "",
        label: str = "",
    ) -> None:
        """Say what you think of an answer, or of its sentence `sentence` (from 0). `label` says who thinks so."""
        body = given(answer_id=answer_id, rating=rating, sentence=sentence, comment=comment, label=label)
        self._json("POST", "/v1/feedback", body)

    def upload(
        self,
        source: Path | bytes,
        collection: str,
        *,
        document_id: str | None = None,
        filename: str | None = None,
        title: str | None = None,
        metadata: Mapping[str, str] | None = None,
        principals: Iterable[str] = (),
        public: bool = False,
        idempotency_key: str | None = None,
    ) -> Job:
        """Send a file; the job indexes it. The same id, or without one the same file name, is a new version of the document.

        `filename` says the format; a path has one already. Bytes need it or an id, else UploadInvalid is raised. OSError when
        the file does not read. `metadata` is to filter searches by. `principals` may read the document; without any, those who
        could before, or everybody if it is new; with `public` everybody. The same `idempotency_key` leads to the same job for a
        week, so that an upload can be sent again after a broken connection; with another upload it is Refused (422).
        """
        facts = Facts(title, metadata, principals, public, idempotency_key)
        sent = upload_of(source, collection, document_id, filename, facts)
        return job_of(self._send(sent.method, sent.path, **sent.parts).json())

    def job(self, job_id: str) -> Job:
        """How far a job is."""
        return job_of(self._json("GET", job_path(job_id)))

    def wait(self, job: Job, *, timeout_s: float | None = None) -> Job:
        """The job once it is finished, well or not: see `state`. Unavailable when it is not after `timeout_s`."""
        pauses = pauses_for(job, timeout_s)
        while not (job := self.job(job.id)).is_finished:
            time.sleep(next(pauses))
        return job

    def cancel(self, job: Job) -> Job:
        """Cancel a job, at once or soon; one whose text is stored already goes on, and a finished one stays as it is."""
        return job_of(self._json("DELETE", job_path(job.id)))

    def delete_document(self, document_id: str, collection: str) -> None:
        """Take a document out of search, with its uploaded file."""
        self._send("DELETE", document_path(collection, document_id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _json(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        return self._send(method, path, json=body, params=params).json()

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **parts)
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error
        return raise_for(response)
