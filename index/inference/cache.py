"""The compiled networks that are kept in a folder, each with a checksum; the folder is optional in every respect.

A file is `KEY.compiled`: the SHA-256 of key and content, then the content. So a file that was cut, changed, or stored under
another network's name counts as damaged. A folder that cannot be read or written, and a full disk, cost time and nothing else:
the network is compiled at every start.
"""

import fcntl
import functools
import hashlib
import logging
import os
import shutil
import time
from contextlib import ExitStack, suppress
from hashlib import sha256
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import DiskFull
from index.storage.atomic import PARTIAL, replace_file

_DIGEST_BYTES = sha256().digest_size
_SPARE_BYTES = 32 << 20  # the cache leaves this much of the disk free for what must be written
_DAY_S = 86_400.0
_KEY = "[0-9a-f]" * 32  # a pattern of names: the folder may hold files of others
_KEPT_DAYS = 30
_log = logging.getLogger(__name__)


class CompiledCache:
    """The compiled networks in `folder`, by key. Processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        """The file of a network."""
        return self._folder / f"{key}.compiled"

    def read(self, key: str) -> NDArray[np.uint8] | None:
        """The compiled network under `key`, None if it is not there or not as it was written (logged).

        It is mapped, not copied: processes share its pages, and those that nobody uses leave the memory. A file is only ever
        replaced, so it stays as it was read.
        """
        path = self.path(key)
        try:
            with path.open("rb") as file:
                digest = file.read(_DIGEST_BYTES)
                if digest == _digest(key, file):
                    self._note_use(path)
                    # Copied on writing because OpenVINO takes no array that cannot be written; it does not write.
                    return np.asarray(np.memmap(file, np.uint8, mode="c"))[_DIGEST_BYTES:]
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("%s cannot be read (%s); the network is compiled again", path, error.strerror)
            return None
        _log.warning("%s is damaged; the network is compiled again", path)
        return None

    def _note_use(self, path: Path) -> None:
        with suppress(OSError):  # the folder may be read-only
            if path.stat().st_mtime < time.time() - _DAY_S:
                os.utime(path)

    def write(self, key: str, content: bytes) -> None:
        """Keep the compiled network under `key`. Where that is impossible, log why, once for each reason."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._delete_unusable_files()
            if shutil.disk_usage(self._folder).free < len(content) + _SPARE_BYTES:
                _report_unkept(self._folder, "the disk is nearly full")
                return
            with ExitStack() as until_replaced, replace_file(self.path(key)) as partial:
                file = until_replaced.enter_context(partial.open("wb"))
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(_digest(key, BytesIO(content)))
                file.write(content)
                file.flush()
        except DiskFull:
            _report_unkept(self._folder, "the disk is full")
        except OSError as error:
            _report_unkept(self._folder, error.strerror or str(error))

    def _delete_unusable_files(self) -> None:
        """Delete what killed processes left behind, and what earlier versions of Quoth kept: files without a checksum, and
        larger ones, and networks that nobody has used for a month, as those of earlier versions or of another machine.

        A process that still writes holds a lock on its file. What cannot be deleted, such as a file of another user in a
        shared folder, stays.
        """
        for earlier in ("blob", "network"):
            for old in self._folder.glob(f"{_KEY}.{earlier}"):
                with suppress(OSError):
                    old.unlink()
        for kept in self._folder.glob(f"{_KEY}.compiled"):
            with suppress(OSError):
                if kept.stat().st_mtime < time.time() - _KEPT_DAYS * _DAY_S:
                    kept.unlink()
        for partial in self._folder.glob(f"{_KEY}.compiled.*{PARTIAL}"):
            with suppress(OSError), partial.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                partial.unlink()


def _digest(key: str, content: BufferedReader | BytesIO) -> bytes:
    return hashlib.file_digest(content, lambda: sha256(key.encode())).digest()


@functools.cache
def _report_unkept(folder: Path, reason: str) -> None:
    _log.warning(
        "compiled networks cannot be kept in %s (%s), so every start takes some seconds longer. "
        "Make the folder writable, or free space",
        folder,
        reason,
    )
