"""Open the job queue for a server, and run the worker that does its jobs, as the settings say."""

import threading
from contextlib import closing

import structlog

from index.collection import Collection
from index.formats.limits import Limits
from index.library import Library
from index.sync.earlier import EarlierReadings, count_earlier
from service.composition.library import make_objects, open_library, shared_database_url
from service.errors import JobsUnavailable
from service.jobs.database import open_jobs
from service.jobs.earlier import queue_earlier, stored_uploads
from service.jobs.files import Originals
from service.jobs.indexing import Indexer, forget_removed
from service.jobs.leases import Leases
from service.jobs.pending import PendingTexts
from service.jobs.protocol import JobDatabase, OriginalStore
from service.jobs.queue import JobQueue
from service.jobs.worker import JobWorker, LeaseOnly, Presence
from service.settings import Settings

# What machines share is imported where it is used: SQLAlchemy takes 0.2 s, which the home folder does without.
# ruff: noqa: PLC0415

_PROJECT_SECONDS = 2.0
log = structlog.get_logger(__name__)


def open_queue(settings: Settings) -> JobQueue:
    """The job queue, where the collections are. Close it when the server stops."""
    return JobQueue(*_open_storage(settings))


def _open_storage(settings: Settings) -> tuple[JobDatabase, OriginalStore]:
    """The jobs and the uploaded files: in the home folder, or in the database of the collections."""
    if settings.collections_in == "home":
        originals = Originals(settings.uploads)
        return open_jobs(settings.jobs_path, originals), originals
    from service.jobs.postgres import PostgresJobs
    from service.jobs.shared_files import SharedOriginals

    jobs = PostgresJobs(shared_database_url(settings))
    return jobs, SharedOriginals(jobs, settings.incoming, make_objects(settings))


def drop_collection(settings: Settings, library: Library, name: str) -> None:
    """Drop the collection with its jobs and uploaded files. Raises as `Library.drop` does, and then nothing has changed."""
    with closing(open_queue(settings)) as queue:
        library.finish_drops(queue.complete_withdrawal)
        library.drop(name, queue.withdrawing(name))


def earlier_readings(settings: Settings, collection: Collection) -> EarlierReadings:
    """How many documents of the collection an earlier version of Quoth read, by where they can be read again from."""
    earlier = collection.documents.list(only_earlier=True)
    if not earlier:
        return EarlierReadings()
    if settings.collections_in == "home" and not settings.jobs_path.exists():
        return count_earlier(earlier, lambda _: False)
    with closing(open_queue(settings)) as queue:
        return count_earlier(earlier, stored_uploads(queue, collection.name))


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Do the jobs of the queue until `stop` is set. The model is loaded at the first job."""
    database, originals = _open_storage(settings)
    queue = JobQueue(database, originals)
    presence = _presence(settings)
    library = open_library(settings)
    leases = Leases(database, originals, presence.is_gone, lease_seconds=presence.lease_seconds)
    indexer = Indexer(library, originals, leases, Limits(file_bytes=settings.max_upload_bytes))

    def recover() -> None:
        library.finish_drops(queue.complete_withdrawal)
        leases.recover()
        try:
            originals.discard()
        except JobsUnavailable as error:  # the storage alone is away: jobs that need it wait by themselves
            log.warning("removed files not deleted yet", detail=str(error))

    def sweep() -> bool:
        forget_removed(library, queue)
        leases.sweep(library.names())
        presence.sweep()
        return queue_earlier(library, queue)

    # In a home, the command that began to index has the only turn to encode.
    idle = PendingTexts(library).encode_some if settings.collections_in == "database" else lambda: False
    projecting = threading.Thread(target=_project, args=(library, stop), name="projecting", daemon=True)
    if library.is_searched_on_shared_storage:
        projecting.start()
    try:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, sweep, recover, idle).run()
    finally:
        indexer.interrupt()
        library.close()
        database.close()


def _project(library: Library, stop: threading.Event) -> None:
    """Bring up to date what all processes search, also what was indexed by a command that has ended, until `stop` is set."""
    while not stop.wait(_PROJECT_SECONDS):
        library.project()


def _presence(settings: Settings) -> Presence | LeaseOnly:
    """How workers know that one of them has ended: by file locks in a home, by its lease alone between machines."""
    return Presence(settings.home / "workers") if settings.collections_in == "home" else LeaseOnly()
