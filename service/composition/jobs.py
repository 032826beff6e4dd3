"""Open the job queue for a server, and run the worker that does its jobs, as the settings say."""

import threading

from index.formats.limits import Limits
from service.composition.library import open_library
from service.jobs.database import open_jobs
from service.jobs.files import Originals
from service.jobs.indexing import Indexer
from service.jobs.leases import Leases
from service.jobs.queue import JobQueue
from service.jobs.worker import JobWorker, Presence
from service.settings import Settings


def open_queue(settings: Settings) -> JobQueue:
    """The job queue in the home folder. Close it when the server stops."""
    return JobQueue(open_jobs(settings.jobs_path), Originals(settings.uploads))


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Do the jobs of the queue in the home folder until `stop` is set. The model is loaded at the first job."""
    database, originals = open_jobs(settings.jobs_path), Originals(settings.uploads)
    presence = Presence(settings.home / "workers")
    library = open_library(settings)
    leases = Leases(database, originals, presence.is_gone)
    indexer = Indexer(library, originals, leases, Limits(file_bytes=settings.max_upload_bytes))

    def sweep() -> None:
        leases.sweep(library.names())
        presence.sweep()

    try:
        with presence.announce() as name:
            JobWorker(leases, indexer, name, stop, sweep).run()
    finally:
        indexer.interrupt()
        library.close()
        database.close()
