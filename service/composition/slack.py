"""Settings -> what the Slack door needs, for a process that does nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.composition.service import assemble
from service.session.session import Parts, make_parts
from service.settings import Settings
from service.storage.conversations import ConversationStore
from service.storage.database import Database


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """The assembled service and its stores, until the block ends."""
    database = Database(settings.store_url)
    try:
        yield make_parts(assemble(settings), ConversationStore(database))
    finally:
        database.close()
