"""The client's requests as values: what to send, and how to read the response. Nothing is sent here."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx

from index.records import Hit
from service.answer_json import answer_of, hit_of
from service.client.responses import Job, read_job
from service.errors import UploadInvalid
from service.records import Answer, Citation

_MAX_KEY = 255
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request; `parts` are further arguments of httpx."""

    method: str
    path: str
    parts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call(HttpRequest, Generic[ResultT]):
    """A request with `read`, which gives the result in a successful response."""

    read: Callable[[httpx.Response], ResultT]


class Requests:
    """The methods that Quoth and AsyncQuoth share, documented here; each returns the request that they send."""

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
        as_typed: bool = False,
    ) -> Call[Answer]:
        """The whole answer; a refusal is an answer too. `as_typed`: a question in a conversation is read as it is."""
        body = _chat_body(question, collection, conversation_id, generator, top_k, as_typed=as_typed)
        return Call("POST", "/v1/chat", {"json": body}, lambda response: answer_of(response.json()))

    def stream(
        self,
        question: str,
        *,
        collection: str | None = None,
        conversation_id: str | None = None,
        generator: str | None = None,
        top_k: int | None = None,
        as_typed: bool = False,
    ) -> HttpRequest:
        """The events of an answer while it is written. Closing the iterator stops the work."""
        body = _chat_body(question, collection, conversation_id, generator, top_k, as_typed=as_typed)
        return HttpRequest("POST", "/v1/chat", {"json": {**body, "stream": True}})

    def search(self, query: str, *, k: int = 10, collection: str | None = None) -> Call[tuple[Hit, ...]]:
        """The passages that match best, best first."""
        body = _without_none(query=query, k=k, collection=collection)
        return Call("POST", "/v1/search", {"json": body}, lambda response: tuple(map(hit_of, response.json()["hits"])))

    def text(self, citation: Citation, *, collection: str | None = None) -> Call[str]:
        """The text that the citation's offsets point into: `text[citation.start:citation.end] == citation.quote`."""
        path = f"/v1/documents/{citation.document_id}/versions/{citation.version}/text"
        parts = {"params": _without_none(collection=collection)}
        return Call("GET", path, parts, lambda response: response.json()["text"])

    def answer(self, answer_id: str) -> Call[Answer]:
        """An earlier answer."""
        return Call("GET", f"/v1/answers/{answer_id}", {}, lambda response: answer_of(response.json()))

    def rate(
        self,
        answer_id: str,
        rating: Literal["up", "down"],
        *,
        sentence: int | None = None,
        comment: str = "",
        label: str = "",
    ) -> Call[None]:
        """Rate an answer, or its sentence `sentence` (from 0). `label` names who rates."""
        body = _without_none(answer_id=answer_id, rating=rating, sentence=sentence, comment=comment, label=label)
        return Call("POST", "/v1/feedback", {"json": body}, lambda _: None)

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
        only_new: bool = False,
        idempotency_key: str | None = None,
    ) -> Call[Job]:
        """Send a file, which the returned job indexes. The same id, or else the same file name, makes a new version.

        `filename` gives the format; a path has one already. Bytes need a filename or an id, else UploadInvalid is raised.
        OSError when the file cannot be read. Searches can filter by `metadata`. `principals` may read the document; without
        any, those who could read the previous version, or everybody if it is new; with `public` everybody. With
        `only_new`, a file that is there already under another id is Refused (`document-duplicate`, 409). The same
        `idempotency_key` returns the same job for a week, so that an upload can be sent again after a broken connection;
        with another upload it is Refused (422).
        """
        if isinstance(source, Path):
            filename, content = filename or source.name, source.read_bytes()
        else:
            content = source
        fields = _upload_fields(title, metadata, principals, public=public, only_new=only_new)
        headers = _key_headers(idempotency_key)
        if document_id is not None:
            params = {**_without_none(filename=filename), **fields}
            parts = {"content": content, "params": params, "headers": headers}
            return Call("PUT", _document_path(collection, document_id), parts, _job)
        if not filename:
            raise UploadInvalid(f"{len(content):,} bytes have neither a document_id nor a filename. Give one of them.")
        parts = {"files": {"file": (filename, content)}, "data": fields, "headers": headers}
        return Call("POST", f"/v1/collections/{_escape(collection)}/documents", parts, _job)

    def job(self, job_id: str) -> Call[Job]:
        """The present state of a job."""
        return Call("GET", f"/v1/jobs/{_escape(job_id)}", {}, _job)

    def cancel(self, job: Job) -> Call[Job]:
        """Cancel a job, at once or soon; one whose text is already stored continues, and a finished one stays as it is."""
        return Call("DELETE", f"/v1/jobs/{_escape(job.id)}", {}, _job)

    def create_collection(self, name: str, *, title: str = "") -> Call[None]:
        """Make an empty collection, shown by `title` if there is one; a collection that is there stays as it is."""
        return Call("PUT", f"/v1/collections/{_escape(name)}", {"params": {"title": title}}, lambda _: None)

    def rename_collection(self, name: str, title: str) -> Call[None]:
        """Give a collection a title to be shown by, an empty one to take it away; its name stays. The key needs `admin`."""
        return Call("PATCH", f"/v1/collections/{_escape(name)}", {"json": {"title": title}}, lambda _: None)

    def rename_document(self, document_id: str, collection: str, title: str) -> Call[None]:
        """Give a document a title, which its later versions keep until it is removed."""
        return Call("PATCH", _document_path(collection, document_id), {"json": {"title": title}}, lambda _: None)

    def delete_document(self, document_id: str, collection: str) -> Call[None]:
        """Remove a document from search, with its uploaded file."""
        return Call("DELETE", _document_path(collection, document_id), {}, lambda _: None)


def _chat_body(
    question: str,
    collection: str | None,
    conversation_id: str | None,
    generator: str | None,
    top_k: int | None,
    *,
    as_typed: bool,
) -> dict[str, Any]:
    return _without_none(
        question=question,
        collection=collection,
        conversation_id=conversation_id,
        generator=generator,
        top_k=top_k,
        as_typed=True if as_typed else None,
    )


def _upload_fields(
    title: str | None, metadata: Mapping[str, str] | None, principals: Iterable[str], *, public: bool, only_new: bool
) -> dict[str, Any]:
    """What an upload says about the document, as fields of a query or a form."""
    as_json = None if metadata is None else json.dumps(dict(metadata), ensure_ascii=False)
    chosen = {name: "true" for name, is_set in (("public", public), ("only_new", only_new)) if is_set}
    fields = _without_none(title=title, metadata=as_json, **chosen)
    return {**fields, "principal": list(principals)}


def _key_headers(key: str | None) -> dict[str, str]:
    """The header with the idempotency key. Raises UploadInvalid for a key that cannot be a header."""
    if key is None:
        return {}
    if not 0 < len(key) <= _MAX_KEY or not key.isascii() or not key.isprintable() or key != key.strip():
        raise UploadInvalid(f"{key[:50]!r} cannot be an idempotency key. Use 1 to {_MAX_KEY} ASCII characters.")
    return {"Idempotency-Key": key}


def _document_path(collection: str, document_id: str) -> str:
    return f"/v1/collections/{_escape(collection)}/documents/{_escape(document_id)}"


def _escape(name: str) -> str:
    return quote(name, safe="")


def _job(response: httpx.Response) -> Job:
    return read_job(response.json())


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
