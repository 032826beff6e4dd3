"""Which vector structure fits how many vectors, and how to build it from the ledger."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import faiss
import numpy as np

from index.ledger.protocol import Snapshot
from index.vectors.segment import Segment
from index.vectors.structure import SAMPLE_PER_LIST, Flat, Partitioned, Structure

Kind = Literal["exact", "quantised", "partitioned"]

_SAMPLE = 20_000
_MULTITHREAD_ABOVE = 50_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many vectors a collection may have to be searched exactly (up to `exact`) or one by one in eight bits (up to
    `quantised`); a larger one is partitioned.

    A query searches the share `probed` of the partitions, but all of them with a filter that allows at most
    `max_exhaustive` vectors. Milliseconds of one core per query (384 dimensions, questions and passages of real text, the
    passages interpolated to these counts) and the share of the ten true nearest that are found:

        vectors      exact    eight bits     an eighth of the partitions
        200,000      6.5      4.2  1.000     0.9  .965
        1,000,000             18.8 1.000     3.9  .998
    """

    exact: int = 100_000
    quantised: int = 400_000
    probed: float = 1 / 8
    max_exhaustive: int = 100_000

    def kind_for(self, count: int) -> Kind:
        """The kind of structure that fits `count` vectors."""
        if count <= self.exact:
            return "exact"
        return "quantised" if count <= self.quantised else "partitioned"


def build_segment(snapshot: Snapshot, kind: Kind, dimension: int, sizes: Sizes) -> Segment:
    """A segment of that kind with all vectors of the ledger. A large one is built with all processors."""
    # Threads of FAISS wait for each other by spinning: for little work on a busy machine that takes longer than the work.
    faiss.omp_set_num_threads((os.cpu_count() or 1) if snapshot.count_embedded() > _MULTITHREAD_ABOVE else 1)
    structure = _empty(snapshot, kind, dimension, sizes)
    numbers, documents = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for batch in snapshot.vectors(None):
        structure.add(batch.vectors)
        numbers.append(batch.numbers)
        documents.append(batch.documents.astype(np.int32))
    return Segment(structure, np.concatenate(numbers), np.concatenate(documents))


def read_structure(path: Path, kind: Kind, sizes: Sizes) -> Structure:
    """The structure in the file at `path`. RuntimeError if FAISS cannot read it."""
    if kind == "partitioned":
        return Partitioned.open(path, probed=sizes.probed, max_exhaustive=sizes.max_exhaustive)
    return Flat(faiss.read_index(str(path)), is_exact=kind == "exact")


def partition_count(vectors: int) -> int:
    """How many partitions fit so many vectors: the power of two nearest to the square root of their number."""
    return int(2 ** round(np.log2(max(vectors, 1)) / 2))


def _empty(snapshot: Snapshot, kind: Kind, dimension: int, sizes: Sizes) -> Structure:
    if kind == "exact":
        return Flat.exact(dimension)
    if kind == "quantised":
        return Flat.quantised(snapshot.sample(_SAMPLE))
    lists = partition_count(snapshot.count_embedded())
    sample = snapshot.sample(lists * SAMPLE_PER_LIST)
    return Partitioned.train(sample, lists, probed=sizes.probed, max_exhaustive=sizes.max_exhaustive)
