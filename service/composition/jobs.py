"""Open the job queue for a server, and run the worker that does its jobs, as the settings say."""

import threading
from contextlib import closing

from index.collection import Collection
from index.formats.limits import Limits
from index.library import Library
from index.sync.earlier import EarlierReadings, count_earlier
from service.composition.library import open_library
from service.jobs.database import open_jobs
from service.jobs.earlier import queue_earlier, stored_uploads
from service.jobs.files import Originals
from service.jobs.indexing import Indexer, forget_removed
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings

_PROJECT_SECONDS = 2.0


def open_queue(settings: Settings) -> JobQueue:
    """The job queue in the home folder. Close it when the server stops."""
    originals = Originals(settings.uploads)
    return JobQueue(open_jobs(settings.jobs_path, originals), originals)


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
    if not settings.jobs_path.exists():
        return count_earlier(earlier, lambda _: False)
    with closing(open_queue(settings)) as queue:
        return count_earlier(earlier, stored_uploads(queue, collection.name))


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Do the jobs of the queue in the home folder until `stop` is set. The model is loaded at the first job."""
    originals = Originals(settings.uploads)
    database = open_jobs(settings.jobs_path, originals)
    queue = JobQueue(database, originals)
    presence = Presence(settings.home / "workers")
    library = open_library(settings)
    leases = Leases(database, originals, presence.is_gone)
    indexer = Indexer(library, originals, leases, Limits(file_bytes=settings.max_upload_bytes))

    def recover() -> None:
        library.finish_drops(queue.complete_withdrawal)
        leases.recover()

    def sweep() -> bool:
        forget_removed(library, queue)
        leases.sweep(library.names())
        presence.sweep()
        return queue_earlier(library, queue)

    projecting = threading.Thread(target=_project, args=(library, stop), name="projecting", daemon=True)
    if library.is_searched_on_shared_storage:
        projecting.start()
    try:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, sweep, recover).run()
    finally:
        indexer.interrupt()
        library.close()
        database.close()


def _project(library: Library, stop: threading.Event) -> None:
    """Bring up to date what all processes search, also what was indexed by a command that has ended, until `stop` is set."""
    while not stop.wait(_PROJECT_SECONDS):
        library.project()
