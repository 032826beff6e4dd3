"""Objects below a URL that machines share: a folder, `s3://bucket/prefix`, or what else pyarrow opens (`gs://`, `abfs://`).

An object store is reached as its own environment variables say, the same that Lance reads: `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT`. Needs pyarrow, which `quoth[cluster]` brings.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow.fs import FileSystem, FileType, LocalFileSystem, S3FileSystem

from index.errors import ObjectStoreUnavailable
from index.storage.atomic import sync_to_disk

_BLOCK = 1 << 20
_CONNECT_SECONDS = 10.0


def open_filesystem(url: str, environment: Mapping[str, str] = os.environ) -> tuple[FileSystem, str]:
    """The file system of a URL, and the path in it that the URL names. `ObjectStoreUnavailable` if there is none."""
    with reaching(url):
        parts = urlsplit(url)
        if not parts.scheme:
            return LocalFileSystem(), str(Path(url).absolute())
        if parts.scheme != "s3":
            filesystem, path = FileSystem.from_uri(url)
            return filesystem, path
        return open_s3(environment), f"{parts.netloc}{parts.path}".rstrip("/")


def open_s3(environment: Mapping[str, str] = os.environ) -> S3FileSystem:
    """S3, or the store that the environment names, as it says. ValueError for one without TLS unless that is allowed."""
    endpoint = environment.get("AWS_ENDPOINT") or environment.get("AWS_ENDPOINT_URL")
    if endpoint and endpoint.startswith("http://") and not _is_set(environment, "AWS_ALLOW_HTTP"):
        raise ValueError(f"{endpoint} is not encrypted; if that is meant, set AWS_ALLOW_HTTP=true")
    return S3FileSystem(
        endpoint_override=endpoint,
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
        anonymous=_is_set(environment, "AWS_SKIP_SIGNATURE"),
        connect_timeout=_CONNECT_SECONDS,
    )


def _is_set(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() in ("true", "1", "yes")


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn what pyarrow raises for a store into `ObjectStoreUnavailable`, which names it; a missing object passes unchanged."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # pyarrow's own errors are among them
        raise ObjectStoreUnavailable(
            f"{url}: the storage cannot be read or written ({str(error)[:300]}). Check its address, its free space and the "
            "rights of this program, then try again"
        ) from error


class Objects:
    """The objects below `url`, by name, such as `originals/ab/abc`. Thread-safe.

    An object is whole or not there. Raises `ObjectStoreUnavailable` if the store does not answer, is full or refuses.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._filesystem, self._root = open_filesystem(url)
        self._is_local = isinstance(self._filesystem, LocalFileSystem)

    def put(self, name: str, source: Path) -> None:
        """Store the bytes of a file. When this returns, they outlive a loss of power."""
        path = self._path(name)
        with reaching(self._url), source.open("rb") as file:
            if self._is_local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            with self._filesystem.open_output_stream(path) as stream:
                while block := file.read(_BLOCK):
                    stream.write(block)
            if self._is_local:
                for written in (Path(path), Path(path).parent, Path(self._root)):
                    sync_to_disk(written)

    def parts(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, in parts. FileNotFoundError if there is none."""
        with reaching(self._url), self._filesystem.open_input_stream(self._path(name)) as stream:
            while block := stream.read(_BLOCK):
                yield block

    def delete(self, name: str) -> None:
        """Delete an object, if it exists."""
        with reaching(self._url):
            try:
                self._filesystem.delete_file(self._path(name))
            except FileNotFoundError:
                return

    def require_answer(self) -> None:
        """Raise `ObjectStoreUnavailable` unless the place that the URL names answers."""
        with reaching(self._url):
            place = self._root if self._is_local else self._root.partition("/")[0]
            if self._filesystem.get_file_info(place).type == FileType.NotFound and not self._is_local:
                raise OSError(f"there is no {place}")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"
