"""GET /readyz is 200 when questions and uploads are taken, else 503 with the reason; /v1/models lists what can be asked."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.access.caller import Scope
from service.composition.http import create_app
from service.storage.conversations import ConversationStore
from service.storage.database import Database
from tests.served_app import ServedApp, ask


@pytest.fixture
def served(tmp_path: Path, loopback: Any) -> Iterator[ServedApp]:
    with ServedApp(tmp_path, loopback) as served:
        yield served


def damage(served: ServedApp, name: str) -> None:
    """Leave a file in the place of the collection's ledger that is none."""
    served.library.drop(name)
    folder = served.service.settings.home / "collections" / name
    folder.mkdir()
    (folder / "ledger.sqlite").write_bytes(b"no database " * 400)


def readiness(client: httpx.Client) -> tuple[int, str]:
    response = client.get("/readyz")
    return response.status_code, response.json().get("code", "ready")


def upload(client: httpx.Client) -> int:
    return client.post("/v1/collections/new/documents", files={"file": ("a.txt", b"The bridge opened.")}).status_code


def model_names(client: httpx.Client) -> list[str]:
    return [model["id"] for model in client.get("/v1/models").json()["data"]]


def test_a_server_is_ready_without_its_default_collection_and_without_any(served: ServedApp) -> None:
    client = served.client()
    assert client.get("/readyz").json()["collection"]["name"] == "open"
    served.library.drop("open")
    nothing_late = [{"collection": "closed", "changes": 0, "seconds": 0.0}]
    assert client.get("/readyz").json() == {"status": "ready", "collection": None, "search": nothing_late}
    assert ask(client, collection="closed").status_code == 200
    served.library.drop("closed")
    assert client.get("/readyz").json() == {"status": "ready", "collection": None, "search": []}
    assert upload(client) == 202


def test_a_damaged_default_collection_makes_the_server_unready(served: ServedApp) -> None:
    client = served.client()
    damage(served, "closed")
    assert readiness(client) == (200, "ready")
    damage(served, "open")
    assert readiness(client) == (503, "ledger-damaged")
    assert "open" in client.get("/readyz").json()["detail"]


def test_a_server_none_of_whose_collections_opens_is_not_ready(served: ServedApp) -> None:
    served.library.drop("open")
    damage(served, "closed")
    assert readiness(served.client()) == (503, "ledger-damaged")


def test_a_server_that_cannot_store_uploads_is_not_ready_and_names_the_folder(served: ServedApp) -> None:
    client = served.client()
    folder = served.service.settings.home / "uploads"
    assert upload(client) == 202
    shutil.rmtree(folder)
    folder.write_text("a file where the folder was")
    unready = client.get("/readyz")
    assert (unready.status_code, upload(client)) == (503, 503)
    assert str(folder) in unready.json()["detail"]
    folder.unlink()
    assert (readiness(client), upload(client)) == ((200, "ready"), 202)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here; it takes root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_makes_the_server_unready_until_there_is_space_again(served: ServedApp, small_disk: Path) -> None:
    client = served.client()
    (served.service.settings.home / "uploads").symlink_to(small_disk)
    assert readiness(client) == (200, "ready")
    with pytest.raises(OSError, match="space"):
        (small_disk / "ballast").write_bytes(bytes(5 * 2**20))
    assert (readiness(client), upload(client)) == ((503, "jobs-unavailable"), 503)
    (small_disk / "ballast").unlink()
    assert (readiness(client), upload(client)) == ((200, "ready"), 202)


def test_a_read_only_home_makes_the_server_unready(served: ServedApp, small_disk: Path) -> None:
    client = served.client()
    (served.service.settings.home / "uploads").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert (readiness(client), upload(client)) == ((503, "jobs-unavailable"), 503)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert readiness(client) == (200, "ready")


def test_a_database_that_does_not_answer_makes_the_server_unready(tmp_path: Path, loopback: Any, postgres: Any) -> None:
    with ServedApp(tmp_path, loopback) as served:
        store = ConversationStore(Database(postgres.fresh()))
        with loopback(create_app(served.service, store)) as url, httpx.Client(base_url=url, timeout=60) as client:
            assert readiness(client) == (200, "ready")
            postgres.stop()
            try:
                assert readiness(client) == (503, "store-unavailable")
            finally:
                postgres.start()
            assert readiness(client) == (200, "ready")
        store.close()


def test_every_model_that_is_listed_can_be_asked_and_no_other(served: ServedApp) -> None:
    client = served.client()
    assert model_names(client) == ["quoth", "open", "closed"] or model_names(client) == ["quoth", "closed", "open"]
    damage(served, "closed")
    assert model_names(client) == ["quoth", "open"]
    served.library.drop("open")
    assert model_names(client) == []
    served.library.open_or_create("handbook")
    assert model_names(client) == ["handbook"]
    assert client.get("/v1/models/quoth").status_code == 404


def test_a_key_for_some_collections_is_shown_the_models_that_it_can_ask(served: ServedApp) -> None:
    assert model_names(served.key("one", Scope.ASK, collections=["closed"])) == ["quoth", "closed"]
    assert model_names(served.key("two", Scope.ASK, collections=["closed", "absent"])) == ["closed"]
    for client in (served.clients[-1],):
        for name in model_names(client):
            body = {"model": name, "messages": [{"role": "user", "content": "Why?"}]}
            assert client.post("/v1/chat/completions", json=body).status_code == 200
