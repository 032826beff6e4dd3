"""Objects in a store: S3 and what speaks its protocol, Google Cloud Storage, Azure. Read through pyarrow, imported when needed.

S3 is reached as `index.storage.objects` says, Azure by AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, Google by the
credentials of its own library.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from index.errors import ObjectsUnsupported

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

SCHEMES = ("s3", "gs", "abfss")

_URL = re.compile(rf"({'|'.join(SCHEMES)})://([^/]+)/?(.*)", re.DOTALL)
_BLOCK = 1 << 20
_CODE = re.compile(r"AWS Error ([A-Z_0-9]+)")
_MISSING = ("NO_SUCH_BUCKET", "NoSuchBucket", "ContainerNotFound")
_DENIED = (
    "ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "UNRECOGNIZED_CLIENT", "INVALID_CLIENT_TOKEN_ID",
    "MISSING_AUTHENTICATION_TOKEN", "EXPIRED_TOKEN", "HTTP status code 403", "AuthenticationFailed", "AuthorizationFailure",
    "AuthorizationPermissionMismatch", "Permission denied", "Could not create OAuth2",
)  # fmt: skip
_DETAIL = 200


class NotReached(Exception):
    """A store, or an object in it, cannot be read: the reason, and what to do about it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason}. {fix}")
        self.reason = reason
        self.fix = fix


class NothingThere(NotReached):
    """There is no such bucket, or no such object."""


class StoredObject(NamedTuple):
    """An object: its key in the bucket, its size in bytes, and when it was written, in nanoseconds since 1970."""

    key: str
    size: int
    modified_ns: int


def is_object_url(text: str) -> bool:
    """Whether it is the address of objects in a store."""
    return text.partition("://")[0] in SCHEMES and "://" in text


class Bucket:
    """The objects at and below `url`, such as s3://bucket/prefix. Thread-safe.

    `ObjectsUnsupported` if pyarrow is not installed or the address names no bucket. Methods raise `NotReached`.
    """

    def __init__(self, url: str) -> None:
        found = _URL.fullmatch(url)
        if found is None:
            raise ObjectsUnsupported(f"{url!r} names no bucket. Write s3://bucket/prefix, or with gs:// or abfss://")
        self._scheme, self._authority, prefix = found.groups()
        self._bucket = self._authority.partition("@")[0]
        self._prefix = prefix.strip("/")
        self._files: FileSystem | None = None
        try:
            import pyarrow.fs as _  # noqa: F401, PLC0415 an extra, which takes 0.2 s to import
        except ImportError as error:
            raise ObjectsUnsupported(
                f"{url}: objects are read with pyarrow, which is not installed. Run: pip install 'quoth[cluster]'"
            ) from error

    @property
    def root(self) -> str:
        """The URI that all objects are at or below."""
        return self.uri(self._prefix).rstrip("/")

    def uri(self, key: str) -> str:
        """The URI of the object with that key, which is percent-encoded in it."""
        return f"{self._scheme}://{self._authority}/{quote(key, safe='/', errors='surrogatepass')}"

    def names_below(self, key: str) -> list[str]:
        """The names, between slashes, of which a key consists below the prefix; none for the object that `url` names."""
        below = key.removeprefix(self._prefix).strip("/")
        return below.split("/") if below else []

    def objects(self) -> list[StoredObject]:
        """Return the objects, by key. `NothingThere` if there is no bucket; none if nothing lies below the prefix."""
        from pyarrow.fs import FileSelector, FileType  # noqa: PLC0415

        base = self._path(self._prefix)
        with self._explaining():
            if self._prefix:
                (single,) = self._opened().get_file_info([base])
                if single.type == FileType.File:
                    return [self._object(single)]
            try:
                found = self._opened().get_file_info(FileSelector(base, recursive=True))
            except FileNotFoundError:  # nothing lies below the prefix; a missing bucket is another error
                found = []
        below = (info for info in found if info.type == FileType.File and info.path.startswith(f"{base}/"))
        return sorted(self._object(info) for info in below)

    def get(self, key: str) -> StoredObject:
        """Return one object as it is now. `NothingThere` if it is gone."""
        from pyarrow.fs import FileType  # noqa: PLC0415

        with self._explaining():
            (info,) = self._opened().get_file_info([self._path(key)])
        if info.type != FileType.File:
            raise _nothing()
        return self._object(info)

    def download(self, key: str, target: Path, max_bytes: int) -> None:
        """Write the object into a new file. Of one that has grown, no more than one byte over `max_bytes` is written."""
        with self._explaining(), self._opened().open_input_stream(self._path(key)) as stream, target.open("xb") as file:
            left = max_bytes + 1
            while left and (block := stream.read(min(left, _BLOCK))):
                file.write(block)
                left -= len(block)

    def _path(self, key: str) -> str:
        return f"{self._bucket}/{key}".rstrip("/")

    def _object(self, info: "object") -> StoredObject:
        path, size, modified = info.path, info.size, info.mtime_ns  # type: ignore[attr-defined]
        return StoredObject(path.removeprefix(f"{self._bucket}/"), size or 0, modified or 0)

    def _opened(self) -> "FileSystem":
        if self._files is None:
            self._files = _filesystem(self._scheme, self._authority)
        return self._files

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Inside the `with` block the errors of the store become `NotReached`."""
        try:
            yield
        except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are of these
            raise _explained(error, self._bucket) from error


def _filesystem(scheme: str, authority: str) -> "FileSystem":
    from pyarrow.fs import AzureFileSystem, GcsFileSystem  # noqa: PLC0415

    from index.storage.objects import open_s3  # noqa: PLC0415

    if scheme == "gs":
        return GcsFileSystem()
    if scheme == "abfss":
        account = authority.partition("@")[2].partition(".")[0] or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME", "")
        return AzureFileSystem(account, account_key=os.environ.get("AZURE_STORAGE_ACCOUNT_KEY"))
    return open_s3()


def _explained(error: Exception, bucket: str) -> NotReached:
    text = " ".join(str(error).split())
    code = _CODE.search(text)
    detail = code[1] if code else text[:_DETAIL]
    if any(sign in text for sign in _MISSING):
        return NothingThere(f"there is no bucket {bucket}", "Check how it is spelled, and the address of the store")
    if isinstance(error, FileNotFoundError):
        return _nothing()
    if isinstance(error, PermissionError) or any(sign in text for sign in _DENIED):
        return NotReached(
            f"the store does not let this program read it ({detail})",
            "Check the key in the environment, and that it may list and read there",
        )
    return NotReached(f"the store does not answer as it should ({detail})", "Check its address, then run it again")


def _nothing() -> NothingThere:
    return NothingThere("no object can be opened under that name", "Check that it is there, or give it another name")
