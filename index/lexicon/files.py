"""The files of a lexicon as Tantivy writes them: whether they are whole, and what killed writers left behind."""

import json
import mmap
import struct
import zlib
from pathlib import Path

_FOOTER = struct.Struct("<II")
_FOOTER_MAGIC = 1337


class LexiconDamaged(Exception):
    """The folder is missing, incomplete or altered. Never leaves index/: the lexicon is rebuilt."""


def verify(folder: Path) -> None:
    """Compare the files of the index with the checksums that they carry; `LexiconDamaged` if one differs."""
    meta = (folder / "meta.json").read_bytes()
    segments = {segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]}
    for path in folder.iterdir():
        if path.name.split(".")[0] in segments:
            _verify(path)


def sweep(folder: Path) -> None:
    """Remove lists of deletions that no commit refers to: a writer killed just before its commit leaves them, and Tantivy,
    which would write them anew under the same names, does not replace a file. Only for who holds the lock."""
    meta = folder / "meta.json"
    segments = json.loads(meta.read_bytes())["segments"] if meta.exists() else []
    known = {
        f"{segment['segment_id'].replace('-', '')}.{segment['deletes']['opstamp']}.del"
        for segment in segments
        if segment.get("deletes")
    }
    for path in folder.glob("*.del"):
        if path.name not in known:
            path.unlink(missing_ok=True)


def _verify(path: Path) -> None:
    """Every file of a segment ends in a footer: JSON with the CRC-32 of what stands before it, its length, a magic number."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            length, magic = _FOOTER.unpack(content[-_FOOTER.size :])
            end = len(content) - _FOOTER.size - length
            recorded = json.loads(content[end : -_FOOTER.size])["crc"]
            with memoryview(content) as view, view[:end] as body:
                intact = magic == _FOOTER_MAGIC and recorded == zlib.crc32(body)
    except FileNotFoundError:
        return  # another process has merged this segment away meanwhile
    except (struct.error, ValueError, KeyError) as error:
        raise LexiconDamaged(f"{path}: no footer") from error
    if not intact:
        raise LexiconDamaged(f"{path}: the checksum differs")
