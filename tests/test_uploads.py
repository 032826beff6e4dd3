"""Uploads over HTTP, with a real server and a worker: from bytes to a search hit, and every refusal."""

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.formats.limits import Limits
from index.ledger.sqlite.ledgers import SqliteLedgers
from index.library import Library
from index.records import Document
from index.uris import document_version
from service.answering.service import Service
from service.composition.http import create_app
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.validation import safe_name
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings
from service.storage.conversations import ConversationStore

SECONDS = 60.0
DOCUMENTS = "/v1/collections/c/documents"
MOST = 50_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def library(home: Path) -> Iterator[Library]:
    library = Library(home, HashedEncoder())
    yield library
    library.close()


@pytest.fixture(scope="module")
def client(home: Path, library: Library, store: ConversationStore, loopback: Any) -> Iterator[httpx.Client]:
    nobody = cast(Any, None)  # no questions are asked here
    settings = Settings(home=home, max_upload_bytes=MOST, rerank=False)
    service = Service(settings, library, nobody, nobody, nobody, nobody)
    with loopback(create_app(service, store)) as url, httpx.Client(base_url=url, timeout=SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def worker(home: Path) -> Iterator[None]:
    """A worker with a library of its own, like another process."""
    stop, database, originals = threading.Event(), open_jobs(home / "jobs.sqlite"), Originals(home / "uploads")
    presence, library = Presence(home / "workers"), Library(home, HashedEncoder())
    leases = Leases(database, originals, presence.is_gone, chance=lambda: 0.0)
    indexer = Indexer(library, originals, leases, Limits())

    def run() -> None:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, lambda: None).run()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    indexer.interrupt()
    library.close()
    database.close()


def finished(client: httpx.Client, response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    deadline = time.monotonic() + SECONDS
    while True:
        job: dict[str, Any] = client.get(response.headers["Location"]).raise_for_status().json()
        if job["state"] not in ("queued", "running"):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.02)


def hits(client: httpx.Client, query: str, collection: str = "c", **where: Any) -> list[dict[str, Any]]:
    body = {"query": query, "collection": collection, "k": 5, **({"filter": where} if where else {})}
    found: list[dict[str, Any]] = client.post("/v1/search", json=body).raise_for_status().json()["hits"]
    return found


def refused(response: httpx.Response, status: int, code: str) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert problem["code"] == code
    detail: str = problem["detail"]
    return detail


@pytest.mark.usefixtures("worker")
def test_a_file_uploaded_under_an_id_is_found_shown_and_downloaded(client: httpx.Client) -> None:
    text = b"# Parrots\n\nA parrot may live for eighty years.\n"
    facts = {"filename": "birds.md", "title": "On  parrots", "metadata": '{"year": "2024"}'}
    accepted = client.put(f"{DOCUMENTS}/parrots", content=text, params=facts)
    job = accepted.json()
    assert (job["state"], job["collection"], job["document_id"], job["size"]) == ("queued", "c", "parrots", len(text))
    done = finished(client, accepted)
    assert (done["state"], done["stage"], done["error"], done["filename"]) == ("succeeded", "done", None, "birds.md")
    [hit] = hits(client, "parrot eighty", metadata={"year": "2024"})
    assert (hit["document_id"], hit["title"], hit["uri"]) == ("parrots", "On parrots", "upload:///parrots/birds.md")
    shown = client.get(f"{DOCUMENTS}/parrots").json()
    assert (shown["title"], shown["version"], shown["pending_vectors"]) == ("On parrots", document_version(text), 0)
    assert (shown["warnings"], shown["has_structure"]) == ([], True)
    assert shown["file"]["sha256"] == hashlib.sha256(text).hexdigest()
    assert (shown["file"]["filename"], shown["file"]["size"]) == ("birds.md", len(text))
    file = client.get(f"{DOCUMENTS}/parrots/file")
    assert file.content == text
    assert file.headers["content-disposition"] == 'inline; filename="birds.md"'
    assert file.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_upload_into_a_collection_on_its_way_elsewhere_is_refused(
    client: httpx.Client, library: Library, tmp_path: Path
) -> None:
    library.open_or_create("moving").copy_to(SqliteLedgers(tmp_path / "collections"))
    sent = client.put("/v1/collections/moving/documents/late", content=b"Too late.", params={"filename": "late.txt"})
    assert "is being moved to" in refused(sent, 409, "collection-moving")


@pytest.mark.usefixtures("worker")
def test_an_upload_that_must_be_new_is_refused_if_the_same_bytes_are_there(client: httpx.Client) -> None:
    text = b"Owls turn their heads."
    there = finished(client, client.post(DOCUMENTS, files={"file": ("owls.txt", text)}, data={"title": "On owls"}))
    again = client.post(DOCUMENTS, files={"file": ("copy.txt", text)}, data={"only_new": "true"})
    assert "in 'c' already, as 'On owls'" in refused(again, 409, "document-duplicate")
    put = client.put(f"{DOCUMENTS}/copy", content=text, params={"filename": "copy.txt", "only_new": "true"})
    refused(put, 409, "document-duplicate")
    same = finished(client, client.post(DOCUMENTS, files={"file": ("owls.txt", text)}, data={"only_new": "true"}))
    assert (same["state"], same["document_id"]) == ("succeeded", there["document_id"])
    twice = finished(client, client.post(DOCUMENTS, files={"file": ("copy.txt", text)}))
    assert twice["document_id"] != there["document_id"]


@pytest.mark.usefixtures("worker")
def test_the_list_of_documents_says_their_size_time_and_state(client: httpx.Client) -> None:
    made = finished(client, client.post("/v1/collections/listed/documents", files={"file": ("a.txt", b"One line.")}))
    [document] = client.get("/v1/documents", params={"collection": "listed"}).json()["documents"]
    assert (document["id"], document["bytes"], document["pages"]) == (made["document_id"], 9, 0)
    assert (document["principals"], document["pending_vectors"], document["warnings"]) == ([], 0, [])
    assert abs(datetime.fromisoformat(document["indexed_at"]).timestamp() - time.time()) < 600
    detail = client.get(f"/v1/collections/listed/documents/{document['id']}").json()
    assert {name: detail[name] for name in document} == document


@pytest.mark.usefixtures("worker")
def test_the_id_of_a_form_upload_is_its_file_name_and_the_same_name_is_a_new_version(client: httpx.Client) -> None:
    first = finished(client, client.post(DOCUMENTS, files={"file": ("plan.txt", b"The plan of Monday.")}))
    second = finished(client, client.post(DOCUMENTS, files={"file": ("../plan.txt", b"The plan of Tuesday.")}))
    assert first["document_id"] == second["document_id"]
    [found] = hits(client, "plan Monday Tuesday", document_ids=[first["document_id"]])
    assert found["text"] == "The plan of Tuesday."
    stored = client.get(f"{DOCUMENTS}/{first['document_id']}").json()
    old = f"/v1/documents/{first['document_id']}/versions"
    assert stored["uri"].endswith("/plan.txt")
    assert (
        client.get(f"{old}/{stored['version']}/text", params={"collection": "c"}).json()["text"]
        == "The plan of Tuesday."
    )


@pytest.mark.usefixtures("worker")
def test_readers_stay_until_others_or_everybody_are_named(client: httpx.Client, library: Library) -> None:
    def put(text: str, **params: object) -> str | None:
        sent = client.put(f"{DOCUMENTS}/salaries.txt", content=text.encode(), params=params)  # type: ignore[arg-type]
        remark: str | None = finished(client, sent)["remark"]
        return remark

    def readers() -> set[str]:
        return set(library.open("c").documents.get("salaries.txt").principals)

    kept = "Not everybody may read it, as before: nobody was named this time."
    assert (put("Salaries are secret.", principal=["board", "hr"]), readers()) == (None, {"board", "hr"})
    assert (put("Salaries rose."), readers()) == (kept, {"board", "hr"})
    assert client.delete(f"{DOCUMENTS}/salaries.txt").status_code == 204
    assert (put("Salaries fell."), readers()) == (kept, {"board", "hr"})
    assert (put("Salaries fell.", public=True), readers()) == (None, set())
    assert (put("Salaries are no secret."), readers()) == (None, set())


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("name", ["principals", "readers", "Principal"])
def test_a_misspelt_name_of_the_readers_makes_no_document_public(client: httpx.Client, name: str) -> None:
    sent = [
        client.put(
            f"{DOCUMENTS}/misspelt", content=b"Only Ann may read this.", params={name: "ann", "filename": "m.txt"}
        ),
        client.post(DOCUMENTS, files={"file": ("m.txt", b"Only Ann may read this.")}, params={"principal": "ann"}),
        client.post(DOCUMENTS, files={"file": ("m.txt", b"Only Ann may read this.")}, data={name: "ann"}),
    ]
    assert [response.status_code for response in sent] == [422, 422, 422]
    assert {response.json()["code"] for response in sent} == {"request-invalid"}
    assert sent[0].json()["detail"] == f"{name}: no such field; remove it"
    assert client.get(f"{DOCUMENTS}/misspelt").status_code == 404


def test_new_members_of_an_uploaded_archive_get_its_readers(client: httpx.Client, library: Library) -> None:
    def put(*names: str, **params: str) -> dict[str, str]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            for name in names:
                file.writestr(name, f"Words of {name}.")
        facts = {"filename": "a.zip", **params}
        finished(client, client.put(f"{DOCUMENTS}/minutes", content=packed.getvalue(), params=facts))
        found = library.open("c").documents.list(folder="upload:///minutes")
        return {one.uri.rpartition("/")[2]: " ".join(one.principals) for one in found}

    assert put("one.txt", principal="board") == {"one.txt": "board"}
    assert put("one.txt", "two.txt") == {"one.txt": "board", "two.txt": "board"}
    assert put("three.txt") == {"three.txt": "board"}


@pytest.mark.usefixtures("worker")
def test_a_document_is_deleted_with_its_file(client: httpx.Client, home: Path) -> None:
    job = finished(client, client.put(f"{DOCUMENTS}/gone.txt", content=b"Ephemeral words."))
    sha256 = client.get(f"{DOCUMENTS}/gone.txt").json()["file"]["sha256"]
    assert Originals(home / "uploads").path(sha256).exists()
    assert client.delete(f"{DOCUMENTS}/gone.txt").status_code == 204
    assert "gone.txt" not in [hit["document_id"] for hit in hits(client, "ephemeral")]
    assert not Originals(home / "uploads").path(sha256).exists()
    for ask in (client.get, client.delete):
        assert "'gone.txt' is not in the collection 'c'" in refused(ask(f"{DOCUMENTS}/gone.txt"), 404, "not-found")
    refused(client.get(f"{DOCUMENTS}/gone.txt/file"), 404, "not-found")
    assert client.get(f"/v1/jobs/{job['id']}").json()["state"] == "succeeded"


@pytest.mark.usefixtures("worker")
def test_an_archive_becomes_the_documents_in_it_and_a_new_one_replaces_them_all(client: httpx.Client) -> None:
    def archive(**members: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            for name, content in members.items():
                file.writestr(name.replace("_", "."), content)
        return packed.getvalue()

    def uris() -> list[str]:
        listed = client.get("/v1/documents", params={"collection": "c"}).json()["documents"]
        return [found["uri"] for found in listed if found["uri"].startswith("upload:///papers/")]

    packed = archive(one_txt=b"Quarks are small.", two_txt=b"Leptons are light.", bad_pdf=b"no PDF")
    done = finished(client, client.put(f"{DOCUMENTS}/papers", content=packed, params={"filename": "p.zip"}))
    assert (done["state"], done["documents"]) == ("succeeded", 2)
    assert done["remark"] == "Not read: bad.pdf: it is named .pdf but holds plain text"
    assert uris() == ["upload:///papers/p.zip!/one.txt", "upload:///papers/p.zip!/two.txt"]
    assert "uploaded archive" in refused(client.get(f"{DOCUMENTS}/papers"), 404, "not-found")
    assert client.get(f"{DOCUMENTS}/papers/file").content == packed
    again = archive(two_txt=b"Leptons are light.", three_txt=b"Bosons carry forces.")
    finished(client, client.put(f"{DOCUMENTS}/papers", content=again, params={"filename": "p.zip"}))
    assert uris() == ["upload:///papers/p.zip!/three.txt", "upload:///papers/p.zip!/two.txt"]
    assert client.delete(f"{DOCUMENTS}/papers").status_code == 204
    assert uris() == []


@pytest.mark.usefixtures("worker")
def test_an_unreadable_file_is_a_failed_job_with_the_reason(client: httpx.Client) -> None:
    job = finished(client, client.put(f"{DOCUMENTS}/broken.pdf", content=b"%PDF-1.7 and then nothing"))
    assert (job["state"], job["error_code"]) == ("failed", "document-rejected")
    assert job["error"].startswith("upload:///broken.pdf/broken.pdf: it is damaged or cut short")
    refused(client.get(f"{DOCUMENTS}/broken.pdf"), 404, "not-found")


def test_the_first_document_creates_a_collection_and_dropping_removes_all_of_it(
    client: httpx.Client, worker: None
) -> None:
    finished(client, client.put("/v1/collections/fresh/documents/a.txt", content=b"Fresh words."))
    assert client.get("/v1/collections/fresh").json()["documents"] == 1
    assert len(hits(client, "fresh", "fresh")) == 1
    assert client.delete("/v1/collections/fresh").status_code == 204
    refused(client.get("/v1/collections/fresh"), 404, "collection-missing")
    refused(client.delete("/v1/collections/fresh"), 404, "collection-missing")
    assert "fresh" not in [found["name"] for found in client.get("/v1/collections").json()["collections"]]


def test_the_same_key_is_answered_with_the_same_job(client: httpx.Client) -> None:
    send = {"content": b"Once only.", "headers": {"Idempotency-Key": "abc"}}
    first = client.put("/v1/collections/idle/documents/once.txt", **send)  # type: ignore[arg-type]
    again = client.put("/v1/collections/idle/documents/once.txt", **send)  # type: ignore[arg-type]
    assert first.json()["id"] == again.json()["id"]
    other = client.put("/v1/collections/idle/documents/twice.txt", **send)  # type: ignore[arg-type]
    assert "'abc' came before" in refused(other, 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("name", "content", "status", "code", "said"),
    [
        ("photo.gif", b"GIF89a", 415, "format-unsupported", r".gif files hold no text. Upload text, or one of: "),
        ("page.pdf", b"<html>Not found</html>", 415, "format-unsupported", "named .pdf but holds a web page"),
        ("empty.txt", b"", 422, "upload-invalid", "empty.txt: no bytes came"),
        ("large.txt", b"x" * (MOST + 1), 413, "upload-too-large", "more than 50,000 bytes"),
    ],
)
def test_a_file_that_is_not_a_document_is_refused_at_once_and_leaves_nothing(
    client: httpx.Client, home: Path, name: str, content: bytes, status: int, code: str, said: str
) -> None:
    before = sorted((home / "uploads").rglob("*"))
    assert said in refused(client.put(f"{DOCUMENTS}/{name}", content=content), status, code)
    assert said in refused(client.post(DOCUMENTS, files={"file": (name, content)}), status, code)
    assert sorted((home / "uploads").rglob("*")) == before


def test_a_body_far_over_the_limit_is_not_read_to_its_end(client: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 100_000

    response = client.put(f"{DOCUMENTS}/endless.txt", content=body())
    # a body with a stated length may exceed the limit of uploads and that of all bodies, which is checked first
    code = response.json()["code"]
    assert code in {"upload-too-large", "body-too-long"}
    refused(response, 413, code)


@pytest.mark.parametrize(
    ("path", "params", "status", "code", "said"),
    [
        ("c/documents/.hidden", {}, 422, "upload-invalid", "cannot be a document's id"),
        ("c/documents/a%20b", {}, 422, "upload-invalid", "cannot be a document's id"),
        ("Not-A-Name/documents/a.txt", {}, 422, "collection-name-invalid", "cannot name a collection"),
        ("c/documents/a.txt", {"metadata": "[1]"}, 422, "upload-invalid", "no object of strings"),
        ("c/documents/a.txt", {"metadata": "{"}, 422, "upload-invalid", "not JSON"),
        ("c/documents/a.txt", {"metadata": '{"a": "\\ud800"}'}, 422, "upload-invalid", "surrogate"),
        ("c/documents/a.txt", {"title": "x" * 301}, 422, "upload-invalid", "301 characters"),
        ("c/documents/a.txt", {"principal": " "}, 422, "upload-invalid", "cannot be a principal"),
        ("c/documents/a.txt", {"principal": "hr", "public": "true"}, 422, "upload-invalid", "Leave one of them out"),
        ("c/documents/a.txt", {"filename": "../.."}, 422, "upload-invalid", "names no file"),
    ],
)
def test_bad_metadata_is_refused_with_the_expected_form(
    client: httpx.Client, path: str, params: dict[str, str], status: int, code: str, said: str
) -> None:
    response = client.put(f"/v1/collections/{path}", content=b"Some text.", params=params)
    assert said in refused(response, status, code)


def test_a_document_from_a_folder_is_not_replaced_by_an_upload(client: httpx.Client, library: Library) -> None:
    library.open_or_create("folder").add(Document("f", "v", "file:///f.txt", "F", "text/plain", "From a folder."))
    response = client.put("/v1/collections/folder/documents/f", content=b"Mine.", params={"filename": "f.txt"})
    assert "that was not uploaded" in refused(response, 409, "document-taken")
    refused(client.get("/v1/collections/folder/documents/f/file"), 404, "source-missing")
    assert client.get("/v1/collections/folder/documents/f").json()["file"] is None
    assert client.delete("/v1/collections/folder/documents/f").status_code == 204


def test_jobs_are_listed_in_pages_and_cancelled(client: httpx.Client) -> None:
    sent = [client.put(f"/v1/collections/idle/documents/n{number}.txt", content=b"N").json() for number in range(3)]
    listed = client.get("/v1/jobs", params={"collection": "idle", "limit": 2}).json()
    assert [job["id"] for job in listed["jobs"]] == [sent[2]["id"], sent[1]["id"]]
    rest = client.get("/v1/jobs", params={"collection": "idle", "limit": 2, "before": listed["next"]}).json()
    assert rest["jobs"][0]["id"] == sent[0]["id"]
    cancelled = client.delete(f"/v1/jobs/{sent[0]['id']}").json()
    assert cancelled["state"] in ("cancelled", "running", "succeeded")
    refused(client.get("/v1/jobs/none"), 404, "record-missing")
    refused(client.delete("/v1/jobs/none"), 404, "record-missing")
    refused(client.get("/v1/jobs", params={"state": "odd"}), 422, "request-invalid")
    refused(client.get("/v1/jobs", params={"before": "none"}), 404, "record-missing")


@pytest.mark.parametrize(
    ("offered", "media_type", "safe"),
    [
        ("report.pdf", "", "report.pdf"),
        ("../../etc/passwd", "", "passwd"),
        ("C:\\Users\\ann\\plan.docx", "", "plan.docx"),
        (".htaccess", "", "htaccess"),
        ("a\0b\nc.txt", "", "a b c.txt"),
        ("  many   spaces .txt", "", "many spaces .txt"),
        ("notes", "text/markdown; charset=utf-8", "notes.md"),
        ("notes", "application/unknown", "notes"),
        ("e\u0301tude.txt", "", "\u00e9tude.txt"),
        ("\ud800half.txt", "", "half.txt"),
        ("x" * 300 + ".pdf", "", "x" * 196 + ".pdf"),
        ("\U0001f99c" * 100 + ".pdf", "", "\U0001f99c" * 49 + ".pdf"),
        ("a." + "x" * 300, "", "a." + "x" * 198),
    ],
)
def test_names_are_made_safe(offered: str, media_type: str, safe: str) -> None:
    assert safe_name(offered, media_type) == safe
    assert len(safe.encode()) <= 200
