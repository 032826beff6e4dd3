"""Move a collection to another home or database, with its uploaded files and the note on its folders."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr

from index.collection import Collection
from index.errors import CollectionBusy, DestinationInvalid, SourceMissing
from index.library import Library
from index.sync.folder_note import read_note, write_note
from index.uris import file_path
from service.composition.jobs import open_queue
from service.composition.library import open_library
from service.jobs.queue import JobQueue
from service.jobs.records import Original
from service.settings import Settings

_DATABASES = ("postgresql://", "postgres://", "postgresql+")
_BLOCK = 1 << 20
_FILE = "file:"
log = structlog.get_logger(__name__)


def move_collection(settings: Settings, name: str, to: str) -> tuple[bool, Collection]:
    """Move the collection of that name to the home folder or database `to`. Returns it there, and whether it was here before.

    If this process is killed, the same call goes on. Raises as `Library.move` does, `DestinationInvalid` for a place where no
    collections can be, and `CollectionBusy` while uploads into it are not indexed yet. Nothing has changed then.
    """
    there = destination(settings, to)
    library, target = open_library(settings), open_library(there)
    with closing(open_queue(settings)) as queue, _opened_queue(there, target) as target_queue:
        library.finish_drops(queue.complete_withdrawal)
        waiting = queue.count_unfinished(name)
        if waiting:
            raise CollectionBusy(
                f"{name}: {waiting:,} uploads into it are not indexed yet. Wait until they are, or cancel them, then move it"
            )

        def bring(here: Collection, moved: Collection) -> None:
            write_note(moved, read_note(here))
            for original in queue.originals_of(name):
                _bring_original(original, queue, target_queue)

        moved = library.move(name, target, bring, queue.withdrawing(name))
    return moved, target.open(name)


def destination(settings: Settings, to: str) -> Settings:
    """The settings with which the collections in `to` are used. `DestinationInvalid` if there can be none."""
    if to.startswith(_DATABASES):
        return settings.model_copy(update={"database_url": SecretStr(to), "collections_in": "database"})
    if "://" in to and not to.startswith(_FILE):
        raise DestinationInvalid(
            f"{to}: collections are in a home folder or a PostgreSQL database. Write a folder, or postgresql://user@host/name"
        )
    home = (file_path(to) if to.startswith(_FILE) else Path(to).expanduser()).absolute()
    if home.exists() and not home.is_dir():
        raise DestinationInvalid(f"{home} is no folder. Name a home folder, or a database")
    if not home.parent.is_dir():
        raise DestinationInvalid(f"{home.parent} is not there. Make it, or check how it is spelled")
    return settings.model_copy(update={"home": home, "collections_in": "home", "storage_url": None})


@contextmanager
def _opened_queue(settings: Settings, library: Library) -> Iterator[JobQueue]:
    """The queue at the destination, whose collections are asked first: where they cannot be, nothing is made for the queue."""
    library.names()
    with closing(open_queue(settings)) as queue:
        yield queue


def _bring_original(original: Original, queue: JobQueue, target: JobQueue) -> None:
    """Copy an uploaded file. One that is not stored any more is left out: its document is read without it."""
    try:
        with (
            queue.originals.opened(original.sha256) as path,
            path.open("rb") as file,
            target.originals.receiving(original.size) as incoming,
        ):
            while block := file.read(_BLOCK):
                incoming.write(block)
            incoming.finish()
            target.adopt(original, incoming)
    except (FileNotFoundError, SourceMissing) as error:
        log.warning("uploaded file not moved", document=original.document_id, detail=str(error))
