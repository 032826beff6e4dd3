"""The files of a lexicon as Tantivy writes them: open them, verify them, read their mark, delete what killed writers left."""

import json
import mmap
import struct
import zlib
from pathlib import Path

import tantivy
from tantivy import Query

from index.ledger.state import Mark
from index.lexicon.analysis import ANALYZERS, SCHEMA

FORMAT = 5
"""The version of what an entry of the index holds; an index of another version is rebuilt."""

_FOOTER = struct.Struct("<II")
_FOOTER_MAGIC = 1337


class LexiconDamaged(Exception):
    """The folder is missing, incomplete or altered. Never leaves index/: the lexicon is rebuilt."""


def create_index(folder: Path) -> tantivy.Index:
    """An index in `folder`, which exists: the one that is in it, or a new one."""
    index = tantivy.Index(SCHEMA, path=str(folder))
    for name, analyzer in ANALYZERS.items():
        index.register_tokenizer(name, analyzer)
    return index


def open_index(folder: Path) -> tantivy.Index:
    """The index in `folder`. `LexiconDamaged` if one of its files differs from the checksum in that file.

    OSError or ValueError if there is no index.
    """
    meta = (folder / "meta.json").read_bytes()
    segments = {segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]}
    for path in folder.iterdir():
        if path.name.split(".")[0] in segments:
            _verify(path)
    return create_index(folder)


def read_mark(searcher: tantivy.Searcher) -> Mark:
    """The mark inside the index. `LexiconDamaged` if there is none of this format."""
    hits = searcher.search(Query.term_query(SCHEMA, "number", 0), 2, count=False).hits
    if len(hits) != 1:
        raise LexiconDamaged(f"{len(hits)} marks")
    (version,), (ledger,), (position,) = (
        searcher.fast_field_values(name, [hits[0][1]]) for name in ("format", "ledger", "position")
    )
    if version != FORMAT or ledger is None or position is None:
        raise LexiconDamaged(f"format {version!r}")
    return Mark(int(ledger), int(position))


def delete_stale(folder: Path) -> None:
    """Delete lists of deletions that no commit refers to. Only the process that holds the lock may call this.

    A writer killed just before its commit leaves them behind, and Tantivy, which would write them again under the same
    names, does not replace a file.
    """
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
    """Compare a file of a segment with its footer: JSON with the CRC-32 of what precedes it, its length, a magic number."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            length, magic = _FOOTER.unpack(content[-_FOOTER.size :])
            end = len(content) - _FOOTER.size - length
            recorded = json.loads(content[end : -_FOOTER.size])["crc"]
            with memoryview(content) as view, view[:end] as body:
                is_intact = magic == _FOOTER_MAGIC and recorded == zlib.crc32(body)
    except FileNotFoundError:
        return  # another process has just merged this segment into another
    except (struct.error, ValueError, KeyError) as error:
        raise LexiconDamaged(f"{path}: no footer") from error
    if not is_intact:
        raise LexiconDamaged(f"{path}: the checksum differs")
