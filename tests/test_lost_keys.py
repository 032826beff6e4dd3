"""Keys that were made stay required when their database is lost, emptied or replaced, until somebody gives them up."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

import quoth
from index.embedding.encoder import HashedEncoder
from index.library import Library
from index.records import Document
from service.access.caller import Scope
from service.access.key_record import FILENAME, KeyRecord
from service.access.keyring import Keyring, allows_anonymous
from service.answering.service import Service
from service.cli import doctor
from service.composition.http import create_app
from service.composition.mcp import create_mcp_app
from service.composition.store import make_keyring, open_store
from service.errors import KeysKept, KeysLost, SettingsInvalid, StoreUnavailable
from service.session.session import make_session
from service.settings import Settings, load
from service.storage.conversations import ConversationStore
from service.storage.database import Database

BOARD = Document("board", "v", "file:///board.md", "Board", "text/markdown", "The board sold the mill.")


class Home:
    """A home folder with a restricted document, and what a start of the server over it makes."""

    def __init__(self, folder: Path, loopback: Any) -> None:
        self.settings = Settings(home=folder, collection="papers", worker=False)
        self.loopback = loopback
        self.open: list[Database | ConversationStore] = []
        self.library = Library(folder, HashedEncoder())
        self.library.open_or_create("papers").add(BOARD)

    def start(self, **changes: Any) -> Any:
        """The app of a server on 127.0.0.1, as `quoth serve` makes it."""
        settings = self.settings.model_copy(update=changes)
        store = self._store(settings)
        anonymous = allows_anonymous(
            "127.0.0.1", make_keyring(settings, store.database), allowed=False, required=settings.require_keys
        )
        return self.loopback(create_app(self._service(settings), store, anonymous=anonymous))

    def start_mcp(self) -> Any:
        store = self._store(self.settings)
        service = self._service(self.settings)
        return self.loopback(create_mcp_app(make_session(service, store), anonymous=True))

    def keyring(self) -> Keyring:
        self.open.append(Database(self.settings.store_url))
        return make_keyring(self.settings, self.open[-1])

    def close(self) -> None:
        self.library.close()
        for closable in self.open:
            closable.close()

    def _store(self, settings: Settings) -> ConversationStore:
        store = open_store(settings)
        self.open.append(store)
        return store

    def _service(self, settings: Settings) -> Service:
        return Service(settings, self.library, None, None, None, None)  # type: ignore[arg-type]


@pytest.fixture
def home(tmp_path: Path, loopback: Any) -> Iterator[Home]:
    home = Home(tmp_path / "home", loopback)
    yield home
    home.close()


def lose(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def empty_file(path: Path) -> None:
    lose(path)
    path.touch()


def empty_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM key")


def replace(path: Path) -> None:
    lose(path)
    Database(f"sqlite:///{path}").close()


def requests(url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """What reads, adds and deletes."""
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        yield client.get("/v1/collections")
        yield client.post("/v1/search", json={"query": "mill", "collection": "papers"})
        yield client.post("/v1/chat", json={"question": "Who sold the mill?"})
        yield client.put(
            "/v1/collections/papers/documents/new", content=b"Text.", headers={"Content-Type": "text/plain"}
        )
        yield client.delete("/v1/collections/papers/documents/board")
        yield client.get("/v1/jobs")
        yield client.get("/metrics")
        yield client.delete("/v1/collections/papers")


@pytest.mark.parametrize("damage", [lose, empty_file, empty_tables, replace])
def test_a_server_started_after_its_keys_were_lost_lets_nobody_in_until_they_are_back(
    home: Home, damage: Any, tmp_path: Path
) -> None:
    _, key = home.keyring().create("ada", [Scope.ADMIN], principals=None)
    path = home.settings.store_path
    with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "backup") as backup:
        source.backup(backup)
    damage(path)
    with home.start() as url:
        for headers in ({}, {"Authorization": f"Bearer {key}"}):
            for response in requests(url, headers):
                assert (response.status_code, response.json()["code"]) == (503, "keys-lost"), response.request.url
                assert str(path) not in response.text
        assert httpx.get(f"{url}/readyz").status_code == 503
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert home.library.open("papers").documents.list()[0].id == "board"
        if damage in (lose, empty_file):
            assert not path.exists() or path.stat().st_size == 0  # no new database is begun in place of the old one
        else:
            lose(path)
        shutil.move(tmp_path / "backup", path)
        assert httpx.get(f"{url}/v1/collections").status_code == 401
        assert httpx.get(f"{url}/v1/collections", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_assistants_are_not_let_in_either(home: Home) -> None:
    home.keyring().create("ada", [Scope.ADMIN])
    lose(home.settings.store_path)
    with home.start_mcp() as url:
        response = httpx.post(f"{url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (response.status_code, response.json()["code"]) == (503, "keys-lost")


def test_an_emptied_postgres_does_not_open_a_home_that_remembers_keys(home: Home, postgres: Any) -> None:
    database_url = postgres.fresh()
    settings = Settings(home=home.settings.home, database_url=database_url)
    database = Database(settings.store_url)
    make_keyring(settings, database).create("ada", [Scope.ASK])
    database.close()
    engine = create_engine(database_url.replace("postgresql:", "postgresql+pg8000:"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    with home.start(database_url=settings.database_url) as url:
        assert httpx.get(f"{url}/v1/collections").json()["code"] == "keys-lost"
    assert doctor.check_conversations(settings).state == "broken"


def test_a_server_that_saw_no_key_does_not_open_when_one_was_made_and_the_database_vanishes(home: Home) -> None:
    with home.start() as url:
        assert httpx.get(f"{url}/v1/collections").status_code == 200
        home.keyring().create("ada", [Scope.ASK])
        home.settings.store_path.rename(home.settings.home / "away")
        assert httpx.get(f"{url}/v1/collections").status_code == 503
        (home.settings.home / "away").rename(home.settings.store_path)
        assert httpx.get(f"{url}/v1/collections").status_code == 401
        home.settings.store_path.rename(home.settings.home / "away")
        assert httpx.get(f"{url}/v1/collections").status_code == 401


def test_keys_from_before_the_record_are_noted_at_the_first_start(home: Home) -> None:
    database = Database(home.settings.store_url)
    Keyring(database).create("ada", [Scope.ASK])
    database.close()
    note = home.settings.home / FILENAME
    assert not note.exists()
    with home.start():
        pass
    assert note.exists()
    lose(home.settings.store_path)
    with home.start() as url:
        assert httpx.get(f"{url}/v1/collections").json()["code"] == "keys-lost"


def test_a_home_without_keys_stays_open_when_its_database_is_lost(home: Home) -> None:
    home.keyring().list_keys()
    lose(home.settings.store_path)
    assert doctor.check_conversations(home.settings).state == "ok"
    with home.start() as url:
        assert httpx.get(f"{url}/v1/collections").status_code == 200
    assert not (home.settings.home / FILENAME).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"database": 7}'])
def test_a_damaged_record_still_says_that_keys_were_made(home: Home, content: str) -> None:
    home.settings.home.mkdir(exist_ok=True)
    (home.settings.home / FILENAME).write_text(content)
    with pytest.raises(KeysLost, match=r"keys\.json notes"):
        home.keyring().is_empty()


def test_a_record_that_cannot_be_looked_for_is_not_taken_as_absent(home: Home) -> None:
    with pytest.raises(StoreUnavailable, match="whether API keys were made is unknown"):
        KeyRecord(home.settings.home / ("x" * 300)).exists()


def test_keys_in_a_home_that_cannot_be_written_work_and_the_missing_note_is_reported(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.settings.home / FILENAME).mkdir()
    database = Database(home.settings.store_url)
    keys = make_keyring(home.settings, database)
    _, key = keys.create("ada", [Scope.ASK])
    assert keys.authenticate(key).caller.name == "ada"
    database.close()
    assert "QUOTH_REQUIRE_KEYS" in "".join(capsys.readouterr())


def test_required_keys_close_a_server_on_any_address_before_one_exists(home: Home, postgres: Any) -> None:
    with home.start(require_keys=True) as url:
        assert {response.status_code for response in requests(url, {})} == {401}
        _, key = home.keyring().create("ada", [Scope.ASK])
        assert httpx.get(f"{url}/v1/collections", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    database = Database(postgres.fresh())
    assert not allows_anonymous("0.0.0.0", Keyring(database), allowed=False, required=True)
    database.close()


def test_required_keys_and_anonymous_callers_contradict_each_other() -> None:
    with pytest.raises(SettingsInvalid, match="contradict"):
        load(require_keys=True, allow_anonymous=True)


def test_lost_keys_are_given_up_only_on_request_and_existing_ones_never(home: Home) -> None:
    keys = home.keyring()
    keys.create("ada", [Scope.ASK])
    with pytest.raises(KeysKept, match="quoth keys revoke"):
        keys.give_up()
    empty_tables(home.settings.store_path)
    fresh = home.keyring()
    with pytest.raises(KeysLost):
        fresh.list_keys()
    fresh.give_up()
    assert fresh.list_keys() == ()
    with home.start() as url:
        assert httpx.get(f"{url}/v1/collections").status_code == 200


def test_the_commands_tell_lost_keys_from_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "home"))
    settings = Settings(home=tmp_path / "home")

    def run(*words: str) -> Any:
        return CliRunner().invoke(quoth.app, ["keys", *words])

    assert "There are no keys" in run("list").stdout
    assert run("create", "ada").exit_code == 0
    assert "API keys: 1, valid: 1" in doctor.check_conversations(settings).finding
    empty_file(settings.store_path)
    check = doctor.check_conversations(settings)
    assert (check.state, "has 0 bytes" in check.finding, "quoth keys give-up" in check.fix) == ("broken", True, True)
    assert settings.store_path.stat().st_size == 0
    assert isinstance(run("list").exception, KeysLost)
    assert isinstance(run("revoke", "ada").exception, StoreUnavailable)
    assert settings.store_path.stat().st_size == 0
    assert doctor.check_conversations(settings).state == "broken"
    anew = run("create", "ben")
    assert "keys that were made before are lost" in anew.stderr
    assert "ben" in run("list").stdout
    lose(settings.store_path)
    assert doctor.check_conversations(settings).state == "broken"
    assert run("give-up", "--yes").exit_code == 0
    assert "There are no keys" in run("list").stdout
