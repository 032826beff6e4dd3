"""Delete conversations that were not used for as many days as the setting `retention_days` says: at start, then daily."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from service.errors import ServiceError
from service.storage.conversation_list import ConversationList
from service.storage.conversations import now_utc
from service.storage.database import Database

DAY_S = 24 * 60 * 60.0
log = structlog.get_logger(__name__)


class Retention:
    """Deletes old conversations in a thread while the `with` block runs. With `days` None everything is kept.

    A failure is logged, and tried again after `every_s` seconds: the database may be away for a while.
    """

    def __init__(
        self,
        conversations: ConversationList,
        days: int | None,
        *,
        clock: Callable[[], datetime] = now_utc,
        every_s: float = DAY_S,
    ) -> None:
        self._conversations = conversations
        self._days = days
        self._clock = clock
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def __enter__(self) -> Self:
        if self._days is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def apply(self) -> int:
        """Delete the conversations that are too old now. Returns how many."""
        if self._days is None:
            return 0
        now = self._clock()
        self._conversations.correct_uses_after(now)
        count = self._conversations.delete_unused_since(now - timedelta(days=self._days))
        log.info("old conversations deleted", conversations=count, retention_days=self._days)
        return count

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.apply()
            except ServiceError as error:
                log.warning("old conversations could not be deleted", error=type(error).__name__, detail=str(error))
            self._stop.wait(self._every_s)


def make_retention(database: Database, days: int | None) -> Retention:
    """The retention of the conversations in a database."""
    return Retention(ConversationList(database), days)
