"""Pictures of pages, kept on disk: a cache of bounded size, from which the longest unused go first."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from index.errors import DiskFull
from index.storage.atomic import replace_file

MAX_BYTES = 256 << 20
"""Of the pictures of one collection; a page of 1,000 pixels takes about 0.1 MB."""


class Pictures:
    """The pictures in `folder`, which may be missing. Processes may share it; nothing in it is needed."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes

    def get(self, version: str, page: int, width: int) -> bytes | None:
        """Return the picture of a page of a document version in that width; None if it is not kept."""
        path = self._path(version, page, width)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None  # then it is drawn again
        return data

    def put(self, version: str, page: int, width: int, data: bytes) -> None:
        """Keep a picture, if it can be written, and remove the longest unused ones if there are too many."""
        with suppress(OSError, DiskFull):  # then it is drawn again the next time
            self._folder.mkdir(exist_ok=True)
            with replace_file(self._path(version, page, width)) as path:
                path.write_bytes(data)
            self._trim()

    def _path(self, version: str, page: int, width: int) -> Path:
        return self._folder / f"{hashlib.sha256(version.encode()).hexdigest()}-{page}-{width}.png"

    def _trim(self) -> None:
        kept = [
            (status.st_mtime_ns, status.st_size, path) for path in self._folder.iterdir() for status in [path.stat()]
        ]
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
