"""AsyncQuoth: the client for `async` programs."""

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx
from anyio import sleep, to_thread

from index.records import Hit
from service.answer_json import answer_of, hit_of
from service.client.jobs import Facts, Job, document_path, job_of, job_path, pauses_for, upload_of
from service.client.protocol import TIMEOUT_S, URL, Event, Events, given, headers, question_body, raise_for, unreachable
from service.records import Answer, Citation


class AsyncQuoth:
    """`Quoth`, awaited: the same methods, arguments and errors."""

    def __init__(self, url: str = URL, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers=headers(key), timeout=timeout_s)

    async def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> Answer:
        """The answer as a whole; a refusal is an answer too."""
        body = question_body(question, collection, conversation_id, generator, top_k)
        return answer_of(await self._json("POST", "/v1/chat", body))

    async def stream(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
    ) -> AsyncIterator[Event]:
        """The same answer as it comes about. Closing the iterator stops the work."""
        body = {**question_body(question, collection, conversation_id, generator, top_k), "stream": True}
        parser = Events()
        try:
            async with self._http.stream("POST", "/v1/chat", json=body) as response:
                if not response.is_success:
                    await response.aread()
                raise_for(response)
                async for line in response.aiter_lines():
                    for event in parser.feed(line):
                        yield event
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error
        parser.end()

    async def search(self, query: str, *, k: int = 10, collection: str | None = None) -> tuple[Hit, ...]:
        """The passages that fit best, best first."""
        found = await self._json("POST", "/v1/search", given(query=query, k=k, collection=collection))
        return tuple(hit_of(hit) for hit in found["hits"])

    async def text(self, citation: Citation, *, collection: str | None = None) -> str:
        """The text that the citation's offsets point into: `text[citation.start:citation.end] == citation.quote`."""
        path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
        text: str = (await self._json("GET", path, params=given(collection=collection)))["text"]
        return text

    async def answer(self, answer_id: str) -> Answer:
        """An answer that was given before."""
        return answer_of(await self._json("GET", f"/v1/answers/{answer_id}"))

    async def rate(
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
        await self._json("POST", "/v1/feedback", body)

    async def upload(
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
        sent = await to_thread.run_sync(partial(upload_of, source, collection, document_id, filename, facts))
        return job_of((await self._send(sent.method, sent.path, **sent.parts)).json())

    async def job(self, job_id: str) -> Job:
        """How far a job is."""
        return job_of(await self._json("GET", job_path(job_id)))

    async def wait(self, job: Job, *, timeout_s: float | None = None) -> Job:
        """The job once it is finished, well or not: see `state`. Unavailable when it is not after `timeout_s`."""
        pauses = pauses_for(job, timeout_s)
        while not (job := await self.job(job.id)).is_finished:
            await sleep(next(pauses))
        return job

    async def cancel(self, job: Job) -> Job:
        """Cancel a job, at once or soon; one whose text is stored already goes on, and a finished one stays as it is."""
        return job_of(await self._json("DELETE", job_path(job.id)))

    async def delete_document(self, document_id: str, collection: str) -> None:
        """Take a document out of search, with its uploaded file."""
        await self._send("DELETE", document_path(collection, document_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _json(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        return (await self._send(method, path, json=body, params=params)).json()

    async def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **parts)
        except httpx.TransportError as error:
            raise unreachable(self._http.base_url, error) from error
        return raise_for(response)
