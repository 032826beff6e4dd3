"""The Lance table of one collection: made, read at its newest version, changed one batch at a time, compacted.

A batch is deleted rows, then one commit with new rows and the mark. A process that ends between the two has moved no mark, so
the batch is done again, and nothing is lost or doubled.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, Bitmap, BTree, HnswSq, LabelList
from lancedb.query import BooleanQuery, MatchQuery, Occur
from numpy.typing import NDArray

from index.engines.lance.rows import MARK_NUMBER, TableMark, batch, load_mark
from index.errors import SearchStorageUnreachable
from index.ledger.state import SearchableChunk

_DELETED_AT_ONCE = 5000
_MAX_SMALL_PARTS = 20
_SHARE_UNINDEXED = 10
_MIN_UNINDEXED = 1000
_PAUSE = 9  # times as long as compacting took, which then takes at most a tenth of the time
_KEPT = timedelta(minutes=10)  # old versions, which a search may still read
_REFINED = 4
_MANY_TABLES = 100_000
_NO_TABLE = "was not found"
_ALL_PARTITIONS = 100_000
_ERRORS = (RuntimeError, ValueError, OSError)
"""What Lance raises for its storage."""

_WORDS = FTS(
    base_tokenizer="whitespace",
    stem=False,
    lower_case=False,
    remove_stop_words=False,
    ascii_folding=False,
    max_token_length=None,
    with_position=False,
)


class ChunkTable:
    """The table `name` below `url`, with vectors of `dimension`. Thread-safe; one process at a time may write.

    Up to `exact` vectors are searched one by one, more by a graph (HNSW, eight bits), whose best are scored again. All methods
    raise `SearchStorageUnreachable` if the storage does not answer.
    """

    def __init__(self, url: str, name: str, dimension: int, *, exact: int) -> None:
        self._url = url
        self._name = name
        self._dimension = dimension
        self._exact = exact
        self._guard = threading.Lock()
        self._table: lancedb.table.Table | None = None
        self._version = -1
        self._mark: TableMark | None = None
        self._has_graph = False
        self._due = 0.0

    @property
    def mark(self) -> TableMark | None:
        """The mark at the last `refresh`; None if there was no table of this format."""
        return self._mark

    def refresh(self) -> TableMark | None:
        """Search the newest version from now on. Returns its mark, None if there is no table of this format."""
        with self._guard, self._reaching():
            before, table = self._table, self._newest()
            self._table = table
            if table is None:
                self._mark = None
            elif table.version != self._version or table is not before:
                self._read_facts(table)
            return self._mark

    def create(self, ledger: int, position: int) -> TableMark:
        """Make an empty table in place of any other, for the chunks of that ledger. Returns its mark."""
        mark = TableMark(ledger, position, 0)
        mode = "create" if self._table is None else "overwrite"  # to overwrite nothing makes Lance warn on the terminal
        with self._guard, self._reaching():
            connection = lancedb.connect(self._url)
            self._table = connection.create_table(
                self._name, batch([], mark, self._dimension), mode=mode, on_bad_vectors="null"
            )
            for column in ("words", "stems"):
                self._table.create_index(column, config=_WORDS)
            for column in ("number", "document", "uri", "modified"):
                self._table.create_index(column, config=BTree())
            for column in ("principals", "metadata"):
                self._table.create_index(column, config=LabelList())
            self._table.create_index("is_open", config=Bitmap())
            self._read_facts(self._table)
        return mark

    def apply(self, chunks: Sequence[SearchableChunk], gone: Iterable[int], mark: TableMark) -> None:
        """Delete the rows of the chunks `gone`, then write those of `chunks` and the mark in one commit."""
        table = self._opened()
        deleted = sorted(gone)
        with self._reaching():
            for first in range(0, len(deleted), _DELETED_AT_ONCE):
                table.delete(f"number IN ({', '.join(map(str, deleted[first : first + _DELETED_AT_ONCE]))})")
            writing = table.merge_insert("number").when_matched_update_all().when_not_matched_insert_all()
            writing.execute(batch(chunks, mark, self._dimension), on_bad_vectors="null")

    def may_compact(self) -> bool:
        """Whether compacting again now would leave it within a tenth of the time of this process."""
        return time.monotonic() >= self._due

    def compact(self) -> bool:
        """Merge small parts, bring the indexes up to date and forget old versions, if there is enough of it to do.

        Returns whether there was.
        """
        table = self._opened()
        with self._reaching():
            if not self._is_worn(table):
                return False
            begun = time.monotonic()
            table.optimize(cleanup_older_than=_KEPT)
            if not self._has_graph and table.count_rows("vector IS NOT NULL") > self._exact:
                table.create_index("vector", config=HnswSq(distance_type="dot"))
            now = time.monotonic()
            self._due = now + _PAUSE * (now - begun)
        return True

    def nearest(
        self, vector: NDArray[np.float32], count: int, condition: str | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the numbers of the `count` chunks nearest to `vector` (dimension,) and their vectors (n, dimension)."""
        query = self._opened().search(vector, vector_column_name="vector").distance_type("dot")
        if self._has_graph:
            query = query.nprobes(_ALL_PARTITIONS).refine_factor(_REFINED)
        if condition is not None:
            query = query.where(condition, prefilter=True)
        with self._reaching():
            found = query.select(["number", "vector", "_distance"]).limit(count).to_arrow()
        return found["number"].to_numpy(), _vectors(found["vector"], self._dimension)

    def best(
        self, words: Sequence[str], stems: Sequence[str], count: int, condition: str | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the numbers of the `count` chunks with the highest BM25 for these terms, and their scores."""
        clauses = [
            MatchQuery(" ".join(terms), column) for column, terms in (("words", words), ("stems", stems)) if terms
        ]
        asked = clauses[0] if len(clauses) == 1 else BooleanQuery([(Occur.SHOULD, clause) for clause in clauses])
        query = self._opened().search(asked, query_type="fts")
        if condition is not None:
            query = query.where(condition, prefilter=True)
        with self._reaching():
            found = query.select(["number", "_score"]).limit(count).to_arrow()
        return found["number"].to_numpy(), found["_score"].to_numpy().astype(np.float64)

    def rows(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float32]]]:
        """Yield all chunks in batches: numbers, whether they have a vector, and the vectors of those (n, dimension)."""
        with self._reaching():
            found = self._opened().search().where(f"number != {MARK_NUMBER}").select(["number", "vector"])
            for part in found.to_batches():
                has_vector = part["vector"].is_valid().to_numpy(zero_copy_only=False)
                yield part["number"].to_numpy(), has_vector, _vectors(part["vector"].drop_null(), self._dimension)

    def _newest(self) -> lancedb.table.Table | None:
        """The table at its newest version; None if there is none."""
        if self._table is not None:
            with suppress(*_ERRORS):  # it was deleted, or the storage does not answer: opening it again says which
                self._table.checkout_latest()
                return self._table
        try:
            return lancedb.connect(self._url).open_table(self._name)
        except ValueError as error:
            if _NO_TABLE not in str(error):
                raise
            return None

    def _read_facts(self, table: lancedb.table.Table) -> None:
        """Read the mark of the version that is searched now, and whether its vectors have a graph."""
        found = table.search().where(f"number = {MARK_NUMBER}").select(["mark"]).to_arrow()["mark"].to_pylist()
        self._mark = load_mark(found[0]) if found else None
        self._has_graph = any("vector" in index.columns for index in table.list_indices())
        self._version = table.version

    def _is_worn(self, table: lancedb.table.Table) -> bool:
        if table.stats()["fragment_stats"]["num_small_fragments"] >= _MAX_SMALL_PARTS:
            return True
        words = table.index_stats("words_idx")
        return words is not None and words.num_unindexed_rows >= max(
            _MIN_UNINDEXED, words.num_indexed_rows // _SHARE_UNINDEXED
        )

    def _opened(self) -> lancedb.table.Table:
        table = self._table
        if table is None:
            raise SearchStorageUnreachable(
                f"{self._url}: the search table {self._name} was deleted. Try again: it is made again from the ledger"
            )
        return table

    def _reaching(self) -> AbstractContextManager[None]:
        return _reaching(self._url, self._name)


def drop_tables(url: str, prefix: str) -> None:
    """Delete the tables below `url` whose names begin with `prefix`. `SearchStorageUnreachable` if it does not answer."""
    with _reaching(url, f"{prefix}*"):
        connection = lancedb.connect(url)
        for name in connection.list_tables(limit=_MANY_TABLES).tables:
            if name.startswith(prefix):
                connection.drop_table(name)


@contextmanager
def _reaching(url: str, name: str) -> Iterator[None]:
    """Turn what Lance raises for its storage into `SearchStorageUnreachable`."""
    try:
        yield
    except _ERRORS as error:
        raise SearchStorageUnreachable(
            f"{url}: the search table {name} cannot be read or written ({str(error)[:200]}). "
            "Check the storage, its address and the rights of this program, then try again"
        ) from error


def _vectors(column: pa.Array, dimension: int) -> NDArray[np.float32]:
    values = pa.chunked_array(column).combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat: NDArray[np.float32] = values.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return flat.reshape(-1, dimension)
