"""Which structure fits how many vectors, and how it is made from the ledger."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import faiss
import numpy as np

from index.ledger.snapshot import Snapshot
from index.vectors.flat import Flat
from index.vectors.partitioned import SAMPLE_A_LIST, Partitioned
from index.vectors.segment import Segment
from index.vectors.structure import Structure

Kind = Literal["exact", "quantised", "partitioned"]

_SAMPLE = 20_000
_WORTH_THREADS = 50_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Up to how many vectors a collection is searched exactly, and up to how many in eight bits one by one; beyond that
    it is partitioned.

    A query looks into the share `probed` of the partitions, but into all of them with a filter that lets at most
    `scored_whole` vectors through. Milliseconds of one core a query (384 dimensions, questions and passages of real text,
    the passages interpolated to these counts) and the share of the exact ten nearest that are found:

        vectors      exact    eight bits     an eighth of the partitions
        200,000      6.5      4.2  1.000     0.9  .965
        1,000,000             18.8 1.000     3.9  .998
    """

    exact: int = 100_000
    quantised: int = 400_000
    probed: float = 1 / 8
    scored_whole: int = 100_000

    def fitting(self, count: int) -> Kind:
        """The kind of structure for so many vectors."""
        if count <= self.exact:
            return "exact"
        return "quantised" if count <= self.quantised else "partitioned"


def built(snapshot: Snapshot, kind: Kind, dimension: int, sizes: Sizes) -> Segment:
    """A segment of that kind with all vectors of the ledger. A large one uses all processors."""
    # Threads of FAISS wait for each other by turning: for little work on a busy machine that takes longer than the work.
    faiss.omp_set_num_threads((os.cpu_count() or 1) if snapshot.embedded() > _WORTH_THREADS else 1)
    structure = _empty(snapshot, kind, dimension, sizes)
    numbers, documents = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for batch in snapshot.vectors(None):
        structure.add(batch.vectors)
        numbers.append(batch.numbers)
        documents.append(batch.documents.astype(np.int32))
    return Segment(structure, np.concatenate(numbers), np.concatenate(documents))


def opened(path: Path, kind: Kind, sizes: Sizes) -> Structure:
    """The structure in a file. RuntimeError if FAISS cannot read it."""
    if kind == "partitioned":
        return Partitioned.opened(path, probed=sizes.probed, scored_whole=sizes.scored_whole)
    return Flat(faiss.read_index(str(path)), is_exact=kind == "exact")


def partitions(count: int) -> int:
    """How many partitions fit so many vectors: the power of two next to the square root of the count."""
    return int(2 ** round(np.log2(max(count, 1)) / 2))


def _empty(snapshot: Snapshot, kind: Kind, dimension: int, sizes: Sizes) -> Structure:
    if kind == "exact":
        return Flat.exact(dimension)
    if kind == "quantised":
        return Flat.quantised(snapshot.sample(_SAMPLE))
    lists = partitions(snapshot.embedded())
    sample = snapshot.sample(lists * SAMPLE_A_LIST)
    return Partitioned.trained(sample, lists, probed=sizes.probed, scored_whole=sizes.scored_whole)
