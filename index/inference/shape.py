"""The sizes of a BERT encoder. Apart from the network: a model's config holds them, and reading it needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BertShape:
    """Sizes of a BERT encoder (Devlin et al. 2018). The defaults are those of all-MiniLM-L6-v2."""

    vocabulary: int = 30522
    positions: int = 512
    segments: int = 2
    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    norm_epsilon: float = 1e-12
