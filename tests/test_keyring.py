"""The keys in the database, and `quoth keys`: shown once, counted exactly, revoked for good."""

import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import quoth
from service.access.caller import Scope
from service.access.keyring import Keyring, allows_anonymous, is_loopback
from service.access.rate import Rate
from service.errors import ExposureRefused, KeyInvalid, KeyMissing, KeyOptionInvalid, RateExceeded, StoreUnavailable
from service.storage.database import Database

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ASK = (Scope.ASK,)


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'q.sqlite'}")
    yield database
    database.close()


@pytest.fixture
def keys(database: Database, clock: Clock) -> Keyring:
    return Keyring(database, clock=clock)


def test_a_key_gives_access_to_what_it_was_made_for(keys: Keyring) -> None:
    assert keys.is_empty()
    key, text = keys.create(
        "portal", [Scope.ASK, Scope.INGEST], collections=["a", "b"], principals=["ada"], acts_for_others=True
    )
    caller = keys.authenticate(text).caller
    assert (caller.key_id, caller.name, caller.owner) == (key.id, "portal", key.id)
    assert caller.scopes == {Scope.ASK, Scope.INGEST}
    assert (caller.collections, caller.principals, caller.acts_for_others) == ({"a", "b"}, {"ada"}, True)
    assert not keys.is_empty()


def test_a_key_reads_public_documents_unless_it_was_made_for_more(keys: Keyring) -> None:
    _, plain = keys.create("plain", ASK)
    _, every = keys.create("every", ASK, principals=None)
    assert keys.authenticate(plain).caller.principals == frozenset()
    assert keys.authenticate(every).caller.principals is None
    assert keys.authenticate(plain).caller.collections is None


def test_the_key_itself_is_not_stored_in_the_file(keys: Keyring, database: Database, tmp_path: Path) -> None:
    _, text = keys.create("one", ASK)
    keys.authenticate(text)
    database.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    secret = text.split("_")[2]
    assert secret.encode() not in written
    assert bytes.fromhex(secret) not in written


def test_unknown_expired_and_revoked_keys_get_the_same_error(keys: Keyring, clock: Clock) -> None:
    _, expiring = keys.create("expiring", ASK, expires_at=NOON + timedelta(hours=1))
    revoked, ended = keys.create("ended", ASK)
    _, other = keys.create("other", ASK)
    keys.authenticate(expiring)
    keys.authenticate(ended)
    clock.tick(hours=1)
    keys.revoke("ended")
    stolen = f"quoth_{revoked.id}_{other.split('_')[2]}"  # a valid secret with the id of another key
    messages = set()
    for text in (expiring, ended, stolen, f"quoth_{'0' * 12}_{'0' * 64}", "", "x", "none", other.upper(), f"{other} "):
        with pytest.raises(KeyInvalid) as raised:
            keys.authenticate(text)
        messages.add((type(raised.value), str(raised.value)))
    assert len(messages) == 1
    keys.authenticate(other)


def test_the_name_of_an_ended_key_can_be_used_again(keys: Keyring, clock: Clock) -> None:
    first, _ = keys.create("slack", ASK)
    with pytest.raises(KeyOptionInvalid, match="'slack' already"):
        keys.create("slack", ASK)
    assert keys.revoke("slack").id == first.id
    with pytest.raises(KeyMissing, match="'slack'"):
        keys.revoke("slack")
    second, text = keys.create("slack", ASK, expires_at=NOON + timedelta(days=1))
    assert keys.revoke(second.id).name == "slack"
    with pytest.raises(KeyInvalid):
        keys.authenticate(text)
    assert [(key.name, key.revoked_at) for key in keys.list_keys()] == [("slack", NOON), ("slack", NOON)]
    assert not keys.is_empty()


def test_a_rate_is_enforced_over_time_and_counts_refused_requests(keys: Keyring, clock: Clock) -> None:
    key, text = keys.create("bot", ASK, rate=Rate(3, 60))  # one request is regained every 20 s
    remaining = [keys.authenticate(text).bucket.remaining for _ in range(3)]  # type: ignore[union-attr]
    assert remaining == [2, 1, 0]
    for waited, left in ((0, 20), (19.5, 1)):
        clock.tick(seconds=waited)
        with pytest.raises(RateExceeded, match="3/min") as raised:
            keys.authenticate(text)
        assert raised.value.headers["Retry-After"] == str(left)
        assert raised.value.headers["RateLimit-Policy"] == '"key";q=3;w=60'
    clock.tick(seconds=0.5)
    assert keys.authenticate(text).bucket.remaining == 0  # type: ignore[union-attr]
    clock.tick(hours=1)
    assert [keys.authenticate(text).bucket.remaining for _ in range(3)] == [2, 1, 0]  # type: ignore[union-attr]
    (kept,) = keys.list_keys()
    assert (kept.id, kept.requests, kept.refused, kept.last_used_at) == (key.id, 7, 2, clock.now)


def test_replicas_on_one_database_share_a_keys_rate(keys: Keyring, tmp_path: Path, clock: Clock) -> None:
    _, text = keys.create("bot", ASK, rate=Rate(10, 3600))
    second = Database(f"sqlite:///{tmp_path / 'q.sqlite'}")
    replicas = [keys, Keyring(second, clock=clock)]

    def ask(number: int) -> bool:
        try:
            replicas[number % 2].authenticate(text)
        except RateExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(ask, range(40)))
    second.close()
    assert sum(let_in) == 10
    (kept,) = keys.list_keys()
    assert (kept.requests, kept.refused) == (10, 30)


def test_the_last_known_keys_are_used_while_the_database_is_unavailable(
    keys: Keyring, database: Database, tmp_path: Path
) -> None:
    fresh = Keyring(database)
    assert keys.is_empty()
    (tmp_path / "q.sqlite").rename(tmp_path / "away")
    assert keys.is_empty()
    with pytest.raises(StoreUnavailable):
        fresh.is_empty()
    with pytest.raises(StoreUnavailable):
        keys.authenticate(f"quoth_{'0' * 12}_{'0' * 64}")
    (tmp_path / "away").rename(tmp_path / "q.sqlite")
    keys.create("one", ASK)
    assert not keys.is_empty()
    (tmp_path / "q.sqlite").rename(tmp_path / "away")
    assert not keys.is_empty()


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        *[(address, True) for address in ("127.0.0.1", "127.8.8.8", "::1")],
        *[(address, False) for address in ("0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "fe80::1%eth0")],
    ],
)
def test_only_loopback_addresses_are_this_machine(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_a_server_reachable_by_others_needs_a_key_or_an_explicit_setting(keys: Keyring) -> None:
    assert allows_anonymous("127.0.0.1", keys, allowed=False)
    assert allows_anonymous("0.0.0.0", keys, allowed=True)
    with pytest.raises(ExposureRefused, match=r"quoth keys create .* --allow-anonymous"):
        allows_anonymous("0.0.0.0", keys, allowed=False)
    keys.create("one", ASK)
    assert not allows_anonymous("0.0.0.0", keys, allowed=False)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUOTH_HOME", str(tmp_path / "home"))
    runner = CliRunner()

    def run(*words: str) -> Any:
        return runner.invoke(quoth.app, ["keys", *words])

    return run


def test_the_command_shows_a_key_once_and_lists_its_use(run: Any, tmp_path: Path) -> None:
    made = run("create", "portal", "--scope", "ask", "--scope", "ingest", "-c", "papers", "--principal", "group:eng",
               "--expires", "90d", "--rate", "60/min")  # fmt: skip
    assert made.exit_code == 0
    text = made.stdout.strip()
    assert re.fullmatch(r"quoth_[0-9a-f]{12}_[0-9a-f]{64}", text)
    database = Database(f"sqlite:///{tmp_path / 'home' / 'conversations.sqlite'}")
    Keyring(database).authenticate(text)
    database.close()
    listed = run("list").stdout
    for said in (
        "portal",
        text.split("_")[1],
        "may ask, ingest",
        "collections: papers",
        "group:eng",
        "60/min",
        "1 request",
    ):
        assert said in listed
    assert text.split("_")[2] not in listed
    (record,) = json.loads(run("list", "--json").stdout)
    assert (record["requests"], record["refused"], record["collections"]) == (1, 0, ["papers"])
    assert run("revoke", "portal").exit_code == 0
    assert "revoked" in run("list").stdout


def test_an_empty_list_of_keys_explains_what_that_means(run: Any) -> None:
    assert "this machine only" in run("list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "../x"], "cannot name a key"),
        (["create", "x", "--rate", "fast"], "60/min"),
        (["create", "x", "--expires", "soon"], "90d"),
        (["create", "x", "--principal", "a,b"], "principal"),
        (["create", "x", "--principal", "a", "--all-documents"], "--all-documents"),
        (["create", "x", "--acts-for-others"], "--all-documents"),
        (["create", "x", "-c", "../etc"], "../etc"),
        (["revoke", "nobody"], "'nobody'"),
    ],
)
def test_impossible_options_are_refused_with_the_fix(run: Any, words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert "no keys" in run("list").stdout


def test_the_column_of_keys_holds_only_digests(keys: Keyring, tmp_path: Path) -> None:
    _, text = keys.create("one", ASK)
    with sqlite3.connect(tmp_path / "q.sqlite") as connection:
        (row,) = connection.execute('SELECT * FROM "key"').fetchall()
    connection.close()
    assert not [value for value in row if isinstance(value, str) and text.split("_")[2] in value]
