"""The blueprint of a network: what identifies it, and how it is made.

A compiled network is found in the cache by what it was made from, so a start that finds it makes nothing: importing torch takes
a second of processor time and 200 MB, making and hashing the weights as long again.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn


class Parts(NamedTuple):
    """The torch modules of a network, in fp32 on the CPU: its body, and the head that takes the body's output.

    The body of a network with a table of words takes word vectors (B, T, width) where the network takes ids (B, T).
    """

    body: nn.Module
    head: nn.Module | None = None


@dataclass(frozen=True, eq=False)
class Blueprint:
    """What a network is made from, and how.

    `weights` is the SHA-256 of the file of its weights, which the caller has compared with the file. `sizes` says what else the
    network is made from, such as its shape. `words` is its table of word vectors (vocabulary, width), if it has one: index/
    inference/words.py. `code` names the modules of Python whose code makes it; a test holds that none of
    ours is missing. `make` makes the network from them; it is called where no compiled network is kept, and imports torch.
    """

    name: str
    weights: str
    sizes: str
    code: tuple[str, ...]
    make: Callable[[], Parts]
    words: NDArray[Any] | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal digits, of all that the network is made from."""
        facts = [self.weights.encode(), self.sizes.encode(), *map(code_of, self.code)]
        return sha256(b"".join(sha256(fact).digest() for fact in facts)).hexdigest()


def code_of(module: str) -> bytes:
    """SHA-256 of the file of a module of Python, which is not imported for it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module}: there is no such module. Name the modules that make the network")
    return sha256(Path(spec.origin).read_bytes()).digest()
