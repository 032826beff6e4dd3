"""Export a collection into one file to move it to another machine: a zip of the ledger and a manifest with its checksum.

The caches are left out, since they are rebuilt from the ledger. The vectors are included, so nothing is embedded again.
"""

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from index.errors import ExportUnreadable, ExportUnwritable
from index.ledger.protocol import Ledger
from index.records import CollectionState
from index.storage.atomic import replace_file

_FORMAT = 1
_MANIFEST = "manifest.json"
_LEDGER = "ledger.sqlite"
_BLOCK = 1 << 20
_AGAIN = "Export the collection again, or fetch the file again"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description inside an export. `ledger_sha256` and `ledger_bytes` are of the ledger in it."""

    format: int
    name: str
    encoder: str
    dimension: int
    documents: int
    chunks: int
    ledger_bytes: int
    ledger_sha256: str


def export(ledger: Ledger, state: CollectionState, dimension: int, target: Path) -> Manifest:
    """Write a collection to `target`, which must not exist yet. `ExportUnwritable` says why it cannot be written."""
    if target.exists():
        raise ExportUnwritable(f"{target} is already there. Remove it, or choose another name")
    copy = target.with_name(f"{target.name}.{os.getpid()}.ledger")
    try:
        with _explain_unwritable(target), replace_file(target) as partial:
            copy.touch(exist_ok=False)
            ledger.copy(copy)
            with copy.open("rb") as stream:
                checksum = hashlib.file_digest(stream, "sha256").hexdigest()
            manifest = Manifest(
                _FORMAT,
                state.name,
                state.encoder,
                dimension,
                state.documents,
                state.chunks,
                copy.stat().st_size,
                checksum,
            )
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
                archive.write(copy, _LEDGER)
    finally:
        copy.unlink(missing_ok=True)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Return the manifest of the export at `source`. `ExportUnreadable` if the file is not an export."""
    with _explain_unreadable(source), zipfile.ZipFile(source) as archive:
        fields = json.loads(archive.read(_MANIFEST))
        if fields["format"] != _FORMAT:
            raise ExportUnreadable(f"{source} has format {fields['format']!r}, this version reads {_FORMAT}. {_AGAIN}")
        return Manifest(**fields)


def unpack_export(source: Path, ledger: Path) -> Manifest:
    """Write the ledger inside the export at `source` to `ledger`, whole or not at all.

    `ExportUnreadable` if the file is missing, not an export, cut short or altered.
    """
    manifest = read_manifest(source)
    with replace_file(ledger) as partial:
        digest, size = hashlib.sha256(), 0
        with partial.open("wb") as stream, closing(_blocks(source)) as blocks:
            for block in blocks:
                digest.update(block)
                size += len(block)
                stream.write(block)
                if size > manifest.ledger_bytes:
                    break
        if size != manifest.ledger_bytes or digest.hexdigest() != manifest.ledger_sha256:
            raise ExportUnreadable(
                f"{source} is damaged: its ledger has checksum {digest.hexdigest()[:12]}..., "
                f"{manifest.ledger_sha256[:12]}... is recorded. {_AGAIN}"
            )
    return manifest


def _blocks(source: Path) -> Generator[bytes, None, None]:
    """Yield the ledger inside the export, block by block."""
    with _explain_unreadable(source), zipfile.ZipFile(source) as archive, archive.open(_LEDGER) as packed:
        while block := packed.read(_BLOCK):
            yield block


@contextmanager
def _explain_unreadable(source: Path) -> Iterator[None]:
    """Inside the `with` block any error of reading the file becomes `ExportUnreadable`."""
    try:
        yield
    except FileNotFoundError as error:
        raise ExportUnreadable(f"{source} is not there. Check how it is spelled") from error
    except (PermissionError, IsADirectoryError) as error:
        raise ExportUnreadable(f"{source} cannot be read ({error.strerror}). Name an export of a collection") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, TypeError, ValueError) as error:
        raise ExportUnreadable(f"{source} is damaged or no export of a collection ({error}). {_AGAIN}") from error
    except (OSError, RuntimeError) as error:  # a wrong offset or flag in the archive; a disk that fails
        raise ExportUnreadable(f"{source} is damaged or no export of a collection ({error}). {_AGAIN}") from error


@contextmanager
def _explain_unwritable(target: Path) -> Iterator[None]:
    """Inside the `with` block a path where no file can be written becomes `ExportUnwritable`."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise ExportUnwritable(f"{target} cannot be written ({error.strerror}). Choose another place") from error
