"""How far `quoth index` has come: a bar on a terminal, and lines, some seconds apart, in a log or a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from index.sync.sync import SyncProgress

LINE_SECONDS = 10.0
"""How long nothing is printed into a log while one stage goes on."""


@contextmanager
def shown_progress(console: Console) -> Iterator[Callable[[SyncProgress], None]]:
    """Yield what to call with each step; it shows the steps on the console until the block ends."""
    if not console.is_terminal:
        yield ProgressLines(lambda line: console.print(line, highlight=False, soft_wrap=True))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Looking for documents", total=None)

        def advance(at: SyncProgress) -> None:
            stage, done, total, _ = _stage(at)
            bar.update(task, description=stage, completed=done, total=total)

        yield advance


class ProgressLines:
    """Prints a line when a stage begins and when it ends, and at most every `LINE_SECONDS` in between."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._stage = ""
        self._due = 0.0

    def __call__(self, at: SyncProgress) -> None:
        """Print a line for the step if one is due."""
        stage, done, total, unit = _stage(at)
        now = self._clock()
        if stage != self._stage or done == total or now >= self._due:
            self._stage, self._due = stage, now + LINE_SECONDS
            self._write(f"{stage}: {done:,} of {total:,} {unit}")


def _stage(at: SyncProgress) -> tuple[str, int, int, str]:
    """Return the name of the stage, how much of it is done, how much there is, and of what."""
    if at.chunks_total:
        return "Making vectors", at.chunks_done, at.chunks_total, "passages"
    return "Reading", at.files_done, at.files_total, "files"
