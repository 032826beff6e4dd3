"""How far searches are behind what was indexed: measured, shown by the server, and gone when the projector works again."""

import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from index.embedding.encoder import HashedEncoder
from index.engines.lance.indexes import LanceIndexes
from index.library import Library
from index.maintenance.lag import Lag, LagWatch
from index.records import Document
from index.storage.lock import FileLock
from service.access.caller import Scope
from tests.served_app import ServedApp


def note(name: str, text: str, principals: frozenset[str] = frozenset()) -> Document:
    return Document(name, "v1", f"note:{name}", name, "text/plain", text, principals=principals)


def test_the_seconds_are_those_since_the_oldest_change_that_is_missing_was_seen() -> None:
    now = 100.0
    watch = LagWatch(lambda: now)
    assert watch.see(0, 0) == Lag(0, 0.0)
    assert watch.see(0, 7) == Lag(7, 0.0)
    now = 105.0
    assert watch.see(0, 9) == Lag(9, 5.0)
    now = 108.0
    assert watch.see(7, 9) == Lag(2, 3.0)  # what was seen at 100 is reflected, what was seen at 105 is not
    assert watch.see(9, 9) == Lag(0, 0.0)
    now = 200.0
    assert watch.see(9, 12) == Lag(3, 0.0)
    now = 201.0
    assert watch.see(2, 4) == Lag(2, 0.0)  # restored from a backup
    assert watch.see(5, 4) == Lag(0, 0.0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "quoth"


def test_a_stopped_projector_shows_as_lag_and_shows_nothing_that_was_revoked(
    home: Path, tmp_path: Path, loopback: Any
) -> None:
    tables = LanceIndexes(str(tmp_path / "tables"), patience=60)
    with ExitStack() as stack:
        served = stack.enter_context(ServedApp(home, loopback, indexes=tables))
        client = served.key("operator", Scope.ADMIN, Scope.ASK)
        portal = served.key("portal", principals=["ann"])
        elsewhere = stack.enter_context(closing(Library(home, HashedEncoder(), tables)))
        open_here = served.library.open("open")
        writer = elsewhere.open("open")
        writer.change([(note("secret", "The lantern was lit in 1904.", frozenset({"ann"})), None)])
        assert [hit["title"] for hit in search(portal, "lantern lit")] == ["secret"]
        assert lag(client) == (0, 0.0, 0.0)
        with FileLock(open_here.folder / "projector.lock").hold(5):
            writer.permit("secret", frozenset({"bob"}))
            writer.add(note("new", "A second lantern was lit."))
            assert search(portal, "lantern lit") == []
            first, later = lag(client), lag(client)
            assert first[0] == later[0] > 0
            assert later[1] > first[1]
            assert metric(client, "quoth_search_lag_seconds") > 0
            assert httpx.get(f"{served.url}/readyz").json() == {"status": "ready", "collection": None, "search": []}
        assert [hit["title"] for hit in search(portal, "lantern lit")] == ["new"]
        assert lag(client) == (0, 0.0, 0.0)


def test_an_index_of_the_process_itself_is_never_late_since_it_catches_up_where_it_is_looked_at(home: Path) -> None:
    with closing(Library(home, HashedEncoder())) as here, closing(Library(home, HashedEncoder())) as there:
        reader, writer = here.open_or_create("notes"), there.open_or_create("notes")
        writer.add(note("new", "A lantern was lit."))
        assert here.search_lags() == {"notes": Lag(0, 0.0)}
        assert [hit.title for hit in reader.search("lantern")] == ["new"]


def search(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    found = client.post("/v1/search", json={"query": query, "collection": "open"})
    return [hit for hit in found.json()["hits"] if "lantern" in hit["text"]]


def lag(client: httpx.Client) -> tuple[int, float, float]:
    """Changes and seconds of the collection `open` in /readyz, and the changes in /metrics."""
    (one,) = [one for one in client.get("/readyz").json()["search"] if one["collection"] == "open"]
    return one["changes"], one["seconds"], metric(client, "quoth_search_lag")


def metric(client: httpx.Client, name: str) -> float:
    (value,) = re.findall(rf'^{name}{{collections="open"}} (\S+)$', client.get("/metrics").text, re.MULTILINE)
    return float(value)
