"""The rows of a Lance table: one for each chunk, and one (number 0) with the mark. Pure.

The terms of a chunk are found by Quoth and stored with blanks between them. Lance splits at blanks and at nothing else, so both
engines know the same terms.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from index.engines.lance.conditions import metadata_value
from index.ledger.state import SearchableChunk
from index.lexicon.analysis import ANALYZERS, normalize
from index.lexicon.stems import LATIN_LANGUAGES, indexed_terms, marker

FORMAT = 1
"""The version of what a row holds; a table of another version is made again."""

MARK_NUMBER = 0


class TableMark(NamedTuple):
    """What a table reflects: of which ledger, and up to which position of its log.

    While the table is being made, `through` is the last chunk that was copied, and None afterwards. `languages` are those in
    Latin letters whose stems are in the table.
    """

    ledger: int
    position: int
    through: int | None
    languages: tuple[str, ...] = ()
    has_vectors: bool = False


def schema(dimension: int) -> pa.Schema:
    """Return the columns, for vectors of `dimension`."""
    return pa.schema(
        [
            pa.field("number", pa.int64(), nullable=False),
            pa.field("document", pa.string()),
            pa.field("uri", pa.string()),
            pa.field("modified", pa.int64()),
            pa.field("is_open", pa.bool_()),
            pa.field("principals", pa.list_(pa.string())),
            pa.field("metadata", pa.list_(pa.string())),
            pa.field("words", pa.string()),
            pa.field("stems", pa.string()),
            pa.field("vector", pa.list_(pa.float16(), dimension)),
            pa.field("mark", pa.string()),
        ]
    )


def dump_mark(mark: TableMark) -> str:
    """Return the mark as it stands in the column `mark`."""
    return json.dumps({"format": FORMAT, **mark._asdict()})


def load_mark(written: str) -> TableMark | None:
    """Return the mark in the column `mark`; None if it is of another format."""
    facts = json.loads(written)
    if facts.pop("format") != FORMAT:
        return None
    return TableMark(**{**facts, "languages": tuple(facts["languages"])})


def batch(chunks: Sequence[SearchableChunk], mark: TableMark, dimension: int) -> pa.Table:
    """Return the rows of the chunks and the mark, to which their languages are added."""
    stems = [list(indexed_terms(chunk.lexical.text, chunk.lexical.stretches)) for chunk in chunks]
    found = {language for language in LATIN_LANGUAGES for terms in stems if marker(language) in terms}
    has_vectors = mark.has_vectors or any(chunk.vector is not None for chunk in chunks)
    mark = mark._replace(languages=tuple(sorted(found.union(mark.languages))), has_vectors=has_vectors)
    nothing = bytes(2 * dimension)
    halves = np.frombuffer(b"".join([nothing, *(chunk.vector or nothing for chunk in chunks)]), dtype="<f2")
    is_missing = pa.array([True, *(chunk.vector is None for chunk in chunks)])
    columns = {
        "number": [MARK_NUMBER, *(chunk.lexical.number for chunk in chunks)],
        "document": [None, *(chunk.document_id for chunk in chunks)],
        "uri": [None, *(chunk.uri for chunk in chunks)],
        "modified": [None, *(chunk.modified_ns for chunk in chunks)],
        "is_open": [None, *(not chunk.principals for chunk in chunks)],
        "principals": [None, *(list(chunk.principals) for chunk in chunks)],
        "metadata": [None, *([metadata_value(*pair) for pair in chunk.metadata.items()] for chunk in chunks)],
        "words": [None, *(" ".join(ANALYZERS["words"].analyze(normalize(chunk.lexical.text))) for chunk in chunks)],
        "stems": [None, *(" ".join(terms) or None for terms in stems)],
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(halves), dimension, mask=is_missing),
        "mark": [dump_mark(mark), *([None] * len(chunks))],
    }
    return pa.table(columns, schema=schema(dimension))
