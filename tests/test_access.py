"""Keys, rates, expiry dates and principals: the pure functions, with the arithmetic written out."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import keys
from service.access.caller import LOCAL, NOBODY, Caller, Scope, narrow_caller
from service.access.keys import digest, expiry_of, id_of, matches, mint, name_of, principals_of
from service.access.rate import BucketState, Rate, rate_of
from service.errors import ActingForbidden, KeyOptionInvalid, PrincipalsInvalid, ScopeMissing

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADER = "X-Quoth-Principals"


def make_caller(**changes: Any) -> Caller:
    return Caller(**{"key_id": "k1", "name": "portal", "scopes": frozenset((Scope.ASK,)), "owner": "k1"} | changes)


def test_a_key_has_a_public_id_and_256_random_bits() -> None:
    minted = [mint() for _ in range(50)]
    assert len({one.text for one in minted}) == len({one.id for one in minted}) == 50
    for one in minted:
        prefix, key_id, secret = one.text.split("_")
        assert (prefix, key_id) == ("quoth", one.id)
        assert len(bytes.fromhex(secret)) * 8 == 256
        assert id_of(one.text) == one.id
        assert secret not in repr(one)
        assert secret not in f"{one}"


@given(st.text(max_size=120))
def test_no_other_text_is_accepted_as_a_key(text: str) -> None:
    assert id_of(text) is None
    assert not matches(text.encode("utf-8", "replace").decode(), None)


def test_only_the_digest_is_kept_and_only_the_key_itself_matches_it() -> None:
    one, other = mint(), mint()
    stored = digest(one.text)
    assert stored == hashlib.sha256(one.text.encode()).hexdigest()
    assert matches(one.text, stored)
    assert not matches(other.text, stored)
    assert not matches(stored, stored)
    assert not matches(one.text[:-1], stored)
    assert not matches("", None)


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "hmac", type("Recorder", (), {"compare_digest": staticmethod(compare)}))
    one = mint()
    assert matches(one.text, digest(one.text))
    assert not matches(one.text, None)  # a key that does not exist takes the same comparison
    assert [len(part) for pair in compared for part in pair] == [64] * 4
    monkeypatch.setattr(keys, "hmac", type("Refuser", (), {"compare_digest": staticmethod(lambda *_: False)}))
    assert not matches(one.text, digest(one.text))  # the comparison alone decides


@pytest.mark.parametrize(
    ("written", "requests", "window"), [("60/min", 60, 60), ("1/s", 1, 1), ("5000/d", 5000, 86400), ("10/H ", 10, 3600)]
)
def test_rates_are_written_as_requests_per_time(written: str, requests: int, window: int) -> None:
    rate = rate_of(written)
    assert (rate.requests, rate.window_s) == (requests, window)
    assert rate_of(str(rate)) == rate


@pytest.mark.parametrize(
    "written", ["", "60", "60/", "0/min", "-1/min", "6.5/min", "60/week", "60/min/s", "x/s", "٦/min"]
)
def test_a_malformed_rate_is_refused_with_the_right_form(written: str) -> None:
    with pytest.raises(KeyOptionInvalid, match="60/min"):
        rate_of(written)


def test_the_rate_state_has_the_remaining_requests_and_the_time_of_the_next() -> None:
    rate = Rate(6, 60)  # one request is regained every 10 s
    assert BucketState(rate, full_at=0, now=100).headers() == {
        "RateLimit-Policy": '"key";q=6;w=60',
        "RateLimit": '"key";r=6;t=0',
    }
    half = BucketState(rate, full_at=125, now=100)  # three requests less 5 s of regained time are used: 25 s
    assert (half.remaining, half.wait_s) == (3, 0)
    assert half.headers()["RateLimit"] == '"key";r=3;t=25'
    spent = BucketState(rate, full_at=156, now=100)  # 56 s are used; a request needs 10 of 60, so 6 s are missing
    assert (spent.remaining, spent.wait_s) == (0, 6)


@pytest.mark.parametrize(
    ("written", "ends"),
    [
        ("12h", datetime(2026, 11, 24, 0, tzinfo=UTC)),
        ("90d", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("2w", datetime(2026, 12, 7, 12, tzinfo=UTC)),
        ("1y", datetime(2027, 11, 23, 12, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_key_ends_after_a_time_or_on_a_day(written: str, ends: datetime) -> None:
    assert expiry_of(written, NOON) == ends


@pytest.mark.parametrize("written", ["", "soon", "90", "0d", "-1d", "99999y", "2026-11-23", "2026-13-01", "1e3d"])
def test_a_malformed_expiry_is_refused(written: str) -> None:
    with pytest.raises(KeyOptionInvalid, match="expiry"):
        expiry_of(written, NOON)


@pytest.mark.parametrize("name", ["slack", "ci.nightly-2", "ada@example.org", "a"])
def test_a_name_has_only_printable_characters(name: str) -> None:
    assert name_of(name) == name


@pytest.mark.parametrize(
    "name", ["", "../../etc", "a b", "a\r\nX: y", "-x", "x" * 65, "\x1b[31mred", "é", "0123456789ab", "a/b", "a\u202eb"]
)
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(KeyOptionInvalid, match="cannot name a key"):
        name_of(name)


@pytest.mark.parametrize("name", ["", " ", "a,b", " a", "a\nb", "a\x00", "\u2028", "x" * 257])
def test_a_principal_has_only_characters_that_a_header_can_carry(name: str) -> None:
    with pytest.raises(KeyOptionInvalid, match="principal"):
        principals_of(["fine", name])
    assert principals_of(["group:eng", "ada@example.org", "Zoë"]) == {"group:eng", "ada@example.org", "Zoë"}


def test_a_scope_that_is_missing_is_named_and_admin_has_them_all() -> None:
    caller = make_caller()
    caller.require(Scope.ASK)
    with pytest.raises(ScopeMissing, match=r"'portal' does not have the scope 'ingest' .* it has: ask"):
        caller.require(Scope.INGEST)
    assert not make_caller(scopes=frozenset((Scope.INGEST,))).has(Scope.ASK)
    admin = make_caller(scopes=frozenset((Scope.ADMIN,)))
    assert all(admin.has(scope) and LOCAL.has(scope) and not NOBODY.has(scope) for scope in Scope)
    assert not NOBODY.may_open("default")


def test_a_program_acts_for_the_principals_that_it_names_and_no_others() -> None:
    every = make_caller(acts_for_others=True)
    some = make_caller(acts_for_others=True, principals=frozenset(("ada", "group:eng")))
    assert narrow_caller(every, HEADER, [b"ada, group:eng ,,"]).principals == {"ada", "group:eng"}
    assert narrow_caller(some, HEADER, [b"ada,group:boss"]).principals == {"ada"}
    assert narrow_caller(every, HEADER, ["Zoë".encode()]).principals == {"Zoë"}


def test_a_program_without_the_header_reads_only_public_documents() -> None:
    every = make_caller(acts_for_others=True)
    assert (
        narrow_caller(every, HEADER, []).principals == narrow_caller(every, HEADER, [b" , "]).principals == frozenset()
    )


def test_the_header_counts_only_from_a_key_that_may_send_it() -> None:
    one = make_caller(principals=frozenset(("ada",)))
    assert narrow_caller(one, HEADER, []) == one
    for value in (b"ada", b"bob", b""):
        with pytest.raises(ActingForbidden, match=r"X-Quoth-Principals .* 'portal' may not .* --acts-for-others"):
            narrow_caller(one, HEADER, [value])


@pytest.mark.parametrize(
    "values", [[b"ada", b"bob"], [b"ada", b""], [b"\xff\xfe"], [b"a" * 9000], ["a\u202eb".encode()], [b"a\x00b"]]
)
def test_a_header_that_is_sent_twice_or_malformed_is_refused(values: list[bytes]) -> None:
    with pytest.raises(PrincipalsInvalid, match=HEADER):
        narrow_caller(make_caller(acts_for_others=True), HEADER, values)


def test_each_person_that_a_program_acts_for_is_an_owner_of_their_own() -> None:
    every = make_caller(acts_for_others=True)
    ada, again, bob = (narrow_caller(every, HEADER, [value]).owner for value in (b"ada,x", b"ada", b"bob,x"))
    assert ada == again != bob
    assert len({ada, bob, every.owner}) == 3
    assert "ada" not in ada


def test_a_local_user_reads_everything_and_may_restrict_it() -> None:
    assert narrow_caller(LOCAL, HEADER, []) == LOCAL
    assert narrow_caller(LOCAL, HEADER, [b"ada"]).principals == {"ada"}
