"""Any sentence-transformers model in a folder, run by that library on the CPU."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from index.errors import ModelDamaged


class Pretrained:
    """The model in `folder`. `ModelDamaged` if the library cannot load it. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelDamaged(
                f"{folder}: sentence-transformers cannot load it ({error}). Restore the folder"
            ) from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors (n, dimension) of length 1."""
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)
