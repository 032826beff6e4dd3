"""The commands `quoth keys ...`: create, list, revoke and give up API keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from service.access.caller import Scope
from service.access.keys import expiry_of, name_of, principals_of
from service.access.rate import rate_of
from service.cli.console import JsonOption
from service.cli.rendering import Line, show
from service.errors import KeyOptionInvalid, KeysLost
from service.observability.logs import configure
from service.settings import load

if TYPE_CHECKING:
    from service.access.key_table import Key
    from service.access.keyring import Keyring

app = typer.Typer(help="Create, list, revoke and give up API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for, such as `slack`.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do; repeat it for several. Without it: ask.", show_default=False),
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", "-c", metavar="NAME", help="The only collection that it sees; repeatable."),
    ] = None,
    principal: Annotated[
        list[str] | None,
        typer.Option(
            "--principal", metavar="NAME", help="Reads documents restricted to this person or group; repeatable."
        ),
    ] = None,
    all_documents: Annotated[
        bool, typer.Option("--all-documents", help="Reads every document, also restricted ones.")
    ] = False,
    acts_for_others: Annotated[
        bool,
        typer.Option("--acts-for-others", help="May say in a header for whom it asks (QUOTH_PRINCIPALS_HEADER)."),
    ] = False,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="After 12h, 90d, 8w, 1y, or on a day: 2027-01-31.", show_default="never"),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(metavar="N/TIME", help="Most requests in s, min, h or d: 60/min.", show_default="no limit"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key and show it, this once."""
    from index.library import require_name

    named, rated = name_of(name), rate_of(rate) if rate else None
    expires_at = expiry_of(expires, datetime.now(UTC)) if expires else None
    if all_documents and principal:
        raise KeyOptionInvalid("--all-documents reads what every --principal reads. Leave one of them out")
    if acts_for_others and not (all_documents or principal):
        raise KeyOptionInvalid(
            "A key that acts for others reads for them at most what it may read itself. Add --all-documents, or each "
            "--principal that it may act for"
        )
    for collection_name in collection or ():
        require_name(collection_name)
    principals = None if all_documents else principals_of(principal or ())
    with _keyring(create=True) as keys:
        lost = _are_lost(keys)
        key, text = keys.create(
            named,
            scope or [Scope.ASK],
            collections=collection or None,
            principals=principals,
            acts_for_others=acts_for_others,
            expires_at=expires_at,
            rate=rated,
        )
    if lost:
        _say("The keys that were made before are lost with their database. They stay invalid.")
    if as_json:
        typer.echo(json.dumps({**_json_record(key), "key": text}, indent=2))
        return
    typer.echo(text)
    _say(f"This is the key {key.name!r}, shown this once. Send it as `Authorization: Bearer ...`.")


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List the keys: what each may do, and how it is used. The keys themselves are not kept."""
    with _keyring() as keyring:
        keys = keyring.list_keys()
    if as_json:
        typer.echo(json.dumps([_json_record(key) for key in keys], indent=2))
    else:
        show(Console(), key_lines(keys, datetime.now(UTC)))


@app.command()
def revoke(name: Annotated[str, typer.Argument(metavar="NAME|ID", help="The key, by name or id.")]) -> None:
    """End a key. From the next request on it opens nothing."""
    with _keyring() as keys:
        key = keys.revoke(name)
    Console(highlight=False).print(f"Revoked {key.name!r} ({key.id}). What it asked before is kept.", soft_wrap=True)


@app.command("give-up")
def give_up(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Give up keys that were lost with their database: a server without keys then answers everybody on its machine."""
    with _keyring() as keys:
        if not yes and _are_lost(keys):
            typer.confirm("Let a server without keys answer everybody on this machine?", abort=True)
        keys.give_up()
    _say("No keys are remembered. To make one: quoth keys create NAME")


def key_lines(keys: tuple[Key, ...], now: datetime) -> Iterator[Line]:
    """Each key with its state, its rights and its use."""
    if not keys:
        yield Line(0, Text("There are no keys: the server answers this machine only, without asking for one."))
    for key in keys:
        ended = "revoked" if key.revoked_at else "" if key.is_good(now) else "expired"
        yield Line(0, Text.assemble((key.name, "bold"), f"  {key.id}", (f"  {ended}" if ended else "", "red")))
        yield Line(2, Text(" · ".join(_rights(key))))
        yield Line(2, Text(" · ".join(_use(key)), "dim"))


def _rights(key: Key) -> Iterator[str]:
    yield f"may {', '.join(sorted(key.scopes))}"
    yield f"collections: {', '.join(sorted(key.collections))}" if key.collections else "all collections"
    if key.principals is None:
        yield "all documents"
    elif key.principals:
        yield f"documents of everybody and {', '.join(sorted(key.principals))}"
    else:
        yield "documents of everybody"
    if key.acts_for_others:
        yield "acts for others"
    if key.rate:
        yield f"at most {key.rate}"
    if key.expires_at:
        yield f"until {key.expires_at:%Y-%m-%d %H:%M} UTC"


def _use(key: Key) -> Iterator[str]:
    yield f"made {key.created_at:%Y-%m-%d}"
    yield f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
    yield f"{key.requests:,} request{'' if key.requests == 1 else 's'}"
    if key.refused:
        yield f"{key.refused:,} refused by its rate"


def _json_record(key: Key) -> dict[str, Any]:
    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "collections": None if key.collections is None else sorted(key.collections),
        "principals": None if key.principals is None else sorted(key.principals),
        "acts_for_others": key.acts_for_others,
        "rate": str(key.rate) if key.rate else None,
        "requests": key.requests,
        "refused": key.refused,
    } | {name: moment.isoformat() if (moment := getattr(key, name)) else None for name in times}


@contextmanager
def _keyring(*, create: bool = False) -> Iterator[Keyring]:
    """The keys; with `create` also in a database that is begun in place of a lost one."""
    from service.composition.store import make_keyring, open_database
    from service.storage.database import Database

    configure("warning")
    settings = load()
    database = Database(settings.store_url) if create else open_database(settings)
    try:
        yield make_keyring(settings, database)
    finally:
        database.close()


def _are_lost(keys: Keyring) -> bool:
    try:
        keys.is_empty()
    except KeysLost:
        return True
    return False


def _say(text: str) -> None:
    """Print to standard error: standard output belongs to the key."""
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
