"""Lexical search: BM25 by Tantivy over the ledger's chunks. A cache: the folder can be rebuilt from the ledger.

Text and query go through the same analysis: Unicode NFKC, words of letters, marks and digits (each ideograph or kana is a
word of its own, since those scripts put no space between words), lower case, no accents, English stems. A query is built
from terms, never parsed, so no input is a syntax error.

The ledger's mark travels inside the index, in a document of its own (number 0) that every commit replaces: Tantivy commits
whole or not at all, so the mark is always that of the content.
"""

import json
import shutil
import struct
import threading
import unicodedata
import zlib
from pathlib import Path

import tantivy
from tantivy import Filter, Occur, Query, TextAnalyzerBuilder, Tokenizer

from index.disk import explained
from index.errors import CollectionBusy
from index.filters import Scope
from index.ledger import Ledger
from index.lock import FileLock
from index.snapshot import Mark, Snapshot

_FORMAT = 1
_WORDS = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
_LONGEST_WORD = 60
_MOST_TERMS = 256
_TIES = 32
_HEAP_BYTES = 64_000_000
_FOOTER = struct.Struct("<II")
_FOOTER_MAGIC = 1337
_FIRST_WAIT_SECONDS = 60.0
_WAIT_SECONDS = 0.25

_ANALYZER = (
    TextAnalyzerBuilder(Tokenizer.regex(_WORDS))
    .filter(Filter.remove_long(_LONGEST_WORD))
    .filter(Filter.lowercase())
    .filter(Filter.ascii_fold())
    .filter(Filter.stemmer("english"))
    .build()
)


class LexiconDamaged(Exception):
    """The folder is missing, incomplete or altered. Never leaves this module: the lexicon is rebuilt."""


class Lexicon:
    """The lexicon in `folder`, shared by all processes; one at a time brings it up to date. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder.with_name(folder.name + ".lock"))
        self._updating = threading.Lock()
        self._index: tantivy.Index | None = None
        self._searcher: tantivy.Searcher | None = None
        self._mark: Mark | None = None

    def catch_up(self, ledger: Ledger) -> None:
        """Reflect the ledger as it is now: take what another process wrote, replay what is newer, rebuild when damaged."""
        if self._mark == ledger.mark():
            return
        wait = _FIRST_WAIT_SECONDS if self._searcher is None else _WAIT_SECONDS
        if not self._updating.acquire(timeout=wait):
            return
        try:
            self._take()
            with ledger.snapshot() as snapshot:
                if self._covers(snapshot):
                    return
            self._update(ledger, wait)
        finally:
            self._updating.release()

    def search(self, query: str, k: int, scope: Scope | None = None) -> list[tuple[int, float]]:
        """The `k` chunks with the highest BM25 for the words of `query` among the documents in `scope`: numbers, scores.

        Best first; equal scores by the smaller number. A query without words finds nothing.
        """
        searcher = self._searcher
        parsed = _query(query, scope)
        if searcher is None or parsed is None:
            return []
        hits = searcher.search(parsed, k + _TIES, count=False).hits
        numbers = searcher.fast_field_values("number", [address for _, address in hits])
        found = [(int(number or 0), float(score)) for number, (score, _) in zip(numbers, hits, strict=True)]
        found.sort(key=lambda pair: (-pair[1], pair[0]))
        return found[:k]

    def numbers(self) -> list[int]:
        """Ledger numbers of the chunks that are in it, ascending."""
        searcher = self._searcher
        if searcher is None:
            return []
        hits = searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False).hits
        found = searcher.fast_field_values("number", [address for _, address in hits])
        return sorted(int(number) for number in found if number)

    def _covers(self, snapshot: Snapshot) -> bool:
        """Whether the lexicon lacks nothing of the snapshot; if so it is marked as such."""
        mark = self._mark
        if mark is None or not snapshot.can_replay(mark) or snapshot.has_lexical_changes(mark.position):
            return False
        self._mark = snapshot.mark
        return True

    def _update(self, ledger: Ledger, wait: float) -> None:
        """Write what is missing, unless another process is at it: then the searcher at hand serves until that is done."""
        try:
            with self._lock.held(wait), ledger.snapshot() as snapshot, explained(self._folder):
                self._take()
                if self._mark is None or not snapshot.can_replay(self._mark):
                    self._rebuild(snapshot)
                elif not self._covers(snapshot):
                    self._replay(snapshot, self._mark.position)
                self._mark = snapshot.mark
        except CollectionBusy:
            if self._searcher is None:
                raise

    def _take(self) -> None:
        """Look at what is on disk now; without a mark afterwards, it is of no use."""
        try:
            if self._index is None:
                self._index = _opened(self._folder)
            self._index.reload()
            searcher = self._index.searcher()
            mark = _mark(searcher)
        except (LexiconDamaged, ValueError, KeyError, OSError):
            self._index = self._searcher = self._mark = None
            return
        newer = self._mark is None or self._mark.ledger != mark.ledger or mark.position > self._mark.position
        self._searcher = searcher
        if newer:
            self._mark = mark

    def _rebuild(self, snapshot: Snapshot) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)
        self._index = tantivy.Index(_SCHEMA, path=str(self._folder))
        self._index.register_tokenizer("words", _ANALYZER)
        self._replay(snapshot, None)

    def _replay(self, snapshot: Snapshot, since: int | None) -> None:
        """Write what changed since, with the mark it leads to, as one commit."""
        assert self._index is not None
        _sweep(self._folder)
        writer = self._index.writer(_HEAP_BYTES, 1)
        gone = [0, *([] if since is None else snapshot.removed(since))]
        # Not delete_documents_by_term: in tantivy 0.27 it looks for a signed term, which an unsigned field never holds.
        writer.delete_documents_by_query(Query.term_set_query(_SCHEMA, "number", gone))
        for entry in snapshot.lexical_entries(since):
            document = tantivy.Document()
            document.add_unsigned("number", entry.number)
            document.add_unsigned("document", entry.document)
            document.add_text("text", unicodedata.normalize("NFKC", entry.text))
            writer.add_document(document)
        document = tantivy.Document()
        document.add_unsigned("number", 0)
        document.add_unsigned("format", _FORMAT)
        document.add_unsigned("ledger", snapshot.mark.ledger)
        document.add_unsigned("position", snapshot.mark.position)
        writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", indexed=True, fast=True)
    builder.add_unsigned_field("document", indexed=True)
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    for name in ("format", "ledger", "position"):
        builder.add_unsigned_field(name, fast=True)
    return builder.build()


_SCHEMA = _schema()


def terms(text: str) -> list[str]:
    """The different terms of `text`, in order, at most 256."""
    return list(dict.fromkeys(_ANALYZER.analyze(unicodedata.normalize("NFKC", text))))[:_MOST_TERMS]


def _query(text: str, scope: Scope | None) -> Query | None:
    """Any of the terms, within the scope; None when nothing can match."""
    wanted = [(Occur.Should, Query.term_query(_SCHEMA, "text", term, index_option="freq")) for term in terms(text)]
    if not wanted or (scope is not None and scope.is_empty):
        return None
    any_term = Query.boolean_query(wanted)
    if scope is None or (scope.outside and not scope.numbers.size):
        return any_term
    documents = Query.const_score_query(Query.term_set_query(_SCHEMA, "document", scope.numbers.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, any_term), (Occur.MustNot if scope.outside else Occur.Must, documents)])


def _mark(searcher: tantivy.Searcher) -> Mark:
    """The mark inside the index."""
    hits = searcher.search(Query.term_query(_SCHEMA, "number", 0), 2, count=False).hits
    if len(hits) != 1:
        raise LexiconDamaged(f"{len(hits)} marks")
    (form,), (ledger,), (position,) = (
        searcher.fast_field_values(name, [hits[0][1]]) for name in ("format", "ledger", "position")
    )
    if form != _FORMAT or ledger is None or position is None:
        raise LexiconDamaged(f"format {form!r}")
    return Mark(int(ledger), int(position))


def _sweep(folder: Path) -> None:
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


def _opened(folder: Path) -> tantivy.Index:
    """The index in the folder, after its files were compared with the checksums that they carry."""
    meta = (folder / "meta.json").read_bytes()
    segments = {segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]}
    for path in folder.iterdir():
        if path.name.split(".")[0] in segments:
            _verify(path)
    index = tantivy.Index(_SCHEMA, path=str(folder))
    index.register_tokenizer("words", _ANALYZER)
    return index


def _verify(path: Path) -> None:
    """Every file of a segment ends in a footer: JSON with the CRC-32 of what stands before it, its length, a magic number."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return  # another process has merged this segment away meanwhile
    try:
        length, magic = _FOOTER.unpack(content[-_FOOTER.size :])
        end = len(content) - _FOOTER.size - length
        intact = magic == _FOOTER_MAGIC and json.loads(content[end : -_FOOTER.size])["crc"] == zlib.crc32(content[:end])
    except (struct.error, ValueError, KeyError) as error:
        raise LexiconDamaged(f"{path}: no footer") from error
    if not intact:
        raise LexiconDamaged(f"{path}: the checksum differs")
