"""The shipped encoder with the folder of compiled networks that the whole test run shares."""

import os
from pathlib import Path

from index.embedding.encoder import SentenceEncoder


def shared_encoder() -> SentenceEncoder:
    """A new encoder; its network is compiled once in a test run."""
    return SentenceEncoder(cache=Path(os.environ["QUOTH_CACHE_FOLDER"]))
