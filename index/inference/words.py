"""The table of word vectors of a network, read where it stands in the file of the weights.

The networks begin with a look-up in a table of 30,522 rows, which is a third to a half of their weights. Compiled into each of
them, it was kept three times and twice as large in memory; here only the rows that are asked for come into memory.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelDamaged

_TYPES = {"F32": np.float32, "F16": np.float16}


def word_vectors(path: Path, name: str) -> NDArray[Any]:
    """The tensor `name` (vocabulary, width) of a safetensors file, mapped into memory. Raises ModelDamaged."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(min(length, path.stat().st_size)))[name]
        first, after = entry["data_offsets"]
        table = np.memmap(
            path, _TYPES[entry["dtype"]], mode="r", offset=8 + length + first, shape=tuple(entry["shape"])
        )
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ModelDamaged(
            f"{path}: not a safetensors file with {name} ({error}). Reinstall quoth or restore the file"
        ) from error
    if table.nbytes != after - first:
        raise ModelDamaged(f"{path}: {name} has not the size that it says. Reinstall quoth or restore the file")
    return np.asarray(table)
