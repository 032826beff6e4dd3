"""Parts: what the routes work with, and the worker threads that their CPU work runs in."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Request

from index.collection import Collection
from service.assembly import Service
from service.store import ConversationStore

Result = TypeVar("Result")


def _one_per_core() -> CapacityLimiter:
    return CapacityLimiter(os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Parts:
    """The assembled service and the store, with the limit on CPU work done at once (one job a core; the rest wait)."""

    service: Service
    store: ConversationStore
    limiter: CapacityLimiter = field(default_factory=_one_per_core)

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Run CPU work in a worker thread; waits when every core is taken."""
        return await anyio.to_thread.run_sync(work, limiter=self.limiter)

    async def read(self, work: Callable[[], Result]) -> Result:
        """Run short database work in a worker thread, beside the CPU work."""
        return await anyio.to_thread.run_sync(work)

    def collection(self, name: str | None) -> Collection:
        """The collection of that name, or the default one. Raises CollectionMissing that names those there are."""
        return self.service.library.open(name or self.service.settings.collection)


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(_parts)]
